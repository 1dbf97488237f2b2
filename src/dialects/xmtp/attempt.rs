//! Attempts of a caller to act in a group, and the errors of refused ones.

use serde_json::{Value, json};

use super::error::{XmtpError, XmtpStop};
use crate::{
    dialects::{Backend, Reply},
    facts::{Command, CommandError, Hint, Id, Op, RefusalReason, WriteOutcome, WriteResult},
    request::{Action, GroupPermission, Reason, Request},
};

/// An attempt of a caller, with what its errors report.
#[derive(Clone, Debug)]
pub(super) struct GroupAttempt {
    pub(super) caller: Id,
    pub(super) group: Id,
    /// The permission that the attempt requires.
    pub(super) permission: &'static str,
    /// The metadata field that the attempt would change.
    pub(super) field: Option<String>,
    /// The inboxes that the attempt concerns: none, one for all commands or one for each.
    pub(super) inboxes: Vec<Id>,
}

impl GroupAttempt {
    /// An attempt of the caller in a group.
    pub(super) fn new(caller: Id, group: Id, permission: &'static str) -> Self {
        Self { caller, group, permission, field: None, inboxes: Vec::new() }
    }

    /// A command on behalf of the caller.
    pub(super) fn command(&self, op: Op) -> Command {
        Command { on_behalf: Some(self.caller.clone()), ..Command::from(op) }
    }

    /// The error for a refusal of the command at the index `at`.
    pub(super) fn refusal_error(
        &self,
        at: usize,
        refusal: &CommandError,
        backend: &dyn Backend,
    ) -> XmtpError {
        let inbox = match &*self.inboxes {
            [] => None,
            [one] => Some(one),
            each => each.get(at),
        };
        let is_member = || backend.role(&self.group, &self.caller).is_some();
        let is_leaving = self.permission == "leave";
        let (status, kind) = match refusal.reason {
            RefusalReason::Denied(reason) => match reason {
                Reason::UnknownSubject | Reason::UnknownResource => (404, None),
                // The caller is a member, so another user is not.
                Reason::NotMember if is_member() => (409, None),
                Reason::NotMember if is_leaving => (403, Some("NotAGroupMember")),
                Reason::NotMember => (403, Some("ActorNotMember")),
                Reason::GroupFull => (403, Some("UserLimitExceeded")),
                Reason::LastMember => (403, Some("SingleMemberLeaveRejected")),
                Reason::SuperAdminProtected if is_leaving => {
                    (403, Some("SuperAdminLeaveForbidden"))
                }
                Reason::Allowed
                | Reason::OneSelf
                | Reason::Banned
                | Reason::Silenced
                | Reason::NotManager
                | Reason::OutgoingOff
                | Reason::IncomingOff
                | Reason::PermissionOff
                | Reason::BlockedByResource
                | Reason::BlockedBySubject
                | Reason::PeersSubject
                | Reason::PeersResource
                | Reason::NotInAudience
                | Reason::Barrier
                | Reason::NoRule
                | Reason::AlreadyFriends
                | Reason::RequestsRefused
                | Reason::FriendListFull
                | Reason::BannedFromGroup
                | Reason::AlreadyMember
                | Reason::Muted
                | Reason::InviteOnly
                | Reason::RequiredMemberMissing
                | Reason::LastRequiredMember
                | Reason::NeedsAdmin
                | Reason::NeedsSuperAdmin
                | Reason::DeniedByMatrix
                | Reason::SuperAdminProtected
                | Reason::LastSuperAdmin
                | Reason::Stale => (403, Some("InsufficientPermissions")),
            },
            RefusalReason::TooLong => (400, Some("TooManyCharacters")),
            RefusalReason::Invalid
            | RefusalReason::InvalidValue
            | RefusalReason::TooMany
            | RefusalReason::UnknownAudience
            | RefusalReason::UnknownMatrix => (400, None),
            RefusalReason::StatedByFile
            | RefusalReason::UnknownTag
            | RefusalReason::ProtectedTag
            | RefusalReason::UnknownRule
            | RefusalReason::BlockListFull
            | RefusalReason::FriendListsFull
            | RefusalReason::NotFriends
            | RefusalReason::NoRequest
            | RefusalReason::NoSuperAdmin
            | RefusalReason::GroupExists
            | RefusalReason::NameTaken
            | RefusalReason::InvalidCondition
            | RefusalReason::InUse
            | RefusalReason::NotApplied => (409, None),
        };
        let message = match status {
            403 => self.denial_message(&refusal_message(refusal)),
            404 => unknown_message(backend, &self.caller, &self.group, inbox)
                .unwrap_or_else(|| refusal_message(refusal)),
            _ => refusal_message(refusal),
        };
        let mut refused = XmtpError::new(status, refusal.reason.as_str(), message);
        if let Some(kind) = kind {
            refused = refused.with("kind", kind);
        }
        refused = refused.with("permission", self.permission);
        if let Some(field) = &self.field {
            refused = refused.with("field", field.as_str());
        }
        if let Some(inbox) = inbox {
            refused = refused.with("inboxId", &**inbox);
        }
        if let Some(place) = &refusal.place {
            refused = refused.with("place", json!({ "file": place.file, "line": place.line }));
        }
        refused
    }

    /// A refusal with a code of XMTP's own.
    pub(super) fn forbidden(&self, code: &str, kind: &str, message: &str) -> XmtpError {
        let refused = XmtpError::new(403, code, self.denial_message(message));
        let refused = refused.with("kind", kind).with("permission", self.permission);
        match &self.field {
            Some(field) => refused.with("field", field.as_str()),
            None => refused,
        }
    }

