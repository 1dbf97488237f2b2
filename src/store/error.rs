use std::path::PathBuf;

/// Why a store can't be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{}: another process has it open; stop that one, or give this one a store of its own", .0.display())]
    Locked(PathBuf),
    #[error("{}: not a store of peerage", .0.display())]
    Foreign(PathBuf),
    #[error("{}: written by a newer peerage, in format {found}; this one knows formats up to {known}", path.display())]
    Newer { path: PathBuf, found: u64, known: u64 },
    #[error("{}: damaged: {what}; it was left as it is; restore a backup", path.display())]
    Damaged { path: PathBuf, what: String },
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
