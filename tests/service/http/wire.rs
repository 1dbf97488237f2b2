//! Bytes on a connection, well-formed or not: it is answered or closed, never left hanging, and the
//! daemon goes on.

use std::{
    io::Write,
    net::{Shutdown, TcpStream},
};

use crate::{
    support::client::{Answer, Client, request},
    support::daemon::{Daemon, stores},
};

const GOOD: &str = "/v1/decide?subject=3&action=start_chat&resource=2";
const ALLOWED: &str = r#"{"decision":true,"reason":"allowed"}"#;

/// Sends bytes and no more, and gives all that is answered.
fn exchange(daemon: &Daemon, bytes: impl AsRef<[u8]>) -> Vec<Answer> {
    let mut client = daemon.connect();
    // The other end may close, with an answer, before it has read all.
    let _ = client.stream.write_all(bytes.as_ref());
    let _ = client.stream.shutdown(Shutdown::Write);
    client.answers().unwrap()
}

#[test]
fn many_requests_on_one_connection() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    for _ in 0..500 {
        assert_eq!(client.get(GOOD).text(), ALLOWED);
    }
    client.send(request("GET", GOOD, "Connection: close\r\n", b""));
    assert_eq!(client.answer("GET").unwrap().text(), ALLOWED);
    assert!(client.is_closed());
}

#[test]
fn requests_sent_ahead_are_answered_in_order() {
    let daemon = Daemon::serve(stores());
    let mut bytes = Vec::new();
    let body = br#"{"subject":{"type":"user","id":"3"},"action":{"name":"start_chat"},
        "resource":{"type":"user","id":"4"}}"#;
    for _ in 0..100 {
        bytes.extend(request("GET", GOOD, "", b""));
        bytes.extend(request("GET", "/v1/reach?subject=3&action=start_chat", "", b""));
        let kind = "Content-Type: application/json\r\n";
        bytes.extend(request("POST", "/access/v1/evaluation", kind, body));
        bytes.extend(request("GET", "/nowhere", "", b""));
    }
    let answers = exchange(&daemon, bytes);
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 200, 404].repeat(100));
    for answers in answers.chunks(4) {
        assert_eq!(answers[0].text(), ALLOWED);
        assert_eq!(answers[1].json()["users"][0], "2");
        assert_eq!(answers[2].json()["decision"], false);
    }
}

#[test]
fn byte_by_byte() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    let body = br#"{"subject":{"type":"user","id":"3"},"action":{"name":"start_chat"},
        "resource":{"type":"user","id":"2"}}"#;
    let kind = "Content-Type: application/json\r\n";
    for byte in request("POST", "/access/v1/evaluation", kind, body) {
        client.send([byte]);
    }
    assert_eq!(client.answer("POST").unwrap().json()["decision"], true);
}

#[test]
fn half_open_connections() {
    let daemon = Daemon::serve(stores());
    for path in [GOOD, "/v1/reach?subject=3&action=start_chat", "/v1/status", "/metrics"] {
        let answers = exchange(&daemon, request("GET", path, "", b""));
        assert_eq!(answers.len(), 1, "{path}");
        assert_eq!(answers[0].status, 200, "{path}");
    }
    assert!(exchange(&daemon, "").is_empty());
    assert!(daemon.answers());
}

#[test]
fn forms_of_the_target() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    assert_eq!(client.get(&format!("http://localhost{GOOD}")).text(), ALLOWED);
    assert_eq!(client.get(&format!("{GOOD}#part")).status, 200);
    client.ask("OPTIONS", "*", "", b"").refusal(404);
    client.ask("CONNECT", "127.0.0.1:80", "", b"").refusal(404);
    let mut client = daemon.connect();
    client.send(format!("GET {GOOD} HTTP/1.0\r\n\r\n"));
    assert_eq!(client.answer("GET").unwrap().text(), ALLOWED);
    assert!(client.is_closed());
}

#[test]
fn what_is_no_request() {
    let daemon = Daemon::serve(stores());
    let long = |length| "a".repeat(length);
    for bytes in [
        b"\0\0\0\0\r\n\r\n".to_vec(),
        b"hello\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET  HTTP/1.1\r\n\r\n".to_vec(),
        b"GET /a b HTTP/1.1\r\n\r\n".to_vec(),
        b"GET v1/decide HTTP/1.1\r\n\r\n".to_vec(),
        b"GET /\xff HTTP/1.1\r\n\r\n".to_vec(),
        b"GET /\0 HTTP/1.1\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nA: \0\r\n\r\n".to_vec(),
        b"POST /access/v1/evaluation HTTP/1.1\r\nContent-Length: x\r\n\r\n".to_vec(),
        b"POST /access/v1/evaluation HTTP/1.1\r\nContent-Length: -1\r\n\r\n".to_vec(),
        b"POST /access/v1/evaluation HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12"
            .to_vec(),
        b"POST /access/v1/evaluation HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
        format!("GET /?{} HTTP/1.1\r\n\r\n", long(70_000)).into(),
        format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", long(1_000_000)).into(),
        format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(5000)).into(),
    ] {
        let shown = String::from_utf8_lossy(&bytes).chars().take(60).collect::<String>();
        let mut client = daemon.connect();
        let _ = client.stream.write_all(&bytes);
        let answer = client.answer("GET").unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert!(matches!(answer.status, 400 | 414 | 431), "{shown}: {answer:?}");
        answer.refusal(answer.status);
        assert!(client.is_closed(), "{shown}");
    }
    assert!(daemon.answers());
}

#[test]
fn a_good_request_and_then_garbage() {
    let daemon = Daemon::serve(stores());
    let mut bytes = request("GET", GOOD, "", b"");
    bytes.extend(b"garbage\r\n\r\n");
    let answers = exchange(&daemon, bytes);
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0].text(), ALLOWED);
    answers[1].refusal(400);
}

#[test]
fn bodies_that_end_early() {
    let daemon = Daemon::serve(stores());
    for headers in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
        let text = format!(
            "POST /access/v1/evaluation HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\r\n\r\n5\r\n{{"
        );
        for answer in exchange(&daemon, text) {
            answer.refusal(400);
        }
    }
    let text = "POST /access/v1/evaluation HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Transfer-Encoding: chunked\r\n\r\nzz\r\n{\r\n0\r\n\r\n";
    for answer in exchange(&daemon, text) {
        answer.refusal(400);
    }
    assert!(daemon.answers());
}

#[test]
fn a_body_where_none_belongs_does_no_harm() {
    let daemon = Daemon::serve(stores());
    let body = vec![b'x'; 300_000];
    for (method, path, status) in [("GET", GOOD, 200), ("PUT", GOOD, 405), ("PUT", "/x", 404)] {
        let mut client: Client<TcpStream> = daemon.connect();
        client.send(request(method, path, "", &body));
        assert_eq!(client.answer(method).unwrap().status, status);
        assert!(daemon.answers());
    }
}

#[test]
fn large_queries() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    for query in ["&".repeat(60_000), "a=".repeat(30_000), "%41".repeat(20_000), "=".repeat(60_000)]
    {
        assert!(matches!(client.get(&format!("/v1/decide?{query}")).status, 400 | 414));
    }
    assert!(daemon.answers());
}
