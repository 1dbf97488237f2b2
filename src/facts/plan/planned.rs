//! Results of planning a command.

use super::{change_buffer::RecordChange, command_error::CommandError, outcome::CommandOutcome};
use crate::facts::Id;

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

/// The sender of a batch: the authority of its commands, and the name by which it is recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandSender {
    pub authority: Authority,
    /// The name of the token, `admin-token` or `socket`.
    pub name: String,
}

impl CommandSender {
    /// A sender of this authority and name.
    pub fn new(authority: Authority, name: impl Into<String>) -> Self {
        Self { authority, name: name.into() }
    }

    /// The author of a command, as records and the history tell it: the acting user, or the sender.
    pub fn author<'p>(&'p self, on_behalf: Option<&'p Id>) -> &'p str {
        on_behalf.map_or(&self.name, |user| user)
    }
}

/// The authority of a command that is not on a user's behalf.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Authority {
    /// An administrator, over the native API: with the admin token or over the admin socket.
    Administrator,
    /// A caller of a dialect, with any token: may not give or take protected tags.
    Dialect,
}
