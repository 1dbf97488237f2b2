//! HTTP requests on the paths of WebSockets.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
};

use super::world;

const UPGRADE: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n";
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";

#[test]
fn what_asks_for_no_socket_is_reported_how_to() {
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
fn it_is_spoken_on_unix_sockets_and_to_pages_that_may_and_never_compressed() {
    let sockets = ["--dialect", "all", "--uds", "{}/open", "--admin-uds", "{}/admin"];
    let pages = ["--venueless-origin", "http://elsewhere.example"];
    let rig = super::Rig::with(super::POLICY, &[&sockets[..], &pages].concat());
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

/// The status of a socket that is asked for as a page of this origin.
#[track_caller]
fn of_page(rig: &super::Rig, host: &str, origin: &str) -> u16 {
    let request =
        format!("GET /ws/world/a HTTP/1.1\r\nHost: {host}\r\n{origin}{UPGRADE}{VERSION}{KEY}\r\n");
    let mut client = rig.daemon.connect();
    client.send(request);
    let answer = client.answer("GET").unwrap();
    if answer.status != 101 {
        let refusal = answer.json();
        assert_eq!(refusal["error"]["at"], "Origin", "{refusal}");
        let message = refusal["error"]["message"].as_str().unwrap();
        assert!(message.contains("--venueless-origin"), "{message}");
    }
    answer.status
}

#[test]
fn pages_of_other_hosts_open_none() {
    let rig = world(&[]);
    let address = rig.daemon.address();
    let (port, here) = (address.port(), address.to_string());
    for (host, origin, status) in [
        // What is no browser.
        (here.as_str(), None, 101),
        (&here, Some(format!("http://{here}")), 101),
        (&here, Some(format!("https://{here}")), 101),
        ("127.0.0.1", Some("https://127.0.0.1".to_owned()), 101),
        ("127.0.0.1:443", Some("https://127.0.0.1".to_owned()), 101),
        ("127.0.0.1", Some("http://127.0.0.1:80".to_owned()), 101),
        (&format!("LOCALHOST:{port}"), Some(format!("http://localhost:{port}")), 101),
        (&format!("[::1]:{port}"), Some(format!("http://[::1]:{port}")), 101),
        (&here, Some("https://evil.example".to_owned()), 403),
        (&here, Some("http://127.0.0.1".to_owned()), 403),
        (&here, Some(format!("http://127.0.0.1:{}", port ^ 1)), 403),
        (&here, Some(format!("http://localhost:{port}")), 403),
        (&here, Some(format!("http://{here}.evil.example")), 403),
        (&here, Some(format!("http://evil.example@{here}")), 403),
        (&here, Some(format!("http://{here}/")), 403),
        (&here, Some("null".to_owned()), 403),
        (&here, Some(String::new()), 403),
        (&here, Some(format!("http://{here}\r\nOrigin: http://{here}")), 403),
    ] {
        let line = origin.map(|origin| format!("Origin: {origin}\r\n")).unwrap_or_default();
        assert_eq!(of_page(&rig, host, &line), status, "{host} {line}");
    }
}

#[test]
fn pages_that_are_named_open_them_and_no_others() {
    let rig = world(&[
        "--venueless-origin",
        "https://chat.example",
        "--venueless-origin",
        "HTTP://Event.Example:8080/",
    ]);
    let here = rig.daemon.address().to_string();
    for (origin, status) in [
        ("https://chat.example", 101),
        ("https://chat.example:443", 101),
        ("http://event.example:8080", 101),
        ("http://chat.example", 403),
        ("https://chat.example:8443", 403),
        ("https://chat.example.evil.example", 403),
        ("http://event.example", 403),
        (&format!("http://{here}"), 403),
        ("null", 403),
    ] {
        assert_eq!(of_page(&rig, &here, &format!("Origin: {origin}\r\n")), status, "{origin}");
    }
    assert_eq!(of_page(&rig, &here, ""), 101);
    let open = world(&["--venueless-origin", "*"]);
    let here = open.daemon.address().to_string();
    for origin in ["null", "https://anywhere.example", "capacitor://localhost", ""] {
        assert_eq!(of_page(&open, &here, &format!("Origin: {origin}\r\n")), 101, "{origin}");
    }
}

#[test]
fn what_is_no_origin_is_reported_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("policy.yaml"), super::POLICY).unwrap();
    for text in
        ["chat.example", "https://", "https://a/b", "https://u@a", "null", "https://a?b", ""]
    {
        let mut command = crate::support::daemon::serve();
        command.arg(folder.path()).args(["--dialect", "venueless", "--venueless-origin", text]);
        let ended = crate::support::daemon::run(&mut command);
        let errors = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{text}: {errors}");
        assert!(errors.contains("https://chat.example"), "{text}: {errors}");
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
    let rig = crate::dialects::rig::Rig::with(super::POLICY, &["--dialect", "flip"]);
    let headers = format!("{UPGRADE}{VERSION}{KEY}");
    assert_eq!(rig.ask("GET", "/ws/world/sample/", &headers, b"").status, 404);
}
