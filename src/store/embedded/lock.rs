//! The lock on the path of a store: redb locks only the file, and another file may take its place.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::file::io_error;
use crate::store::StoreError;

/// A lock on a hidden file beside the store, which is removed when the lock is dropped. A file that a
/// killed process left behind is taken over.
#[derive(Debug)]
pub(super) struct PathLock {
    place: PathBuf,
    file: File,
}

impl PathLock {
    /// Locks a path, whether or not there is a file. `None` if no files can be created there, so that
    /// no other file can take the store's place either.
    ///
    /// # Errors
    /// If another process has locked it.
    pub(super) fn take(path: &Path) -> Result<Option<Self>, StoreError> {
        // The target of a link is locked, so that every name of the file leads to one lock.
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let Some(name) = real.file_name() else { return Ok(None) };
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(".lock");
        let place = real.with_file_name(hidden);
        loop {
            let mut options = OpenOptions::new();
            let file =
                match options.write(true).create(true).truncate(false).mode(0o600).open(&place) {
                    Ok(file) => file,
                    Err(error) if is_unlockable(&error) => return Ok(None),
                    Err(error) => return Err(io_error(&place, "opened", &error)),
                };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(StoreError::Locked(path.to_owned())),
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                    return Ok(None);
                }
                Err(TryLockError::Error(error)) => return Err(io_error(&place, "locked", &error)),
            }
            let lock = Self { place: place.clone(), file };
            // Otherwise its last owner has removed it meanwhile.
            if lock.is_in_place() {
                return Ok(Some(lock));
            }
        }
    }

    fn is_in_place(&self) -> bool {
        let [at_path, locked] = [fs::metadata(&self.place), self.file.metadata()];
        let identity = |file: fs::Metadata| (file.dev(), file.ino());
        at_path.ok().map(identity) == locked.ok().map(identity)
    }
}

fn is_unlockable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            // An error of the folder shows when the store is opened.
            | ErrorKind::NotFound
            | ErrorKind::NotADirectory
    )
}

impl Drop for PathLock {
    fn drop(&mut self) {
        if self.is_in_place() {
            // A file that stays behind is taken over by the next process.
            let _ = fs::remove_file(&self.place);
        }
    }
}
