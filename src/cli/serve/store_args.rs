//! The facts store of a daemon: its options, and its opening and closing.

use std::{path::Path, str::FromStr, sync::Arc};

use anyhow::Result;
use clap::Args;
use thiserror::Error;
use tracing::{error, warn};

use crate::{
    cli::duration::{DurationArg, DurationError},
    live::facts::HistoryRetention,
    store::{self, IfMissing, OpenedCopy, OpeningReport, Store},
};

#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct StoreArgs {
    /// Keep facts, which change at run time, in this file; it is created if missing
    ///
    /// Or in etcd, in a build with that feature: etcd://HOST:PORT,HOST:PORT. Without a store, facts can't
    /// change.
    #[arg(long, value_name = "FILE")]
    store: Option<String>,
    /// Refuse to start if the store does not exist, instead of creating one without facts
    ///
    /// It guards against an unmounted volume or a mistyped path, with which all bans would be missing.
    #[arg(long, requires = "store")]
    store_must_exist: bool,
    /// The time for which the history of commands is kept, as 90d; `off` or 0 keeps none
    ///
    /// Older entries are removed. The daemons of a fleet should have the same: each removes what is too old
    /// for itself.
    #[arg(long, value_name = "DURATION", default_value = "90d", requires = "store")]
    history: HistoryArg,
}

/// The time for which the history is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct HistoryArg(HistoryRetention);

/// The error for a text that is not such a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("{0}; or `off`")]
struct HistoryArgError(#[from] DurationError);

impl FromStr for HistoryArg {
    type Err = HistoryArgError;

    fn from_str(text: &str) -> Result<Self, HistoryArgError> {
        if text == "off" {
            return Ok(Self(HistoryRetention::Off));
        }
        let DurationArg(kept) = text.parse()?;
        let retention =
            if kept.is_zero() { HistoryRetention::Off } else { HistoryRetention::For(kept) };
        Ok(Self(retention))
    }
}

/// A store that is closed when this is dropped.
#[derive(Debug)]
pub(super) struct StoreHandle(Arc<dyn Store>);

impl StoreArgs {
    /// Whether the URL of the store has a password in it.
    fn has_password(&self) -> bool {
        let url = self.store.as_deref().and_then(|store| store.split_once("://"));
        let user = url.and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'));
        user.is_some_and(|(user, _)| user.contains(':'))
    }

    /// How long the history of commands is kept.
    pub(super) fn history(&self) -> HistoryRetention {
        let HistoryArg(retention) = self.history;
        retention
    }

    pub(super) fn is_given(&self) -> bool {
        self.store.is_some()
    }

    /// Opens the store, if one is configured; the copy of a remote one is kept in a folder.
    pub(super) fn open(&self, copy: Option<&Path>) -> Result<Option<StoreHandle>> {
        let if_missing = if self.store_must_exist { IfMissing::Refuse } else { IfMissing::Create };
        if self.has_password() {
            warn!(
                "other users of this machine can read the password in the store's URL; \
                 use `password_file` in it instead"
            );
        }
        let opened =
            self.store.as_deref().map(|named| store::open_with_copy(named, if_missing, copy));
        Ok(opened.transpose()?.map(|store| StoreHandle(store.into())))
    }

    /// Logs the result of the opening.
    pub(super) fn log_opening(&self, opening: &OpeningReport) {
        let store = self.store.as_deref().unwrap_or_default();
        if opening.is_new {
            warn!(store, "there was no store: created a new one without facts");
        }
        if let Some(OpenedCopy { revision, age, why }) = &opening.copy {
            warn!(
                store,
                revision,
                ?age,
                why,
                "the store can't be reached: serving the copy of its facts, and refusing writes until it is"
            );
        }
        for repair in &opening.repairs {
            warn!(store, repair, "the store was repaired");
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
            error!(%error, "can't close the store; all acknowledged commits are kept");
        }
    }
}
