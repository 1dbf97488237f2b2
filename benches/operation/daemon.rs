//! The daemon as a process.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

pub(crate) struct Daemon {
    process: Child,
    pub(crate) address: String,
    started: Instant,
}

impl Daemon {
    /// Starts it on `policies/stores`, on one processor if one is given; all else runs on the others then.
    pub(crate) fn start(arguments: &[&str], processor: Option<usize>) -> Self {
        let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/stores");
        Self::serving(policy.as_ref(), arguments, processor)
    }

    /// The same on another policy.
    pub(crate) fn serving(policy: &Path, arguments: &[&str], processor: Option<usize>) -> Self {
        let program = std::env::var("PEERAGE");
        let program = program.as_deref().unwrap_or(env!("CARGO_BIN_EXE_peerage"));
        let mut command = Command::new(if processor.is_some() { "taskset" } else { program });
        if let Some(processor) = processor {
            command.args(["-c", &processor.to_string(), program]);
            let me = std::process::id().to_string();
            let last = std::thread::available_parallelism().unwrap().get().max(2) - 1;
            let others = format!("1-{last}");
            let placed =
                Command::new("taskset").args(["-apc", &others, &me]).stdout(Stdio::null()).status();
            assert!(placed.unwrap().success(), "there is a second processor");
        }
        let started = Instant::now();
        let mut process = command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .arg(policy)
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        Self { process, address, started }
    }

    /// The time from its execution until `/readyz` answers 200.
    pub(crate) fn until_ready(&self) -> Duration {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let took = self.started.elapsed();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        took
    }

    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
