//! Requests with pieces broken, doubled and swapped: whatever comes, the daemon answers or closes.

use std::{io::Write, net::Shutdown};

use crate::{
    support::client::request,
    support::daemon::{Daemon, stores},
};

/// A small generator of numbers, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.roll(256)).unwrap()
    }
}

const PIECES: [&[u8]; 14] = [
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b"%",
    b"%00",
    b"%ff",
    b"&",
    b"=",
    b"\"",
    b"{",
    b"[[[[",
    b"\xff",
    b"Content-Length: 9\r\n",
    b"Transfer-Encoding: chunked\r\n",
];

fn break_it(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(bytes.len());
        match dice.roll(6) {
            0 if !bytes.is_empty() => bytes[at] = dice.byte(),
            1 => bytes.insert(at, dice.byte()),
            2 => bytes.truncate(at),
            3 => {
                let end = (at + dice.roll(20)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let piece = PIECES[dice.roll(PIECES.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            _ => {
                let end = (at + dice.roll(40)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}

#[test]
fn broken_requests() {
    let daemon = Daemon::serve(stores());
    let body = br#"{"subject":{"type":"user","id":"3","properties":{"tags":["Berlin"]}},
        "action":{"name":"start_chat"},"resource":{"type":"user","id":"2"},
        "context":{"explain":true,"conversation":"new"}}"#;
    let batch = br#"{"subject":{"type":"user","id":"3"},"action":{"name":"start_chat"},
        "evaluations":[{"resource":{"type":"user","id":"2"}},{},{"context":{}}],
        "options":{"evaluations_semantic":"deny_on_first_deny"}}"#;
    let search = br#"{"subject":{"type":"user","id":"5"},"action":{"name":"start_chat"},
        "resource":{"type":"user"},"page":{"limit":2,"token":""}}"#;
    let actions = br#"{"subject":{"type":"user","id":"5","properties":{"peers":"all",
        "permissions":{"outgoing":false}}},"resource":{"type":"group","id":"\u0067"}}"#;
    let kind = "Content-Type: application/json\r\nX-Request-ID: 1\r\n";
    let seeds = [
        request("GET", "/v1/decide?subject=3&action=start_chat&resource=2&explain=true", "", b""),
        request("GET", "/v1/allow?subject=%33&action=start_chat&resource=2", "", b""),
        request("GET", "/v1/reach?subject=5&action=start_chat&limit=2&after=3", "", b""),
        request("GET", "/v1/reach?subject=5&action=leave&resource_type=group", "", b""),
        request("GET", "/v1/decide?subject=5&action=add_member&resource=g&member=2", "", b""),
        request("POST", "/access/v1/evaluation", kind, body),
        request("POST", "/access/v1/evaluations", kind, batch),
        request("POST", "/access/v1/search/resource", kind, search),
        request("POST", "/access/v1/search/action", kind, actions),
        request("GET", "/.well-known/authzen-configuration", "", b""),
        request("GET", "/v1/status", "", b""),
        Vec::new(),
    ];
    let mut dice = Dice(0x5eed_1234_5678_9abc);
    for round in 0..3000 {
        let mut bytes = seeds[dice.roll(seeds.len())].clone();
        if bytes.is_empty() {
            bytes = (0..dice.roll(500)).map(|_| dice.byte()).collect();
        }
        break_it(&mut bytes, &mut dice);
        let mut client = daemon.connect();
        let _ = client.stream.write_all(&bytes);
        let _ = client.stream.shutdown(Shutdown::Write);
        let shown = || String::from_utf8_lossy(&bytes).into_owned();
        match client.answers() {
            Ok(answers) => {
                let is_wrong = |status: u16| !(100..500).contains(&status);
                assert!(!answers.iter().any(|answer| is_wrong(answer.status)), "{}", shown());
            }
            // A reset: it had no use for the rest of what was sent.
            Err(error) => assert!(
                matches!(
                    error.kind(),
                    std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::UnexpectedEof
                ),
                "{error}: {}",
                shown()
            ),
        }
        if round % 500 == 0 {
            assert!(daemon.answers());
        }
    }
    assert!(daemon.answers());
}
