//! A writer of lines that never blocks its callers.
//!
//! A thread receives the lines and gathers them into larger writes. If it falls behind, because a disk
//! is full or a reader stalls, lines are dropped and counted.

use std::{
    convert::Infallible,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender, TryRecvError},
    },
    thread,
    time::{Duration, Instant},
};

use tracing::warn;

/// The handle by which lines are written; clones share the thread.
#[derive(Clone, Debug)]
pub struct LineWriter {
    orders: Sender<Order>,
    state: Arc<State>,
}

/// The destination of lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Destination {
    Stdout,
    Stderr,
    /// A file, created with permissions for its owner alone; reopened when it is moved.
    File(PathBuf),
}

#[derive(Default, Debug)]
struct State {
    /// The lines that are not written yet.
    waiting_lines: AtomicUsize,
    /// Their bytes.
    waiting_bytes: AtomicUsize,
    dropped: AtomicU64,
}

#[derive(Debug)]
enum Order {
    Line(Vec<u8>),
    Reopen,
    /// The sender is dropped once all earlier lines are written.
    Flush(Sender<Infallible>),
}

/// The most lines that may wait.
const MAX_LINES: usize = 16 << 10;

/// The most bytes of lines that may wait.
const MAX_BYTES: usize = 16 << 20;

/// The number of bytes that are gathered into one write.
const WRITE_BYTES: usize = 64 << 10;

/// The interval of checks whether the file was moved.
const MOVE_CHECK_INTERVAL: Duration = Duration::from_millis(100);

impl LineWriter {
    /// Opens the destination and starts the thread.
    ///
    /// # Errors
    /// If the file can't be opened, or the thread can't be started.
    pub fn open(destination: Destination) -> io::Result<Self> {
        let sink = Sink::open(destination)?;
        let (orders, received) = mpsc::channel();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::Builder::new()
            .name("lines".to_owned())
            .spawn(move || run(sink, &received, &shared))?;
        Ok(Self { orders, state })
    }

    /// Writes a line, which ends in a newline; it is dropped if too many lines or bytes wait already.
    pub fn write(&self, line: Vec<u8>) {
        let length = line.len();
        if !self.state.reserve(length) || self.orders.send(Order::Line(line)).is_err() {
            self.state.release(length);
            self.state.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Reopens the file.
    pub fn reopen(&self) {
        // The thread runs as long as this sender.
        let _ = self.orders.send(Order::Reopen);
    }

    /// Waits until all earlier lines are written, for `patience` at most.
    pub fn flush(&self, patience: Duration) {
        let (flushed, is_flushed) = mpsc::channel();
        let _ = self.orders.send(Order::Flush(flushed));
        let _ = is_flushed.recv_timeout(patience);
    }

    /// The number of lines dropped so far.
    pub fn dropped(&self) -> u64 {
        self.state.dropped.load(Ordering::Relaxed)
    }
}

impl State {
    /// Counts a line of this length as waiting; returns whether there is room for it. One line may wait
    /// alone, whatever its length.
    fn reserve(&self, length: usize) -> bool {
        let lines = self.waiting_lines.fetch_add(1, Ordering::AcqRel);
        let bytes = self.waiting_bytes.fetch_add(length, Ordering::AcqRel);
        lines < MAX_LINES && (bytes == 0 || bytes + length <= MAX_BYTES)
    }

    fn release(&self, length: usize) {
        self.waiting_lines.fetch_sub(1, Ordering::AcqRel);
        self.waiting_bytes.fetch_sub(length, Ordering::AcqRel);
    }
}

fn run(mut sink: Sink, orders: &Receiver<Order>, state: &State) {
    loop {
        let order = match orders.try_recv() {
            Ok(order) => order,
            Err(TryRecvError::Disconnected) => return sink.flush(state),
            Err(TryRecvError::Empty) => {
                sink.flush(state);
                let Ok(order) = orders.recv() else { return };
                sink.checked = None;
                order
            }
        };
        match order {
            Order::Line(line) => {
                sink.write(&line, state);
                state.release(line.len());
            }
            Order::Reopen => sink.reopen(state),
            Order::Flush(flushed) => {
                sink.flush(state);
                drop(flushed);
            }
        }
    }
}

/// The open destination.
struct Sink {
    output: Output,
    path: Option<PathBuf>,
    /// Lines that are not written yet.
    buffer: Vec<u8>,
    /// Their number.
    buffered: u64,
    /// The time of the last check whether the file was moved.
    checked: Option<Instant>,
    /// Whether the last write failed, so that the output may end in a part of a line.
    has_failed: bool,
}

enum Output {
    Stdout(io::Stdout),
    Stderr(io::Stderr),
    File(File),
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::Stderr(stderr) => stderr.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::Stderr(stderr) => stderr.flush(),
            Self::File(file) => file.flush(),
        }
    }
}

impl Sink {
    fn open(destination: Destination) -> io::Result<Self> {
        let (output, path) = match destination {
            Destination::Stdout => (Output::Stdout(io::stdout()), None),
            Destination::Stderr => (Output::Stderr(io::stderr()), None),
            Destination::File(path) => (Output::File(append(&path)?), Some(path)),
        };
        Ok(Self { output, path, buffer: Vec::new(), buffered: 0, checked: None, has_failed: false })
    }

    fn write(&mut self, line: &[u8], state: &State) {
        if self.is_moved() {
            self.reopen(state);
        }
        self.buffer.extend_from_slice(line);
        self.buffered += 1;
        if self.buffer.len() >= WRITE_BYTES {
            self.flush(state);
        }
    }

    /// Writes the buffer. Lines that can't be written are dropped, and a warning is logged once.
    fn flush(&mut self, state: &State) {
        if self.buffer.is_empty() {
            return;
        }
        let start: &[u8] = if self.has_failed { b"\n" } else { b"" };
        let output = &mut self.output;
        let written = output.write_all(start).and_then(|()| output.write_all(&self.buffer));
        match written.and_then(|()| output.flush()) {
            Ok(()) => self.has_failed = false,
            Err(error) => {
                state.dropped.fetch_add(self.buffered, Ordering::Relaxed);
                if !self.has_failed {
                    self.has_failed = true;
                    let path = self.path.as_deref().unwrap_or(Path::new("-")).display();
                    warn!(%error, %path, "lines of a log can't be written and are dropped");
                }
            }
        }
        self.buffer.clear();
        self.buffered = 0;
    }

    /// Whether the path is no longer that of the open file.
    fn is_moved(&mut self) -> bool {
        let (Some(path), Output::File(file)) = (&self.path, &self.output) else {
            return false;
        };
        if self.checked.is_some_and(|checked| checked.elapsed() < MOVE_CHECK_INTERVAL) {
            return false;
        }
        self.checked = Some(Instant::now());
        let identity = |found: fs::Metadata| (found.dev(), found.ino());
        fs::metadata(path).map(identity).ok() != file.metadata().map(identity).ok()
    }

    /// Opens the file that is at the path now; keeps the former one if that fails.
    fn reopen(&mut self, state: &State) {
        self.flush(state);
        let Some(path) = &self.path else { return };
        match append(path) {
            Ok(file) => {
                self.output = Output::File(file);
                self.has_failed = false;
            }
            Err(error) => warn!(%error, path = %path.display(), "a log can't be reopened"),
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}
