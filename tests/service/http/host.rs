//! The hosts that a request may name, and the addresses that serve it.

use std::process::Command;

use serde_json::json;

use crate::{
    support::client::Client,
    support::daemon::{Daemon, run, serve, stores},
};

const ASKED: &str = "/v1/decide?subject=3&action=start_chat&resource=2";

fn daemon(options: &[&str]) -> Daemon {
    Daemon::start(serve().arg(stores()).args(["--listen", "127.0.0.1:0"]).args(options))
}

/// The status of a request with these lines as its headers.
fn status(daemon: &Daemon, target: &str, version: &str, headers: &str) -> u16 {
    let mut client = daemon.connect();
    client.send(format!("GET {target} HTTP/{version}\r\n{headers}\r\n"));
    let answer = client.answer("GET").unwrap();
    if answer.status != 200 {
        assert_eq!(answer.refusal(answer.status), "Host", "{headers}");
    }
    answer.status
}

#[test]
fn a_loopback_listener_answers_to_its_own_names_alone() {
    let daemon = daemon(&[]);
    let long = format!("{}.example", "a".repeat(250));
    for (host, expected) in [
        ("127.0.0.1", 200),
        ("127.0.0.1:7411", 200),
        ("127.0.0.1.", 200),
        ("192.0.2.7:1", 200),
        ("[::1]", 200),
        ("[::1]:80", 200),
        ("[::ffff:127.0.0.1]:80", 200),
        ("localhost", 200),
        ("LocalHost:99999", 200),
        ("localhost.", 200),
        ("localhost.:1", 200),
        ("localhost:", 200),
        ("chat.localhost", 200),
        ("a.b.LOCALHOST.", 200),
        ("evil.example", 421),
        ("evil.example:7411", 421),
        ("localhost.evil.example", 421),
        ("notlocalhost", 421),
        ("localhost..", 421),
        ("127.0.0.1.evil.example", 421),
        ("%6cocalhost", 421),
        ("127.1", 421),
        ("0x7f000001", 421),
        ("", 421),
        (&long, 421),
        ("a b", 400),
        ("localhost, localhost", 400),
        ("user@localhost", 400),
        ("http://localhost", 400),
        ("localhost/", 400),
        ("localhost:80:80", 400),
        ("localhost:eighty", 400),
        ("::1", 400),
        ("[::1", 400),
        ("[::1]80", 400),
        ("[evil.example]", 400),
        ("%zz", 400),
        ("\u{e4}", 400),
    ] {
        let header = format!("Host: {host}\r\n");
        for (version, path) in [("1.1", ASKED), ("1.0", ASKED), ("1.1", "/metrics")] {
            assert_eq!(status(&daemon, path, version, &header), expected, "{host} {version}");
        }
    }
    let mut client = daemon.connect();
    let answer = client.ask("GET", "http://evil.example/v1/status", "", b"");
    answer.refusal(421);
    let message = answer.json()["error"]["message"].clone();
    assert_eq!(
        message,
        "unknown host `evil.example`; if it is this daemon's, start it with --host evil.example"
    );
    // It goes on with the connection.
    assert_eq!(client.get(ASKED).status, 200);
}

#[test]
fn one_host_is_named() {
    let daemon = daemon(&[]);
    let twice = "Host: localhost\r\nHost: localhost\r\n";
    assert_eq!(status(&daemon, ASKED, "1.1", ""), 400);
    assert_eq!(status(&daemon, ASKED, "1.1", twice), 400);
    assert_eq!(status(&daemon, ASKED, "1.0", twice), 400);
    // No browser speaks it.
    assert_eq!(status(&daemon, ASKED, "1.0", ""), 200);
    // Of an absolute target the host counts, and the header must be there all the same.
    let absolute = |host: &str| format!("http://{host}{ASKED}");
    let (ours, others) = ("Host: localhost\r\n", "Host: evil.example\r\n");
    assert_eq!(status(&daemon, &absolute("localhost:1"), "1.1", others), 200);
    assert_eq!(status(&daemon, &absolute("evil.example"), "1.1", ours), 421);
    assert_eq!(status(&daemon, &absolute("evil.example"), "1.0", ""), 421);
    assert_eq!(status(&daemon, &absolute("a@localhost"), "1.1", ours), 400);
    assert_eq!(status(&daemon, &absolute("localhost"), "1.1", ""), 400);
    assert_eq!(status(&daemon, &absolute("localhost"), "1.1", "Host: a b\r\n"), 400);
}

