//! Bounds: too many, too slow or malformed frames; and the end of sockets.

use fastwebsockets::{Frame, OpCode, Payload};
use serde_json::json;

use super::{Socket, guest, moderator, socket::Last, user, world};

#[track_caller]
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

fn part(fin: bool, opcode: OpCode, bytes: &[u8]) -> Frame<'static> {
    Frame::new(fin, opcode, None, Payload::Owned(bytes.to_vec()))
}

#[test]
fn a_message_may_come_in_parts() {
    let rig = world(&[]);
    let mut socket = user(&rig, "alice", &[]);
    socket.write(part(false, OpCode::Text, b"[\"pi"));
    socket.write(part(true, OpCode::Ping, b"are you there?"));
    assert_eq!(socket.pong(), b"are you there?");
    socket.write(part(false, OpCode::Continuation, b"ng\", \"\xc3"));
    socket.write(part(true, OpCode::Continuation, b"\xa9\"]"));
    assert_eq!(socket.next(), json!(["pong", "é"]));
}

#[test]
fn what_looks_like_http_is_none() {
    let rig = world(&[]);
    let mut socket = user(&rig, "alice", &[]);
    let payload = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    socket.write(part(true, OpCode::Ping, payload));
    assert_eq!(socket.pong(), payload);
}

#[test]
fn what_is_too_large_is_refused() {
    let rig = world(&[]);
    let large = |bytes: usize| format!("[\"ping\",\"{}\"]", "x".repeat(bytes - 11));
    let mut socket = user(&rig, "alice", &[]);
    socket.send_text(&large(65_536));
    assert_eq!(socket.next()[0], "pong");
    socket.send_text(&large(65_537));
    assert_eq!(socket.end(), Last::Closed(1009));
    // Nor in parts, however many, nor before anybody has authenticated.
    let mut socket = Socket::open(&rig, "/ws/world/sample/");
    socket.write(part(false, OpCode::Text, &vec![b' '; 40_000]));
    socket.write(part(false, OpCode::Continuation, &vec![b' '; 40_000]));
    assert_eq!(socket.end(), Last::Closed(1009));
    let mut socket = Socket::open(&rig, "/ws/world/sample/");
    // More than is read of it: the rest is not waited for.
    let _ = socket.try_write(part(true, OpCode::Text, &vec![b' '; 16 << 20]));
    assert!(matches!(socket.end(), Last::Closed(1009) | Last::Gone));
}

#[test]
fn what_is_no_text_is_refused() {
    let rig = world(&[]);
    for (bytes, opcode, code) in [
        (&b"[\"ping\", 1]"[..], OpCode::Binary, 1003),
        (b"[\"ping\", \"\xff\"]", OpCode::Text, 1007),
        (b"\xed\xa0\x80", OpCode::Text, 1007),
        (b"x", OpCode::Continuation, 1002),
        (&[b'x'; 126], OpCode::Ping, 1002),
    ] {
        let mut socket = user(&rig, "alice", &[]);
        socket.write(part(true, opcode, bytes));
        assert_eq!(socket.end(), Last::Closed(code), "{bytes:?}");
    }
    assert_eq!(rig.daemon.get("/healthz").status, 200);
}

#[test]
fn who_reads_nothing_is_dropped_and_not_waited_for() {
    let rig = world(&[]);
    let mut slow = user(&rig, "alice", &[]);
    let before = memory(rig.daemon.id());
    // Far more than connections hold on their way.
    let text = "x".repeat(15_000);
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            let (rig, text) = (&rig, &text);
            scope.spawn(move || {
                let mut busy = user(rig, name, &["moderator"]);
                for at in 0..250 {
                    let profile = json!({ "text": text, "by": name, "at": at });
                    let update = json!({ "id": "alice", "profile": profile });
                    let reply = busy.ask(&json!(["user.admin.update", at, update]));
                    assert_eq!(reply, json!(["success", at, {}]));
                }
            });
        }
    });
    let more = memory(rig.daemon.id()).saturating_sub(before);
    assert!(more < 24 << 20, "{more} bytes");
    let (frames, last) = slow.drain();
    assert_eq!(last, Last::Gone);
    assert!(frames < 2000, "{frames}");
}

