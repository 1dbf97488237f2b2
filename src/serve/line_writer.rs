//! A writer of lines that never blocks its callers.
//!
//! Callers append lines to a queue in memory; a thread takes what has gathered and writes it. If it falls
//! behind, because a disk is full or a reader stalls, lines are dropped and counted.

use std::{
    convert::Infallible,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    mem,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use tracing::warn;

/// The handle by which lines are written; clones share the thread.
#[derive(Clone, Debug)]
pub struct LineWriter {
    handle: Arc<Handle>,
}

/// The destination of lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Destination {
    Stdout,
    Stderr,
    /// A file, created with permissions for its owner alone; reopened when it is moved.
    File(PathBuf),
}

/// The end that the clones share; the thread ends when it is dropped.
#[derive(Debug)]
struct Handle(Arc<State>);

/// The state that the handle shares with the thread.
#[derive(Default, Debug)]
struct State {
    queue: Mutex<Queue>,
    /// Notified when the thread has something to do at once.
    wake: Condvar,
    dropped: AtomicU64,
}

/// The lines and orders that wait. It is locked for no longer than it takes to copy a line.
#[derive(Default, Debug)]
struct Queue {
    /// Lines in order, in pieces, so that none is copied again as more are added.
    chunks: Vec<Chunk>,
    /// The bytes that are not written yet, those that the thread has taken included.
    unwritten: usize,
    /// Whether the thread waits for a first line.
    is_idle: bool,
    reopens: bool,
    /// Dropped once all earlier lines are written.
    flushes: Vec<Sender<Infallible>>,
    is_closed: bool,
}

#[derive(Default, Debug)]
struct Chunk {
    bytes: Vec<u8>,
    lines: u64,
}

/// The most bytes of lines that may wait.
const MAX_BYTES: usize = 16 << 20;

/// The number of bytes that are gathered into one write.
const WRITE_BYTES: usize = 64 << 10;

/// The longest time for which lines are gathered.
const GATHER_TIME: Duration = Duration::from_millis(5);

/// The interval of checks whether the file was moved.
const MOVE_CHECK_INTERVAL: Duration = Duration::from_millis(100);

impl LineWriter {
    /// Opens the destination and starts the thread.
    ///
    /// # Errors
    /// If the file can't be opened, or the thread can't be started.
    pub fn open(destination: Destination) -> io::Result<Self> {
        let sink = Sink::open(destination)?;
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::Builder::new().name("lines".to_owned()).spawn(move || run(sink, &shared))?;
        Ok(Self { handle: Arc::new(Handle(state)) })
    }

    /// Writes a line, which ends in a newline; it is dropped if too many bytes wait already.
    pub fn write(&self, line: &[u8]) {
        let Handle(state) = &*self.handle;
        let mut queue = state.queue();
        match queue.push(line) {
            Pushed::Dropped => {
                state.dropped.fetch_add(1, Ordering::Relaxed);
            }
            Pushed::Kept { wakes: true } => {
                drop(queue);
                state.wake.notify_one();
            }
            Pushed::Kept { wakes: false } => {}
        }
    }

    /// Reopens the file.
    pub fn reopen(&self) {
        self.order(|queue| queue.reopens = true);
    }

    /// Waits until all earlier lines are written, for `patience` at most.
    pub fn flush(&self, patience: Duration) {
        let (flushed, is_flushed) = mpsc::channel();
        self.order(|queue| queue.flushes.push(flushed));
        let _ = is_flushed.recv_timeout(patience);
    }

    /// The number of lines dropped so far.
    pub fn dropped(&self) -> u64 {
        self.handle.0.dropped.load(Ordering::Relaxed)
    }

    fn order(&self, change: impl FnOnce(&mut Queue)) {
        let Handle(state) = &*self.handle;
        change(&mut state.queue());
        state.wake.notify_one();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.queue().is_closed = true;
        self.0.wake.notify_one();
    }
}

