//! Bytes by which attackers hide requests in others, hold connections, and fill memory.

use std::{
    io::{ErrorKind, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use crate::support::{
    client::{Answer, Client, request},
    daemon::{Daemon, stores},
};

const DECIDE: &str = "/v1/decide?subject=3&action=start_chat&resource=2";

/// A request that must not be answered, since it is a part of another or of nothing.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// What comes back for some bytes, and whether the daemon closed the connection by itself.
fn answers(daemon: &Daemon, bytes: &[u8]) -> Vec<Answer> {
    let mut client = daemon.connect();
    // The other end may close before it has read all.
    let _ = client.stream.write_all(bytes);
    let mut answers = Vec::new();
    while let Ok(answer) = client.answer("GET") {
        answers.push(answer);
    }
    answers
}

/// The head of an evaluation up to some last lines, and what follows them.
fn evaluation(lines: &str, rest: &str) -> Vec<u8> {
    let head = "POST /access/v1/evaluation HTTP/1.1\r\nHost: localhost\r\n\
        Content-Type: application/json\r\n";
    format!("{head}{lines}\r\n\r\n{rest}").into_bytes()
}

/// One refusal, after which the connection is closed: what follows is nobody's request.
#[track_caller]
fn assert_refused(daemon: &Daemon, shape: &str, bytes: &[u8]) {
    let answers = answers(daemon, &[bytes, HIDDEN.as_bytes()].concat());
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [400], "{shape:?}");
}

#[test]
fn lengths_in_doubt_hide_no_request() {
    let daemon = Daemon::serve(stores());
    for lines in [
        // By one of both the body ends here; the hidden request is in it by the other.
        "Content-Length: 46\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 46",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\nContent-Length: 46",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nContent-Length: 5",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding: chunked\0",
        "Transfer-Encoding:",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        " Transfer-Encoding: chunked",
        "X: a\r\n Transfer-Encoding: chunked",
        "X: a\rTransfer-Encoding: chunked",
        "Transfer-Encoding\0: chunked",
    ] {
        assert_refused(&daemon, lines, &evaluation(lines, "0\r\n\r\n"));
    }
    for length in [
        "5\r\nContent-Length: 0",
        "0\r\nContent-Length: 5",
        "0, 5",
        "0,0",
        "0 0",
        "+0",
        "-0",
        "-1",
        "0x0",
        "0.0",
        "1e0",
        "",
        "\u{660}",
        "0\0",
        "0\u{b}",
        "18446744073709551616",
        "99999999999999999999999",
    ] {
        assert_refused(&daemon, length, &evaluation(&format!("Content-Length: {length}"), ""));
    }
    for lines in ["Content-Length : 0", "Content-Length\t: 0", "X: a\r\n Content-Length: 0"] {
        assert_refused(&daemon, lines, &evaluation(lines, ""));
    }
    let old = "POST /access/v1/evaluation HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_refused(&daemon, old, old.as_bytes());
    let folded = format!("GET {DECIDE} HTTP/1.1\r\n Host: localhost\r\n\r\n");
    assert_refused(&daemon, &folded, folded.as_bytes());
    assert!(daemon.answers());
}

#[test]
fn chunks_in_doubt_hide_no_request() {
    let daemon = Daemon::serve(stores());
    for chunks in [
        "0x0\r\n\r\n",
        "+0\r\n\r\n",
        "-0\r\n\r\n",
        "\r\n0\r\n\r\n",
        "\n\n",
        "0\n\n",
        "0;a\nb\r\n\r\n",
        "0;a=\"\n\"\r\n\r\n",
        "0\r\r\n",
        "g\r\n\r\n",
        "2\r\n{}XX0\r\n\r\n",
        "2\r\n{}\n0\r\n\r\n",
        "1\r\n{}\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "10000000000000002\r\n{}\r\n0\r\n\r\n",
    ] {
        let bytes = evaluation("Transfer-Encoding: chunked", chunks);
        assert_refused(&daemon, chunks, &bytes);
    }
    // An extension of a chunk is passed over, if it is not endless.
    let endless = format!("0;{}\r\n\r\n", "a".repeat(1 << 20));
    assert_refused(&daemon, "endless", &evaluation("Transfer-Encoding: chunked", &endless));
    assert!(daemon.answers());
}

#[test]
fn a_body_is_no_request() {
    let daemon = Daemon::serve(stores());
    let length = format!("Content-Length: {}", HIDDEN.len());
    let chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    for (head, body) in [
        (format!("GET {DECIDE} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n"), HIDDEN),
        (
            format!(
                "GET {DECIDE} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            ),
            &*chunk,
        ),
    ] {
        let mut client = daemon.connect();
        client.send([head.as_bytes(), body.as_bytes()].concat());
        client.send(request("GET", "/healthz", "Connection: close\r\n", b""));
        let answers = client.answers().unwrap();
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        // Whether the connection goes on is its own affair.
        assert!(statuses == [200, 200] || statuses == [200], "{head} {statuses:?}");
        assert_eq!(answers[0].json()["decision"], true, "{head}");
    }
    // HTTP/2 is not spoken by an upgrade, behind which a proxy sees nothing.
    let upgrade =
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    assert_eq!(daemon.connect().ask("GET", DECIDE, upgrade, b"").status, 200);
}

/// All of them send a byte at a time.
#[test]
fn slow_senders_keep_nobody_waiting() {
    let daemon = Daemon::serve(stores());
    let body = br#"{"subject":{"type":"user","id":"3"},"action":{"name":"start_chat"},
        "resource":{"type":"user","id":"2"}}"#;
    let kind = "Content-Type: application/json\r\n";
    let bytes = request("POST", "/access/v1/evaluation", kind, body);
    let mut slow: Vec<_> = (0..100).map(|_| daemon.connect()).collect();
    let mut other = daemon.connect();
    for byte in bytes {
        for client in &mut slow {
            client.send([byte]);
        }
        assert_eq!(other.get(DECIDE).status, 200);
    }
    for mut client in slow {
        assert_eq!(client.answer("POST").unwrap().json()["decision"], true);
    }
}

/// The resident memory of the daemon, in bytes.
fn resident(daemon: &Daemon) -> u64 {
    daemon.get("/v1/status").json()["memory"]["resident_bytes"].as_u64().unwrap()
}

#[test]
fn those_who_read_nothing_are_not_read_any_further() {
    let daemon = Daemon::serve(stores());
    let requests = request("GET", "/metrics", "", b"").repeat(100);
    let mut reader = daemon.connect();
    for _ in 0..5 {
        reader.send(&requests);
        for _ in 0..100 {
            assert_eq!(reader.answer("GET").unwrap().status, 200);
        }
    }
    let before = resident(&daemon);
    let mut unread = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(daemon.address()).unwrap();
        stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        let error = loop {
            if let Err(error) = stream.write_all(&requests) {
                break error;
            }
        };
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
        unread.push(stream);
    }
    assert!(daemon.answers());
    let after = resident(&daemon);
    assert!(after < before + (64 << 20), "{before} {after}");
}

