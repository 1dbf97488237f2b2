//! Requests to the daemon, whose bodies are its own, AuthZEN's, or a dialect's.
//!
//! An input is a line with method and target, lines of headers, an empty line, and the body.

use std::{
    os::unix::net::UnixStream,
    sync::{Mutex, PoisonError},
};

use super::daemon::{DAEMON, connect, exchange};

/// The headers that an input may set. The others would make it another kind of test.
const HEADERS: [&str; 7] = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-none-match",
    "peerage-at-least",
    "x-request-id",
];

/// The connection of the request before, which takes the next.
static CONNECTION: Mutex<Option<UnixStream>> = Mutex::new(None);

/// Sends a request as an administrator: it is answered, and not by a 5xx.
pub fn requests(input: &[u8]) {
    let Some(request) = request(input) else { return };
    let mut kept = CONNECTION.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stream = kept.take().unwrap_or_else(|| connect(&DAEMON.administrators));
    let response = exchange(&mut stream, &request).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&request));
    });
    assert!(response.status < 500, "{response:?}: {}", String::from_utf8_lossy(&request));
    *kept = response.stays_open.then_some(stream);
}

/// The bytes of a request; `None` if an input is none.
fn request(input: &[u8]) -> Option<Vec<u8>> {
    let first = input.split(|&byte| byte == b'\n').next()?;
    let mut rest = input.get(first.len() + 1..)?;
    let (method, target) = str::from_utf8(first).ok()?.split_once(' ')?;
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_target = target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic());
    // A backup would write a file wherever the target says.
    if !is_method || method == "CONNECT" || !is_target || target.contains("backup") {
        return None;
    }
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n").into_bytes();
    loop {
        let line = rest.split(|&byte| byte == b'\n').next()?;
        rest = rest.get(line.len() + 1..)?;
        if line.is_empty() {
            break;
        }
        let line = str::from_utf8(line).ok()?;
        let (name, value) = line.split_once(": ")?;
        let is_known = HEADERS.contains(&name.to_ascii_lowercase().as_str());
        if is_known && value.chars().all(|char| !char.is_control()) {
            request.extend_from_slice(format!("{line}\r\n").as_bytes());
        }
    }
    request.extend_from_slice(format!("Content-Length: {}\r\n\r\n", rest.len()).as_bytes());
    request.extend_from_slice(rest);
    Some(request)
}
