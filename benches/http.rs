//! Requests per second of `/v1/decide` and of AuthZEN's evaluation, each against a bare hyper server
//! that returns a fixed body of the same size; for the latter it reads the body that it is sent.
//!
//! `cargo bench --bench http` starts both as processes of their own, loads them in turn over one
//! keep-alive connection and over 64, and prints medians and their ratio.

#![allow(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench may stop at what it did not expect"
)]

use std::{
    convert::Infallible,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A request that both servers are sent, and the body of their answers.
#[derive(Clone, Copy)]
struct Exchange {
    name: &'static str,
    request: fn() -> Vec<u8>,
    body: &'static str,
}

const EXCHANGES: [Exchange; 2] = [
    Exchange {
        name: "/v1/decide",
        request: || {
            b"GET /v1/decide?subject=3&action=start_chat&resource=2 HTTP/1.1\r\n\
                Host: localhost\r\n\r\n"
                .to_vec()
        },
        body: r#"{"decision":true,"reason":"allowed"}"#,
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
        body: r#"{"decision":true,"context":{"reason":"allowed"}}"#,
    },
];

const ROUND: Duration = Duration::from_millis(400);
const ROUNDS: usize = 21;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("bare") {
        return bare();
    }
    let bare = Server::start(Command::new(std::env::current_exe().unwrap()).arg("bare"));
    let peerage = Server::start(
        Command::new(env!("CARGO_BIN_EXE_peerage"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/stores-dsl"))
            .env("RUST_LOG", "error"),
    );
    let client = tokio::runtime::Runtime::new().unwrap();
    for (exchange, connections) in EXCHANGES.iter().flat_map(|it| [(it, 1), (it, 64)]) {
        let (mut of_bare, mut of_peerage) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            of_bare.push(client.block_on(load(&bare.address, *exchange, connections)));
            of_peerage.push(client.block_on(load(&peerage.address, *exchange, connections)));
        }
        let (bare, peerage) = (median(of_bare), median(of_peerage));
        println!(
            "{connections:>2} connections: bare {bare:.0}/s, {} {peerage:.0}/s, ratio {:.2}",
            exchange.name,
            peerage / bare
        );
    }
}

struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        Self { process, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Answers per second over so many keep-alive connections, one request at a time on each.
async fn load(address: &str, exchange: Exchange, connections: usize) -> f64 {
    let answers = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (address, answers) = (address.to_owned(), Arc::clone(&answers));
            let until = begun + ROUND;
            tokio::spawn(async move { one_connection(&address, exchange, until, &answers).await })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    answers.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

async fn one_connection(address: &str, exchange: Exchange, until: Instant, answers: &AtomicU64) {
    let request = (exchange.request)();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = [0; 1024];
    while Instant::now() < until {
        stream.write_all(&request).await.unwrap();
        let mut read = 0;
        // No header ends like a body.
        while !buffer[..read].ends_with(exchange.body.as_bytes()) {
            let more = stream.read(&mut buffer[read..]).await.unwrap();
            assert!(more > 0, "the server closed the connection");
            read += more;
        }
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

/// The least that hyper can do: no routing, no header of its own, bodies that stand ready.
fn bare() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening on http://{}", listener.local_addr().unwrap());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let service = service_fn(|request: Request<Incoming>| async {
                    let exchange = EXCHANGES[usize::from(request.method() == Method::POST)];
                    if request.method() == Method::POST {
                        request.collect().await.unwrap();
                    }
                    let body = Bytes::from_static(exchange.body.as_bytes());
                    Ok::<_, Infallible>(Response::new(Full::new(body)))
                });
                let _ = http1::Builder::new()
                    .pipeline_flush(true)
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
}
