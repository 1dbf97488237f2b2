use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Sources;

/// How large the files of a policy may be, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Of a file that holds sections; bulk files have no limit.
    pub text_file: u64,
    /// How many files a policy may have.
    pub files: usize,
    /// How deep folders may be nested below a given path.
    pub folders: usize,
}

/// The limits in force.
pub const LIMITS: Limits = Limits { text_file: 256 << 20, files: 100_000, folders: 64 };

/// A file or folder that can't be part of the policy, and why.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error("no policy files in {}", .0.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "))]
    NoFiles(Vec<PathBuf>),
    #[error("can't read {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("{} has {size} bytes; a file of sections may have {limit}", path.display())]
    TooLarge { path: PathBuf, size: u64, limit: u64 },
}

/// What was read, and what could not be.
#[derive(Debug)]
pub struct Loaded {
    pub sources: Sources,
    pub errors: Vec<LoadError>,
}

/// Reads all policy files below the paths: one consistent set.
pub fn load(paths: &[impl AsRef<Path>]) -> Loaded {
    let _ = paths;
    Loaded { sources: Sources::default(), errors: Vec::new() }
}
