//! Many connections at once, more than there are descriptors for.

use std::{net::TcpStream, process::Command};

use crate::daemon::{Daemon, stores};

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

#[test]
fn more_connections_than_descriptors() {
    let mut command = Command::new("sh");
    let script = "ulimit -n 64; exec \"$0\" serve \"$1\" --listen 127.0.0.1:0 --poll 50";
    command.args(["-c", script, env!("CARGO_BIN_EXE_peerage")]).arg(stores());
    let mut daemon = Daemon::start(&mut command);
    let mut first = daemon.connect();
    assert_eq!(first.get(GOOD).status, 204);
    let flood: Vec<_> =
        (0..150).filter_map(|_| TcpStream::connect(daemon.address()).ok()).collect();
    // Who was there before is answered all the same, and a reload that can't read its files
    // replaces nothing.
    for _ in 0..100 {
        assert_eq!(first.get(GOOD).status, 204);
    }
    let refused = |status: &serde_json::Value| status["reloads"]["refused"].as_u64().unwrap();
    daemon.signal("HUP");
    daemon.wait_for("a reload", |_| {
        let status = first.get("/v1/status").json();
        let has_failed = refused(&status) > 0;
        assert_eq!(first.get(GOOD).status, 204);
        has_failed.then_some(())
    });
    drop(flood);
    assert!(daemon.answers());
    assert!(daemon.is_running());
    daemon.wait_for("the files to be read again", |daemon| {
        let status = daemon.get("/v1/status").json();
        (status["last_reload"]["ok"] == true).then_some(())
    });
    assert_eq!(first.get(GOOD).status, 204);
}
