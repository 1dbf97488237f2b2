//! A batch of commands to write, and what comes of it.

use super::idempotency::IdempotencyKey;
use crate::{
    facts::{Authority, Command, CommandError, CommandOutcome},
    store::StoreError,
};

/// A batch of commands to be carried out.
#[derive(Clone, Debug)]
pub struct WriteBatch {
    pub commands: Vec<Command>,
    /// Whose word those are that are on nobody's behalf.
    pub authority: Authority,
    /// Whether each is for itself: what is refused is left out, and the rest is committed together.
    /// Otherwise the batch takes effect whole or not at all.
    pub each: bool,
    /// What the revision of the facts must be.
    pub if_revision: Option<u64>,
    /// Sent again under the same key, it takes effect once.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// What came of a batch.
#[derive(Clone, PartialEq, Debug)]
pub enum WriteOutcome {
    /// It took effect: the revision since which it does, and the outcome of each command.
    Done { revision: u64, outcomes: Vec<CommandOutcome> },
    /// Of a batch in which each is for itself: what came of each command.
    Each { revision: u64, outcomes: Vec<Result<CommandOutcome, CommandError>> },
    /// It took effect before, under the same idempotency key: the outcomes that were answered then.
    Replayed { revision: u64, outcomes: serde_json::Value },
    /// A command was refused, so that none took effect.
    Refused { revision: u64, at: usize, refusal: CommandError },
    /// The facts are not of the revision that was asked for.
    OtherRevision { revision: u64 },
    /// The idempotency key was sent with another batch before.
    KeyReused { revision: u64 },
}

/// Why a batch was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    #[error("facts are not kept: start the daemon with --store")]
    NoStore,
    #[error("{0}")]
    Store(String),
    /// No store of this kind takes so much at once.
    #[error("{0}")]
    TooLarge(String),
    /// It may have taken effect all the same.
    #[error("{0}")]
    InDoubt(String),
    /// It took effect at a revision, and is not seen by decisions yet.
    #[error(
        "the batch took effect at revision {0}, but it has not come back from the store yet, so that \
         decisions here don't see it; send Peerage-At-Least"
    )]
    NotServed(u64),
    #[error("others write the same all the time; try again")]
    Contended,
    /// Others changed what it is about, and the store has not told what.
    #[error("the store has not told yet what others wrote; try again")]
    Behind,
    /// It was not carried out.
    #[error(
        "the batch could not be planned, by a mistake in peerage itself; nothing of it took effect"
    )]
    Panicked,
    #[error("facts can't be written any more since their writer failed; restart the daemon")]
    Gone,
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
