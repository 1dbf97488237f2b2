//! Questions to the gates, and the replies to their decisions.

use serde_json::json;

use super::error::MatrixError;
use crate::{
    dialects::{Backend, Reply},
    request::{Action, Decision, Obligation, Request, Resource},
};

/// A question whether a user may perform an action.
#[derive(Debug)]
pub(super) struct Question<'q>(Request<'q>);

/// The decision on a question, with its action.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallbackVerdict {
    action: Action,
    decision: Decision,
}

impl<'q> Question<'q> {
    /// A question about an action that has no resource.
    pub(super) fn alone(subject: &'q str, action: Action) -> Self {
        Self(Request::with_resource(subject, action, Resource::None))
    }

    /// A question about an action on another user.
    pub(super) fn about(subject: &'q str, action: Action, user: &'q str) -> Self {
        Self(Request::with_resource(subject, action, Resource::User(user.into())))
    }

    /// A question about an action in a group.
    pub(super) fn in_group(subject: &'q str, action: Action, group: &'q str) -> Self {
        Self(Request::in_group(subject, action, group))
    }

    /// The same about a member of the group.
    pub(super) fn of_member(self, member: &'q str) -> Self {
        Self(Request { member: Some(member.into()), ..self.0 })
    }

    /// The same about a field of the group's metadata.
    pub(super) fn of_field(self, field: &'q str) -> Self {
        Self(Request { field: Some(field), ..self.0 })
    }

    pub(super) fn decide(&self, backend: &dyn Backend) -> CallbackVerdict {
        CallbackVerdict { action: self.0.action, decision: backend.decide(&self.0) }
    }
}

impl CallbackVerdict {
    /// The verdict on an action that is never refused.
    pub(super) const fn allowed(action: Action) -> Self {
        Self { action, decision: Decision::ALLOWED }
    }

    pub(super) const fn decision(self) -> Decision {
        self.decision
    }

    /// The reply: an empty object if the action is allowed.
    pub(super) fn reply(self) -> Reply {
        // The module can't show a message to its sender alone, so what is to be hidden is refused.
        if !self.decision.allow || self.decision.obligations.contains(Obligation::Hide) {
            return MatrixError::denied(self.action, self.decision).reply();
        }
        Reply::json(200, &json!({}))
    }
}
