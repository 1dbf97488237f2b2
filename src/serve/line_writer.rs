//! A writer of lines that never lets those wait who write them.
//!
//! Lines are handed to a thread of its own, which gathers them into larger writes. Where it falls
//! behind, because a disk is full or a reader stalls, lines are dropped and counted.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, Receiver, SyncSender, TryRecvError, TrySendError},
    },
    thread,
    time::{Duration, Instant},
};

use tracing::warn;

/// The writer's end that is shared by those who write.
#[derive(Clone, Debug)]
pub struct LineWriter {
    orders: SyncSender<Order>,
    state: Arc<State>,
}

/// Where lines go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Destination {
    Stdout,
    Stderr,
    /// A file, which only its user may read if it is made; opened again when it is moved.
    File(PathBuf),
}

#[derive(Default, Debug)]
struct State {
    /// How many bytes wait.
    waiting: AtomicUsize,
    dropped: AtomicU64,
}

#[derive(Debug)]
enum Order {
    Line(Vec<u8>),
    Reopen,
    /// To be told when all before it is written.
    Flush(SyncSender<()>),
}

/// How many lines, and how many bytes of them, may wait.
const MOST_LINES: usize = 16 << 10;
const MOST_BYTES: usize = 16 << 20;

/// How many bytes are gathered before they are written.
const LARGE: usize = 64 << 10;

/// How long a file is written to before it is looked whether it was moved.
const UNSEEN: Duration = Duration::from_millis(100);

impl LineWriter {
    /// Opens the destination and starts the thread.
    ///
    /// # Errors
    /// If the file can't be opened, or the thread not be started.
    pub fn open(destination: Destination) -> io::Result<Self> {
        let sink = Sink::open(destination)?;
        let (orders, received) = mpsc::sync_channel(MOST_LINES);
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::Builder::new()
            .name("lines".to_owned())
            .spawn(move || run(sink, &received, &shared))?;
        Ok(Self { orders, state })
    }

    /// Hands over a line, which ends in a newline; it is dropped if too much waits already.
    pub fn write(&self, line: Vec<u8>) {
        let length = line.len();
        let waiting = self.state.waiting.fetch_add(length, Ordering::AcqRel);
        let sent = if waiting + length > MOST_BYTES && waiting > 0 {
            Err(())
        } else {
            self.orders.try_send(Order::Line(line)).map_err(drop)
        };
        if sent.is_err() {
            self.state.waiting.fetch_sub(length, Ordering::AcqRel);
            self.state.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Reopens the file.
    pub fn reopen(&self) {
        // If too much waits, it is soon looked at all the same.
        let _ = self.orders.try_send(Order::Reopen);
    }

    /// Waits until all is written that was handed over, but no longer than this.
    pub fn flush(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let (done, told) = mpsc::sync_channel(1);
        let mut order = Order::Flush(done);
        while let Err(TrySendError::Full(back)) = self.orders.try_send(order) {
            if Instant::now() >= until {
                return;
            }
            order = back;
            thread::sleep(Duration::from_millis(1));
        }
        let _ = told.recv_timeout(until.saturating_duration_since(Instant::now()));
    }

    /// How many lines were dropped so far.
    pub fn dropped(&self) -> u64 {
        self.state.dropped.load(Ordering::Relaxed)
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
                sink.seen = None;
                order
            }
        };
        match order {
            Order::Line(line) => {
                sink.write(&line, state);
                state.waiting.fetch_sub(line.len(), Ordering::AcqRel);
            }
            Order::Reopen => sink.reopen(state),
            Order::Flush(done) => {
                sink.flush(state);
                // Who asked may have gone.
                let _ = done.send(());
            }
        }
    }
}

/// What is written to.
struct Sink {
    output: Output,
    path: Option<PathBuf>,
    /// Lines that are not written yet, and how many.
    buffer: Vec<u8>,
    buffered: u64,
    /// When it was looked last whether the file was moved.
    seen: Option<Instant>,
    /// Whether the last write failed: then a part of a line may stand at the end.
    fails: bool,
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
        Ok(Self { output, path, buffer: Vec::new(), buffered: 0, seen: None, fails: false })
    }

    fn write(&mut self, line: &[u8], state: &State) {
        if self.is_moved() {
            self.reopen(state);
        }
        self.buffer.extend_from_slice(line);
        self.buffered += 1;
        if self.buffer.len() >= LARGE {
            self.flush(state);
        }
    }

    /// Writes what is in the buffer. What can't be written is dropped, and said once.
    fn flush(&mut self, state: &State) {
        if self.buffer.is_empty() {
            return;
        }
        let start: &[u8] = if self.fails { b"\n" } else { b"" };
        let output = &mut self.output;
        let written = output.write_all(start).and_then(|()| output.write_all(&self.buffer));
        match written.and_then(|()| output.flush()) {
            Ok(()) => self.fails = false,
            Err(error) => {
                state.dropped.fetch_add(self.buffered, Ordering::Relaxed);
                if !self.fails {
                    self.fails = true;
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
        if self.seen.is_some_and(|seen| seen.elapsed() < UNSEEN) {
            return false;
        }
        self.seen = Some(Instant::now());
        let identity = |found: fs::Metadata| (found.dev(), found.ino());
        fs::metadata(path).map(identity).ok() != file.metadata().map(identity).ok()
    }

    /// Goes on in the file that is at the path now; in the one before if there can't be any.
    fn reopen(&mut self, state: &State) {
        self.flush(state);
        let Some(path) = &self.path else { return };
        match append(path) {
            Ok(file) => {
                self.output = Output::File(file);
                self.fails = false;
            }
            Err(error) => warn!(%error, path = %path.display(), "a log can't be reopened"),
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}
