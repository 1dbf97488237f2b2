//! Errors of mesibo's API: a short word, a code and a message.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::{
    dialects::{DialectError, Reply, Stop},
    facts::{CommandError, Hint, RefusalReason, WriteErrorKind, WriteOutcome, WriteResult},
    request::Reason,
    wire::json::JsonError,
};

/// An error of mesibo's API.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct MesiboError {
    error: MesiboErrorCode,
    /// The problem, its place, and how to correct it.
    message: String,
    details: Map<String, Value>,
}

/// The short words of refusals. mesibo documents [`MesiboErrorCode::BadOp`] and [`MesiboErrorCode::TokenBreach`]; the
/// others are peerage's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MesiboErrorCode {
    BadOp,
    TokenBreach,
    /// The daemon has no admin token, so that nobody has access.
    Disabled,
    BadMethod,
    BadJson,
    BadForm,
    /// A required parameter is missing.
    Missing,
    /// A parameter has a wrong type or value.
    BadParam,
    NoUser,
    NoGroup,
    /// The group to be created exists.
    Exists,
    /// A policy file declares what would be changed.
    Stated,
    /// A list or a group is full.
    Full,
    /// A group would lose its last owner, or have none where it needs one.
    Owner,
    Refused,
    TooLarge,
    Late,
    NoStore,
    Unavailable,
}

/// The reason why a call is not handled to its end.
pub(super) type MesiboStop = Stop<MesiboError>;

impl DialectError for MesiboError {}

impl MesiboErrorCode {
    const fn as_str(self) -> &'static str {
        match self {
            Self::BadOp => "BADOP",
            Self::TokenBreach => "TOKENBREACH",
            Self::Disabled => "DISABLED",
            Self::BadMethod => "BADMETHOD",
            Self::BadJson => "BADJSON",
            Self::BadForm => "BADFORM",
            Self::Missing => "MISSING",
            Self::BadParam => "BADPARAM",
            Self::NoUser => "NOUSER",
            Self::NoGroup => "NOGROUP",
            Self::Exists => "EXISTS",
            Self::Stated => "STATED",
            Self::Full => "FULL",
            Self::Owner => "OWNER",
            Self::Refused => "REFUSED",
            Self::TooLarge => "TOOLARGE",
            Self::Late => "LATE",
            Self::NoStore => "NOSTORE",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    /// The numeric code, which is that of the corresponding HTTP status.
    const fn status(self) -> u16 {
        match self {
            Self::BadOp | Self::BadJson | Self::BadForm | Self::Missing | Self::BadParam => 400,
            Self::TokenBreach => 401,
            Self::Disabled | Self::NoStore => 403,
            Self::NoUser | Self::NoGroup => 404,
            Self::BadMethod => 405,
            Self::Late => 408,
            Self::Exists | Self::Stated | Self::Full | Self::Owner | Self::Refused => 409,
            Self::TooLarge => 413,
            Self::Unavailable => 503,
        }
    }
}

impl MesiboError {
    pub(super) fn new(error: MesiboErrorCode, message: impl Into<String>) -> Self {
        Self { error, message: message.into(), details: Map::new() }
    }

    /// The error of the parameter at the path `at`; `problem` is a predicate, as `must be a string`.
    pub(super) fn parameter(error: MesiboErrorCode, at: &str, problem: &str) -> Self {
        Self::new(error, format!("`{}` {problem}", at.escape_debug())).with("at", at)
    }

    /// An error with a message of its own about the parameter at the path `at`.
    pub(super) fn at(error: MesiboErrorCode, at: &str, message: &str) -> Self {
        Self::new(error, format!("`{}`: {message}", at.escape_debug())).with("at", at)
    }

