//! Many connections at once, more than there are descriptors for.

use std::{fs, net::TcpStream, path::PathBuf, process::Command, time::Instant};

use rustix::process::{Resource, getrlimit, setrlimit};
use tempfile::{TempDir, tempdir};

use crate::{
    support::client::Client,
    support::daemon::{Daemon, NEVER, stores},
};

const GOOD: &str = "/v1/allow?subject=3&action=start_chat&resource=2";

#[test]
fn five_hundred_connections() {
    let daemon = Daemon::serve(stores());
    let mut clients: Vec<_> = (0..500).map(|_| daemon.connect()).collect();
    for _ in 0..3 {
        for client in &mut clients {
            assert_eq!(client.get(GOOD).status, 204);
        }
    }
    drop(clients);
    assert!(daemon.answers());
}

/// As many descriptors as this process may have.
fn raise_descriptors() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    limit.maximum.map_or(usize::MAX, |maximum| usize::try_from(maximum).unwrap())
}

#[test]
fn ten_thousand_idle_connections() {
    // The daemon has the same limit, and keeps some descriptors for files and administrators.
    let most = raise_descriptors().saturating_sub(1000);
    let count = most.min(10_000);
    if count < 10_000 {
        eprintln!("the limit of descriptors lets no more than {count} connections be tried");
    }
    let daemon = Daemon::serve(stores());
    let resident = || daemon.get("/v1/status").json()["memory"]["resident_bytes"].as_u64().unwrap();
    let before = resident();
    let mut idle: Vec<Client<TcpStream>> = Vec::new();
    while idle.len() < count {
        idle.extend((0..500).map(|_| daemon.connect()));
        // When the last one is answered, all are accepted.
        assert_eq!(idle.last_mut().unwrap().get(GOOD).status, 204);
    }
    let begun = Instant::now();
    for _ in 0..100 {
        assert_eq!(daemon.get(GOOD).status, 204);
    }
    assert!(begun.elapsed() < NEVER / 10, "{:?}", begun.elapsed());
    // The first ones may have been idle for too long where this takes its time.
    for client in idle.iter_mut().rev().take(2000).step_by(100) {
        assert_eq!(client.get(GOOD).status, 204);
    }
    let each = (resident() - before) / u64::try_from(idle.len()).unwrap();
    assert!(each < 8192, "{each} bytes for each");
}

/// A daemon under limits of descriptors, with sockets for anyone and for administrators.
fn limited(limits: &str, folder: &TempDir) -> (Daemon, PathBuf) {
    let admin = folder.path().join("admin.sock");
    let policy = folder.path().join("policy.yaml");
    fs::write(&policy, "users: { '2': {}, '3': {} }\n").unwrap();
    let script = format!(
        "{limits}; exec \"$0\" serve \"$1\" --admin-uds \"$2\" --listen 127.0.0.1:0 --poll 50"
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_peerage")]).arg(policy).arg(&admin);
    command.args(["--listen", "--admin-uds"]);
    (Daemon::start(&mut command), admin)
}

#[test]
fn more_connections_than_descriptors() {
    let folder = tempdir().unwrap();
    let (mut daemon, admin) = limited("ulimit -n 64", &folder);
    let mut first = daemon.connect();
    assert_eq!(first.get(GOOD).status, 204);
    let flood: Vec<_> =
        (0..150).filter_map(|_| TcpStream::connect(daemon.address()).ok()).collect();
    // Who was there before is answered all the same, and so are administrators; files are read.
    for _ in 0..100 {
        assert_eq!(first.get(GOOD).status, 204);
        assert_eq!(Client::unix(&admin).get("/v1/status").status, 200);
    }
    fs::write(folder.path().join("policy.yaml"), "rules: []\nusers: { '2': {}, '3': {} }\n")
        .unwrap();
    daemon.wait_for("a reload", |_| (first.get(GOOD).status == 403).then_some(()));
    assert_eq!(Client::unix(&admin).get("/v1/status").json()["reloads"]["refused"], 0);
    drop(flood);
    assert_eq!(daemon.get(GOOD).status, 403);
    assert!(daemon.is_running());
    daemon.signal("TERM");
    let ended = daemon.ended();
    let warnings = ended.errors.matches("the connection limit is reached").count();
    assert!((1..20).contains(&warnings), "{}", ended.errors);
}

#[test]
fn the_soft_limit_of_descriptors_is_raised() {
    let folder = tempdir().unwrap();
    let (daemon, _) = limited("ulimit -Sn 64", &folder);
    let mut clients: Vec<_> = (0..150).map(|_| daemon.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.get(GOOD).status, 204);
    }
}
