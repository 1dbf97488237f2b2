//! Files that appear in their place as a whole, or not at all.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::{
        fd::AsRawFd,
        unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, OFlags, linkat},
    io::Errno,
};

/// The end of the hidden name of a file that is to take a place.
const ENDING: &str = ".new";

/// The permissions of a file that anybody may read, as far as the process's mask leaves them.
const PUBLIC: u32 = 0o666;

/// A new file that is to take a place as a whole. Until then it has no name, so that nothing is left
/// of it if the process ends; or, where the file system has no such files, a hidden one beside the
/// place, which the next one that is made for the place removes if its process is gone.
#[derive(Debug)]
pub struct AtomicFile<'p> {
    file: File,
    hidden: Option<PathBuf>,
    place: &'p Path,
}

/// The treatment of a file that is already in the place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existing {
    Keep,
    Replace,
}

/// Replaces the text of a file; readers see the old text or the new. The file keeps its permissions,
/// and its owner where the process may set it; a link stays a link, and the file that it leads to is
/// replaced. If there is no file yet, it is created.
///
/// # Errors
/// If the file can't be written; it is unchanged then.
pub fn replace_text(path: &Path, text: &str) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let (new, mut file) = AtomicFile::new(&path, PUBLIC)?;
    file.write_all(text.as_bytes())?;
    match fs::metadata(&path) {
        Ok(old) => {
            // Few processes may give a file away. The permissions come after, since giving it away
            // may change them.
            let _ = fchown(&file, Some(old.uid()), Some(old.gid()));
            file.set_permissions(old.permissions())?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    file.sync_all()?;
    new.persist(Existing::Replace)
}

impl<'p> AtomicFile<'p> {
    /// Creates an empty file with these permissions, which can be read and written.
    ///
    /// # Errors
    /// If its folder is not there, or takes no new file.
    pub fn new(place: &'p Path, mode: u32) -> io::Result<(Self, File)> {
        Self::remove_orphans(place)?;
        let (file, hidden) = match create_unnamed(parent_folder(place), mode)? {
            Some(file) => (file, None),
            None => create_hidden(place, mode)?,
        };
        let writing = file.try_clone()?;
        Ok((Self { file, hidden, place }, writing))
    }

    /// Removes the hidden files for a place that killed processes left behind.
    ///
    /// # Errors
    /// If the place has no file name.
    pub fn remove_orphans(place: &Path) -> io::Result<()> {
        let begin = hidden_name(place, "")?;
        // In a folder that can't be read, they stay.
        for entry in fs::read_dir(parent_folder(place)).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.as_encoded_bytes();
            let is_ours = name.strip_prefix(begin.as_encoded_bytes()).is_some_and(|rest| {
                let number = rest.strip_suffix(ENDING.as_bytes()).unwrap_or_default();
                number.contains(&b'.') && number.iter().all(|&it| it == b'.' || it.is_ascii_digit())
            });
            if is_ours && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
                // Another process may be removing it.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// The length in bytes.
    ///
    /// # Errors
    /// If the system does not report it.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Gives the file its name, durably, once it is written and synced.
    ///
    /// # Errors
    /// `AlreadyExists` if there is a file that is to be kept; or if the file can't be named.
    pub fn persist(mut self, existing: Existing) -> io::Result<()> {
        if existing == Existing::Replace {
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

/// A file without a name; `None` if the file system has none, or none that could get a name.
fn create_unnamed(folder: &Path, mode: u32) -> io::Result<Option<File>> {
    if !Path::new(OWN_FILES).exists() {
        return Ok(None);
    }
    let flags = OFlags::TMPFILE.bits().cast_signed();
    let mut options = OpenOptions::new();
    match options.read(true).write(true).mode(mode).custom_flags(flags).open(folder) {
        Ok(file) => Ok(Some(file)),
        Err(error) => match Errno::from_io_error(&error) {
            Some(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => Ok(None),
            _ => Err(error),
        },
    }
}

/// A file with a hidden name, locked while it is open.
fn create_hidden(place: &Path, mode: u32) -> io::Result<(File, Option<PathBuf>)> {
    let (file, hidden) = with_free_name(place, |hidden| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(mode).open(hidden)
    })?;
    file.try_lock()?;
    Ok((file, Some(hidden)))
}

/// Creates something under a hidden name that is free.
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
            // Another thread has this name.
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

/// The folder of the files that this process has open.
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
            // A file that stays behind is hidden; the next one for the place removes it.
            let _ = fs::remove_file(hidden);
        }
    }
}
