//! The other end of a connection, and a stream that notices when it reads nothing or leaves.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::OwnedSemaphorePermit,
    time::{Sleep, sleep},
};

/// How many bytes of answers may wait to be taken, of all connections together.
const MOST_WAITING: usize = 64 << 20;

/// How much of what follows a request is read ahead to see whether the caller leaves.
const AHEAD: usize = 4 << 10;

/// The caller at the other end of a connection.
#[derive(Default, Debug)]
pub(super) struct Peer {
    /// Whether it matters if the caller leaves: then the request is dropped. Else a caller who only
    /// closes their own half of the connection is still answered.
    is_watched: AtomicBool,
}

impl Peer {
    /// Watches whether the caller leaves until what this gives is dropped.
    pub(super) fn watch(&self) -> impl Drop {
        struct Watch<'p>(&'p Peer);

        impl Drop for Watch<'_> {
            fn drop(&mut self) {
                self.0.is_watched.store(false, Ordering::Relaxed);
            }
        }

        self.is_watched.store(true, Ordering::Relaxed);
        Watch(self)
    }
}

/// The bytes of answers that wait to be taken by slow readers.
#[derive(Clone, Default, Debug)]
pub(super) struct WaitingBytes(Arc<AtomicUsize>);

impl WaitingBytes {
    /// Counts bytes until what this gives is dropped; `None` if that would be more than may wait. One
    /// answer may wait alone, however long it is.
    pub(super) fn reserve(&self, bytes: usize) -> Option<Reserved> {
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        let reserved = Reserved { all: self.clone(), bytes };
        (before == 0 || before + bytes <= MOST_WAITING).then_some(reserved)
    }
}

/// Some of the bytes that wait.
#[derive(Debug)]
pub(super) struct Reserved {
    all: WaitingBytes,
    bytes: usize,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A stream whose writes fail when the other end takes nothing for too long, or when too much waits
/// in all, and which ends when a caller leaves who is watched.
#[derive(Debug)]
pub(super) struct WatchedStream<S> {
    stream: S,
    peer: Arc<Peer>,
    waiting: WaitingBytes,
    /// How long what is sent may wait for the other end to take some of it.
    patience: Duration,
    /// Since when the other end takes nothing, and how much waits for it.
    stalled: Option<Stall>,
    /// What was read ahead while the caller was watched, and how much of it was passed on.
    ahead: Vec<u8>,
    passed: usize,
    /// There may be so many connections; what a request is upgraded to is one still.
    _room: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Stall {
    deadline: Pin<Box<Sleep>>,
    reserved: Option<Reserved>,
}

impl<S> WatchedStream<S> {
    pub(super) fn new(
        stream: S,
        peer: Arc<Peer>,
        waiting: WaitingBytes,
        patience: Duration,
        room: OwnedSemaphorePermit,
    ) -> Self {
        let (stalled, ahead, passed) = (None, Vec::new(), 0);
        Self { stream, peer, waiting, patience, stalled, ahead, passed, _room: room }
    }

    /// What a write came to, or why it is not waited for any longer.
    fn progress(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
        bytes: usize,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Stall { deadline: Box::pin(sleep(patience)), reserved: None });
        if stalled.reserved.is_none() && bytes > 0 {
            stalled.reserved = self.waiting.reserve(bytes);
            if stalled.reserved.is_none() {
                return Poll::Ready(Err(late("too many bytes wait to be read")));
            }
        }
        if stalled.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(late("nothing was read for too long")));
        }
        Poll::Pending
    }
}

fn late(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

impl<S: AsyncRead + Unpin> WatchedStream<S> {
    /// Whether a caller who is watched has left.
    fn has_left(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.peer.is_watched.load(Ordering::Relaxed) || self.passed < self.ahead.len() {
            return false;
        }
        let mut bytes = [0; AHEAD];
        let mut buffer = ReadBuf::new(&mut bytes);
        match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Pending => false,
            Poll::Ready(Err(_)) => true,
            Poll::Ready(Ok(())) => {
                self.ahead = buffer.filled().to_vec();
                self.passed = 0;
                self.ahead.is_empty()
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(rest) = self.ahead.get(self.passed..).filter(|rest| !rest.is_empty()) {
            let some = rest.get(..buffer.remaining()).unwrap_or(rest);
            buffer.put_slice(some);
            self.passed += some.len();
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.progress(cx, written, bytes.len())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A connection flushes each time that it is looked at, also while its request is at work.
        if self.has_left(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{io::ErrorKind, sync::Arc, time::Duration};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        sync::Semaphore,
    };

    use super::{MOST_WAITING, Peer, WaitingBytes, WatchedStream};

    struct Ends {
        ours: WatchedStream<DuplexStream>,
        theirs: DuplexStream,
        peer: Arc<Peer>,
        waiting: WaitingBytes,
    }

    fn ends(patience: Duration) -> Ends {
        let (ours, theirs) = duplex(8);
        let (peer, waiting) = (Arc::new(Peer::default()), WaitingBytes::default());
        let room = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let ours = WatchedStream::new(ours, Arc::clone(&peer), waiting.clone(), patience, room);
        Ends { ours, theirs, peer, waiting }
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn who_reads_nothing_is_left() {
        let Ends { mut ours, theirs, waiting, .. } = ends(Duration::from_millis(20));
        let error = ours.write_all(b"more than eight bytes").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop((ours, theirs));
        assert!(waiting.reserve(MOST_WAITING).is_some(), "nothing waits any more");
    }

    #[tokio::test]
    async fn too_much_that_waits_is_not_waited_for() {
        let Ends { mut ours, theirs, waiting, .. } = ends(LONG);
        let _others = waiting.reserve(MOST_WAITING).unwrap();
        assert!(waiting.reserve(1).is_none());
        let error = ours.write_all(b"more than eight bytes").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(theirs);
    }

    #[tokio::test]
    async fn who_leaves_is_noticed_while_watched() {
        let Ends { mut ours, mut theirs, peer, .. } = ends(LONG);
        theirs.write_all(b"GET").await.unwrap();
        ours.flush().await.unwrap();
        let watch = peer.watch();
        // What was sent before is kept.
        ours.flush().await.unwrap();
        let mut read = [0; 3];
        ours.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"GET");
        drop(theirs);
        let error = ours.flush().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
        drop(watch);
        ours.flush().await.unwrap();
    }
}