#[test]
fn connections_that_end_in_the_middle_leave_nothing_behind() {
    let daemon = Daemon::serve(stores());
    let descriptors = |daemon: &Daemon| {
        let metrics = daemon.get("/metrics");
        let line = metrics.text().lines().find_map(|line| line.strip_prefix("process_open_fds "));
        line.unwrap().parse::<f64>().unwrap()
    };
    let before = descriptors(&daemon);
    let evaluation = evaluation("Content-Length: 100", "{\"subject\":");
    let list = request("GET", "/v1/reach?subject=3&action=start_chat", "", b"");
    for bytes in [&b""[..], b"G", b"PRI * HTTP", &evaluation[..40], &evaluation, &list] {
        let mut all = Vec::new();
        for _ in 0..50 {
            let mut client = daemon.connect();
            client.send(bytes);
            all.push(client);
        }
        let (half, whole) = all.split_at_mut(25);
        for client in half {
            client.stream.shutdown(Shutdown::Write).unwrap();
            while client.answer("GET").is_ok() {}
            assert!(client.is_closed());
        }
        // With answers that are not read, the other end learns of it by a reset.
        for client in whole {
            let _ = client.stream.shutdown(Shutdown::Read);
        }
        drop(all);
        assert!(daemon.answers());
    }
    daemon.wait_for("the descriptors", |daemon| (descriptors(daemon) < before + 3.0).then_some(()));
}

/// Connections by all ways that bytes come.
#[test]
fn random_ends_of_requests_are_answered_or_closed() {
    let daemon = Daemon::serve(stores());
    let whole = request("GET", DECIDE, "Connection: close\r\n", b"");
    for length in 0..whole.len() {
        let mut client: Client<TcpStream> = daemon.connect();
        client.send(&whole[..length]);
        client.stream.shutdown(Shutdown::Write).unwrap();
        for answer in client.answers().unwrap() {
            answer.refusal(400);
        }
    }
    assert!(daemon.answers());
}
