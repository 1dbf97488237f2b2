//! Moderation of other users, and blocking.

use serde_json::json;

use super::{UserCommand, VenuelessResult, error::VenuelessError};
use crate::{
    dialects::{FrameResponse, Notice, Step},
    facts::{Command, Op, WriteOutcome},
};

/// A command of managers about another user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ModerationCommand {
    Ban,
    Silence,
    Reactivate,
    Delete,
}

impl ModerationCommand {
    const fn command(self) -> &'static str {
        match self {
            Self::Ban => "user.ban",
            Self::Silence => "user.silence",
            Self::Reactivate => "user.reactivate",
            Self::Delete => "user.delete",
        }
    }
}

impl UserCommand<'_> {
    pub(super) fn moderate(&self, kind: ModerationCommand) -> VenuelessResult {
        self.require_manager()?;
        let user = self.payload.user()?;
        // No gate refuses users who delete themselves.
        if kind == ModerationCommand::Delete && user == *self.user {
            return Err(VenuelessError::self_target(kind.command()).into());
        }
        let notices = match kind {
            ModerationCommand::Reactivate => Vec::new(),
            ModerationCommand::Ban | ModerationCommand::Silence | ModerationCommand::Delete => {
                vec![Notice::Reload { user: user.clone() }]
            }
        };
        let op = match kind {
            ModerationCommand::Ban => Op::Ban { user },
            ModerationCommand::Silence => Op::Silence { user },
            ModerationCommand::Reactivate => Op::Reactivate { user },
            ModerationCommand::Delete => Op::DeleteUser { user, only_unused: None },
        };
        Ok(self.act(op, kind.command(), notices))
    }

    pub(super) fn block(&self, blocks: bool) -> VenuelessResult {
        let (from, to) = (self.user.clone(), self.payload.user()?);
        Ok(if blocks {
            self.act(Op::Block { from, to }, "user.block", Vec::new())
        } else {
            self.act(Op::Unblock { from, to }, "user.unblock", Vec::new())
        })
    }

    /// The step that writes an operation on behalf of the user, and sends notices if it took
    /// effect.
    fn act(&self, op: Op, name: &'static str, notices: Vec<Notice>) -> Step<FrameResponse> {
        let back = self.back.clone();
        let command = Command { on_behalf: Some(self.user.clone()), ..Command::from(op) };
        Step::write_all(vec![command], move |wrote, _| {
            let turn = match wrote {
                Ok(WriteOutcome::Applied { .. }) => {
                    FrameResponse { notices: notices.clone(), ..back.success(&json!({})) }
                }
                Ok(WriteOutcome::Refused { error: refusal, .. }) => {
                    back.error(&VenuelessError::from_refusal(name, refusal))
                }
                Err(why) => back.error(&VenuelessError::from_write_error(why)),
            };
            Ok(Step::Done(turn))
        })
    }
}
