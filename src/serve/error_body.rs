//! The error responses that hyper writes by itself, completed with our body and headers.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use hyper::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    app::App,
    response::{HttpError, REVISION, VIEW},
};

/// A stream that adds our JSON body to the bare error responses which hyper writes by itself.
///
/// Bytes that are not a valid request never reach a service: hyper responds with a bare status and closes
/// the connection. This stream adds the body and the headers that all other responses have.
pub(super) struct ErrorBodyStream<S> {
    stream: S,
    app: Arc<App>,
    /// A completed response after the bytes that precede it, and the number of bytes written so far.
    whole: Vec<u8>,
    written: usize,
    /// Whether the connection no longer speaks HTTP.
    is_upgraded: bool,
}

impl<S: AsyncWrite + Unpin> ErrorBodyStream<S> {
    pub(super) fn new(stream: S, app: Arc<App>) -> Self {
        Self { stream, app, whole: Vec::new(), written: 0, is_upgraded: false }
    }

    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.whole.get(self.written..).filter(|rest| !rest.is_empty()) {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ErrorBodyStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ErrorBodyStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(cx))?;
        if self.is_upgraded {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        }
        self.is_upgraded = bytes.starts_with(b"HTTP/1.1 101 ");
        let Some((before, head)) = split_bare_error(bytes) else {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        };
        let answer = self.app.render_error(head);
        self.whole = [before, answer.as_bytes()].concat();
        self.written = 0;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

const NO_BODY: &str = "\r\ncontent-length: 0\r\n";

/// The head of a bare response at the end of some bytes, and the bytes before it.
fn split_bare_error(bytes: &[u8]) -> Option<(&[u8], &str)> {
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let start = bytes.windows(10).rposition(|window| window == b"HTTP/1.1 4")?;
    let (before, head) = bytes.split_at_checked(start)?;
    let head = str::from_utf8(head).ok()?;
    (head.contains(NO_BODY) && !head.contains(REVISION.as_str())).then_some((before, head))
}

impl App {
    /// A bare response with the missing body and headers.
    fn render_error(&self, head: &str) -> String {
        let status = head.get(9..12).and_then(|digits| digits.parse().ok());
        let status = status.unwrap_or(StatusCode::BAD_REQUEST);
        self.metrics.count_answer(status);
        let message = match status {
            StatusCode::URI_TOO_LONG => "the path and query are too long",
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "the headers are too large",
            _ => "this is not an HTTP/1.1 request",
        };
        let body = HttpError::new(status, message).json();
        let served = self.live.served();
        let headers = format!(
            "\r\ncontent-type: application/json\r\n{REVISION}: {}\r\n{VIEW}: {}\r\ncontent-length: {}\r\n",
            served.revision,
            served.number,
            body.len()
        );
        head.replacen(NO_BODY, &headers, 1) + &body
    }
}
