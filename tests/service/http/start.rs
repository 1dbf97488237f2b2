//! Long starts, which end when a signal stops them, also in the first process of a system.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support::daemon::{Daemon, NEVER, serve, stores};

/// The signals that are to be asked for: their names and numbers.
const SIGNALS: [(&str, u32); 3] = [("HUP", 1), ("INT", 2), ("TERM", 15)];

/// What `look` finds, as soon as it finds anything.
#[track_caller]
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + NEVER;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A daemon that waits for the admin token, which nobody has written into the pipe yet.
struct Starting {
    folder: tempfile::TempDir,
    child: Child,
    /// Of the daemon, which may be a child of that process.
    id: u32,
}

impl Starting {
    /// By another command that carries it out, if there is one.
    fn new(by: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("token");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let daemon = serve();
        let mut command = match by {
            [] => serve(),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(daemon.get_program()).args(daemon.get_args());
                command
            }
        };
        command.arg(stores()).args(["--listen", "127.0.0.1:0"]).arg("--admin-token-file").arg(pipe);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let id = child.id();
        let mut starting = Self { folder, child, id };
        starting.id = wait_for("handlers of signals", || {
            assert!(starting.child.try_wait().unwrap().is_none(), "it ended by itself");
            let id = if by.is_empty() { id } else { only_child(id)? };
            takes_all(id).then_some(id)
        });
        starting
    }

    fn signal(&self, name: &str) {
        let arguments = [format!("-{name}"), self.id.to_string()];
        assert!(Command::new("kill").args(arguments).status().unwrap().success());
    }

    fn ended(&mut self) -> ExitStatus {
        wait_for("an end", || self.child.try_wait().unwrap())
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        // A test that failed leaves no daemon behind; one that passed has none any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn only_child(id: u32) -> Option<u32> {
    fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?.trim().parse().ok()
}

/// Whether the process takes the signals, as the system tells it.
fn takes_all(id: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    SIGNALS.iter().all(|(_, number)| caught & (1 << (number - 1)) != 0)
}

#[test]
fn a_signal_during_the_start_ends_it() {
    for name in ["TERM", "INT"] {
        let mut starting = Starting::new(&[]);
        starting.signal(name);
        let status = starting.ended();
        assert_eq!((status.code(), status.signal()), (Some(0), None), "{name}");
    }
}

/// What comes to an end by itself within a moment is not served any more.
#[test]
fn a_start_that_was_reported_to_stop_serves_nothing() {
    let mut starting = Starting::new(&[]);
    starting.signal("TERM");
    // Fails if it has ended already.
    let _ = fs::write(starting.folder.path().join("token"), "0123456789abcdef-token");
    assert_eq!(starting.ended().code(), Some(0));
    let reported = std::io::read_to_string(starting.child.stdout.take().unwrap()).unwrap();
    assert_eq!(reported, "");
}

/// As in a container: such a process gets only the signals that it asked for.
#[test]
fn the_first_process_takes_signals_too() {
    let unshare = ["unshare", "--pid", "--fork"];
    let may =
        Command::new(unshare[0]).args(&unshare[1..]).arg("true").stderr(Stdio::null()).status();
    if !may.is_ok_and(|status| status.success()) {
        return;
    }
    for name in ["TERM", "INT"] {
        let mut starting = Starting::new(&unshare);
        starting.signal(name);
        assert_eq!(starting.ended().code(), Some(0), "{name}");
    }
}

/// A start that is ended wherever it is leaves a store that need not be put right.
#[test]
fn the_store_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    let store = folder.path().join("facts.redb");
    fs::write(&policy, "rules: []\n").unwrap();
    let command = || {
        let mut command = serve();
        command.arg(&policy).args(["--listen", "127.0.0.1:0"]).arg("--store").arg(&store);
        command
    };
    let daemon = Daemon::start(&mut command());
    daemon.signal("TERM");
    assert_eq!(daemon.ended().status.code(), Some(0));

    // As long as somebody writes the file, it is not read.
    let writing = fs::File::options().append(true).open(&policy).unwrap();
    let mut child = command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let opened = |id: u32| {
        let open = fs::read_dir(format!("/proc/{id}/fd")).unwrap().flatten();
        open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|path| path == store)
    };
    wait_for("an open store", || (takes_all(child.id()) && opened(child.id())).then_some(()));
    let arguments = ["-TERM".to_owned(), child.id().to_string()];
    assert!(Command::new("kill").args(arguments).status().unwrap().success());
    assert_eq!(wait_for("an end", || child.try_wait().unwrap()).code(), Some(0));

    drop(writing);
    let daemon = Daemon::start(&mut command());
    daemon.signal("TERM");
    let errors = daemon.ended().errors;
    assert!(!errors.contains("the store was repaired"), "{errors}");
}
