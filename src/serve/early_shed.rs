//! The refusal of decisions before HTTP: when there is no room, a request gets its 503 from the bytes that were read.
//!
//! A decision costs little besides its request and response, so refusing one after parsing would cost nearly
//! as much as making it, and a daemon with twice the load that it can carry would do nothing but refuse.

use std::{
    fmt::Write as _,
    io, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use hyper::header::HeaderValue;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    app::App,
    connection::Connection,
    decision_log::RequestTrace,
    handler::Access,
    plain_head::{self, PlainHead, RequestStart},
    request_metrics::RouteIndex,
    response_body::ResponseBody,
    routes,
};

/// The most bytes of refusals that wait for the client to read them.
const MAX_REFUSALS: usize = 32 << 10;

/// The largest buffers that a connection keeps while it is idle.
const KEPT: usize = 4 << 10;

/// A stream that passes on one request at a time, and refuses plain decisions for which there is no room.
///
/// It acts only between requests, and knows where they end only as long as all of them were plain: from any
/// other request on, it passes on everything.
pub(super) struct ShedStream<S> {
    stream: S,
    app: Arc<App>,
    connection: Connection,
    place: Place,
    /// Bytes that were read, and the number of those that were passed on.
    held: Vec<u8>,
    passed: usize,
    /// Refusals, and the number of their bytes that were written.
    refusals: Vec<u8>,
    written: usize,
}

/// The place in the conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// All requests that were passed on are answered.
    Between,
    /// One is not answered, and some of its answer may be written.
    Within { is_begun: bool },
    /// It is not known.
    Unknown,
}

/// What a read does next.
enum Step {
    /// A request was refused; there may be another one.
    Refused,
    /// A whole request of so many bytes is passed on.
    Pass(usize),
    PassAll,
    /// More bytes are needed.
    Read,
}

impl<S> ShedStream<S> {
    pub(super) fn new(stream: S, app: Arc<App>, connection: Connection) -> Self {
        // Administrators are not shed, and refusals have no spans.
        let is_active = !connection.listener.is_trusted() && app.options.spans.is_none();
        let place = if is_active { Place::Between } else { Place::Unknown };
        let (held, refusals) = (Vec::new(), Vec::new());
        Self { stream, app, connection, place, held, passed: 0, refusals, written: 0 }
    }

    /// Passes on so many of the bytes that are held, as far as there is room.
    fn pass(&mut self, bytes: usize, buffer: &mut ReadBuf<'_>) {
        let rest = self.held.get(self.passed..).unwrap_or_default();
        let some = rest.get(..bytes.min(buffer.remaining())).unwrap_or(rest);
        buffer.put_slice(some);
        self.passed += some.len();
        if self.passed == self.held.len() {
            self.held.clear();
            self.held.shrink_to(KEPT);
            self.passed = 0;
        }
    }

    fn next_step(&mut self) -> Step {
        if self.place != Place::Between {
            // More is read of a request that was thought to be whole.
            self.place = Place::Unknown;
            return Step::PassAll;
        }
        let bytes = mem::take(&mut self.held);
        let step = match plain_head::read(bytes.get(self.passed..).unwrap_or_default()) {
            RequestStart::Plain(head) if self.refuse(&head) => {
                self.passed += head.length;
                Step::Refused
            }
            RequestStart::Plain(head) => Step::Pass(head.length),
            RequestStart::Partial => Step::Read,
            RequestStart::Other => {
                self.place = Place::Unknown;
                Step::PassAll
            }
        };
        self.held = bytes;
        step
    }

    /// Refuses the plain request at the beginning of the held bytes, if it is a decision for which there is no room.
    fn refuse(&mut self, head: &PlainHead<'_>) -> bool {
        let Some(found) = routes::find(head.path, &self.app.options.public_url) else {
            return false;
        };
        let operation = found.route.operation(&hyper::Method::GET);
        let is_decision = operation.is_some_and(|it| it.access == Access::Decision);
        let is_full = is_decision && self.app.admission.is_full(self.connection.peer.arrival());
        is_full && !head.is_traced && {
            let id = head.id.and_then(|id| HeaderValue::from_bytes(id).ok());
            let trace = RequestTrace { started: Instant::now(), id, context: None };
            let route = (found.route.path, RouteIndex(found.index));
            self.app.write_refusal(route, &trace, &mut self.refusals)
        }
    }
}

impl App {
    /// Appends the response to a shed request as bytes.
    fn write_refusal(
        &self,
        (route, index): (&'static str, RouteIndex),
        trace: &RequestTrace,
        bytes: &mut Vec<u8>,
    ) -> bool {
        let response = self.finish(self.shed(route), trace, None);
        self.metrics.requests.record_time(index, Duration::ZERO);
        let ResponseBody::Whole(body, _) = response.body() else { return false };
        let status = response.status();
        let reason = status.canonical_reason().unwrap_or_default();
        bytes.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).as_bytes());
        for (name, value) in response.headers() {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                bytes.extend_from_slice(part);
            }
        }
        let mut length = String::new();
        // Writing to a text does not fail.
        let _ = write!(length, "content-length: {}\r\n\r\n", body.len());
        bytes.extend_from_slice(length.as_bytes());
        bytes.extend_from_slice(body);
        true
    }
}

impl<S: AsyncWrite + Unpin> ShedStream<S> {
    /// Writes the refusals. They come before anything that is written later.
    fn poll_refusals(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.refusals.get(self.written..).filter(|rest| !rest.is_empty()) {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        self.refusals.clear();
        self.refusals.shrink_to(KEPT);
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for ShedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match this.next_step() {
                Step::Refused => {
                    if this.refusals.len() > MAX_REFUSALS {
                        ready!(this.poll_refusals(cx))?;
                    }
                }
                Step::Pass(length) => {
                    ready!(this.poll_refusals(cx))?;
                    let is_whole = length <= buffer.remaining();
                    this.place =
                        if is_whole { Place::Within { is_begun: false } } else { Place::Unknown };
                    this.pass(length, buffer);
                    return Poll::Ready(Ok(()));
                }
                Step::PassAll => {
                    ready!(this.poll_refusals(cx))?;
                    if this.held.is_empty() {
                        return Pin::new(&mut this.stream).poll_read(cx, buffer);
                    }
                    this.pass(usize::MAX, buffer);
                    return Poll::Ready(Ok(()));
                }
                Step::Read => {
                    let before = buffer.filled().len();
                    if Pin::new(&mut this.stream).poll_read(cx, buffer)?.is_pending() {
                        ready!(this.poll_refusals(cx))?;
                        ready!(Pin::new(&mut this.stream).poll_flush(cx))?;
                        return Poll::Pending;
                    }
                    let new = buffer.filled().get(before..).unwrap_or_default();
                    if new.is_empty() {
                        // The end: what is held is no whole request.
                        this.place = Place::Unknown;
                        if this.held.is_empty() {
                            ready!(this.poll_refusals(cx))?;
                            return Poll::Ready(Ok(()));
                        }
                    }
                    this.held.drain(..this.passed);
                    this.passed = 0;
                    this.held.extend_from_slice(new);
                    buffer.set_filled(before);
                }
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ShedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_refusals(cx))?;
        if let Place::Within { is_begun } = &mut self.place {
            *is_begun = true;
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_refusals(cx))?;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        // Flushed in the midst of a long response, too: but then nothing is read before its end.
        if self.place == (Place::Within { is_begun: true }) {
            self.place = Place::Between;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_refusals(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
