use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
};

/// Puts a file of this text in place of another, as a whole: whoever reads it sees the old text or
/// the new. The file keeps its permissions, and its owner where that may be; a link stays a link, and
/// what it leads to is replaced. If there is no file yet, it is made.
pub(super) fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let beside = temporary_path(&path)?;
    let written = write(&path, &beside, text).and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // What went wrong is told; a file that is left behind is hidden, and no part of a policy.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// A name in the same folder that nobody else uses.
fn temporary_path(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(hidden))
}

fn write(path: &Path, beside: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(beside)?;
    file.write_all(text.as_bytes())?;
    match fs::metadata(path) {
        Ok(old) => copy_ownership(&file, beside, &old)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    file.sync_all()
}

fn copy_ownership(file: &File, beside: &Path, old: &fs::Metadata) -> io::Result<()> {
    // Only some may give a file away; the permissions come after, as giving it away may change them.
    let _ = chown(beside, Some(old.uid()), Some(old.gid()));
    file.set_permissions(old.permissions())
}
