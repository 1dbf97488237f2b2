//! The system's events for the folders of a policy.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc::SyncSender},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, ModifyKind, RenameMode},
};

use super::file_writers::{FileEvent, FileWriters};
use crate::source::{Fingerprint, Notation, Scope, Survey};

/// The system's events for folders.
///
/// Each folder is watched for itself, by its link-free path, and all are armed again after each
/// change: a watch follows the folder it was put on, not the name, and so goes silent or astray
/// when folders and links are swapped.
pub(super) struct FsEvents {
    watcher: RecommendedWatcher,
    armed: FolderIds,
    interest: Arc<Mutex<WatchSet>>,
}

/// The folder to which each path leads, by device and inode; `None` if to none.
type FolderIds = BTreeMap<PathBuf, Option<(u64, u64)>>;

/// The paths whose events are relevant.
#[derive(Default)]
struct WatchSet {
    /// Folders of which each policy file, folder and link matters.
    folders: FolderIds,
    /// Entries that matter wherever they are: links, and what the given paths lead to.
    entries: BTreeSet<PathBuf>,
    /// Files whose content matters, whatever they are called.
    files: BTreeSet<PathBuf>,
}

/// Whether the system reports that a file was closed, as inotify does. Elsewhere a file that is written
/// would seem open for ever.
const REPORTS_CLOSE: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// The number of times that arming is repeated for folders that were created meanwhile.
const ROUNDS: usize = 8;

// === impl Events ===

impl FsEvents {
    /// Subscribes to file events: records open files in `writers`, and sends to `wake` at each relevant
    /// event. `None`, and a warning, if the system provides no events.
    pub(super) fn new(wake: SyncSender<()>, writers: Arc<FileWriters>) -> Option<Self> {
        let interest = Arc::new(Mutex::new(WatchSet::default()));
        let matters = Arc::clone(&interest);
        let handler = move |event: notify::Result<Event>| {
            let matters = match event {
                Err(error) => {
                    tracing::warn!(%error, "watching the policy's files");
                    true
                }
                Ok(event) => {
                    record_event(&event, &writers);
                    matters.lock().unwrap_or_else(PoisonError::into_inner).includes(&event)
                }
            };
            if matters {
                writers.record_change();
                let _ = wake.try_send(());
            }
        };
        match notify::recommended_watcher(handler) {
            Ok(watcher) => Some(Self { watcher, armed: BTreeMap::new(), interest }),
            Err(error) => {
                tracing::warn!(%error, "no file events; changes are only found by polling");
                None
            }
        }
    }

    /// Watches the folders that are in the scope now, and returns its fingerprint: every later change
    /// raises an event.
    pub(super) fn arm(&mut self, scope: &Scope) -> Fingerprint {
        let mut fresh = BTreeSet::new();
        let mut failed = None;
        let mut rounds = 0;
        loop {
            rounds += 1;
            let survey = scope.survey();
            let interest = WatchSet::from_survey(&survey);
            let wanted = interest.watched();
            *self.interest.lock().unwrap_or_else(PoisonError::into_inner) = interest;
            if wanted.keys().all(|folder| fresh.contains(folder)) || rounds == ROUNDS {
                for gone in self.armed.keys().filter(|folder| !wanted.contains_key(*folder)) {
                    let _ = self.watcher.unwatch(gone);
                }
                self.armed = wanted;
                if let Some(error) = failed {
                    tracing::warn!(%error, "not all folders can be watched; they are polled");
                }
                return survey.fingerprint();
            }
            for (folder, identity) in wanted.iter().filter(|(folder, _)| !fresh.contains(*folder)) {
                // The same folder stays watched meanwhile: an event that is lost may be the one that
                // says that a file was closed.
                if self.armed.get(folder) != Some(identity) {
                    // Fails for a folder that is new or was removed: there is nothing to undo then.
                    let _ = self.watcher.unwatch(folder);
                }
                if let Err(error) = self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                    failed.get_or_insert(error);
                }
            }
            fresh.extend(wanted.into_keys());
        }
    }
}

fn record_event(event: &Event, writers: &FileWriters) {
    if event.need_rescan() {
        writers.record_lost_events();
    }
    let deed = match event.kind {
        EventKind::Modify(ModifyKind::Data(_)) if REPORTS_CLOSE => FileEvent::Written,
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => FileEvent::Closed,
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) => FileEvent::Left,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => FileEvent::Arrived,
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => {
            if let [from, to] = event.paths.as_slice() {
                writers.record_rename(from, to);
            }
            return;
        }
        EventKind::Remove(_) => FileEvent::Removed,
        _ => FileEvent::Other,
    };
    event.paths.iter().for_each(|path| writers.record_event(path, deed));
}

// === impl Interest ===

impl WatchSet {
    fn from_survey(survey: &Survey) -> Self {
        let folders = survey.folders().map(|(path, identity)| (path.to_owned(), Some(identity)));
        Self {
            folders: folders.collect(),
            entries: survey.entries().map(Path::to_owned).collect(),
            files: survey.stamps().map(|(path, _)| path.to_owned()).collect(),
        }
    }

    /// The folders to watch: those whose entries may change, and those in which a removed folder may
    /// reappear.
    fn watched(&self) -> FolderIds {
        let mut watched = self.folders.clone();
        for folder in self.entries.iter().filter_map(|entry| entry.parent()) {
            watched.entry(folder.to_owned()).or_insert_with(|| {
                fs::symlink_metadata(folder).ok().map(|found| (found.dev(), found.ino()))
            });
        }
        watched
    }

    fn includes(&self, event: &Event) -> bool {
        // Whether it may be of a folder or link, which can have any name.
        let may_be_any = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
            // This includes the events that our own reads raise.
            EventKind::Access(_) => return false,
            EventKind::Modify(ModifyKind::Name(_)) => true,
            EventKind::Modify(_) => false,
            _ => true,
        };
        event.need_rescan() || event.paths.iter().any(|path| self.includes_path(path, may_be_any))
    }

    fn includes_path(&self, path: &Path, may_be_any: bool) -> bool {
        let is_known = self.entries.contains(path)
            || self.folders.contains_key(path)
            || self.files.contains(path);
        let may_matter = || {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_hidden = name.starts_with('.') && name != Scope::IGNORE_FILE;
            let is_policy = name == Scope::IGNORE_FILE || Notation::from_file_name(&name).is_some();
            !is_hidden && (may_be_any || is_policy)
        };
        let is_below = || path.parent().is_some_and(|folder| self.folders.contains_key(folder));
        is_known || is_below() && may_matter()
    }
}
