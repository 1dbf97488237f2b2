//! The exporter: spans wait in a bounded queue and are sent in batches by a task of their own.
//!
//! Requests never wait for it: what finds no room in the queue, or no collector, is dropped and counted.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, StatusCode, Uri,
    body::Bytes,
    client::conn::http1,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::timeout,
};
use tracing::warn;

use super::{RequestSpan, SpanExportError, payload};
use crate::serve::trace_context::TraceContext;

/// An exporter of spans over OTLP/HTTP, in JSON.
#[derive(Debug)]
pub(super) struct OtlpExporter {
    orders: mpsc::Sender<Order>,
    counts: Arc<Counts>,
}

#[derive(Default, Debug)]
struct Counts {
    exported: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Debug)]
enum Order {
    Span(Box<RequestSpan>),
    /// Answered once all earlier spans are sent.
    Flush(oneshot::Sender<()>),
}

/// The collector that takes the spans.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Collector {
    /// `HOST:PORT`.
    authority: String,
    path: String,
}

/// The most spans that may wait, and the most that are sent at once.
const MAX_WAITING: usize = 4096;
const MAX_BATCH: usize = 512;

/// The time for which spans are gathered.
const GATHER_TIME: Duration = Duration::from_secs(1);

/// The longest time in which a collector takes a batch.
const SEND_TIME: Duration = Duration::from_secs(5);

/// The most bytes that are read of a collector's answer.
const MAX_ANSWER: usize = 64 << 10;

/// The port of OTLP/HTTP.
const PORT: u16 = 4318;

/// The path of traces below a collector's URL.
const TRACES: &str = "/v1/traces";

impl OtlpExporter {
    /// Starts to export to the collector at a URL, on the current runtime. Nothing is sent yet.
    ///
    /// # Errors
    /// If it is no plain URL of HTTP.
    pub(super) fn start(endpoint: &str) -> Result<Self, SpanExportError> {
        let collector = Collector::parse(endpoint)
            .ok_or_else(|| SpanExportError::Endpoint(endpoint.to_owned()))?;
        let (orders, received) = mpsc::channel(MAX_WAITING);
        let counts = Arc::new(Counts::default());
        tokio::spawn(run(collector, received, Arc::clone(&counts)));
        Ok(Self { orders, counts })
    }

    /// Waits until all earlier spans are sent or dropped, for `patience` at most.
    pub(super) async fn flush(&self, patience: Duration) {
        let (flushed, is_flushed) = oneshot::channel();
        let flush = async {
            if self.orders.send(Order::Flush(flushed)).await.is_ok() {
                let _ = is_flushed.await;
            }
        };
        // What is not sent by then is lost.
        let _ = timeout(patience, flush).await;
    }

    /// Exports a span, unless its caller records none.
    pub(super) fn export(&self, span: RequestSpan) {
        if span.context.is_sampled && self.orders.try_send(Order::Span(Box::new(span))).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The context of a request that brings none: a trace of its own.
    #[expect(clippy::unused_self, reason = "only an exporter has a use for it")]
    pub(super) fn context(&self) -> TraceContext {
        TraceContext::root()
    }

    /// The numbers of exported and dropped spans.
    pub(super) fn counts(&self) -> (u64, u64) {
        let Counts { exported, dropped } = &*self.counts;
        (exported.load(Ordering::Relaxed), dropped.load(Ordering::Relaxed))
    }
}

impl Collector {
    fn parse(endpoint: &str) -> Option<Self> {
        let uri: Uri = endpoint.parse().ok()?;
        let authority = uri.authority()?;
        if uri.scheme_str() != Some("http") || uri.query().is_some() || endpoint.contains('@') {
            return None;
        }
        let port = authority.port_u16().unwrap_or(PORT);
        let path = uri.path().trim_end_matches('/');
        let end = if path.ends_with(TRACES) { "" } else { TRACES };
        Some(Self {
            authority: format!("{}:{port}", authority.host()),
            path: format!("{path}{end}"),
        })
    }

    async fn send(&self, spans: &[RequestSpan]) -> io::Result<()> {
        let stream = TcpStream::connect(&self.authority).await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let request = Request::post(&self.path)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(payload::encode(spans))))
            .map_err(io::Error::other)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(io::Error::other)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_ANSWER);
            body.collect().await.map_err(io::Error::other)?;
            if status == StatusCode::OK {
                Ok(())
            } else {
                Err(io::Error::other(format!("the collector answered {status}")))
            }
        };
        let mut exchange = std::pin::pin!(exchange);
        tokio::select! {
            result = &mut exchange => result,
            closed = connection => match closed {
                // The answer may have come with the end of the connection.
                Ok(()) => exchange.await,
                Err(error) => Err(io::Error::other(error)),
            },
        }
    }
}

async fn run(collector: Collector, mut orders: mpsc::Receiver<Order>, counts: Arc<Counts>) {
    let mut has_failed = false;
    let mut received = Vec::new();
    loop {
        received.clear();
        if orders.recv_many(&mut received, 1).await == 0 {
            return;
        }
        gather(&mut orders, &mut received).await;
        let (mut spans, mut flushes) = (Vec::new(), Vec::new());
        for order in received.drain(..) {
            match order {
                Order::Span(span) => spans.push(*span),
                Order::Flush(sender) => flushes.push(sender),
            }
        }
        if !spans.is_empty() {
            let sent = timeout(SEND_TIME, collector.send(&spans)).await;
            let sent = sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            let count = spans.len() as u64;
            match sent {
                Ok(()) => {
                    has_failed = false;
                    counts.exported.fetch_add(count, Ordering::Relaxed);
                }
                Err(error) => {
                    counts.dropped.fetch_add(count, Ordering::Relaxed);
                    if !has_failed {
                        has_failed = true;
                        let collector = &collector.authority;
                        warn!(%error, collector, "spans can't be exported and are dropped");
                    }
                }
            }
        }
        for flushed in flushes {
            // The daemon may have stopped to wait.
            let _ = flushed.send(());
        }
    }
}

/// Adds the orders of a moment, up to a batch or a flush.
async fn gather(orders: &mut mpsc::Receiver<Order>, received: &mut Vec<Order>) {
    let more = async {
        while received.len() < MAX_BATCH && !matches!(received.last(), Some(Order::Flush(_))) {
            let room = MAX_BATCH - received.len();
            if orders.recv_many(received, room).await == 0 {
                return;
            }
        }
    };
    // What came until then is sent.
    let _ = timeout(GATHER_TIME, more).await;
}

#[cfg(test)]
mod tests {
    use super::Collector;

    #[test]
    fn endpoints() {
        for (endpoint, authority, path) in [
            ("http://127.0.0.1:4318", "127.0.0.1:4318", "/v1/traces"),
            ("http://collector", "collector:4318", "/v1/traces"),
            ("http://[::1]:9/", "[::1]:9", "/v1/traces"),
            ("http://host:80/otlp/", "host:80", "/otlp/v1/traces"),
            ("http://host:80/v1/traces", "host:80", "/v1/traces"),
        ] {
            let found = Collector::parse(endpoint).unwrap();
            assert_eq!((&*found.authority, &*found.path), (authority, path), "{endpoint}");
        }
        for endpoint in
            ["", "collector:4318", "https://collector", "http://", "http://a@b", "http://h/?q=1"]
        {
            assert_eq!(Collector::parse(endpoint), None, "{endpoint}");
        }
    }
}
