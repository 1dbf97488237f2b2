//! The detection of HTTP/2 by its preface, which clients with prior knowledge send.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// The first bytes of an HTTP/2 connection. No request of HTTP/1 begins so.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The version of HTTP on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// A stream of which some bytes were read already.
#[derive(Debug)]
pub(super) struct PrefixedStream<S> {
    stream: S,
    prefix: Vec<u8>,
    /// The number of bytes of the prefix that were read again.
    passed: usize,
}

/// Reads until the first bytes differ from the preface, or are all of it. `None` if the client closes before
/// it sends anything.
pub(super) async fn detect<S: AsyncRead + Unpin>(
    mut stream: S,
) -> io::Result<Option<(Protocol, PrefixedStream<S>)>> {
    let mut prefix = Vec::new();
    let protocol = loop {
        let mut bytes = [0; PREFACE.len()];
        let missing = PREFACE.len().saturating_sub(prefix.len());
        let room = bytes.get_mut(..missing).unwrap_or_default();
        let length = stream.read(room).await?;
        prefix.extend(bytes.iter().take(length));
        if prefix.is_empty() {
            return Ok(None);
        }
        if !PREFACE.starts_with(&prefix) || length == 0 {
            break Protocol::Http1;
        }
        if prefix.len() == PREFACE.len() {
            break Protocol::Http2;
        }
    };
    Ok(Some((protocol, PrefixedStream { stream, prefix, passed: 0 })))
}

impl<S: AsyncRead + Unpin> AsyncRead for PrefixedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(rest) = self.prefix.get(self.passed..).filter(|rest| !rest.is_empty()) {
            let some = rest.get(..buffer.remaining()).unwrap_or(rest);
            buffer.put_slice(some);
            self.passed += some.len();
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PrefixedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
