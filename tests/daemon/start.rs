//! A start that takes long ends when it is told to.

use std::{
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::daemon::{NEVER, serve, stores};

/// A daemon that waits for the admin token, which nobody writes into the pipe.
fn starting(folder: &tempfile::TempDir) -> Child {
    let pipe = folder.path().join("token");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = serve();
    command.arg(stores()).args(["--listen", "127.0.0.1:0"]).arg("--admin-token-file").arg(&pipe);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Whether the process takes the signal of this number, as the system tells it.
fn takes(child: &Child, signal: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() & (1 << (signal - 1)) != 0
}

fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + NEVER;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "the start does not end");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_signal_during_the_start_ends_it() {
    for (name, number) in [("TERM", 15), ("INT", 2)] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = starting(&folder);
        let deadline = Instant::now() + NEVER;
        // SIGHUP is asked for first, and the last of them is what matters.
        while ![1, 2, 15].iter().all(|&signal| takes(&child, signal)) {
            assert!(Instant::now() < deadline, "{name} ({number}) is never taken");
            thread::sleep(Duration::from_millis(2));
        }
        let kill =
            Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        let status = wait(&mut child);
        assert_eq!((status.code(), status.signal()), (Some(0), None), "{name}");
    }
}
