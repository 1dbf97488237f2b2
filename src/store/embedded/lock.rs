//! The lock on the path of a store: redb locks the file alone, and another file may come to its place.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::file::io_error;
use crate::store::StoreError;

/// A hidden file beside the store that is locked as long as this is there, and removed with it. One
/// that a killed process left behind is taken over.
#[derive(Debug)]
pub(super) struct PathLock {
    place: PathBuf,
    file: File,
}

impl PathLock {
    /// Locks a path, whether or not there is a file; `None` where nobody may make files, so that
    /// nobody can put another one in the store's place either.
    ///
    /// # Errors
    /// If another process has locked it.
    pub(super) fn take(path: &Path) -> Result<Option<Self>, StoreError> {
        // What a link leads to is locked, by whatever name it is opened.
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
            // Else its last owner has removed it meanwhile.
            if lock.is_in_place() {
                return Ok(Some(lock));
            }
        }
    }

    fn is_in_place(&self) -> bool {
        let [there, own] = [fs::metadata(&self.place), self.file.metadata()];
        let identity = |file: fs::Metadata| (file.dev(), file.ino());
        there.ok().map(identity) == own.ok().map(identity)
    }
}

fn is_unlockable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            // Of the folder: what is to be done there tells that.
            | ErrorKind::NotFound
            | ErrorKind::NotADirectory
    )
}

impl Drop for PathLock {
    fn drop(&mut self) {
        if self.is_in_place() {
            // One that is left behind is taken over by the next.
            let _ = fs::remove_file(&self.place);
        }
    }
}
