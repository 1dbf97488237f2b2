//! The presence of a store's file: whether what is at its path is the file that is open, as it was
//! left.

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

/// Where a file was opened, and which one.
#[derive(Debug)]
pub(super) struct Presence {
    path: PathBuf,
    /// `None` of a store that is in no file, or in none yet.
    identity: Mutex<Option<Identity>>,
}

/// Device and number of a file.
type Identity = (u64, u64);

fn identity(file: &Metadata) -> Identity {
    (file.dev(), file.ino())
}

impl Presence {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), identity: Mutex::default() }
    }

    /// Opens the file to write to it, for the first time or once more.
    ///
    /// # Errors
    /// If it can't be opened, or is another one than before.
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

    /// Finds out whether what is at the path is what is open behind a gate. Costs two calls of the
    /// system. Nothing may be written meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if it is not. If it was written by others, the gate is severed.
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
