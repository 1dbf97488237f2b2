//! Answers: always status 200, with the result in the body.

use serde_json::{Map, Value};

use super::codes::{CallFamily, TencentCode};
use crate::{
    dialects::{Backend, BackendError, DialectError, Reply, Step, Stop},
    facts::{CommandError, Hint, RefusalReason, WriteError, WriteErrorKind},
    request::Reason,
};

/// The members of an answer or of one of its items, in order.
pub(super) type ReplyFields = Map<String, Value>;

/// The error of a call, or of an item of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TencentError {
    pub(super) code: TencentCode,
    /// `ErrorInfo`, or `ResultInfo` of an item.
    pub(super) info: String,
}

/// The reason why a call is not handled to its end.
pub(super) type TencentStop = Stop<TencentError>;

impl DialectError for TencentError {}

/// The next step of a call, or the reason why it ends early.
pub(super) type TencentResult = Result<Step<Reply>, TencentStop>;

/// The next step of a call; an error of its own becomes an answer.
pub(super) fn settle(answered: TencentResult) -> Result<Step<Reply>, BackendError> {
    Step::settle(answered, |error| error.reply())
}

/// Reads facts: at once if that is quick, or else as a blocking step.
pub(super) fn read_or_defer(
    is_quick: bool,
    backend: &dyn Backend,
    look: impl Fn(&dyn Backend) -> TencentResult + Send + Sync + 'static,
) -> TencentResult {
    if is_quick { look(backend) } else { Ok(Step::blocking(move |backend| settle(look(backend)))) }
}

impl TencentError {
    pub(super) fn new(code: TencentCode, info: impl Into<String>) -> Self {
        Self { code, info: info.into() }
    }

    /// The documentation's named error of a call like `FriendAdd`.
    pub(super) fn named(code: TencentCode, call: &str, name: &str) -> Self {
        Self::new(code, format!("Err_SNS_{call}_{name}"))
    }

    /// The error for a refusal that the call has no code of its own for.
    pub(super) fn from_refusal(family: CallFamily, refusal: &CommandError) -> Self {
        let code = match refusal.reason {
            RefusalReason::Denied(reason) => match reason {
                Reason::UnknownSubject | Reason::UnknownResource => family.account(),
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
                | Reason::Stale => family.parameter(),
            },
            RefusalReason::StatedByFile => family.stated(),
            // Tencent's documentation has one code for all other refusals.
            RefusalReason::UnknownTag
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
            | RefusalReason::NotApplied => family.parameter(),
        };
        Self::new(code, refusal_message(refusal))
    }

    pub(super) fn from_write_error(family: CallFamily, why: &WriteError) -> Self {
        let code = match why.kind() {
            WriteErrorKind::NoStore => TencentCode::Disabled,
            WriteErrorKind::TooLarge => family.parameter(),
            WriteErrorKind::Contended => family.conflict(),
            WriteErrorKind::Unavailable => family.internal(),
        };
        Self::new(code, why.to_string())
    }

    /// The answer to a call that failed as a whole.
    pub(super) fn reply(&self) -> Reply {
        Reply::json(
            200,
            &Value::Object(with_status(ReplyFields::new(), "FAIL", self.code.number(), &self.info)),
        )
    }
}

/// The answer to a call that succeeded, with these members.
pub(super) fn success_reply(members: ReplyFields) -> Reply {
    Reply::json(200, &Value::Object(with_status(members, "OK", 0, "")))
}

fn with_status(mut members: ReplyFields, status: &str, code: u32, info: &str) -> ReplyFields {
    members.insert("ActionStatus".to_owned(), status.into());
    members.insert("ErrorCode".to_owned(), code.into());
    members.insert("ErrorInfo".to_owned(), info.into());
    members.insert("ErrorDisplay".to_owned(), "".into());
    members
}

/// The members of an answer, in this order.
pub(super) fn reply_fields<const N: usize>(each: [(&str, Value); N]) -> ReplyFields {
    each.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The message of a refusal, with Tencent's calls in its hint.
pub(super) fn refusal_message(refusal: &CommandError) -> String {
    refusal.message_with(|hint| match hint {
        Hint::CreateUser => "import the account with account_import".to_owned(),
        other => other.to_string(),
    })
}