#[test]
fn who_asks_and_reads_nothing_is_dropped() {
    let rig = world(&["--venueless-patience", "1"]);
    let (mut slow, id) = guest(&rig, "slow");
    let profile = json!({ "text": "x".repeat(15_000) });
    assert_eq!(slow.ask(&json!(["user.update", 1, { "profile": profile }]))[0], "success");
    // It is read no more once nothing can be sent.
    let frame = json!(["user.fetch", 1, { "ids": vec![id; 1] }]).to_string();
    let mut requested = 0;
    while requested < 100_000 {
        let text = Payload::Owned(frame.as_bytes().to_vec());
        if slow.try_write(Frame::text(text)).is_err() {
            break;
        }
        requested += 1;
    }
    let (frames, last) = slow.drain();
    assert_eq!(last, Last::Gone);
    assert!(frames < requested, "{frames} of {requested}");
}

#[test]
fn who_sends_pings_and_reads_nothing_is_dropped() {
    let rig = world(&["--venueless-patience", "5"]);
    let mut slow = user(&rig, "alice", &[]);
    let before = memory(rig.daemon.id());
    let ping = || part(true, OpCode::Ping, &[b'x'; 125]);
    let sent = (0..600_000).take_while(|_| slow.try_write(ping()).is_ok()).count();
    let more = memory(rig.daemon.id()).saturating_sub(before);
    assert!(more < 16 << 20, "{more} bytes after {sent}");
    assert!(sent < 600_000);
    assert_eq!(rig.daemon.get("/healthz").status, 200);
}

#[test]
fn who_never_authenticates_is_left() {
    let rig = world(&["--venueless-patience", "1"]);
    let mut socket = Socket::open(&rig, "/ws/world/sample/");
    assert_eq!(socket.ask(&json!(["ping", 1])), json!(["pong", 1]));
    assert_eq!(socket.end(), Last::Closed(1008));
}

#[test]
fn who_answers_no_ping_is_left_and_who_does_is_not() {
    let rig = world(&["--venueless-patience", "1"]);
    let (mut deaf, mut well) = (user(&rig, "alice", &[]), user(&rig, "alice", &[]));
    deaf.is_deaf();
    let well = std::thread::spawn(move || {
        well.pings(4);
        well.ask(&json!(["ping", 1]))
    });
    let (pings, last) = deaf.drain();
    assert_eq!((pings > 0, last), (true, Last::Gone));
    assert_eq!(well.join().unwrap(), json!(["pong", 1]));
}

#[test]
fn a_close_is_answered() {
    let rig = world(&[]);
    let mut socket = user(&rig, "alice", &[]);
    socket.write(Frame::close(1000, b"bye"));
    assert_eq!(socket.end(), Last::Closed(1000));
}

#[test]
fn a_thousand_sockets_are_served() {
    let rig = world(&["--venueless-new-guests", "1000"]);
    let mut sockets: Vec<Socket> =
        (0..1000).map(|_| Socket::open(&rig, "/ws/world/sample/")).collect();
    for (at, socket) in sockets.iter_mut().enumerate() {
        socket.send(&json!(["authenticate", { "client_id": 1 + at % 100 }]));
    }
    for socket in &mut sockets {
        let reply = socket.next();
        assert_eq!(reply[0], "authenticated", "{reply}");
    }
    let update = json!(["user.update", 1, { "profile": { "a": 1 } }]);
    assert_eq!(sockets[0].ask(&update), json!(["success", 1, {}]));
    for socket in sockets.iter_mut().skip(100).step_by(100) {
        assert_eq!(socket.next()[0], "user.updated");
    }
    let more = memory(rig.daemon.id());
    assert!(more < 300 << 20, "{more} bytes");
    drop(sockets);
    moderator(&rig);
}

#[test]
fn at_a_stop_sockets_are_reported() {
    let rig = world(&["--drain", "600"]);
    let mut sockets = [user(&rig, "alice", &[]), guest(&rig, "one").0];
    let mut unknown = Socket::open(&rig, "/ws/world/sample/");
    rig.daemon.signal("TERM");
    for socket in sockets.iter_mut().chain([&mut unknown]) {
        assert_eq!(socket.end(), Last::Closed(1001));
    }
    assert_eq!(rig.daemon.ended().status.code(), Some(0));
}

#[test]
fn a_stop_does_not_wait_for_those_who_say_nothing() {
    let rig = world(&["--drain", "600"]);
    let _silent = user(&rig, "alice", &[]);
    rig.daemon.signal("TERM");
    assert_eq!(rig.daemon.ended().status.code(), Some(0));
}
