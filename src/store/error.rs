use std::{fmt, path::PathBuf};

use crate::facts::WriteError;

/// Why a store can't be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{}: another process has it open; stop that one, or give this one a store of its own", .0.display())]
    Locked(PathBuf),
    #[error("{}: not a store of peerage", .0.display())]
    Foreign(PathBuf),
    #[error("{}: written by a newer peerage, in format {found}; this one knows formats up to {known}", path.display())]
    Newer { path: PathBuf, found: u64, known: u64 },
    #[error(
        "{}: damaged: {what}; it was left as it is; restore a backup, or go back to its last sound commit with \
         `peerage store repair {}`",
        path.display(), path.display()
    )]
    Damaged { path: PathBuf, what: String },
    /// Commits that were acknowledged are not there any more, or may not be.
    #[error(
        "{}: {}; it was left as it is; restore a backup, or take it without them with \
         `peerage store repair {}`",
        path.display(), Rollback { found: *found, known: *known }, path.display()
    )]
    RolledBack { path: PathBuf, found: u64, known: Option<u64> },
    #[error(
        "{}: the file is empty, which no store ever is; restore a backup, or remove the file to begin \
         without facts", .0.display()
    )]
    Empty(PathBuf),
    #[error(
        "{0}: there is no store; start once without --store-must-exist to begin without facts, or \
         restore a backup"
    )]
    Missing(String),
    /// Nothing can be written durably any more until it is opened anew.
    #[error(
        "{}: {what} while the store was open: nothing is written any more; save what there is with \
         `peerage store backup --from`, and start again with the store in its place", path.display()
    )]
    Lost { path: PathBuf, what: String },
    #[error("{}: the store was closed", .0.display())]
    Closed(PathBuf),
    #[error("the record {key}: {what}; `peerage store check` names all that are damaged")]
    Record { key: String, what: String },
    #[error("{}: there is such a file already", .0.display())]
    Exists(PathBuf),
    #[error("{}: that is the store itself", .0.display())]
    Itself(PathBuf),
    #[error("`{0}`: no such kind of store; known: a file, etcd://HOST:PORT,...")]
    UnknownKind(String),
    #[error(
        "this peerage was built without etcd; build it with `cargo build --release --features etcd`"
    )]
    NoEtcd,
    #[error(
        "the store is of the kind `{0}`, of which peerage makes no backup; export the facts instead"
    )]
    NoBackup(&'static str),
    #[error("the store can't be {doing}: {why}")]
    Io { doing: &'static str, why: String },
    /// It may have been committed, or may not.
    #[error("the store did not answer: {0}; whether the batch took effect is not known")]
    InDoubt(String),
    #[error("the store can't be reached: {0}")]
    Unreachable(String),
    #[error(
        "a batch may read and write {most} records at most in this store; this one does {found}"
    )]
    TooLarge { found: usize, most: usize },
}

impl StoreError {
    /// Whether the commit may have taken effect all the same.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self, Self::InDoubt(_))
    }
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::TooLarge { .. } => Self::TooLarge(text),
            error if error.is_in_doubt() => Self::InDoubt(text),
            _ => Self::Store(text),
        }
    }
}

/// How far a store is behind what was acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rollback {
    /// The revision that it holds.
    pub found: u64,
    /// The one that was committed; `None` if that can't be told.
    pub known: Option<u64>,
}

impl fmt::Display for Rollback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.found;
        match self.known {
            Some(known) => write!(
                f,
                "it holds revision {found}, but revision {known} was committed: the commits between are \
                 lost, bans and blocks among them perhaps"
            ),
            None => write!(
                f,
                "its newest commit is damaged, and the one before, revision {found}, may lack bans and \
                 blocks that were acknowledged"
            ),
        }
    }
}
