use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, OFlags, linkat},
    io::Errno,
};

/// Only its owner may read what a store holds.
const MODE: u32 = 0o600;

/// How the name of a file ends that is to take a place.
const ENDING: &str = ".new";

/// A new file that is to take a place as a whole. Until then it has no name, so that nothing is left
/// of it if the process ends; or, where the file system has no such files, a hidden one beside the
/// place, which the next one that is made for the place removes if its process is gone.
#[derive(Debug)]
pub(super) struct AtomicFile<'p> {
    file: File,
    hidden: Option<PathBuf>,
    place: &'p Path,
}

impl<'p> AtomicFile<'p> {
    /// An empty file that can be read and written.
    pub(super) fn new(place: &'p Path) -> io::Result<(Self, File)> {
        Self::remove_orphans(place)?;
        let (file, hidden) = match create_unnamed(parent_folder(place))? {
            Some(file) => (file, None),
            None => create_hidden(place)?,
        };
        let writing = file.try_clone()?;
        Ok((Self { file, hidden, place }, writing))
    }

    /// Removes what killed processes left behind.
    fn remove_orphans(place: &Path) -> io::Result<()> {
        let begin = hidden_name(place, "")?;
        // Of a folder that can't be read, they are in nobody's way.
        for entry in fs::read_dir(parent_folder(place)).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.as_encoded_bytes();
            let is_ours = name.strip_prefix(begin.as_encoded_bytes()).is_some_and(|rest| {
                let number = rest.strip_suffix(ENDING.as_bytes()).unwrap_or_default();
                number.contains(&b'.') && number.iter().all(|&it| it == b'.' || it.is_ascii_digit())
            });
            if is_ours && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
                // It may be another's to remove, and is in nobody's way.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    pub(super) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Takes its place, durably, once it is written and synced.
    ///
    /// # Errors
    /// `AlreadyExists` if the place is taken, unless what is there is to be overwritten.
    pub(super) fn persist(mut self, overwrite: bool) -> io::Result<()> {
        if overwrite {
            let hidden = match self.hidden.take() {
                Some(hidden) => hidden,
                None => self.give_hidden_name()?,
            };
            self.hidden = Some(hidden.clone());
            fs::rename(hidden, self.place)?;
            self.hidden = None;
        } else {
            // Unlike a rename, this replaces nothing.
            match &self.hidden {
                Some(hidden) => fs::hard_link(hidden, self.place)?,
                None => link(&self.file, self.place)?,
            }
        }
        File::open(parent_folder(self.place))?.sync_all()
    }

    /// Gives a hidden name to a file that has none.
    fn give_hidden_name(&self) -> io::Result<PathBuf> {
        self.file.try_lock()?;
        with_free_name(self.place, |hidden| link(&self.file, hidden)).map(|((), hidden)| hidden)
    }
}

/// A file without a name; `None` if there are none on this file system, or none that could get one.
fn create_unnamed(folder: &Path) -> io::Result<Option<File>> {
    if !Path::new(OWN_FILES).exists() {
        return Ok(None);
    }
    let flags = OFlags::TMPFILE.bits().cast_signed();
    let mut options = OpenOptions::new();
    match options.read(true).write(true).mode(MODE).custom_flags(flags).open(folder) {
        Ok(file) => Ok(Some(file)),
        Err(error) => match Errno::from_io_error(&error) {
            Some(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => Ok(None),
            _ => Err(error),
        },
    }
}

/// A file with a hidden name, locked as long as it is open.
fn create_hidden(place: &Path) -> io::Result<(File, Option<PathBuf>)> {
    let (file, hidden) = with_free_name(place, |hidden| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(MODE).open(hidden)
    })?;
    file.try_lock()?;
    Ok((file, Some(hidden)))
}

/// Makes something under a hidden name that nothing has yet.
fn with_free_name<T>(
    place: &Path,
    mut create: impl FnMut(&Path) -> io::Result<T>,
) -> io::Result<(T, PathBuf)> {
    let mut number = 0_u32;
    loop {
        let end = format!("{}.{number}{ENDING}", std::process::id());
        let hidden = place.with_file_name(hidden_name(place, &end)?);
        match create(&hidden) {
            Ok(made) => return Ok((made, hidden)),
            // That of another thread.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

fn hidden_name(place: &Path, end: &str) -> io::Result<OsString> {
    let mut hidden = OsString::from(".");
    hidden.push(place.file_name().ok_or(io::ErrorKind::InvalidFilename)?);
    hidden.push(".");
    hidden.push(end);
    Ok(hidden)
}

/// Where the system shows the files that this process has open.
const OWN_FILES: &str = "/proc/self/fd";

/// Gives a name to an open file.
fn link(file: &File, to: &Path) -> io::Result<()> {
    let from = Path::new(OWN_FILES).join(file.as_raw_fd().to_string());
    Ok(linkat(CWD, from, CWD, to, AtFlags::SYMLINK_FOLLOW)?)
}

fn parent_folder(place: &Path) -> &Path {
    place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl Drop for AtomicFile<'_> {
    fn drop(&mut self) {
        if let Some(hidden) = &self.hidden {
            // A file that is left behind is hidden and in nobody's way.
            let _ = fs::remove_file(hidden);
        }
    }
}
