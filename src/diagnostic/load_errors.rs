//! Diagnostics of files that could not be read.

use super::{Code, Diagnostic};
use crate::source::{LoadError, Notation};

impl From<&LoadError> for Diagnostic {
    fn from(error: &LoadError) -> Self {
        let (code, hint) = match error {
            LoadError::NoFiles(_) => (
                Code::NoFiles,
                Some(format!("the extension of a policy file is {}", Notation::EXTENSIONS)),
            ),
            LoadError::UnknownExtension { path } if is_test(path) => {
                (Code::UnknownEnding, Some("tests are run by `peerage test`".to_owned()))
            }
            LoadError::UnknownExtension { .. } => (
                Code::UnknownEnding,
                Some(format!("the extension of a policy file is {}", Notation::EXTENSIONS)),
            ),
            LoadError::Unreadable { .. } => (Code::Unreadable, None),
            LoadError::Git { hint, .. } => (Code::Unreadable, hint.clone()),
            LoadError::NotAFile { .. } => {
                (Code::Unreadable, Some("pipes, sockets and devices are not read".to_owned()))
            }
            LoadError::OnlyOnce { .. } => {
                let hint = "give a file, which can be read again when it changes";
                (Code::Unreadable, Some(hint.to_owned()))
            }
            LoadError::StillWritten { .. } => {
                let hint = "close the file, or write it under another name and rename it when it is complete";
                (Code::StillWritten, Some(hint.to_owned()))
            }
            LoadError::LinkOutside { .. } => {
                let hint = "give the folder that holds both, or the target as a path of its own";
                (Code::LinkOutside, Some(hint.to_owned()))
            }
            LoadError::LongLine { .. } => (
                Code::LongLine,
                Some("check for a missing line break, and that the file is a bulk file".to_owned()),
            ),
            LoadError::Hole { .. } => {
                (Code::NulByte, Some("check that the file is complete".to_owned()))
            }
            LoadError::Pattern { .. } => {
                let hint = "patterns are those of `.gitignore`";
                (Code::InvalidPattern, Some(hint.to_owned()))
            }
            LoadError::KeepsChanging(_) => (
                Code::Unreadable,
                Some("wait until the files are written, then try again".to_owned()),
            ),
            LoadError::TooLarge { .. } => {
                let hint =
                    "users in bulk go into `.ndjson` or `.csv` files, which may have any size";
                (Code::TooLarge, Some(hint.to_owned()))
            }
            LoadError::TooDeep { .. } => (
                Code::TooDeep,
                Some("check for a link that leads back to a folder above it".to_owned()),
            ),
            LoadError::TooMany { .. } => {
                let hint = "check for a link or path that leads beyond the policy";
                (Code::TooManyFiles, Some(hint.to_owned()))
            }
        };
        Self { hint, ..Self::global(code, error.to_string()) }
    }
}

fn is_test(path: &std::path::Path) -> bool {
    Notation::is_test_file(&path.to_string_lossy())
}
