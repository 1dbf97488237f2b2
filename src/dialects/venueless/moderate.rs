use serde_json::json;

use super::{Asked, Done, Notice, problem::Problem};
use crate::{
    dialects::{Step, Wrote},
    facts::{Command, Op},
};

/// What managers do to others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Ban,
    Silence,
    Reactivate,
    Delete,
}

impl Kind {
    const fn command(self) -> &'static str {
        match self {
            Self::Ban => "user.ban",
            Self::Silence => "user.silence",
            Self::Reactivate => "user.reactivate",
            Self::Delete => "user.delete",
        }
    }
}

impl Asked<'_> {
    pub(super) fn moderate(&self, kind: Kind) -> Done {
        self.must_manage()?;
        let user = self.payload.user()?;
        // No gate stands before a deletion that would say so.
        if kind == Kind::Delete && user == *self.user {
            return Err(Problem::oneself(kind.command()).into());
        }
        let notices = match kind {
            Kind::Reactivate => Vec::new(),
            _ => vec![Notice::Reload { user: user.clone() }],
        };
        let op = match kind {
            Kind::Ban => Op::Ban { user },
            Kind::Silence => Op::Silence { user },
            Kind::Reactivate => Op::Reactivate { user },
            Kind::Delete => Op::DeleteUser { user, only_unused: None },
        };
        Ok(self.act(op, kind.command(), notices))
    }

    pub(super) fn block(&self, blocks: bool) -> Done {
        let (from, to) = (self.user.clone(), self.payload.user()?);
        Ok(if blocks {
            self.act(Op::Block { from, to }, "user.block", Vec::new())
        } else {
            self.act(Op::Unblock { from, to }, "user.unblock", Vec::new())
        })
    }

    /// Does something in the name of who asks for it, and tells others then.
    fn act(&self, op: Op, name: &'static str, notices: Vec<Notice>) -> Step<super::Turn> {
        let back = self.back.clone();
        let command = Command { op, on_behalf: Some(self.user.clone()) };
        Step::write(vec![command], move |wrote, _| {
            let turn = match wrote {
                Wrote::Done { .. } => {
                    super::Turn { notices: notices.clone(), ..back.success(&json!({})) }
                }
                Wrote::Refused { refusal, .. } => back.error(&Problem::refused(name, refusal)),
                Wrote::Failed(why) => back.error(&Problem::not_written(why)),
            };
            Ok(Step::Done(turn))
        })
    }
}
