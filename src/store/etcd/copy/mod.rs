//! The copy of a store's records in local files, from which a daemon starts while etcd is down.

mod copier;
mod file;

pub(super) use copier::{Copier, CopyTarget};
pub(super) use file::{LoadedCopy, load};
