//! Requests per second of `/v1/decide` and of AuthZEN's evaluation, each against a bare hyper server
//! that returns a fixed body of the same size; for the latter it reads the body that it is sent.
//!
//! `cargo bench --bench http` starts both as processes of their own, loads them in turn over one
//! keep-alive connection and over 64, and prints medians and their ratio.

#![allow(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    missing_debug_implementations,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench may stop at what it did not expect"
)]

mod load;

use std::{process::Command, time::Duration};

use load::{Server, answer, bare, load, median};

/// A request.
struct Exchange {
    name: &'static str,
    request: fn() -> Vec<u8>,
}

const EXCHANGES: [Exchange; 2] = [
    Exchange {
        name: "/v1/decide",
        request: || {
            b"GET /v1/decide?subject=3&action=start_chat&resource=2 HTTP/1.1\r\n\
                Host: localhost\r\n\r\n"
                .to_vec()
        },
    },
    Exchange {
        name: "/access/v1/evaluation",
        request: || {
            let body = r#"{"subject":{"type":"user","id":"3"},"action":{"name":"start_chat"},"resource":{"type":"user","id":"2"}}"#;
            format!(
                "POST /access/v1/evaluation HTTP/1.1\r\nHost: localhost\r\n\
                Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        },
    },
];

const ROUND: Duration = Duration::from_millis(400);
const ROUNDS: usize = 21;

fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("bare") {
        return bare(args.next().and_then(|bytes| bytes.parse().ok()).unwrap_or_default());
    }
    let peerage = Server::start(
        Command::new(env!("CARGO_BIN_EXE_peerage"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/stores-dsl"))
            .env("RUST_LOG", "error"),
    );
    let client = tokio::runtime::Runtime::new().unwrap();
    for exchange in &EXCHANGES {
        let request = (exchange.request)();
        let (length, body) = client.block_on(answer(&peerage.address, &request));
        let bare = Server::bare(body.len());
        let (length_of_bare, _) = client.block_on(answer(&bare.address, &request));
        for connections in [1, 64] {
            let (mut of_bare, mut of_peerage) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                let rate = load(&bare.address, &request, length_of_bare, connections, ROUND);
                of_bare.push(client.block_on(rate));
                let rate = load(&peerage.address, &request, length, connections, ROUND);
                of_peerage.push(client.block_on(rate));
            }
            let (bare, peerage) = (median(of_bare), median(of_peerage));
            println!(
                "{connections:>2} connections: bare {bare:.0}/s, {} {peerage:.0}/s, ratio {:.2}",
                exchange.name,
                peerage / bare
            );
        }
    }
}
