//! WebSockets: the texts of frames, and the bytes of which frames are made.

use std::{
    io::{ErrorKind, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
};

use super::daemon::{DAEMON, connect, exchange};

const UPGRADE: &[u8] = b"GET /ws/world/sample/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The end of a socket: a close frame without a payload.
const CLOSE: [u8; 6] = [0x88, 0x80, 0, 0, 0, 0];

/// The greatest number of texts of one input.
const MOST_TEXTS: usize = 50;

/// Texts, a line each, which are sent on one socket. The daemon answers or closes.
pub fn frames(input: &[u8]) {
    let mut stream = open();
    for text in input.split(|&byte| byte == b'\n').take(MOST_TEXTS) {
        if stream.write_all(&text_frame(text)).is_err() {
            break;
        }
    }
    finish(stream);
}

/// Bytes that are sent after the upgrade as they are.
pub fn frame_bytes(input: &[u8]) {
    let mut stream = open();
    // The daemon closes as soon as it has seen what is no frame.
    let _ = stream.write_all(input);
    finish(stream);
}

/// A socket of a new session.
fn open() -> UnixStream {
    let mut stream = connect(&DAEMON.callers);
    let upgraded = exchange(&mut stream, UPGRADE);
    assert!(upgraded.as_ref().is_ok_and(|response| response.status == 101), "{upgraded:?}");
    stream
}

/// A frame of a text as a client sends it, with a mask that changes nothing.
pub fn text_frame(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match (u8::try_from(text.len()), u16::try_from(text.len())) {
        (Ok(length @ ..=125), _) => frame.push(0x80 | length),
        (_, Ok(length)) => {
            frame.push(0x80 | 0x7e);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 0x7f);
            frame.extend_from_slice(&(text.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text);
    frame
}

/// Closes a socket, and reads until the daemon has done so too.
fn finish(mut stream: UnixStream) {
    let _ = stream.write_all(&CLOSE);
    let _ = stream.shutdown(Shutdown::Write);
    let mut rest = Vec::new();
    if let Err(error) = stream.read_to_end(&mut rest) {
        let is_overdue = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        assert!(!is_overdue, "the socket is not closed");
    }
}