#[test]
fn names_are_added() {
    let options = ["--host", "peerage", "--host", "PDP.internal.", "--public-url"];
    let daemon = daemon(&[&options[..], &["https://authz.example.org:8443/pdp"]].concat());
    for (host, expected) in [
        ("peerage:7411", 200),
        ("PEERAGE.", 200),
        ("pdp.internal", 200),
        ("authz.example.org", 200),
        ("authz.example.org:8443", 200),
        ("example.org", 421),
        ("x.peerage", 421),
    ] {
        assert_eq!(status(&daemon, ASKED, "1.1", &format!("Host: {host}\r\n")), expected, "{host}");
    }
    for wrong in ["peerage:7411", "http://peerage", "*.example", "", ".", "a b", ".a", "a/b"] {
        let ended = run(serve().arg(stores()).args(["--host", wrong]));
        assert_eq!(ended.status.code(), Some(2), "{wrong}");
        assert!(String::from_utf8_lossy(&ended.stderr).contains("host name"), "{wrong}");
    }
}

#[test]
fn dialects_are_behind_the_same_door() {
    let daemon = daemon(&["--dialect", "all"]);
    for path in
        ["/sync/interaction-rules", "/xmtp/groups", "/backend", "/v4/sns/friend_get", "/ws/world/a"]
    {
        for (host, expected) in [("evil.example", 421), ("a b", 400)] {
            let headers = format!("Host: {host}\r\n");
            assert_eq!(status(&daemon, path, "1.1", &headers), expected, "{path}");
        }
    }
}

#[test]
fn sockets_and_other_addresses_take_any_host() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let socket = path.to_str().unwrap();
    let daemon = daemon(&["--uds", socket, "--listen", "0.0.0.0:0", "--insecure-listen"]);
    let mut client = Client::unix(&path);
    for host in ["evil.example", "localhost", ""] {
        client.send(format!("GET {ASKED} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(client.answer("GET").unwrap().status, 200, "{host}");
    }
    client.send(format!("GET {ASKED} HTTP/1.1\r\n\r\n"));
    client.answer("GET").unwrap().refusal(400);

    let [_, other] = daemon.addresses() else { panic!("{:?}", daemon.addresses()) };
    let mut client = Client::tcp(([127, 0, 0, 1], other.port()).into());
    client.send(format!("GET {ASKED} HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
    assert_eq!(client.answer("GET").unwrap().status, 200);
    client.send(format!("GET {ASKED} HTTP/1.1\r\nHost: evil.example\r\nHost: a\r\n\r\n"));
    client.answer("GET").unwrap().refusal(400);
}

#[test]
fn other_machines_are_let_in_only_if_it_is_meant() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "0123456789abcdef").unwrap();
    let refused = |command: &mut Command| {
        let ended = run(command);
        assert_eq!(ended.status.code(), Some(2));
        let message = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(message.contains("--insecure-listen"), "{message}");
        assert!(ended.stdout.is_empty());
    };
    for address in ["0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:7411", "[::ffff:192.0.2.1]:0"] {
        refused(serve().arg(stores()).args(["--listen", address]));
        // An admin token keeps nobody from decisions.
        let token = token.path().to_str().unwrap();
        let more = ["--listen", "127.0.0.1:0", "--admin-token-file", token];
        refused(serve().arg(stores()).args(["--listen", address]).args(more));
    }
    for wrong in ["7411", "localhost", "example.org:7411", "localhost:", ":x", ":-1", ":70000"] {
        let ended = run(serve().arg(stores()).args(["--listen", wrong]));
        assert_eq!(ended.status.code(), Some(2), "{wrong}");
        assert!(String::from_utf8_lossy(&ended.stderr).contains("ADDRESS:PORT"), "{wrong}");
    }
}

#[test]
fn addresses_may_be_left_open() {
    for (listen, more) in [("localhost:0", &[][..]), (":0", &["--insecure-listen"])] {
        let daemon = Daemon::start(serve().arg(stores()).args(["--listen", listen]).args(more));
        let port = daemon.address().port();
        let mut client = Client::tcp(([127, 0, 0, 1], port).into());
        assert_eq!(client.get(ASKED).json(), json!({ "decision": true, "reason": "allowed" }));
    }
}
