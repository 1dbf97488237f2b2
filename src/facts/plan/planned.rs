//! Results of planning a command.

use super::{change_buffer::RecordChange, command_error::CommandError, outcome::CommandOutcome};

/// A planned command.
#[derive(Clone, PartialEq, Debug)]
pub struct PlannedCommand {
    pub outcome: CommandOutcome,
    /// The changed records, each once, for the caller to apply before the next command is planned.
    pub changes: Vec<RecordChange>,
}

/// The error for a command that was not planned.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlanError<E> {
    #[error(transparent)]
    Refused(#[from] CommandError),
    /// The record source failed.
    #[error("a record could not be read: {0}")]
    RecordUnreadable(E),
}

/// The result of planning one operation.
pub(super) type PlanResult<E> = Result<CommandOutcome, PlanError<E>>;

/// The authority of a command that is not on a user's behalf.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Authority {
    /// An administrator, over the native API: with the admin token or over the admin socket.
    Administrator,
    /// A caller of a dialect, with any token: may not give or take protected tags.
    Dialect,
}
