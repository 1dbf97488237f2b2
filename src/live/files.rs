//! Reads of a policy's files, which wait while a file is being written.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use super::{WatchOptions, file_writers::FileWriters};
use crate::source::{Fingerprint, LoadError, LoadedSources, Scope, Sources, Survey};

/// The files of a policy.
///
/// Those of a [`Watch`](super::Watch) are read only if no event says that one of them is open for
/// writing, and two surveys of them were equal: [`WatchOptions::settle`] apart where an event reported the
/// last change, [`WatchOptions::poll`] apart where none did. Other files are read at once.
#[derive(Debug)]
pub struct PolicyFiles {
    scope: Scope,
    watched: Option<(Arc<FileWriters>, WatchOptions)>,
    last: Mutex<LastRead>,
}

/// The result of the last attempt to read the files.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum LastRead {
    /// There was no attempt yet.
    #[default]
    Nothing,
    /// The read failed because a file was being written.
    Refused,
    Read(Fingerprint),
}

/// The age from which files are assumed to be complete when a daemon starts.
const RECENT: Duration = Duration::from_secs(2);

/// A read that must wait.
struct PendingRead {
    /// The wait before the next survey, unless an event comes first.
    wait: Duration,
    /// The number of events before the survey.
    events: u64,
    /// The files that are open for writing, as far as is known.
    open: Vec<PathBuf>,
}

impl PolicyFiles {
    /// The files of a scope, read at once, even while they are being written.
    pub fn new(scope: impl Into<Scope>) -> Self {
        Self { scope: scope.into(), watched: None, last: Mutex::default() }
    }

    pub(super) fn watched(scope: Scope, writers: Arc<FileWriters>, pace: WatchOptions) -> Self {
        Self { watched: Some((writers, pace)), ..Self::new(scope) }
    }

    /// The scope of the files: where they are.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether any file differs from the last read. Costs a `stat` of each entry.
    pub fn have_changed(&self) -> bool {
        let last = *self.last();
        self.watched.is_none() || last != LastRead::Read(self.scope.survey().fingerprint())
    }

    /// Reads all files as one consistent set. Blocks until no file is being written, for
    /// [`WatchOptions::patience`] at most: then the files that are still open are an error.
    pub fn load(&self) -> LoadedSources {
        let Some((writers, pace)) = &self.watched else { return self.scope.load() };
        let is_first = *self.last() == LastRead::Nothing;
        let deadline = Instant::now() + pace.patience;
        loop {
            let survey = self.scope.survey();
            let fingerprint = survey.fingerprint();
            let Some(pending) = pending(&survey, fingerprint, writers, *pace, is_first) else {
                let Some(loaded) = self.scope.load_surveyed(survey) else { continue };
                *self.last() = LastRead::Read(fingerprint);
                writers.record_read(fingerprint);
                return loaded;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                writers.give_up(&pending.open);
                writers.record_read(fingerprint);
                *self.last() = LastRead::Refused;
                let mut paths = pending.open;
                if paths.is_empty() {
                    paths.extend(youngest(&survey));
                }
                let error = LoadError::StillWritten { paths, after: pace.patience };
                return LoadedSources { sources: Sources::default(), errors: vec![error] };
            }
            // Limits the surveys while events come in quick succession.
            thread::sleep(left.min(pace.settle / 4));
            writers.wait(pending.events, left.min(pending.wait));
        }
    }

    fn last(&self) -> MutexGuard<'_, LastRead> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `None` if the files that were surveyed may be read.
fn pending(
    survey: &Survey,
    fingerprint: Fingerprint,
    writers: &FileWriters,
    pace: WatchOptions,
    is_first: bool,
) -> Option<PendingRead> {
    let steady = writers.observe(fingerprint);
    let open = writers.open(survey.stamps().map(|(path, _)| path));
    let now = SystemTime::now();
    let is_old = || survey.stamps().all(|(_, stamp)| stamp.age(now) > RECENT);
    if open.is_empty() && is_first && is_old() {
        return None;
    }
    let apart =
        if steady.had_event || is_first { pace.settle } else { pace.poll.min(pace.patience / 2) };
    let wait = apart.saturating_sub(steady.since.elapsed());
    (!open.is_empty() || !wait.is_zero()).then_some(PendingRead {
        wait: if open.is_empty() { wait } else { pace.poll },
        events: steady.events,
        open,
    })
}

/// The file that was changed last.
fn youngest(survey: &Survey) -> Option<PathBuf> {
    let now = SystemTime::now();
    survey.stamps().min_by_key(|(_, stamp)| stamp.age(now)).map(|(path, _)| path.to_owned())
}

impl<S: Into<Scope>> From<S> for PolicyFiles {
    fn from(scope: S) -> Self {
        Self::new(scope)
    }
}
