//! Requests per second of `/v1/decide`, against a bare hyper server that returns a fixed body of the
//! same size.
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

use http_body_util::Full;
use hyper::{Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const BODY: &str = r#"{"decision":true,"reason":"allowed"}"#;
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
    for connections in [1, 64] {
        let (mut of_bare, mut of_peerage) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            of_bare.push(client.block_on(load(&bare.address, connections)));
            of_peerage.push(client.block_on(load(&peerage.address, connections)));
        }
        let (bare, peerage) = (median(of_bare), median(of_peerage));
        println!(
            "{connections:>2} connections: bare {bare:.0}/s, /v1/decide {peerage:.0}/s, ratio {:.2}",
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
async fn load(address: &str, connections: usize) -> f64 {
    let answers = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (address, answers) = (address.to_owned(), Arc::clone(&answers));
            tokio::spawn(async move { one_connection(&address, begun + ROUND, &answers).await })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    answers.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

async fn one_connection(address: &str, until: Instant, answers: &AtomicU64) {
    let request = b"GET /v1/decide?subject=3&action=start_chat&resource=2 HTTP/1.1\r\n\
        Host: localhost\r\n\r\n";
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = [0; 1024];
    while Instant::now() < until {
        stream.write_all(request).await.unwrap();
        let mut read = 0;
        // Both bodies end alike, and no header does.
        while !buffer[..read].ends_with(b"\"allowed\"}") {
            let more = stream.read(&mut buffer[read..]).await.unwrap();
            assert!(more > 0, "the server closed the connection");
            read += more;
        }
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

/// The least that hyper can do: no routing, no header of its own, a body that stands ready.
fn bare() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening on http://{}", listener.local_addr().unwrap());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let service = service_fn(|_| async {
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(
                        BODY.as_bytes(),
                    ))))
                });
                let _ = http1::Builder::new()
                    .pipeline_flush(true)
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
}
