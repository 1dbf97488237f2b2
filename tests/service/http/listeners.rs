//! The listeners: what is answered where, and who may connect to a Unix socket.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
};

use crate::support::{
    client::{Answer, Client},
    daemon::{Daemon, run, serve, stores},
};

/// Each route of administrators, with its method.
const ADMIN: [(&str, &str); 14] = [
    ("GET", "/v1/status"),
    ("GET", "/metrics"),
    ("POST", "/v1/reload"),
    ("GET", "/v1/facts"),
    ("POST", "/v1/facts"),
    ("POST", "/v1/store/backup?to=/nowhere"),
    ("GET", "/v1/facts/users"),
    ("GET", "/v1/facts/users/ann"),
    ("GET", "/v1/facts/groups"),
    ("GET", "/v1/facts/groups/g"),
    ("GET", "/v1/facts/conversations"),
    ("GET", "/v1/facts/rules"),
    ("GET", "/v1/facts/rules/00000000-0000-4000-8000-000000000000"),
    ("GET", "/v1/facts/export"),
];

/// Each other route, with its method and body.
const OTHERS: [(&str, &str, &str); 10] = [
    ("GET", "/v1/decide?subject=3&action=start_chat&resource=2", ""),
    ("GET", "/v1/allow?subject=3&action=start_chat&resource=2", ""),
    ("GET", "/v1/reach?subject=3&action=start_chat", ""),
    ("POST", "/access/v1/evaluation", EVALUATION),
    ("POST", "/access/v1/evaluations", EVALUATION),
    (
        "POST",
        "/access/v1/search/subject",
        r#"{"subject":{"type":"user"},"action":{"name":"start_chat"},"resource":{"type":"user","id":"2"}}"#,
    ),
    ("GET", "/.well-known/authzen-configuration", ""),
    ("GET", "/healthz", ""),
    ("GET", "/readyz", ""),
    ("GET", "/flip/", ""),
];

const EVALUATION: &str = r#"{"subject":{"type":"user","id":"3"},"action":{"name":"start_chat"},"resource":{"type":"user","id":"2"}}"#;

/// The status of a request to the daemon's address of that number.
fn ask(daemon: &Daemon, at: usize, method: &str, path: &str, body: &str) -> Answer {
    let headers = "Content-Type: application/json\r\n";
    Client::tcp(daemon.addresses()[at]).ask(method, path, headers, body.as_bytes())
}

#[test]
fn what_is_of_administrators_is_found_at_their_listener_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (uds, admin) = (folder.path().join("plain.sock"), folder.path().join("admin.sock"));
    let mut command = serve();
    command.arg(stores()).args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    let daemon = Daemon::start(command.arg("--uds").arg(&uds).arg("--admin-uds").arg(&admin));
    for (method, path) in ADMIN {
        assert_eq!(ask(&daemon, 0, method, path, "{}").status, 404, "{method} {path}");
        let plain = Client::unix(&uds).ask(method, path, "", b"{}");
        assert_eq!(plain.status, 404, "{method} {path}");
        // Without a store or a token some are refused; none is missing.
        let there = ask(&daemon, 1, method, path, "{}");
        let is_open = ["/v1/status", "/metrics"].contains(&path);
        assert_eq!(there.status, if is_open { 200 } else { 403 }, "{method} {path}");
        let answer = Client::unix(&admin).ask(method, path, "", b"{}");
        let message = "not found: /v1";
        assert!(!answer.text().contains(message), "{method} {path} {answer:?}");
    }
    for (method, path, body) in OTHERS {
        let expected = ask(&daemon, 0, method, path, body);
        assert_ne!(expected.status, 400, "{path} {expected:?}");
        let found = ask(&daemon, 1, method, path, body);
        assert_eq!(found.status, expected.status, "{path}");
        assert_eq!(found.status == 404, path == "/flip/", "no dialect is served: {path}");
    }
}

#[test]
fn without_a_listener_for_administrators_their_socket_takes_nothing_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve();
    command.arg(stores()).args(["--listen", "127.0.0.1:0", "--admin-uds"]);
    let daemon = Daemon::start(command.arg(folder.path().join("admin.sock")));
    for (method, path) in ADMIN {
        assert_ne!(ask(&daemon, 0, method, path, "{}").status, 404, "{method} {path}");
    }
}

#[test]
fn a_listener_for_administrators_that_other_machines_reach_is_refused() {
    let refused = run(serve().arg(stores()).args(["--admin-listen", "0.0.0.0:0"]));
    assert_eq!(refused.status.code(), Some(2));
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("other machines can reach 0.0.0.0:0"), "{text}");
}

/// A group other than that of this process, by number and name, if there is one.
fn other_group() -> Option<(u32, String)> {
    let this = fs::metadata("/proc/self").unwrap();
    if this.uid() != 0 {
        return None;
    }
    let groups = fs::read_to_string("/etc/group").unwrap();
    groups.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let number: u32 = fields.get(2)?.parse().ok()?;
        (number != this.gid()).then(|| (number, fields[0].to_owned()))
    })
}

fn start(socket: &Path, options: &[&str]) -> Daemon {
    Daemon::start(serve().arg(stores()).arg("--uds").arg(socket).args(options))
}

#[test]
fn a_socket_has_the_mode_and_the_group_that_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("peerage.sock");
    for (given, mode) in [("0600", 0o600), ("0660", 0o660), ("666", 0o666), ("0777", 0o777)] {
        let daemon = start(&socket, &["--uds-mode", given]);
        let found = fs::metadata(&socket).unwrap().permissions().mode() & 0o7777;
        assert_eq!(found, mode, "{given}");
        assert_eq!(Client::unix(&socket).get("/healthz").status, 200);
        drop(daemon);
    }
    let Some((number, name)) = other_group() else { return };
    for group in [number.to_string(), name] {
        let daemon = start(&socket, &["--uds-group", &group]);
        let found = fs::metadata(&socket).unwrap();
        assert_eq!((found.gid(), found.mode() & 0o7777), (number, 0o660), "{group}");
        drop(daemon);
    }
}

#[test]
fn a_mode_or_a_group_that_can_not_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("peerage.sock");
    for (options, expected) in [
        (["--uds-mode", "0888"], "octal"),
        (["--uds-mode", "1777"], "octal"),
        (["--uds-mode", "7"], "octal"),
        (["--uds-mode", "rw-rw----"], "octal"),
        (["--uds-group", "no-such-group"], "no group `no-such-group`"),
        (["--uds-group", "4294967295"], "the name or number of a group"),
        (["--uds-group", ""], "the name or number of a group"),
    ] {
        let refused = run(serve().arg(stores()).arg("--uds").arg(&socket).args(options));
        assert_eq!(refused.status.code(), Some(2), "{options:?}");
        let text = String::from_utf8(refused.stderr).unwrap();
        assert!(text.contains(expected), "{options:?} {text}");
        assert!(!socket.exists(), "{options:?}");
    }
}

/// Connections beyond the backlog are delayed by a second.
#[test]
fn many_connections_at_once_wait_to_be_accepted() {
    let daemon = Daemon::serve(stores());
    let most = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let port = format!("sport = :{}", daemon.address().port());
    let found = run(Command::new("ss").args(["-Hltn", &port]));
    let found = String::from_utf8(found.stdout).unwrap();
    let backlog: u32 = found.split_whitespace().nth(2).unwrap().parse().unwrap();
    assert_eq!(backlog, most.trim().parse::<u32>().unwrap().min(1024), "{found}");
}
