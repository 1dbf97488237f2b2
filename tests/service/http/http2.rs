//! HTTP/2 in clear text: by a real curl, and in raw frames.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    process::Command,
};

use crate::support::{
    client::Client,
    daemon::{Daemon, NEVER, run, serve, stores},
};

const DECIDE: &str = "/v1/decide?subject=3&action=start_chat&resource=2";

fn curl(daemon: &Daemon, path: &str, args: &[&str]) -> String {
    let mut command = Command::new("curl");
    command.args(["-sS", "--http2-prior-knowledge", "-w", " %{http_version} %{http_code}"]);
    let output = run(command.args(args).arg(format!("http://{}{path}", daemon.address())));
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn clients_with_prior_knowledge_are_answered() {
    let daemon = Daemon::serve(stores());
    let text = curl(&daemon, DECIDE, &[]);
    assert!(text.contains("\"decision\"") && text.ends_with(" 2 200"), "{text}");
    let body = r#"{"subject":{"type":"user","id":"3"},"action":{"name":"start_chat"},"resource":{"type":"user","id":"2"}}"#;
    let args = ["-H", "Content-Type: application/json", "-d", body];
    let text = curl(&daemon, "/access/v1/evaluation", &args);
    assert!(text.contains("\"decision\"") && text.ends_with(" 2 200"), "{text}");
    for (path, args, status) in [
        ("/v1/reach?subject=3&action=start_chat", &[][..], 200),
        ("/metrics", &[], 200),
        ("/nowhere", &[], 404),
        ("/v1/decide", &[], 400),
        ("/v1/reload", &["-X", "POST"], 403),
        (DECIDE, &["-X", "PUT"], 405),
        (DECIDE, &["-H", "Host: evil.example"], 421),
    ] {
        let text = curl(&daemon, path, args);
        assert!(text.ends_with(&format!(" 2 {status}")), "{path} {text}");
    }
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A request for a decision, as a header frame that ends its stream.
fn headers(stream: u32) -> Vec<u8> {
    let mut block = vec![0x82, 0x86, 0x01, 9];
    block.extend(b"localhost");
    block.extend([0x04, u8::try_from(DECIDE.len()).unwrap()]);
    block.extend(DECIDE.bytes());
    frame(1, 5, stream, &block)
}

fn reset(stream: u32) -> Vec<u8> {
    frame(3, 0, stream, &8_u32.to_be_bytes())
}

fn open(daemon: &Daemon) -> TcpStream {
    let mut stream = TcpStream::connect(daemon.address()).unwrap();
    stream.set_read_timeout(Some(NEVER)).unwrap();
    stream.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).unwrap();
    stream
}

/// Reads until the other end closes.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    bytes
}

/// Opens and resets streams until it is cut; how many.
fn flood(stream: &mut TcpStream, each: impl Fn(u32) -> Vec<u8>) -> u32 {
    for number in 0..200_000_u32 {
        if stream.write_all(&each(number * 2 + 1)).is_err() {
            return number;
        }
    }
    200_000
}

/// The next frame: its kind, flags, stream and payload.
fn next_frame(stream: &mut TcpStream) -> (u8, u8, u32, Vec<u8>) {
    let mut head = [0; 9];
    stream.read_exact(&mut head).unwrap();
    let [l0, l1, l2, kind, flags, id @ ..] = head;
    let mut payload = vec![0; usize::try_from(u32::from_be_bytes([0, l0, l1, l2])).unwrap()];
    stream.read_exact(&mut payload).unwrap();
    (kind, flags, u32::from_be_bytes(id), payload)
}

/// The head of the response on a stream, compressed.
fn response(stream: &mut TcpStream, id: u32) -> Vec<u8> {
    let mut found = None;
    loop {
        let (kind, flags, of, payload) = next_frame(stream);
        if of != id {
            continue;
        }
        if kind == 1 {
            found = Some(payload);
        }
        if flags & 1 == 1 {
            return found.unwrap();
        }
    }
}

/// What stands for `:status: 200`.
const OK: u8 = 0x88;

#[test]
fn decisions_one_after_another_are_not_in_flight_together() {
    let more = ["--listen", "127.0.0.1:0", "--max-in-flight", "2"];
    let daemon = Daemon::start(serve().arg(stores()).args(more));
    let (mut stream, mut other) = (open(&daemon), daemon.connect());
    for number in 0..50 {
        let id = number * 2 + 1;
        stream.write_all(&headers(id)).unwrap();
        assert_eq!(response(&mut stream, id).first(), Some(&OK), "{number}");
        assert_eq!(other.get(DECIDE).status, 200, "{number}");
    }
}

#[test]
fn a_client_that_opens_and_resets_streams_is_cut_and_others_are_served() {
    let daemon = Daemon::serve(stores());
    let mut others = daemon.connect();
    for _ in 0..3 {
        let mut stream = open(&daemon);
        let sent = flood(&mut stream, |id| [headers(id), reset(id)].concat());
        assert!(sent < 200_000, "it is not cut");
        rest(&mut stream);
        assert_eq!(others.get(DECIDE).status, 200);
    }
    assert!(curl(&daemon, DECIDE, &[]).ends_with(" 2 200"));
}

