//! The peer of a connection, and a stream that detects when the peer stalls or disconnects.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_util::task::AtomicWaker;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::OwnedSemaphorePermit,
    time::{Sleep, sleep},
};

use super::decision_count::DecisionCount;

/// The most bytes of responses that may wait to be sent, on all connections together.
const MAX_WAITING: usize = 64 << 20;

/// The most bytes behind a request that are read ahead to detect a disconnect.
const READ_AHEAD: usize = 4 << 10;

/// The peer of a connection.
///
/// It also is the waker of the connection's reads: between its call and the read, a request waits for its turn.
#[derive(Debug)]
pub(super) struct Peer {
    /// Whether a disconnect of the caller drops the request. Otherwise a caller who closes only their half
    /// of the connection still gets the response.
    is_watched: AtomicBool,
    /// Whether the connection serves several requests at a time.
    is_multiplexed: bool,
    decided: DecisionCount,
    /// The decisions that were made when the bytes arrived that are read next.
    next: AtomicU64,
    /// The same of the bytes that were read last.
    read: AtomicU64,
    /// The task of the connection.
    task: AtomicWaker,
}

/// A peer without a connection, as of calls that the daemon makes itself.
impl Default for Peer {
    fn default() -> Self {
        Self::new(DecisionCount::default())
    }
}

impl Wake for Peer {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.next.store(self.decided.now(), Ordering::Relaxed);
        self.task.wake();
    }
}

impl Peer {
    pub(super) fn new(decided: DecisionCount) -> Self {
        let now = decided.now();
        Self {
            is_watched: AtomicBool::new(false),
            is_multiplexed: false,
            decided,
            next: AtomicU64::new(now),
            read: AtomicU64::new(now),
            task: AtomicWaker::new(),
        }
    }

    /// The peer of a connection with several requests at a time. A disconnect ends it with all of them, so it is
    /// not watched.
    pub(super) fn multiplexed(decided: DecisionCount) -> Self {
        Self { is_multiplexed: true, ..Self::new(decided) }
    }

    /// The number of decisions that were made when the request arrived that was read last.
    pub(super) fn arrival(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Notes that bytes were read. More of them may have arrived since, for which nobody is woken.
    fn note_read(&self) {
        let arrived = self.next.swap(self.decided.now(), Ordering::Relaxed);
        self.read.store(arrived, Ordering::Relaxed);
    }

    /// Watches for a disconnect until the returned guard is dropped.
    pub(super) fn watch(&self) -> impl Drop {
        struct Watch<'p>(&'p Peer);

        impl Drop for Watch<'_> {
            fn drop(&mut self) {
                self.0.is_watched.store(false, Ordering::Relaxed);
            }
        }

        self.is_watched.store(!self.is_multiplexed, Ordering::Relaxed);
        Watch(self)
    }
}

/// The bytes of responses that wait for slow readers.
#[derive(Clone, Default, Debug)]
pub(super) struct WaitingBytes(Arc<AtomicUsize>);

impl WaitingBytes {
    /// Counts bytes until the reservation is dropped; `None` beyond the limit. A single response may always
    /// wait, whatever its length.
    pub(super) fn reserve(&self, bytes: usize) -> Option<Reserved> {
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        let reserved = Reserved { all: self.clone(), bytes };
        (before == 0 || before + bytes <= MAX_WAITING).then_some(reserved)
    }
}

/// A share of the waiting bytes.
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

/// A stream whose writes fail when the peer reads nothing for too long, or when too many bytes wait in
/// all, and which ends when a watched peer disconnects.
#[derive(Debug)]
pub(super) struct WatchedStream<S> {
    stream: S,
    peer: Arc<Peer>,
    /// The peer, by which reads wake the connection.
    waker: Waker,
    waiting: WaitingBytes,
    /// The longest wait for the peer to read something.
    patience: Duration,
    /// The state of a write that the peer does not read.
    stalled: Option<Stall>,
    /// The bytes that were read ahead while the caller was watched.
    ahead: Vec<u8>,
    /// The number of them that were passed on.
    passed: usize,
    /// The permit of the connection, also kept by a WebSocket that a request is upgraded to.
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
        let waker = Waker::from(Arc::clone(&peer));
        Self { stream, peer, waker, waiting, patience, stalled, ahead, passed, _room: room }
    }

    /// The result of a write, or the error that ends the wait for it.
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
                return Poll::Ready(Err(timed_out("too many bytes wait to be read")));
            }
        }
        if stalled.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(timed_out("the peer read nothing for too long")));
        }
        Poll::Pending
    }
}

fn timed_out(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

impl<S: AsyncRead + Unpin> WatchedStream<S> {
    /// Whether a watched caller has disconnected.
    fn has_left(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.peer.is_watched.load(Ordering::Relaxed) || self.passed < self.ahead.len() {
            return false;
        }
        let mut bytes = [0; READ_AHEAD];
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
        let Self { stream, peer, waker, .. } = &mut *self;
        peer.task.register(cx.waker());
        let read = Pin::new(stream).poll_read(&mut Context::from_waker(waker), buffer);
        if read.is_ready() {
            peer.note_read();
        }
        read
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
        // A connection is flushed at each poll, also while its request is handled.
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

    use super::{DecisionCount, MAX_WAITING, Peer, WaitingBytes, WatchedStream};

    struct Ends {
        ours: WatchedStream<DuplexStream>,
        theirs: DuplexStream,
        peer: Arc<Peer>,
        waiting: WaitingBytes,
    }

    fn ends(patience: Duration) -> Ends {
        let (ours, theirs) = duplex(8);
        let peer = Arc::new(Peer::new(DecisionCount::default()));
        let waiting = WaitingBytes::default();
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
        assert!(waiting.reserve(MAX_WAITING).is_some(), "nothing waits any more");
    }

    #[tokio::test]
    async fn too_much_that_waits_is_not_waited_for() {
        let Ends { mut ours, theirs, waiting, .. } = ends(LONG);
        let _others = waiting.reserve(MAX_WAITING).unwrap();
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
