//! The files that a policy passes over, by the patterns of `--ignore` and of `.peerageignore` files.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};
use thiserror::Error;

/// The file in a folder that says what to pass over in it and below it, as `.gitignore` does.
pub(super) const IGNORE_FILE: &str = ".peerageignore";

/// How large such a file may be, in bytes.
pub(super) const MAX_IGNORE_FILE_LEN: u64 = 1 << 20;

/// The folder that a file system makes for itself, which only its administrator can read.
const LOST_AND_FOUND: &str = "lost+found";

/// A pattern that can't be understood.
#[derive(Debug, Error)]
#[error("invalid pattern `{pattern}`: {message}")]
pub struct PatternError {
    pub pattern: String,
    pub message: String,
}

/// The patterns that were given for all folders, in the syntax of `.gitignore`.
#[derive(Clone, Default)]
pub struct Ignore(Option<Arc<Gitignore>>);

impl Ignore {
    /// The patterns, each relative to every folder that is given.
    ///
    /// # Errors
    /// If one of them is no pattern.
    pub fn new(patterns: &[impl AsRef<str>]) -> Result<Self, PatternError> {
        if patterns.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self(Some(Arc::new(compile(Path::new(""), patterns.iter().map(AsRef::as_ref))?))))
    }
}

impl fmt::Debug for Ignore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ignore({} patterns)", self.0.as_ref().map_or(0, |globs| globs.len()))
    }
}

/// The patterns that hold for an entry: those that were given, and those of the ignore files in the
/// folders above it. Paths are relative to the folder that was given.
#[derive(Debug)]
pub(super) struct Patterns {
    given: Ignore,
    /// The rules of each folder, outermost first.
    files: Vec<(PathBuf, Gitignore)>,
}

impl Patterns {
    pub(super) fn new(given: Ignore) -> Self {
        Self { given, files: Vec::new() }
    }

    /// Adds what the ignore file in a folder says.
    pub(super) fn enter(&mut self, folder: &Path, text: &str) -> Result<(), PatternError> {
        let patterns = compile(folder, text.trim_start_matches('\u{feff}').lines())?;
        self.files.push((folder.to_owned(), patterns));
        Ok(())
    }

    /// How many ignore files hold here, for [`Patterns::leave`].
    pub(super) fn depth(&self) -> usize {
        self.files.len()
    }

    /// Forgets the ignore files that were added since.
    pub(super) fn leave(&mut self, depth: usize) {
        self.files.truncate(depth);
    }

    /// Whether an entry is passed over. What was given counts before files, a folder's own file
    /// before those above it, and of one file's patterns the last that matches.
    pub(super) fn matches(&self, path: &Path, is_folder: bool) -> bool {
        if is_folder && path.file_name().is_some_and(|name| name == LOST_AND_FOUND) {
            return true;
        }
        let files = self.files.iter().rev().filter(|(folder, _)| path.starts_with(folder));
        let all = self.given.0.as_deref().into_iter().chain(files.map(|(_, patterns)| patterns));
        for patterns in all {
            match patterns.matched(path, is_folder) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        false
    }

    /// As [`Patterns::matches`], for a path of which no folder was looked at before, once all ignore
    /// files are known.
    pub(super) fn matches_any_parent(&self, path: &Path) -> bool {
        let folders = path.ancestors().skip(1).filter(|part| !part.as_os_str().is_empty());
        self.matches(path, false) || folders.into_iter().any(|folder| self.matches(folder, true))
    }
}

fn compile<'p>(
    folder: &Path,
    patterns: impl Iterator<Item = &'p str>,
) -> Result<Gitignore, PatternError> {
    let mut builder = GitignoreBuilder::new(folder);
    for pattern in patterns {
        let error = |error: ignore::Error| {
            let message = match error {
                ignore::Error::Glob { err, .. } => err,
                error => error.to_string(),
            };
            PatternError { pattern: pattern.to_owned(), message }
        };
        builder.add_line(None, pattern).map_err(error)?;
    }
    builder
        .build()
        .map_err(|error| PatternError { pattern: String::new(), message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Ignore, Patterns};

    #[test]
    fn patterns_are_those_of_git() {
        let mut patterns = Patterns::new(Ignore::new(&["kustomization.yaml", "/top/"]).unwrap());
        patterns.enter(Path::new(""), "# a comment\n*.json\n!keep.json\nsub/*.csv\n").unwrap();
        patterns.enter(Path::new("sub"), "!again.json\n/own.yaml\n").unwrap();
        for (path, is_folder, expected) in [
            ("kustomization.yaml", false, true),
            ("sub/kustomization.yaml", false, true),
            ("top", true, true),
            ("top", false, false),
            ("sub/top", true, false),
            ("package.json", false, true),
            ("keep.json", false, false),
            ("sub/again.json", false, false),
            ("sub/users.csv", false, true),
            ("users.csv", false, false),
            ("sub/own.yaml", false, true),
            ("own.yaml", false, false),
            ("lost+found", true, true),
            ("sub/lost+found", true, true),
            ("lost+found", false, false),
        ] {
            assert_eq!(patterns.matches(Path::new(path), is_folder), expected, "{path}");
        }
        assert!(patterns.matches_any_parent(Path::new("top/deep/a.yaml")));
        assert!(Ignore::new(&["a{b"]).is_err());
    }
}
