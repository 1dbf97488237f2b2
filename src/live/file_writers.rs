//! The writers of policy files, as far as events and looks at the files show them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::source::Fingerprint;

/// Which files are being written, and since when all files have been as they are. Shared by those
/// who hear of changes and those who read.
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
    /// Files that were open for longer than reading waits.
    given_up: BTreeSet<PathBuf>,
    /// Whether one of those was closed since.
    closed: bool,
    heard: Option<Instant>,
    /// How many events there were.
    events: u64,
    look: Option<Observation>,
    /// The fingerprint of all files when they were read last, or given up.
    read: Option<Fingerprint>,
}

/// A look at all files.
#[derive(Clone, Copy, Debug)]
struct Observation {
    fingerprint: Fingerprint,
    /// When they were first seen so, and when last.
    since: Instant,
    last: Instant,
    /// When they were last seen otherwise.
    before: Option<Instant>,
}

/// For how long all files have been as they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stability {
    pub(super) since: Instant,
    /// Whether an event reported the last change, so that others would have been reported too.
    pub(super) had_event: bool,
    /// For [`FileWriters::wait`].
    pub(super) events: u64,
}

/// An event of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FileEvent {
    Written,
    Closed,
    /// It lost its name by a renaming.
    Left,
    /// It got its name by a renaming, or another file did.
    Arrived,
    Removed,
    Other,
}

impl FileWriters {
    /// Records an event about a path.
    pub(super) fn record_event(&self, path: &Path, deed: FileEvent) {
        let mut state = self.state();
        match deed {
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
            // What had the name before is gone.
            FileEvent::Arrived | FileEvent::Removed => {
                state.end(path);
                state.forget_below(path);
            }
            FileEvent::Other => {}
        }
    }

    /// Notes that a file has another name now.
    pub(super) fn record_rename(&self, from: &Path, to: &Path) {
        let mut state = self.state();
        if state.moved.take().is_some_and(|moved| moved == from) {
            state.open.insert(to.to_owned());
        }
    }

    /// Notes that events were lost, and with them which files were closed.
    pub(super) fn record_lost_events(&self) {
        let mut state = self.state();
        state.open.clear();
        state.closed |= !state.given_up.is_empty();
    }

    /// Notes that something happened that matters.
    pub(super) fn record_change(&self) {
        let mut state = self.state();
        state.heard = Some(Instant::now());
        state.events += 1;
        self.news.notify_all();
    }

    /// Notes what all files look like now.
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
        let had_event = look.before.zip(state.heard).is_some_and(|(before, heard)| heard >= before);
        Stability { since: look.since, had_event, events: state.events }
    }

    /// Notes what all files looked like when they were read, or given up.
    pub(super) fn record_read(&self, fingerprint: Fingerprint) {
        self.state().read = Some(fingerprint);
    }

    /// Whether the files looked otherwise when they were read last, if they were.
    pub(super) fn differs_from_last_read(&self, fingerprint: Fingerprint) -> bool {
        self.state().read.is_some_and(|read| read != fingerprint)
    }

    /// Those of the files that are open for writing, as far as is known.
    pub(super) fn open<'p>(&self, files: impl Iterator<Item = &'p Path>) -> Vec<PathBuf> {
        let state = self.state();
        if state.open.is_empty() {
            return Vec::new();
        }
        files.filter(|path| state.open.contains(*path)).map(Path::to_owned).collect()
    }

    /// Notes that reading no longer waits for these files.
    pub(super) fn give_up(&self, files: &[PathBuf]) {
        self.state().given_up = files.iter().cloned().collect();
    }

    /// Whether a file that was given up has been closed since this was last asked.
    pub(super) fn take_closed(&self) -> bool {
        let mut state = self.state();
        let closed = std::mem::take(&mut state.closed);
        if closed {
            state.given_up.clear();
        }
        closed
    }

    /// Waits until there are more events than these, or for so long.
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
    /// A file is no longer open under this name; whether it was.
    fn end(&mut self, path: &Path) -> bool {
        let was_open = self.open.remove(path);
        self.closed |= was_open && self.given_up.contains(path);
        was_open
    }

    fn forget_below(&mut self, folder: &Path) {
        self.open.retain(|path| !path.starts_with(folder));
    }
}
