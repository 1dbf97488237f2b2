//! A batch of commands to write, and the reply to it.

use super::idempotency::IdempotencyKey;
use crate::facts::{BatchMode, Command, CommandSender, HistoryRecord, WriteOutcome};

/// A batch of commands to carry out.
#[derive(Clone, Debug)]
pub struct WriteBatch {
    pub commands: Vec<Command>,
    /// The sender; commands that act on behalf of no user are its own.
    pub sender: CommandSender,
    pub mode: BatchMode,
    /// The revision that the facts must be of.
    pub if_revision: Option<u64>,
    /// A batch that is sent again under the same key takes effect once.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Entries of another history, to add to that of the commands.
    pub history: Vec<HistoryRecord>,
}

/// The reply to a batch that was carried out or refused.
#[derive(Clone, PartialEq, Debug)]
pub enum WriteReply {
    New(WriteOutcome),
    /// The batch took effect before, under the same idempotency key: the outcomes of that
    /// response.
    Replayed {
        revision: u64,
        outcomes: serde_json::Value,
    },
}
