use super::{EmbeddedStore, Store, StoreError};

/// Opens the store that an operator names: `etcd://HOST:PORT,...`, or else a file.
///
/// # Errors
/// If it can't be opened, or there is no such kind of store in this build.
pub fn open(named: &str) -> Result<Box<dyn Store>, StoreError> {
    match named.split_once("://") {
        #[cfg(feature = "etcd")]
        Some(("etcd" | "etcds", _)) => Ok(Box::new(super::etcd::EtcdStore::open(named)?)),
        #[cfg(not(feature = "etcd"))]
        Some(("etcd" | "etcds", _)) => Err(StoreError::NoEtcd),
        Some(_) => Err(StoreError::UnknownKind(named.to_owned())),
        None => Ok(Box::new(EmbeddedStore::open(named)?)),
    }
}
