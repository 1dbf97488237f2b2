//! Servers as processes of their own, and clients that ask them as fast as they answer.

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

pub struct Server {
    process: Child,
    pub address: String,
}

impl Server {
    /// Starts a process that says where it listens in its first line.
    pub fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        Self { process, address }
    }

    /// This program as a [`bare`] server, whose answers hold so many bytes.
    pub fn bare(bytes: usize) -> Self {
        Self::start(
            Command::new(std::env::current_exe().unwrap()).args(["bare", &bytes.to_string()]),
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// The bytes of an answer, and those of its body.
pub async fn answer(address: &str, request: &[u8]) -> (usize, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
            assert!(head.starts_with("http/1.1 2"), "{head}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let total = end + 4 + length.map_or(0, |length| length.parse::<usize>().unwrap());
            if read.len() >= total {
                return (total, read.split_off(end + 4));
            }
        }
        assert!(stream.read_buf(&mut read).await.unwrap() > 0, "the server closed the connection");
    }
}

/// Answers per second, of so many bytes each, over so many keep-alive connections with one request at
/// a time on each.
pub async fn load(
    address: &str,
    request: &[u8],
    bytes: usize,
    connections: usize,
    round: Duration,
) -> f64 {
    let answers = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (address, request) = (address.to_owned(), request.to_owned());
            let answers = Arc::clone(&answers);
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut buffer = vec![0; bytes];
                while begun.elapsed() < round {
                    stream.write_all(&request).await.unwrap();
                    stream.read_exact(&mut buffer).await.unwrap();
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    answers.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

/// The least that hyper can do: no routing, no header of its own, a prepared body. It reads what it is
/// sent.
pub fn bare(bytes: usize) {
    let body = Bytes::from(vec![b' '; bytes]);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening on http://{}", listener.local_addr().unwrap());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let body = body.clone();
            tokio::spawn(async move {
                let service = service_fn(|request: Request<Incoming>| {
                    let body = body.clone();
                    async move {
                        if request.method() == Method::POST {
                            request.collect().await.unwrap();
                        }
                        Ok::<_, Infallible>(Response::new(Full::new(body)))
                    }
                });
                let _ = http1::Builder::new()
                    .pipeline_flush(true)
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
}
