//! Reasons why a file or folder can't be part of a policy, and the limits that some of them are about.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use thiserror::Error;

use super::{
    PatternError,
    content::{ContentError, MAX_LINE_LEN},
};

/// How large the files of a policy may be, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileLimits {
    /// A file of sections is too large; of bulk files, only their lines are limited.
    pub text_file: u64,
    /// How many files a policy may have.
    pub files: usize,
    /// How deep folders may be nested below a given path.
    pub folders: usize,
}

/// The limits in force.
pub const LIMITS: FileLimits = FileLimits { text_file: 256 << 20, files: 100_000, folders: 64 };

/// A file or folder that can't be part of the policy, and why.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error("no policy files in {}", listed(.0))]
    NoFiles(Vec<PathBuf>),
    #[error("can't read `{}`: {}", path.display(), reason(error))]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("`{}` has {size} bytes; the limit is {limit}", path.display())]
    TooLarge { path: PathBuf, size: u64, limit: u64 },
    #[error("`{}` is neither a file nor a folder", path.display())]
    NotAFile { path: PathBuf },
    /// Only for a file that was given by its name: in a folder, such files are passed over.
    #[error("unknown file extension: `{}`", path.display())]
    UnknownExtension { path: PathBuf },
    #[error("folders are nested more than {limit} deep in `{}`", path.display())]
    TooDeep { path: PathBuf, limit: usize },
    #[error("too many files at `{}`; the limit is {limit}", path.display())]
    TooMany { path: PathBuf, limit: usize },
    /// A revision that `git` does not give.
    #[error("can't read `{spec}`: {message}")]
    Git {
        spec: String,
        message: String,
        /// A hint: `git`'s own, or one for its message.
        hint: Option<String>,
    },
    #[error("line {line} of `{}` is longer than {limit} bytes", path.display())]
    LongLine { path: PathBuf, line: u64, limit: u64 },
    #[error("`{}` contains only NUL bytes from line {line} on", path.display())]
    Hole { path: PathBuf, line: u64 },
    #[error(
        "the link `{}` leads to `{}`, which is not below the given path",
        link.display(),
        target.display()
    )]
    LinkOutside { link: PathBuf, target: PathBuf },
    #[error("`{}`: {error}", path.display())]
    Pattern { path: PathBuf, error: PatternError },
    /// Standard input or a pipe, where files are read again when they change.
    #[error("`{}` can be read only once", path.display())]
    OnlyOnce { path: PathBuf },
    /// They were not closed by their writer, or changed again and again, for as long as was waited.
    #[error("still being written after {} s: {}", after.as_secs_f32(), listed(paths))]
    StillWritten { paths: Vec<PathBuf>, after: Duration },
    /// Something changed each time they were read; nothing of it was kept.
    #[error("the files in {} keep changing while they are read", listed(.0))]
    KeepsChanging(Vec<PathBuf>),
}

/// The error of a file whose content could not be read to its end.
pub(super) fn into_load_error(path: &Path, broken: ContentError) -> LoadError {
    let path = path.to_owned();
    match broken {
        ContentError::Io(error) => LoadError::Unreadable { path, error },
        ContentError::LongLine(line) => LoadError::LongLine { path, line, limit: MAX_LINE_LEN },
        ContentError::Hole(line) => LoadError::Hole { path, line },
    }
}

fn listed(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "no paths".to_owned();
    }
    paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
}

/// Why, in words that are the same on every system.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotADirectory => "a part of the path is not a folder".to_owned(),
        io::ErrorKind::OutOfMemory => "out of memory".to_owned(),
        _ => error.to_string(),
    }
}
