//! Opening of the store that an operator names.

use std::path::Path;

use super::{EmbeddedStore, Store, StoreError};

/// How a missing store is handled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IfMissing {
    /// An empty store is created.
    Create,
    Refuse,
}

/// Opens the store that an operator names: `etcd://HOST:PORT,...`, or otherwise a file.
///
/// # Errors
/// If it can't be opened, is missing and must not be created, or this build has no such kind of
/// store.
pub fn open(named: &str, if_missing: IfMissing) -> Result<Box<dyn Store>, StoreError> {
    open_with_copy(named, if_missing, None)
}

/// Opens the store that an operator names, and keeps a copy of a remote one in a folder, from which it
/// is read while it can't be reached at the start.
///
/// # Errors
/// Those of [`open`].
pub fn open_with_copy(
    named: &str,
    if_missing: IfMissing,
    copy: Option<&Path>,
) -> Result<Box<dyn Store>, StoreError> {
    #[cfg(not(feature = "etcd"))]
    let _ = copy;
    match named.split_once("://") {
        #[cfg(feature = "etcd")]
        Some(("etcd" | "etcds", _)) => {
            let mut store = super::etcd::EtcdStore::open(named)?;
            if let Some(folder) = copy {
                store = store.with_copy(folder.to_owned());
            }
            let must_exist = if_missing == IfMissing::Refuse;
            Ok(Box::new(if must_exist { store.must_exist() } else { store }))
        }
        #[cfg(not(feature = "etcd"))]
        Some(("etcd" | "etcds", _)) => Err(StoreError::NoEtcd),
        Some(_) => Err(StoreError::UnknownKind(named.to_owned())),
        None if if_missing == IfMissing::Refuse => {
            Ok(Box::new(EmbeddedStore::open_existing(named)?))
        }
        None => Ok(Box::new(EmbeddedStore::open(named)?)),
    }
}
