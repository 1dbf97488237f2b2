//! Errors of stores.

use std::{fmt, path::PathBuf};

use crate::facts::WriteError;

/// The error of a store that can't be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{}: another process has it open; stop that one, or give this one another store", .0.display())]
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
    /// Acknowledged commits are lost, or may be.
    #[error(
        "{}: {}; it was left as it is; restore a backup, or take it without them with \
         `peerage store repair {}`",
        path.display(), Rollback { found: *found, known: *known }, path.display()
    )]
    RolledBack { path: PathBuf, found: u64, known: Option<u64> },
    #[error(
        "{}: the file is empty, and a store never is; restore a backup, or remove the file to begin \
         without facts", .0.display()
    )]
    Empty(PathBuf),
    #[error(
        "{0}: there is no store; start once without --store-must-exist to begin without facts, or \
         restore a backup"
    )]
    Missing(String),
    /// Nothing can be written durably until the store is opened again.
    #[error(
        "{}: {what} while the store was open: no more facts are written; save the facts with \
         `peerage store backup --from`, and start again with the store in its place", path.display()
    )]
    Lost { path: PathBuf, what: String },
    #[error("{}: the store was closed", .0.display())]
    Closed(PathBuf),
    #[error("the record {key}: {what}; `peerage store check` lists all damaged records")]
    Record { key: String, what: String },
    #[error("{}: the file exists already", .0.display())]
    Exists(PathBuf),
    #[error("{}: the file is the store itself", .0.display())]
    Itself(PathBuf),
    #[error("`{0}`: unknown kind of store; use a file or etcd://HOST:PORT,...")]
    UnknownKind(String),
    #[error(
        "this peerage was built without etcd; build it with `cargo build --release --features etcd`"
    )]
    NoEtcd,
    #[error("stores of the kind `{0}` have no backups; export the facts instead")]
    NoBackup(&'static str),
    #[error("the store can't be {doing}: {why}")]
    Io { doing: &'static str, why: String },
    /// The commit may have taken effect, or may not.
    #[error("the store did not answer: {0}; whether the batch took effect is not known")]
    InDoubt(String),
    #[error("the store can't be reached: {0}")]
    Unreachable(String),
    #[error(
        "a batch can read and write at most {most} records in this store; this one does {found}"
    )]
    TooLarge { found: usize, most: usize },
    /// A group has more entries of the history than the store takes at once beside its records.
    #[error(
        "a batch of so many records can have at most {most} commands in this store; this one has {found}"
    )]
    TooManyEntries { found: usize, most: usize },
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
            StoreError::TooLarge { .. } | StoreError::TooManyEntries { .. } => Self::TooLarge(text),
            error if error.is_in_doubt() => Self::InDoubt(text),
            _ => Self::Store(text),
        }
    }
}

/// A rollback: how far a store is behind what was acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rollback {
    /// The revision that the store holds.
    pub found: u64,
    /// The revision that was committed; `None` if it is not known.
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
