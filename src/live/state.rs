//! The folder in which the last good files of a policy are kept over restarts.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, BufReader, BufWriter},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use thiserror::Error;
use tracing::{error, warn};

use super::archive::{self, ArchiveHeader};
use crate::{
    diagnostic::{Report, Severity},
    source::{AtomicFile, Existing, LoadedSources, Sources},
};

/// The folder, and the known state of its content.
#[derive(Debug)]
pub(super) struct StateDir {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default, Debug)]
struct State {
    saved: Option<ArchiveHeader>,
    error: Option<String>,
}

/// The last good files, as the folder held them at the start.
#[derive(Debug)]
pub(super) struct LastGoodFiles {
    header: ArchiveHeader,
    pub(super) sources: Sources,
}

/// The status of the folder of the last good files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateStatus {
    pub path: PathBuf,
    /// The time at which the files were saved, and the digest of their policy.
    pub saved: Option<(SystemTime, String)>,
    /// The error of the last attempt to keep files, if it failed.
    pub error: Option<String>,
}

/// The reason why the last good files can't be used.
#[derive(Debug, Error)]
pub enum StateError {
    #[error("can't make the state folder `{}`: {error}", path.display())]
    Folder { path: PathBuf, error: io::Error },
    #[error(
        "can't read `{}`: {error}; the changes of this policy can't be checked without it: make it \
         readable, or take the policy as it is with --start fresh",
        path.display()
    )]
    Unreadable { path: PathBuf, error: io::Error },
    #[error(
        "`{}` is damaged: {how}; the changes of this policy can't be checked without it: restore it, or \
         take the policy as it is with --start fresh",
        path.display()
    )]
    Damaged { path: PathBuf, how: String },
    #[error(
        "the files that are kept in `{}` hold errors for this version of peerage ({why}), so the \
         changes of this policy can't be checked: take it as it is with --start fresh",
        path.display()
    )]
    Unusable { path: PathBuf, why: String },
}

/// The name of the file.
const NAME: &str = "last-good";

/// The permissions of the file: its owner alone reads and writes it.
const PRIVATE: u32 = 0o600;

// === impl StateDir ===

impl StateDir {
    /// Opens the folder; creates it, for its owner alone, if it is missing. Removes the unfinished files
    /// of killed processes.
    pub(super) fn open(path: PathBuf) -> Result<Self, StateError> {
        let mut folders = DirBuilder::new();
        if let Err(error) = folders.recursive(true).mode(0o700).create(&path) {
            return Err(StateError::Folder { path, error });
        }
        let mode = fs::metadata(&path).map_or(0, |found| found.mode());
        if mode & 0o022 != 0 {
            let path = path.display();
            warn!("others may write to the state folder `{path}`; `chmod 700` it");
        }
        // Files that can't be removed now are tried again at the next write.
        let _ = AtomicFile::remove_orphans(&path.join(NAME));
        Ok(Self { path, state: Mutex::default() })
    }

    /// Reads the files that it holds; `None` if none were ever kept.
    pub(super) fn read(&self) -> Result<Option<LastGoodFiles>, StateError> {
        let path = self.path.join(NAME);
        let read = File::open(&path).and_then(|file| archive::read(BufReader::new(file)));
        match read {
            Ok((header, sources)) => {
                self.lock().saved = Some(header.clone());
                Ok(Some(LastGoodFiles { header, sources }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(StateError::Damaged { path, how: error.to_string() })
            }
            Err(error) => Err(StateError::Unreadable { path, error }),
        }
    }

    /// Keeps these files as the last good ones, if they are not already. If that fails, the files
    /// that were kept before stay intact, and the error is logged once.
    pub(super) fn save(&self, loaded: &LoadedSources, policy: String) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let header = ArchiveHeader::new(policy, now.as_secs(), &loaded.sources);
        let mut state = self.lock();
        let is_kept = state.saved.as_ref().is_some_and(|saved| saved.has_same_files(&header));
        if is_kept && state.error.is_none() {
            return;
        }
        match self.replace(&header, &loaded.sources) {
            Ok(()) => *state = State { saved: Some(header), error: None },
            Err(error) => {
                let error = error.to_string();
                if state.error.as_ref() != Some(&error) {
                    let path = self.path.display();
                    error!(
                        "the last good files can't be kept in `{path}`: {error}; a restart would use \
                         older ones"
                    );
                }
                state.error = Some(error);
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the last attempt to keep files failed.
    pub(super) fn has_failed(&self) -> bool {
        self.lock().error.is_some()
    }

    pub(super) fn status(&self) -> StateStatus {
        let state = self.lock();
        let saved = state.saved.as_ref().map(|header| {
            (UNIX_EPOCH + Duration::from_secs(header.saved_at), header.policy.clone())
        });
        StateStatus { path: self.path.clone(), saved, error: state.error.clone() }
    }

    fn replace(&self, header: &ArchiveHeader, sources: &Sources) -> io::Result<()> {
        let place = self.path.join(NAME);
        let (new, file) = AtomicFile::new(&place, PRIVATE)?;
        archive::write(BufWriter::new(&file), header, sources)?;
        file.sync_all()?;
        new.persist(Existing::Replace)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl StateError ===

impl StateError {
    /// The error of intact files whose policy has errors.
    pub(super) fn unusable(path: &Path, report: &Report) -> Self {
        let why = report.diagnostics.iter().find(|found| found.severity == Severity::Error);
        let why = why.map_or_else(String::new, |found| found.message.clone());
        Self::Unusable { path: path.join(NAME), why }
    }
}

// === impl LastGoodFiles ===

impl LastGoodFiles {
    /// Whether these are the same files, byte by byte.
    pub(super) fn has_same_files(&self, loaded: &LoadedSources) -> bool {
        let other = ArchiveHeader::new(self.header.policy.clone(), 0, &loaded.sources);
        loaded.errors.is_empty() && self.header.has_same_files(&other)
    }

    /// The digest of the policy.
    pub(super) fn policy(&self) -> &str {
        &self.header.policy
    }
}
