//! The store in which a daemon keeps facts: opened as the options say, told of, and closed at its end.

use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use tracing::{error, warn};

use crate::store::{self, IfMissing, OpeningReport, Store};

#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct FactsStoreOptions {
    /// Keep facts that change while it runs in this file; where nothing is, it is made
    ///
    /// Or in etcd: etcd://HOST:PORT,HOST:PORT, if it was built with it. Without, facts can't change.
    #[arg(long, value_name = "FILE")]
    store: Option<String>,
    /// Refuse to start where there is no store yet, instead of beginning without facts
    ///
    /// For where there always is one: a volume that is not mounted, or a path that is written wrong, is
    /// no reason to forget who is banned.
    #[arg(long, requires = "store")]
    store_must_exist: bool,
}

/// A store that is closed when this is dropped.
#[derive(Debug)]
pub(super) struct StoreHandle(Arc<dyn Store>);

impl FactsStoreOptions {
    /// Opens the store, if there is to be one.
    pub(super) fn open(&self) -> Result<Option<StoreHandle>> {
        let if_missing = if self.store_must_exist { IfMissing::Refuse } else { IfMissing::Create };
        let opened = self.store.as_deref().map(|named| store::open(named, if_missing));
        Ok(opened.transpose()?.map(|store| StoreHandle(store.into())))
    }

    /// Logs what opening it found out.
    pub(super) fn log_opening(&self, opening: &OpeningReport) {
        let store = self.store.as_deref().unwrap_or_default();
        if opening.is_new {
            warn!(store, "there was no store: a new one was made, without any facts");
        }
        for repair in &opening.repairs {
            warn!(store, repair, "the store was put right");
        }
    }
}

impl StoreHandle {
    pub(super) fn handle(&self) -> Arc<dyn Store> {
        Arc::clone(&self.0)
    }
}

impl Drop for StoreHandle {
    fn drop(&mut self) {
        if let Err(error) = self.0.close() {
            error!(%error, "the store was not closed in order; what was acknowledged is kept");
        }
    }
}
