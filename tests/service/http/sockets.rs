//! Where the daemon listens, and what it does when it can't.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
    process::Command,
};

use tempfile::tempdir;

use crate::{
    support::client::Client,
    support::daemon::{Daemon, run, serve, stores},
};

const GOOD: &str = "/v1/allow?subject=3&action=start_chat&resource=2";

fn on_socket(path: &Path) -> Command {
    let mut command = serve();
    command.arg(stores()).arg("--uds").arg(path);
    command
}

/// Asserts that the daemon can't start, for a reason that it says; gives what else it printed.
#[track_caller]
fn fails(command: &mut Command, code: i32, reasons: &[&str]) -> String {
    let output = run(command);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    for reason in reasons {
        assert!(errors.contains(reason), "{reason} is not in {errors}");
    }
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_unix_socket_and_a_port_together() {
    let folder = tempdir().unwrap();
    let (one, two) = (folder.path().join("1.sock"), folder.path().join("2.sock"));
    let daemon =
        Daemon::start(on_socket(&one).arg("--uds").arg(&two).args(["--listen", "127.0.0.1:0"]));
    for path in [&one, &two] {
        let mut client = Client::unix(path);
        assert_eq!(client.get(GOOD).status, 204);
        assert_eq!(client.get("/nowhere").status, 404);
    }
    assert_eq!(daemon.get(GOOD).status, 204);
    daemon.signal("TERM");
    assert_eq!(daemon.ended().status.code(), Some(0));
    assert!(!one.exists() && !two.exists());
}

#[test]
fn a_socket_left_behind_is_replaced() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("peerage.sock");
    Daemon::start(&mut on_socket(&path)).kill();
    assert!(path.exists());
    let daemon = Daemon::start(&mut on_socket(&path));
    assert_eq!(Client::unix(&path).get(GOOD).status, 204);
    daemon.signal("TERM");
    assert_eq!(daemon.ended().status.code(), Some(0));
    assert!(!path.exists());
}

#[test]
fn a_socket_on_which_another_listens() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("peerage.sock");
    let _daemon = Daemon::start(&mut on_socket(&path));
    let out = fails(&mut on_socket(&path), 2, &["another process listens", "peerage.sock"]);
    assert_eq!(out, "");
    assert_eq!(Client::unix(&path).get(GOOD).status, 204);
}

#[test]
fn a_busy_socket_is_not_taken_for_one_left_behind() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("busy.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let clients: Vec<_> = (0..4).map(|_| Client::unix(&path)).collect();
    fails(&mut on_socket(&path), 2, &["another process listens"]);
    drop((listener, clients));
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    fails(&mut on_socket(&file), 2, &["can't listen on", "file"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");

    let link = folder.path().join("link");
    symlink(&file, &link).unwrap();
    fails(&mut on_socket(&link), 2, &["can't listen on", "link"]);
    assert!(link.is_symlink());

    fails(&mut on_socket(folder.path()), 2, &["can't listen on"]);
    fails(&mut on_socket(&folder.path().join("none/x.sock")), 2, &["can't listen on", "none"]);
    fails(&mut on_socket(&folder.path().join("x".repeat(200))), 2, &["can't listen on"]);
}

#[test]
fn another_daemons_socket_is_not_removed_at_the_end() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("peerage.sock");
    let first = Daemon::start(&mut on_socket(&path));
    fs::remove_file(&path).unwrap();
    let _second = Daemon::start(&mut on_socket(&path));
    first.signal("TERM");
    assert_eq!(first.ended().status.code(), Some(0));
    assert_eq!(Client::unix(&path).get(GOOD).status, 204);
}

#[test]
fn a_taken_port() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempdir().unwrap();
    let path = folder.path().join("peerage.sock");
    let mut command = on_socket(&path);
    command.args(["--listen", "127.0.0.1:0", "--listen", &address]);
    let out = fails(&mut command, 2, &["can't listen on", &address, "--listen"]);
    assert_eq!(out, "", "nothing is announced that is not served");
    assert!(!path.exists(), "nothing is left behind");

    let mut command = on_socket(&path);
    command.arg("--uds").arg(stores()).args(["--listen", "127.0.0.1:0"]);
    let out = fails(&mut command, 2, &["can't listen on"]);
    assert_eq!(out, "");
    assert!(!path.exists(), "nothing is left behind");
}

#[test]
fn a_bad_policy_refuses_to_serve() {
    let folder = tempdir().unwrap();
    let policy = folder.path().join("policy.peerage");
    fs::write(&policy, "rule: hasTag(a) -> [b;\nrule: any() -> [b];\n").unwrap();
    let mut command = serve();
    command.arg(&policy).args(["--listen", "127.0.0.1:0"]);
    let out = fails(&mut command, 1, &["policy.peerage:1:", "policy.peerage:2:"]);
    assert_eq!(out, "");
}

#[test]
fn no_policy_at_all() {
    let folder = tempdir().unwrap();
    for path in [folder.path().join("none"), folder.path().to_owned()] {
        let mut command = serve();
        command.arg(&path).args(["--listen", "127.0.0.1:0"]);
        assert_eq!(fails(&mut command, 2, &[path.to_str().unwrap()]), "");
    }
    fails(&mut serve(), 2, &["PATH"]);
    fails(serve().arg(stores()).args(["--listen", "nowhere"]), 2, &["--listen"]);
}
