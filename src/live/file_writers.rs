//! The open writers of policy files, as known from events and surveys.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::source::Fingerprint;

/// The files that are being written, and the time since which no file has changed. Shared by the
/// thread that receives events and the threads that read.
#[derive(Debug, Default)]
pub(super) struct FileWriters {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Files that were written to and not closed since.
    open: BTreeSet<PathBuf>,
    /// A file that was open when it lost its name, until it gets another.
    moved: Option<PathBuf>,
    /// Files that were open for longer than a read waits.
    given_up: BTreeSet<PathBuf>,
    /// Whether one of those was closed since.
    closed: bool,
    /// The time of the last event.
    last_event: Option<Instant>,
    /// The number of events.
    events: u64,
    look: Option<Observation>,
    /// The fingerprint of all files when they were read last, or given up.
    read: Option<Fingerprint>,
}

/// The observation of a fingerprint of all files.
#[derive(Clone, Copy, Debug)]
struct Observation {
    fingerprint: Fingerprint,
    /// The first and the last time at which the files had it.
    since: Instant,
    last: Instant,
    /// The last time at which they had another one.
    before: Option<Instant>,
}

/// The time since which no file has changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stability {
    pub(super) since: Instant,
    /// Whether an event reported the last change: if so, events would report later ones too.
    pub(super) had_event: bool,
    /// For [`FileWriters::wait`].
    pub(super) events: u64,
}

/// An event of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FileEvent {
    Written,
    Closed,
    /// The file was renamed from this name.
    Left,
    /// A file was renamed to this name.
    Arrived,
    Removed,
    Other,
}

impl FileWriters {
    /// Records an event about a path.
    pub(super) fn record_event(&self, path: &Path, event: FileEvent) {
        let mut state = self.state();
        match event {
            FileEvent::Written => {
                state.open.insert(path.to_owned());
            }
            FileEvent::Closed => {
                state.end(path);
            }
            FileEvent::Left => {
                let was_open = state.end(path);
                state.forget_below(path);
                state.moved = was_open.then(|| path.to_owned());
            }
            // The file that had the name before is gone.
            FileEvent::Arrived | FileEvent::Removed => {
                state.end(path);
                state.forget_below(path);
            }
            FileEvent::Other => {}
        }
    }

    /// Records that a file was renamed.
    pub(super) fn record_rename(&self, from: &Path, to: &Path) {
        let mut state = self.state();
        if state.moved.take().is_some_and(|moved| moved == from) {
            state.open.insert(to.to_owned());
        }
    }

    /// Records that events were lost, so that files may have been closed unnoticed.
    pub(super) fn record_lost_events(&self) {
        let mut state = self.state();
        state.open.clear();
        state.closed |= !state.given_up.is_empty();
    }

    /// Records a relevant event, and wakes up those who wait for one.
    pub(super) fn record_change(&self) {
        let mut state = self.state();
        state.last_event = Some(Instant::now());
        state.events += 1;
        self.news.notify_all();
    }

    /// Records the fingerprint of all files now.
    pub(super) fn observe(&self, fingerprint: Fingerprint) -> Stability {
        let now = Instant::now();
        let mut state = self.state();
        let look = match state.look {
            Some(look) if look.fingerprint == fingerprint => Observation { last: now, ..look },
            earlier => {
                let before = earlier.map(|look| look.last);
                Observation { fingerprint, since: now, last: now, before }
            }
        };
        state.look = Some(look);
        let had_event =
            look.before.zip(state.last_event).is_some_and(|(before, event)| event >= before);
        Stability { since: look.since, had_event, events: state.events }
    }

    /// Records the fingerprint of all files at a read, or when it was given up.
    pub(super) fn record_read(&self, fingerprint: Fingerprint) {
        self.state().read = Some(fingerprint);
    }

    /// Whether the fingerprint differs from that of the last read, if there was one.
    pub(super) fn differs_from_last_read(&self, fingerprint: Fingerprint) -> bool {
        self.state().read.is_some_and(|read| read != fingerprint)
    }

    /// The given files that are known to be open for writing.
    pub(super) fn open<'p>(&self, files: impl Iterator<Item = &'p Path>) -> Vec<PathBuf> {
        let state = self.state();
        if state.open.is_empty() {
            return Vec::new();
        }
        files.filter(|path| state.open.contains(*path)).map(Path::to_owned).collect()
    }

    /// Records that reads no longer wait for these files.
    pub(super) fn give_up(&self, files: &[PathBuf]) {
        self.state().given_up = files.iter().cloned().collect();
    }

    /// Whether a file that was given up has been closed since the last call.
    pub(super) fn take_closed(&self) -> bool {
        let mut state = self.state();
        let closed = std::mem::take(&mut state.closed);
        if closed {
            state.given_up.clear();
        }
        closed
    }

    /// Waits until there are more than `events` events, for `time` at most.
    pub(super) fn wait(&self, events: u64, time: Duration) {
        let state = self.state();
        let nothing_new = |state: &mut State| state.events == events;
        drop(self.news.wait_timeout_while(state, time, nothing_new));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Records that no file is open under this name; returns whether one was.
    fn end(&mut self, path: &Path) -> bool {
        let was_open = self.open.remove(path);
        self.closed |= was_open && self.given_up.contains(path);
        was_open
    }

    fn forget_below(&mut self, folder: &Path) {
        self.open.retain(|path| !path.starts_with(folder));
    }
}