    pub(super) fn missing(at: &str, what: &str) -> Self {
        Self::parameter(MesiboErrorCode::Missing, at, &format!("is missing; give {what}"))
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn from_json(misread: &JsonError) -> Self {
        let (line, column) = misread.line_column;
        let message = format!("line {line}, column {column}: {}", misread.message);
        Self::new(MesiboErrorCode::BadJson, message).with("line", line).with("column", column)
    }

    /// The error of a failed write, if it failed; `paths` has for each command the path of the
    /// parameter that causes it.
    pub(super) fn from_outcome(wrote: &WriteResult, paths: &[String]) -> Option<Self> {
        match wrote {
            Ok(WriteOutcome::Applied { outcomes, .. }) => {
                let mut refused = outcomes.iter().enumerate();
                refused.find_map(|(at, outcome)| {
                    Some(Self::from_refusal(outcome.as_ref().err()?, paths.get(at)))
                })
            }
            Ok(WriteOutcome::Refused { index: at, error: refusal, .. }) => {
                Some(Self::from_refusal(refusal, paths.get(*at)))
            }
            Err(error) => Some(Self::new(
                match error.kind() {
                    WriteErrorKind::NoStore => MesiboErrorCode::NoStore,
                    WriteErrorKind::TooLarge => MesiboErrorCode::TooLarge,
                    WriteErrorKind::Contended | WriteErrorKind::Unavailable => {
                        MesiboErrorCode::Unavailable
                    }
                },
                error.to_string(),
            )),
        }
    }

    fn from_refusal(refusal: &CommandError, path: Option<&String>) -> Self {
        let path = path.map_or("", String::as_str);
        let code = error_code(refusal.reason, path);
        let path = if code == MesiboErrorCode::Exists { "group.gid" } else { path };
        let mut error = Self::at(code, path, &refusal.message_with(hint_text));
        if let Some(place) = &refusal.place {
            error = error.with("place", json!({ "file": place.file, "line": place.line }));
        }
        error.with("reason", refusal.reason.as_str())
    }

    /// The answer to a request with this operation and id.
    pub(super) fn reply(self, op: &str, id: Option<&Value>) -> Reply {
        let mut body = Map::new();
        body.insert("op".to_owned(), op.into());
        body.insert("result".to_owned(), false.into());
        body.insert("error".to_owned(), self.error.as_str().into());
        body.insert("code".to_owned(), self.error.status().into());
        body.insert("message".to_owned(), self.message.into());
        body.extend(self.details);
        if let Some(id) = id {
            body.insert("id".to_owned(), id.clone());
        }
        let refuses_credential =
            matches!(self.error, MesiboErrorCode::TokenBreach | MesiboErrorCode::Disabled);
        Reply { refuses_credential, ..Reply::json(200, &Value::Object(body)) }
    }
}

/// The code of a refused command that the parameter at `path` causes.
fn error_code(reason: RefusalReason, path: &str) -> MesiboErrorCode {
    match reason {
        RefusalReason::Denied(reason) => match reason {
            Reason::UnknownResource if path == "group.gid" => MesiboErrorCode::NoGroup,
            Reason::UnknownSubject | Reason::UnknownResource => MesiboErrorCode::NoUser,
            Reason::GroupFull => MesiboErrorCode::Full,
            Reason::LastSuperAdmin | Reason::SuperAdminProtected => MesiboErrorCode::Owner,
            Reason::OneSelf => MesiboErrorCode::BadParam,
            Reason::Allowed
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
            | Reason::LastMember
            | Reason::Stale => MesiboErrorCode::Refused,
        },
        RefusalReason::GroupExists => MesiboErrorCode::Exists,
        RefusalReason::StatedByFile => MesiboErrorCode::Stated,
        RefusalReason::BlockListFull => MesiboErrorCode::Full,
        RefusalReason::NoSuperAdmin => MesiboErrorCode::Owner,
        RefusalReason::TooLong | RefusalReason::TooMany | RefusalReason::Invalid => {
            MesiboErrorCode::BadParam
        }
        RefusalReason::UnknownTag
        | RefusalReason::ProtectedTag
        | RefusalReason::UnknownAudience
        | RefusalReason::UnknownMatrix
        | RefusalReason::UnknownRule
        | RefusalReason::FriendListsFull
        | RefusalReason::NotFriends
        | RefusalReason::NoRequest
        | RefusalReason::NameTaken
        | RefusalReason::InvalidCondition
        | RefusalReason::InvalidValue
        | RefusalReason::InUse
        | RefusalReason::NotApplied => MesiboErrorCode::Refused,
    }
}

/// The text of a hint, with mesibo's operations.
fn hint_text(hint: &Hint) -> Cow<'static, str> {
    match hint {
        Hint::CreateUser => "create the user with useradd".into(),
        Hint::CreateGroup => "create the group with groupadd".into(),
        Hint::ChooseAnotherGroupId => "change it with groupset".into(),
        Hint::NameAnotherSuperAdmin => "make another member an owner first".into(),
        other => other.to_string().into(),
    }
}
