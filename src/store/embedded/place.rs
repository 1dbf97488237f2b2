use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Only its owner may read what a store holds.
const MODE: u32 = 0o600;

/// A new file that is to take a place as a whole: until then it is hidden beside it, and it is gone
/// if it never does.
#[derive(Debug)]
pub(super) struct Beside<'p> {
    hidden: PathBuf,
    place: &'p Path,
}

impl<'p> Beside<'p> {
    /// An empty file that can be read and written.
    pub(super) fn new(place: &'p Path) -> io::Result<(Self, File)> {
        let name = place.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let mut number = 0_u32;
        loop {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}.{number}", std::process::id()));
            let hidden = place.with_file_name(hidden);
            let mut options = OpenOptions::new();
            match options.read(true).write(true).create_new(true).mode(MODE).open(&hidden) {
                Ok(file) => return Ok((Self { hidden, place }, file)),
                // One that a crash left behind, or that another thread writes.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn length(&self) -> io::Result<u64> {
        Ok(fs::metadata(&self.hidden)?.len())
    }

    /// Takes its place, durably, once it is written and synced.
    ///
    /// # Errors
    /// `AlreadyExists` if the place is taken, unless what is there is to be overwritten.
    pub(super) fn take_place(self, overwrite: bool) -> io::Result<()> {
        if overwrite {
            fs::rename(&self.hidden, self.place)?;
        } else {
            // Unlike a rename, this replaces nothing.
            fs::hard_link(&self.hidden, self.place)?;
        }
        let folder = self.place.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        // A file that is left behind is hidden and in nobody's way.
        let _ = fs::remove_file(&self.hidden);
    }
}
