//! Opening of the store that an operator names.

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
    match named.split_once("://") {
        #[cfg(feature = "etcd")]
        Some(("etcd" | "etcds", _)) => {
            let store = super::etcd::EtcdStore::open(named)?;
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
