//! What comes by HTTP where a WebSocket is spoken.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
};

use super::world;

const UPGRADE: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n";
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";

#[test]
fn what_asks_for_no_socket_is_told_how_to() {
    let rig = world(&[]);
    let path = "/ws/world/sample/";
    for (headers, status) in [
        (String::new(), 426),
        ("Connection: Upgrade\r\n".to_owned(), 426),
        (format!("Upgrade: websocket\r\n{VERSION}{KEY}"), 426),
        (format!("Connection: Upgrade\r\nUpgrade: h2c\r\n{VERSION}{KEY}"), 426),
        (format!("{UPGRADE}{KEY}"), 426),
        (format!("{UPGRADE}{KEY}Sec-WebSocket-Version: 8\r\n"), 426),
        (format!("{UPGRADE}{VERSION}"), 400),
        (format!("{UPGRADE}{VERSION}Sec-WebSocket-Key: short\r\n"), 400),
        (format!("{UPGRADE}{VERSION}Sec-WebSocket-Key: {}\r\n", "x".repeat(24)), 400),
    ] {
        let answer = rig.ask("GET", path, &headers, b"");
        answer.refusal(status);
        if status == 426 {
            assert_eq!(answer.header("upgrade"), Some("websocket"));
            assert_eq!(answer.header("sec-websocket-version"), Some("13"));
        }
    }
    let whole = format!("{UPGRADE}{VERSION}{KEY}");
    rig.ask("GET", path, &whole, b"body").refusal(400);
    for method in ["POST", "PUT", "DELETE"] {
        let answer = rig.ask(method, path, &whole, b"");
        answer.refusal(405);
        assert_eq!(answer.header("allow"), Some("GET"));
    }
    let answer = rig.ask("GET", path, &whole, b"");
    assert_eq!(answer.status, 101);
    assert!(answer.header("peerage-revision").is_some());
    // Whatever is not below it is not Venueless.
    for path in ["/ws", "/ws/", "/ws/worlds/sample/", "/ws/worldsample", "/world/sample"] {
        assert_eq!(rig.ask("GET", path, &whole, b"").status, 404, "{path}");
    }
}

#[test]
fn a_frame_may_come_with_the_request() {
    let rig = world(&[]);
    let mut stream = rig.daemon.connect().stream;
    let head =
        format!("GET /ws/world/a HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}{VERSION}{KEY}\r\n");
    let frame = b"[\"ping\",1]";
    // Masked by nothing, as a client may.
    let masked = [&[0x81, 0x80 + 10, 0, 0, 0, 0][..], frame].concat();
    stream.write_all(&[head.as_bytes(), &masked].concat()).unwrap();
    let mut came = Vec::new();
    while !came.ends_with(b"\x81\x0a[\"pong\",1]") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        came.extend(byte);
    }
}

#[test]
fn it_is_spoken_on_unix_sockets_and_to_any_page_and_never_compressed() {
    let rig = super::Rig::with(
        super::POLICY,
        &["--dialect", "all", "--uds", "{}/open", "--admin-uds", "{}/admin"],
    );
    let more = "Origin: http://elsewhere.example\r\nSec-WebSocket-Protocol: chat\r\n\
                Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let head =
        format!("GET /ws/world/a HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}{VERSION}{KEY}{more}\r\n");
    let guest = b"[\"user.list\",1,{}]";
    let frame = [&[0x81, 0x80 + 18, 0, 0, 0, 0][..], guest].concat();
    for name in ["open", "admin"] {
        let mut stream = UnixStream::connect(rig.folder.path().join(name)).unwrap();
        stream.write_all(&[head.as_bytes(), &frame].concat()).unwrap();
        let mut came = Vec::new();
        // Nobody is an administrator on a socket, wherever it is.
        while !came.ends_with(b"[\"error\",1,{\"code\":\"protocol.unauthenticated\"}]") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            came.extend(byte);
        }
        let head = String::from_utf8_lossy(&came).to_lowercase();
        assert!(head.starts_with("http/1.1 101 ") && !head.contains("extensions"), "{head}");
    }
}

#[test]
fn an_old_http_is_no_way_to_a_socket() {
    let rig = world(&[]);
    let mut client = rig.daemon.connect();
    let head =
        format!("GET /ws/world/a HTTP/1.0\r\nHost: localhost\r\n{UPGRADE}{VERSION}{KEY}\r\n");
    client.send(head);
    client.answer("GET").unwrap().refusal(426);
}

#[test]
fn it_is_spoken_only_if_asked_for() {
    let rig = crate::rig::Rig::with(super::POLICY, &["--dialect", "flip"]);
    let headers = format!("{UPGRADE}{VERSION}{KEY}");
    assert_eq!(rig.ask("GET", "/ws/world/sample/", &headers, b"").status, 404);
}
