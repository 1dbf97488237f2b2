//! The end: what is at work is finished, what is idle is closed, what never finishes is cut.

use std::{
    net::TcpStream,
    os::unix::process::ExitStatusExt,
    time::{Duration, Instant},
};

use crate::{
    support::client::{Client, request},
    support::daemon::{Daemon, serve, stores},
};

const GOOD: &str = "/v1/allow?subject=3&action=start_chat&resource=2";
const BODY: &[u8] = br#"{"subject":{"type":"user","id":"3"},"action":{"name":"start_chat"},
    "resource":{"type":"user","id":"2"}}"#;

fn draining_for(seconds: &str) -> Daemon {
    Daemon::start(serve().arg(stores()).args(["--listen", "127.0.0.1:0", "--drain", seconds]))
}

/// A request of which half the body is sent, and taken up; and its other half.
pub(crate) fn half_sent(daemon: &Daemon) -> (Client<TcpStream>, Vec<u8>) {
    let kind = "Content-Type: application/json\r\nExpect: 100-continue\r\n";
    let mut bytes = request("POST", "/access/v1/evaluation", kind, BODY);
    let rest = bytes.split_off(bytes.len() - BODY.len() / 2);
    let mut client = daemon.connect();
    client.send(bytes);
    assert_eq!(client.answer("POST").unwrap().status, 100);
    (client, rest)
}

fn wait_until_refused(daemon: &Daemon) {
    daemon.wait_for("an end of listening", |daemon| {
        TcpStream::connect(daemon.address()).is_err().then_some(())
    });
}

#[test]
fn a_request_at_work_is_finished() {
    for signal in ["TERM", "INT"] {
        let daemon = draining_for("600");
        let (mut client, rest) = half_sent(&daemon);
        daemon.signal(signal);
        wait_until_refused(&daemon);
        client.send(rest);
        let answer = client.answer("POST").unwrap();
        assert_eq!(answer.json()["decision"], true);
        assert!(client.is_closed());
        let ended = daemon.ended();
        assert_eq!(ended.status.code(), Some(0), "{}", ended.errors);
        assert!(ended.errors.contains(&format!("SIG{signal}")), "{}", ended.errors);
    }
}

#[test]
fn idle_connections_delay_nothing() {
    let daemon = draining_for("600");
    let mut used: Vec<_> = (0..20).map(|_| daemon.connect()).collect();
    for client in &mut used {
        assert_eq!(client.get(GOOD).status, 204);
    }
    let unused: Vec<_> = (0..20).map(|_| daemon.connect()).collect();
    // Those that are open were accepted before this one.
    assert!(daemon.answers());
    daemon.signal("TERM");
    assert_eq!(daemon.ended().status.code(), Some(0));
    for mut client in used.into_iter().chain(unused) {
        assert!(client.is_closed());
    }
}

#[test]
fn what_never_finishes_is_cut() {
    let daemon = draining_for("1");
    let (mut body, _) = half_sent(&daemon);
    let mut head = daemon.connect();
    head.send("GET /v1/dec");
    assert!(daemon.answers());
    let begun = Instant::now();
    daemon.signal("TERM");
    let ended = daemon.ended();
    assert_eq!(ended.status.code(), Some(0));
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert!(ended.errors.contains("still active"), "{}", ended.errors);
    assert!(body.answers().is_err() || body.is_closed());
    assert!(head.answers().is_err() || head.is_closed());
}

#[test]
fn no_patience_at_all() {
    let daemon = draining_for("0");
    let (_client, _) = half_sent(&daemon);
    daemon.signal("TERM");
    assert_eq!(daemon.ended().status.code(), Some(0));
}

#[test]
fn a_second_signal_cuts_the_wait_short() {
    let daemon = draining_for("600");
    let (_client, _) = half_sent(&daemon);
    daemon.signal("TERM");
    wait_until_refused(&daemon);
    daemon.signal("TERM");
    let ended = daemon.ended();
    assert_eq!((ended.status.code(), ended.status.signal()), (Some(0), None));
}

fn waiting_for(wait: &str) -> Daemon {
    Daemon::start(serve().arg(stores()).args(["--listen", "127.0.0.1:0", "--shutdown-wait", wait]))
}

fn wait_until_unready(daemon: &Daemon) {
    daemon.wait_for("unreadiness", |daemon| (daemon.get("/readyz").status == 503).then_some(()));
}

#[test]
fn it_serves_on_while_balancers_look_away() {
    let daemon = waiting_for("2s");
    assert_eq!(daemon.get("/readyz").status, 200);
    let mut open = daemon.connect();
    assert_eq!(open.get(GOOD).status, 204);
    let begun = Instant::now();
    daemon.signal("TERM");
    wait_until_unready(&daemon);
    // New connections and old ones are served, and it lives.
    assert_eq!(daemon.get(GOOD).status, 204);
    assert_eq!(open.get(GOOD).status, 204);
    assert_eq!(open.get("/healthz").status, 200);
    let ended = daemon.ended();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.errors);
    assert!(begun.elapsed() >= Duration::from_secs(2));
}

#[test]
fn a_second_signal_cuts_the_wait_for_balancers_short() {
    for second in ["TERM", "INT"] {
        let daemon = waiting_for("10m");
        daemon.signal("TERM");
        wait_until_unready(&daemon);
        daemon.signal(second);
        assert_eq!(daemon.ended().status.code(), Some(0));
    }
}