    /// Checks that the gates allow a request, before any other checks.
    pub(super) fn check(
        &self,
        request: &Request<'_>,
        backend: &dyn Backend,
    ) -> Result<(), XmtpError> {
        let decision = backend.decide(request);
        if decision.allow {
            return Ok(());
        }
        let message = format!("`{}` may not: {}", self.caller.escape_debug(), decision.reason);
        Err(self.refusal_error(0, &CommandError::new(decision.reason, message), backend))
    }

    /// Whether a known user is not a member of the group, and the caller is.
    pub(super) fn is_absent(&self, inbox: &Id, backend: &dyn Backend) -> bool {
        backend.knows_user(inbox)
            && backend.role(&self.group, inbox).is_none()
            && backend.role(&self.group, &self.caller).is_some()
    }

    /// Checks that the caller may take from a user what they don't have, which then changes nothing: XMTP
    /// does not refuse it, where decisions are about members alone.
    ///
    /// # Errors
    /// If the caller lacks the permission.
    pub(super) fn check_no_removal(
        &self,
        action: Action,
        inbox: &Id,
        backend: &dyn Backend,
    ) -> Result<(), XmtpError> {
        // The caller is a member, and stands in for who is none.
        let request = Request::in_group(&self.caller, action, &self.group);
        let request = Request { member: Some((&*self.caller).into()), ..request };
        let decision = backend.decide(&request);
        let is_granted = match decision.reason {
            Reason::LastSuperAdmin | Reason::LastRequiredMember => true,
            // Asked before the matrix.
            Reason::SuperAdminProtected => {
                let value = backend.permission(&self.group, GroupPermission::RemoveMember, None);
                let role = backend.role(&self.group, &self.caller);
                let tags = backend.tags(&self.caller).unwrap_or_default();
                value.zip(role).is_some_and(|(value, role)| {
                    value.grants(role, &|tag: &String| tags.contains(tag))
                })
            }
            _ => decision.allow,
        };
        if is_granted {
            return Ok(());
        }
        let reason = match decision.reason {
            Reason::SuperAdminProtected => Reason::DeniedByMatrix,
            other => other,
        };
        let message = format!(
            "`{}` may not take it from `{}`: {reason}",
            self.caller.escape_debug(),
            inbox.escape_debug()
        );
        Err(self.refusal_error(0, &CommandError::new(reason, message), backend))
    }

    /// The reply for the result of the commands: that of `done` if they took effect.
    pub(super) fn outcome_reply(
        &self,
        wrote: &WriteResult,
        backend: &dyn Backend,
        done: impl FnOnce() -> Result<Reply, XmtpStop>,
    ) -> Result<Reply, XmtpStop> {
        match wrote {
            Ok(WriteOutcome::Applied { .. }) => done(),
            Ok(WriteOutcome::Refused { index: at, error: refusal, .. }) => {
                Err(self.refusal_error(*at, refusal, backend).into())
            }
            Err(not) => Err(XmtpError::from(not).into()),
        }
    }

    fn denial_message(&self, message: &str) -> String {
        format!("Permission denied: Unable to {}: {message}", self.action_phrase())
    }

    /// The attempt as the SDKs' errors call it.
    fn action_phrase(&self) -> String {
        match (self.permission, self.field.as_deref()) {
            ("update_metadata", Some("group_name")) => "update group name".to_owned(),
            ("update_metadata", Some("description")) => "update group description".to_owned(),
            ("update_metadata", Some("group_image_url_square")) => {
                "update group image url".to_owned()
            }
            ("leave", _) => "leave group".to_owned(),
            ("read", _) => "read group".to_owned(),
            (permission, Some(field)) => {
                format!("{} {}", permission.replace('_', " "), field.escape_debug())
            }
            (permission, None) => permission.replace('_', " "),
        }
    }
}

/// A reply with a result.
pub(super) fn result_reply(status: u16, result: &Value) -> Reply {
    Reply::json(status, &json!({ "result": result }))
}

pub(super) fn unknown_group(group: &str) -> XmtpError {
    let message = format!(
        "no group `{}` is known; create the group with POST /xmtp/groups",
        group.escape_debug()
    );
    XmtpError::new(404, Reason::UnknownResource.as_str(), message)
}

/// The message that names the unknown inbox or group; `None` if all are known.
fn unknown_message(
    backend: &dyn Backend,
    caller: &str,
    group: &str,
    inbox: Option<&Id>,
) -> Option<String> {
    let not_known = |inbox: &&str| !backend.knows_user(inbox);
    if let Some(inbox) = [caller].into_iter().chain(inbox.map(|id| &**id)).find(not_known) {
        let inbox = inbox.escape_debug();
        let message = format!("no inbox `{inbox}` is known; register it with PUT /xmtp/inboxes/");
        return Some(message + "{inboxId}");
    }
    (!backend.knows_group(group)).then(|| {
        format!(
            "no group `{}` is known; create the group with POST /xmtp/groups",
            group.escape_debug()
        )
    })
}

/// The message of a refusal, with XMTP's calls in its hint.
pub(super) fn refusal_message(refusal: &CommandError) -> String {
    refusal.message_with(|hint| match hint {
        Hint::CreateUser => "register the inbox with PUT /xmtp/inboxes/{inboxId}".to_owned(),
        Hint::CreateGroup => "create the group with POST /xmtp/groups".to_owned(),
        other => other.to_string(),
    })
}