/// The fate of a line.
enum Pushed {
    Dropped,
    Kept {
        /// Whether the thread must be notified.
        wakes: bool,
    },
}

impl Queue {
    /// Adds a line if there is room. One line may wait alone, whatever its length.
    fn push(&mut self, line: &[u8]) -> Pushed {
        let before = self.unwritten;
        if before > 0 && before + line.len() > MAX_BYTES {
            return Pushed::Dropped;
        }
        let has_room = |chunk: &Chunk| chunk.bytes.len() + line.len() <= WRITE_BYTES;
        if !self.chunks.last().is_some_and(has_room) {
            let bytes = Vec::with_capacity(line.len().max(WRITE_BYTES));
            self.chunks.push(Chunk { bytes, lines: 0 });
        }
        let Some(chunk) = self.chunks.last_mut() else { return Pushed::Dropped };
        chunk.bytes.extend_from_slice(line);
        chunk.lines += 1;
        self.unwritten += line.len();
        let is_full = before < WRITE_BYTES && self.unwritten >= WRITE_BYTES;
        Pushed::Kept { wakes: mem::take(&mut self.is_idle) || is_full }
    }

    fn is_empty(&self) -> bool {
        self.chunks.is_empty() && !self.is_urgent()
    }

    /// Whether the thread must not wait for more lines.
    fn is_urgent(&self) -> bool {
        self.is_closed || self.reopens || !self.flushes.is_empty() || self.unwritten >= WRITE_BYTES
    }
}

impl State {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for lines or orders, and for more of them a moment. Returns whether it waited for the first.
    fn wait(&self) -> (MutexGuard<'_, Queue>, bool) {
        let mut queue = self.queue();
        let was_idle = queue.is_empty();
        while queue.is_empty() {
            queue.is_idle = true;
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.is_idle = false;
        let gathering = |queue: &mut Queue| !queue.is_urgent();
        let gathered = self.wake.wait_timeout_while(queue, GATHER_TIME, gathering);
        (gathered.unwrap_or_else(PoisonError::into_inner).0, was_idle)
    }
}

fn run(mut sink: Sink, state: &State) {
    loop {
        let (mut queue, was_idle) = state.wait();
        let chunks = mem::take(&mut queue.chunks);
        let (reopens, flushes) = (mem::take(&mut queue.reopens), mem::take(&mut queue.flushes));
        let is_closed = queue.is_closed;
        drop(queue);
        if was_idle {
            sink.checked = None;
        }
        for chunk in chunks {
            sink.write(&chunk, &state.dropped);
            state.queue().unwritten -= chunk.bytes.len();
        }
        if reopens {
            sink.reopen();
        }
        drop(flushes);
        if is_closed {
            return;
        }
    }
}

/// The open destination.
struct Sink {
    output: Output,
    path: Option<PathBuf>,
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

    /// Several logs may share an output, so that each of these writes must be whole.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.write_all(bytes),
            Self::Stderr(stderr) => stderr.write_all(bytes),
            Self::File(file) => file.write_all(bytes),
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
        Ok(Self { output, path, checked: None, has_failed: false })
    }

    /// Writes lines. Those that can't be written are dropped, and a warning is logged once.
    fn write(&mut self, chunk: &Chunk, dropped: &AtomicU64) {
        if self.is_moved() {
            self.reopen();
        }
        let start: &[u8] = if self.has_failed { b"\n" } else { b"" };
        let output = &mut self.output;
        let written = output.write_all(start).and_then(|()| output.write_all(&chunk.bytes));
        match written.and_then(|()| output.flush()) {
            Ok(()) => self.has_failed = false,
            Err(error) => {
                dropped.fetch_add(chunk.lines, Ordering::Relaxed);
                if !self.has_failed {
                    self.has_failed = true;
                    let path = self.path.as_deref().unwrap_or(Path::new("-")).display();
                    warn!(%error, %path, "lines of a log can't be written and are dropped");
                }
            }
        }
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
    fn reopen(&mut self) {
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