#[test]
fn floods_of_frames_cut_their_connection_alone() {
    let daemon = Daemon::serve(stores());
    let mut others = daemon.connect();
    // More streams than may be; data for streams that there are not; a head without an end.
    let mut stream = open(&daemon);
    stream.write_all(&frame(0, 0, 99, b"data")).unwrap();
    rest(&mut stream);
    let mut stream = open(&daemon);
    let endless = frame(1, 0, 1, &[0x82]);
    stream.write_all(&endless).unwrap();
    let more = vec![0x00; 16_000];
    let cut = (0..2000).any(|_| stream.write_all(&frame(9, 0, 1, &more)).is_err());
    assert!(cut, "a head may be endless");
    assert_eq!(others.get(DECIDE).status, 200);
}

#[test]
fn requests_of_the_first_version_that_begin_alike_are_served() {
    let daemon = Daemon::serve(stores());
    for part in ["P", "PO"] {
        let mut client = daemon.connect();
        client.send(part);
        let body = "{}";
        let whole = format!(
            "POST /access/v1/evaluation HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\
             Content-Type: application/json\r\n\r\n{body}"
        );
        client.send(&whole[part.len()..]);
        assert_eq!(client.answer("POST").unwrap().status, 400);
    }
    for wrong in ["PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "PRI / HTTP/1.1\r\n\r\n"] {
        let mut client = daemon.connect();
        client.send(wrong);
        assert_eq!(client.answer("GET").unwrap().status, 400, "{wrong}");
    }
}

/// Reads frames until the other end closes, and answers its pings.
fn answer_pings(stream: &mut TcpStream) {
    let mut head = [0; 9];
    while stream.read_exact(&mut head).is_ok() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut payload).unwrap();
        if (head[3], head[4]) == (6, 0) {
            // The other end may be gone by then.
            let _ = stream.write_all(&frame(6, 1, 0, &payload));
        }
    }
}

#[test]
fn an_idle_connection_does_not_delay_the_end() {
    let daemon = Daemon::serve(stores());
    let mut stream = open(&daemon);
    stream.write_all(&headers(1)).unwrap();
    let fresh = Client::tcp(daemon.address());
    // The settings are there.
    let mut settings = [0; 9];
    stream.read_exact(&mut settings).unwrap();
    stream.read_exact(&mut vec![0; usize::from(settings[2])]).unwrap();
    daemon.signal("TERM");
    let begun = std::time::Instant::now();
    let reading = std::thread::spawn(move || answer_pings(&mut stream));
    assert!(daemon.ended().status.success());
    assert!(begun.elapsed() < std::time::Duration::from_secs(9), "{:?}", begun.elapsed());
    reading.join().unwrap();
    drop(fresh);
}

#[test]
fn a_head_that_is_long_only_when_it_is_unpacked_is_refused() {
    let daemon = Daemon::serve(stores());
    let resident = || daemon.get("/v1/status").json()["memory"]["resident_bytes"].as_u64().unwrap();
    let before = resident();
    // A header of 4000 bytes goes into the table, and 10,000 times into the head, by a byte each.
    let mut block = vec![0x82, 0x86, 0x01, 9];
    block.extend(b"localhost");
    block.extend([0x04, u8::try_from(DECIDE.len()).unwrap()]);
    block.extend(DECIDE.bytes());
    // 4000 as an integer behind seven bits.
    block.extend([0x40, 1, b'a', 0x7f, 0xa1, 0x1e]);
    block.extend([b'x'; 4000]);
    block.extend([0xbe; 10_000]);
    let mut stream = open(&daemon);
    stream.write_all(&frame(1, 5, 1, &block)).unwrap();
    let (kind, payload) = loop {
        if let (kind @ (1 | 3 | 7), _, _, payload) = next_frame(&mut stream) {
            break (kind, payload);
        }
    };
    assert!(kind != 1 || payload.first() != Some(&OK), "it is answered");
    assert_eq!(daemon.get(DECIDE).status, 200);
    let after = resident();
    assert!(after < before + (8 << 20), "{before} {after}");
}

#[test]
fn floods_of_pings_and_settings_are_not_kept() {
    let daemon = Daemon::serve(stores());
    let mut others = daemon.connect();
    let before = others.get("/v1/status").json()["memory"]["resident_bytes"].as_u64().unwrap();
    for flood in [frame(6, 0, 0, &[7; 8]), frame(4, 0, 0, &[])] {
        let mut stream = open(&daemon);
        stream.set_write_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
        let flood = flood.repeat(100);
        // Answers are not read, so that at last no more is taken.
        let is_stopped = (0..20_000).any(|_| stream.write_all(&flood).is_err());
        assert!(is_stopped, "all is taken");
        assert_eq!(others.get(DECIDE).status, 200);
    }
    let after = others.get("/v1/status").json()["memory"]["resident_bytes"].as_u64().unwrap();
    assert!(after < before + (16 << 20), "{before} {after}");
}
