//! Errors of Venueless: a code, and a message where the code does not say it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    dialects::{DialectError, Stop},
    facts::{CommandError, RefusalReason, WriteError, WriteErrorKind},
    request::Reason,
};

/// An error of Venueless.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct VenuelessError {
    code: Cow<'static, str>,
    /// The problem and how to correct it, where the code does not say it.
    message: Option<String>,
}

/// The reason why a call is not handled to its end.
pub(super) type VenuelessStop = Stop<VenuelessError>;

impl DialectError for VenuelessError {}

impl VenuelessError {
    pub(super) fn new(code: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.into(), message: None }
    }

    /// Whether the error refuses the credential of a login.
    pub(super) fn refuses_credential(&self) -> bool {
        matches!(&*self.code, "auth.invalid_token" | "auth.expired_token")
    }

    pub(super) fn with_message(self, message: &impl ToString) -> Self {
        Self { message: Some(message.to_string()), ..self }
    }

    /// The error of a malformed frame or payload.
    pub(super) fn malformed(message: &impl ToString) -> Self {
        Self::new("protocol.invalid_message").with_message(message)
    }

    /// The error of a command that the user may not use.
    pub(super) fn denied() -> Self {
        Self::new("auth.denied").with_message(&"Permission denied.")
    }

    pub(super) fn not_found() -> Self {
        Self::new("user.not_found")
    }

    /// The error of a command about oneself; `command` is its name.
    pub(super) fn self_target(command: &str) -> Self {
        Self::new(format!("{command}.self"))
    }

    /// The error for a refusal; `command` is the name of the command.
    pub(super) fn from_refusal(command: &str, refusal: &CommandError) -> Self {
        match refusal.reason {
            RefusalReason::Denied(reason) => match reason {
                Reason::OneSelf => Self::self_target(command),
                Reason::UnknownResource | Reason::UnknownSubject => Self::not_found(),
                Reason::Banned | Reason::Silenced | Reason::NotManager => Self::denied(),
                Reason::Allowed
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
                | Reason::NotMember
                | Reason::Muted
                | Reason::InviteOnly
                | Reason::RequiredMemberMissing
                | Reason::LastRequiredMember
                | Reason::NeedsAdmin
                | Reason::NeedsSuperAdmin
                | Reason::DeniedByMatrix
                | Reason::SuperAdminProtected
                | Reason::LastSuperAdmin
                | Reason::LastMember
                | Reason::GroupFull
                | Reason::Stale => Self::with_reason(refusal),
            },
            RefusalReason::StatedByFile
            | RefusalReason::UnknownTag
            | RefusalReason::ProtectedTag
            | RefusalReason::UnknownAudience
            | RefusalReason::UnknownMatrix
            | RefusalReason::UnknownRule
            | RefusalReason::BlockListFull
            | RefusalReason::FriendListsFull
            | RefusalReason::NotFriends
            | RefusalReason::NoRequest
            | RefusalReason::NoSuperAdmin
            | RefusalReason::GroupExists
            | RefusalReason::NameTaken
            | RefusalReason::InvalidCondition
            | RefusalReason::InvalidValue
            | RefusalReason::TooLong
            | RefusalReason::TooMany
            | RefusalReason::Invalid
            | RefusalReason::InUse
            | RefusalReason::NotApplied => Self::with_reason(refusal),
        }
    }

    /// The error for a refusal that Venueless has no code for: peerage's own code, with its
    /// message.
    fn with_reason(refusal: &CommandError) -> Self {
        Self::new(format!("user.{}", refusal.reason)).with_message(&refusal_message(refusal))
    }

    pub(super) fn from_write_error(why: &WriteError) -> Self {
        let code = match why.kind() {
            WriteErrorKind::NoStore => "server.no_store",
            WriteErrorKind::TooLarge => "user.too_long",
            WriteErrorKind::Contended | WriteErrorKind::Unavailable => "server.unavailable",
        };
        Self::new(code).with_message(why)
    }

    /// The JSON form in a frame.
    pub(super) fn to_json(&self) -> Value {
        let mut into = Map::new();
        into.insert("code".to_owned(), self.code.as_ref().into());
        if let Some(message) = &self.message {
            into.insert("message".to_owned(), message.as_str().into());
        }
        Value::Object(into)
    }
}

/// The message of a refusal, without the names of commands that Venueless does not have.
pub(super) fn refusal_message(refusal: &CommandError) -> String {
    refusal.message_with(ToString::to_string)
}
