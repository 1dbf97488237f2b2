//! The daemon as a process on a processor of its own.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A policy: its name, how many users it has, and by how many rules each reaches all.
pub(crate) type Policy = (&'static str, u32, u32);

pub(crate) const POLICIES: [Policy; 2] = [("users", 1_000_000, 1), ("rules", 1_000, 10_000)];

pub(crate) struct Daemon {
    process: Child,
    pub(crate) address: String,
    folder: PathBuf,
}

impl Daemon {
    /// Starts it on processor 0, while all else runs on the others.
    pub(crate) fn start((name, users, rules): Policy) -> Self {
        let folder = std::env::temp_dir().join(format!("pressure-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        write(&folder, users, rules);
        let program = std::env::var("PEERAGE").ok();
        let program = program.as_deref().or(option_env!("CARGO_BIN_EXE_peerage"));
        let mut process = Command::new("taskset")
            .args(["-c", "0", program.expect("PEERAGE says where the command is"), "serve"])
            .args(["--listen", "127.0.0.1:0"])
            .arg(&folder)
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let me = std::process::id().to_string();
        let placed =
            Command::new("taskset").args(["-apc", "1", &me]).stdout(Stdio::null()).status();
        assert!(placed.unwrap().success(), "there is a second processor");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        Self { process, address, folder }
    }

    /// Resident memory in MB.
    pub(crate) fn resident(&self) -> u64 {
        resident(self.process.id())
    }

    /// The most resident memory that is seen within a span.
    pub(crate) fn watch_peak(&self, span: Duration) -> JoinHandle<u64> {
        let id = self.process.id();
        thread::spawn(move || {
            let (until, mut peak) = (Instant::now() + span, 0);
            while Instant::now() < until {
                peak = peak.max(resident(id));
                thread::sleep(Duration::from_millis(50));
            }
            peak
        })
    }
}

fn resident(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() >> 10
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn write(folder: &Path, users: u32, rules: u32) {
    let mut text = String::new();
    for user in 0..users {
        writeln!(text, r#"{{"id":"user-{user:07}","tags":["member"]}}"#).unwrap();
    }
    fs::write(folder.join("users.ndjson"), &text).unwrap();
    text.clear();
    for rule in 0..rules {
        writeln!(text, "rule r{rule}: hasTag(member) -> [member];").unwrap();
    }
    fs::write(folder.join("rules.peerage"), text).unwrap();
}
