//! A stream below TLS whose writes fail when the peer reads nothing for too long.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// The longest wait for the caller to read some of a response.
pub(super) const READ_PATIENCE: Duration = Duration::from_secs(30);

/// A stream whose writes fail when the peer reads nothing for too long.
///
/// TLS has a buffer, so that above it a small response and the end of a connection seem to be written at once;
/// only here it shows that the peer does not read them.
#[derive(Debug)]
pub(super) struct StallStream<S> {
    stream: S,
    /// The longest wait for the peer to read something.
    patience: Duration,
    /// The end of that wait, while a write waits.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> StallStream<S> {
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, deadline: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StallStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StallStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let patience = self.patience;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(patience)));
        deadline.as_mut().poll(cx).map(|()| {
            Err(io::Error::new(io::ErrorKind::TimedOut, "the peer read nothing for too long"))
        })
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{io::ErrorKind, time::Duration};

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::StallStream;

    #[tokio::test]
    async fn what_is_not_read_in_time_fails() {
        let (ours, theirs) = duplex(8);
        let mut ours = StallStream::new(ours, Duration::from_millis(20));
        let error = ours.write_all(b"more than eight bytes").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(theirs);
    }

    #[tokio::test]
    async fn each_read_of_the_peer_begins_the_wait_anew() {
        let (ours, mut theirs) = duplex(1);
        let mut ours = StallStream::new(ours, Duration::from_secs(3600));
        let reading = tokio::spawn(async move {
            let mut read = Vec::new();
            theirs.read_to_end(&mut read).await.map(|_| read)
        });
        ours.write_all(b"byte by byte").await.unwrap();
        assert!(ours.deadline.is_none());
        ours.shutdown().await.unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), b"byte by byte");
    }
}
