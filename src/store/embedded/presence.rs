//! The presence of a store's file: whether the file at its path is the one that is open, unchanged.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use redb::{StorageBackend, backends::FileBackend};

use super::deferred_backend::DeferredBackend;
use crate::store::StoreError;

/// The path at which a file was opened, and its identity.
#[derive(Debug)]
pub(super) struct Presence {
    path: PathBuf,
    /// `None` for a store that is not in a file, or not yet.
    identity: Mutex<Option<Identity>>,
}

/// The device and inode of a file.
type Identity = (u64, u64);

fn identity(file: &Metadata) -> Identity {
    (file.dev(), file.ino())
}

impl Presence {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), identity: Mutex::default() }
    }

    /// Opens the file for writing, for the first time or again.
    ///
    /// # Errors
    /// If the file can't be opened, or is another one than before.
    pub(super) fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        self.note(&file)?;
        Ok(Box::new(FileBackend::new(file).map_err(io::Error::other)?))
    }

    fn note(&self, file: &File) -> io::Result<()> {
        let found = identity(&file.metadata()?);
        let mut known = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_some_and(|known| known != found) {
            return Err(io::Error::other(REPLACED));
        }
        *known = Some(found);
        Ok(())
    }

    /// Checks that the file at the path is the one that the backend has open. Costs two system calls.
    /// Nothing may be written meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if it is not. If others wrote to it, the backend stops writing for good.
    pub(super) fn check(&self, gate: &DeferredBackend) -> Result<(), StoreError> {
        let Some(known) = *self.identity.lock().unwrap_or_else(PoisonError::into_inner) else {
            return Ok(());
        };
        let there = match fs::metadata(&self.path) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(self.lost_error("the file is gone"));
            }
            Err(error) => {
                return Err(self.lost_error(&format!("the file can't be looked at: {error}")));
            }
        };
        if identity(&there) != known {
            return Err(self.lost_error(REPLACED));
        }
        let what = match gate.expected() {
            Ok((_, length)) if there.len() < length => {
                format!("the file was cut short from {length} bytes to {}", there.len())
            }
            Ok((false, _)) => "the file was overwritten".to_owned(),
            Ok((true, _)) => return Ok(()),
            Err(error) => format!("the file can't be read: {error}"),
        };
        gate.discard_writes();
        Err(self.lost_error(&what))
    }

    fn lost_error(&self, what: &str) -> StoreError {
        StoreError::Lost { path: self.path.clone(), what: what.to_owned() }
    }
}

const REPLACED: &str = "another file is in its place";
