//! The scope of a policy: where its files are, and what below that is passed over.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{Ignore, Sources, ignore_rules::IGNORE_FILE};

/// Where a policy's files are, and which of what is there are its files.
#[derive(Clone, Default, Debug)]
pub struct Scope {
    pub(super) paths: Vec<PathBuf>,
    pub(super) ignore: Ignore,
    /// Whether files of tests are of interest too.
    pub(super) tests: bool,
    /// The display name of standard input, if it is one of the paths.
    pub(super) input_name: Option<String>,
    /// Whether only files will do, which can be read again when they change.
    pub(super) only_files: bool,
    /// The time that the files are of; `None` for that of each read.
    pub(super) time: Option<SystemTime>,
}

impl Scope {
    /// The file in a folder that says what to pass over in it and below it.
    pub const IGNORE_FILE: &str = IGNORE_FILE;

    /// All policy files that are among the paths or below them.
    pub fn new(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self { paths: paths.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Passes over what is ignored, besides what `.peerageignore` files say. What was given by its
    /// own name is read all the same.
    #[must_use]
    pub fn with_ignore(self, ignore: Ignore) -> Self {
        Self { ignore, ..self }
    }

    /// With the files of tests among the others.
    #[must_use]
    pub fn with_tests(self) -> Self {
        Self { tests: true, ..self }
    }

    /// With a file name for standard input, whose ending says what its notation is.
    #[must_use]
    pub fn with_input_name(self, name: Option<String>) -> Self {
        Self { input_name: name, ..self }
    }

    /// Without standard input and pipes, which can be read once.
    #[must_use]
    pub fn files_only(self) -> Self {
        Self { only_files: true, ..self }
    }

    /// With files of this time, if there is one, instead of the time at which they are read.
    #[must_use]
    pub fn at(self, time: Option<SystemTime>) -> Self {
        Self { time, ..self }
    }

    /// Sets the time of what was read in this scope.
    pub(super) fn dated(&self, sources: Sources) -> Sources {
        match self.time {
            Some(time) => sources.at(time),
            None => sources,
        }
    }

    /// The paths that were given.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }
}

impl<P: AsRef<Path>> From<&[P]> for Scope {
    fn from(paths: &[P]) -> Self {
        Self::new(paths.iter().map(AsRef::as_ref))
    }
}

impl From<Vec<PathBuf>> for Scope {
    fn from(paths: Vec<PathBuf>) -> Self {
        Self::new(paths)
    }
}
