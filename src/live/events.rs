use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc::SyncSender},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};

use crate::source::{Fingerprint, Survey};

/// The system's events for folders.
///
/// Each folder is watched for itself, by its link-free path, and all are armed anew after each
/// change: a watch follows the folder it was put on, not the name, and so goes silent or astray
/// when folders and links are swapped.
pub(super) struct Events {
    watcher: RecommendedWatcher,
    armed: BTreeSet<PathBuf>,
    interest: Arc<Mutex<Interest>>,
}

/// Which events matter.
#[derive(Default)]
struct Interest {
    /// Folders of which each entry matters that is not hidden.
    folders: BTreeSet<PathBuf>,
    /// Entries that matter in folders of which the others don't.
    entries: BTreeSet<PathBuf>,
}

/// How often arming looks again for folders that were made while it armed.
const ROUNDS: usize = 8;

// === impl Events ===

impl Events {
    /// Sends to `wake` whenever something that matters may have changed. `None`, and a warning, if
    /// the system has no events to give.
    pub(super) fn new(wake: SyncSender<()>) -> Option<Self> {
        let interest = Arc::new(Mutex::new(Interest::default()));
        let matters = Arc::clone(&interest);
        let handler = move |event: notify::Result<Event>| {
            let matters = event.map_or_else(
                |error| {
                    tracing::warn!(%error, "watching the policy's files");
                    true
                },
                |event| matters.lock().unwrap_or_else(PoisonError::into_inner).includes(&event),
            );
            if matters {
                let _ = wake.try_send(());
            }
        };
        match notify::recommended_watcher(handler) {
            Ok(watcher) => Some(Self { watcher, armed: BTreeSet::new(), interest }),
            Err(error) => {
                tracing::warn!(%error, "no file events; changes are only found by polling");
                None
            }
        }
    }

    /// Watches what is below the paths now, and returns its fingerprint: what comes after that
    /// raises an event.
    pub(super) fn arm(&mut self, paths: &[PathBuf]) -> Fingerprint {
        let mut fresh = BTreeSet::new();
        let mut failed = None;
        let mut rounds = 0;
        loop {
            rounds += 1;
            let survey = Survey::of(paths);
            let interest = Interest::of(&survey);
            let wanted = interest.watched();
            *self.interest.lock().unwrap_or_else(PoisonError::into_inner) = interest;
            if wanted.is_subset(&fresh) || rounds == ROUNDS {
                for gone in self.armed.difference(&wanted) {
                    let _ = self.watcher.unwatch(gone);
                }
                self.armed = wanted;
                if let Some(error) = failed {
                    tracing::warn!(%error, "not all folders can be watched; they are polled");
                }
                return survey.fingerprint();
            }
            for folder in wanted.difference(&fresh) {
                // Fails for a folder that is new or was removed: there is nothing to undo then.
                let _ = self.watcher.unwatch(folder);
                if let Err(error) = self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                    failed.get_or_insert(error);
                }
            }
            fresh.extend(wanted);
        }
    }
}

// === impl Interest ===

impl Interest {
    fn of(survey: &Survey) -> Self {
        Self {
            folders: survey.folders().map(Path::to_owned).collect(),
            entries: survey.entries().map(Path::to_owned).collect(),
        }
    }

    /// The folders to watch: what lies in them is where changes show, and where a folder that went
    /// comes back.
    fn watched(&self) -> BTreeSet<PathBuf> {
        let around = self.entries.iter().filter_map(|entry| entry.parent());
        self.folders.iter().map(PathBuf::as_path).chain(around).map(Path::to_owned).collect()
    }

    fn includes(&self, event: &Event) -> bool {
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {}
            // Among them those that our own reading raises.
            EventKind::Access(_) => return false,
            _ => {}
        }
        event.need_rescan() || event.paths.iter().any(|path| self.includes_path(path))
    }

    fn includes_path(&self, path: &Path) -> bool {
        let hidden =
            || path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        self.entries.contains(path)
            || self.folders.contains(path)
            || path.parent().is_some_and(|folder| self.folders.contains(folder)) && !hidden()
    }
}
