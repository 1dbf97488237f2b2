//! Results of writing a batch of commands, the same from the store to the wire.

use serde_json::Value;

use super::{CommandError, CommandOutcome};

/// How the commands of a batch depend on each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchMode {
    /// The batch takes effect whole or not at all.
    Atomic,
    /// Commands that are refused are left out, and the others take effect together.
    Independent,
}

/// The outcome of a batch of commands.
#[derive(Clone, PartialEq, Debug)]
pub enum WriteOutcome {
    /// The batch took effect at this revision. Holds one result a command, in order; in an
    /// [atomic](BatchMode::Atomic) batch none is an error.
    Applied { revision: u64, outcomes: Vec<Result<CommandOutcome, CommandError>> },
    /// No command took effect, since the one at this index was refused.
    Refused { revision: u64, index: usize, error: CommandError },
}

/// The outcome of a batch of commands, or the reason why it was not carried out.
pub type WriteResult = Result<WriteOutcome, WriteError>;

/// The reason why a batch was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("no facts are stored: start the daemon with --store")]
    NoStore,
    #[error("{0}")]
    Store(String),
    /// The batch exceeds what this kind of store takes at once.
    #[error("{0}")]
    TooLarge(String),
    /// It is unknown whether the batch took effect.
    #[error("{0}")]
    InDoubt(String),
    /// The batch took effect at a revision that decisions here don't see yet.
    #[error(
        "the batch took effect at revision {0}, but has not come back from the store yet, so that \
         decisions here don't see it; send Peerage-At-Least"
    )]
    NotServed(u64),
    #[error("others keep writing the same records; try again")]
    Contended,
    /// Another daemon changed records of the batch, and the store has not delivered the change yet.
    #[error("the store has not delivered yet what others wrote; try again")]
    Behind,
    /// Nothing of the batch took effect.
    #[error("internal error while planning the batch; nothing of it took effect")]
    Panicked,
    #[error("facts can't be written any more since their writer failed; restart the daemon")]
    Gone,
    /// The facts are not of the revision that the batch requires.
    #[error("the facts are of revision {revision} by now")]
    RevisionChanged { revision: u64 },
    /// The idempotency key was sent with another batch before.
    #[error("this Idempotency-Key was sent with another body before")]
    KeyReused { revision: u64 },
    /// The batch was too large for the store and was split; parts of it took effect.
    #[error("{0}; parts of it took effect")]
    Partial(Box<WriteError>),
}

/// The class of a [`WriteError`], by which APIs choose their codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteErrorKind {
    /// The daemon stores no facts.
    NoStore,
    /// The store never takes so much at once.
    TooLarge,
    /// Others wrote the same; nothing took effect.
    Contended,
    /// Something failed for now; the batch may have taken effect all the same.
    Unavailable,
}

impl WriteError {
    pub const fn kind(&self) -> WriteErrorKind {
        match self {
            Self::NoStore => WriteErrorKind::NoStore,
            Self::TooLarge(_) => WriteErrorKind::TooLarge,
            Self::Contended | Self::RevisionChanged { .. } | Self::KeyReused { .. } => {
                WriteErrorKind::Contended
            }
            Self::Store(_)
            | Self::InDoubt(_)
            | Self::NotServed(_)
            | Self::Behind
            | Self::Panicked
            | Self::Gone
            | Self::Partial(_) => WriteErrorKind::Unavailable,
        }
    }
}

/// The JSON of the native API for what came of one command.
pub fn encode_outcome(outcome: &Result<CommandOutcome, CommandError>) -> Value {
    match outcome {
        Ok(outcome) => outcome.encode(),
        Err(error) => error.encode(),
    }
}
