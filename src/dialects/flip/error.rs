//! Errors of Flip's API, and the id of each reply.

use std::{
    hash::BuildHasher as _,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::quality::RandomState;
use serde_json::{Map, Value, json};
use uuid::{Builder, Uuid};

use crate::{
    dialects::{CallError, DialectError, Reply, Stop},
    facts::{CommandError, FileLine, RefusalReason, TextProblem, WriteError, WriteErrorKind},
    wire::json::JsonError,
};

/// An error of Flip's API: `{"error": {"code", "message", ...}}`.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct FlipError {
    status: u16,
    code: &'static str,
    /// The mistake, and how to correct it.
    message: String,
    /// The place: a field of the body, a part of the path, or a position in the body; empty if the
    /// error is about the call as a whole.
    at: String,
    /// The place in a policy file that declares what would be changed.
    place: Option<Box<FileLine>>,
    /// The mistake in a condition.
    spot: Option<Box<TextProblem>>,
    /// The methods that the path accepts, if the call used another.
    allow: Option<&'static str>,
}

/// The reason why a call is not handled to its end.
pub(super) type FlipStop = Stop<FlipError>;

/// A reply with its own `flip-request-id`.
pub(super) fn with_request_id(mut reply: Reply) -> Reply {
    reply.headers.push(("flip-request-id", request_id().to_string()));
    reply
}

/// A unique id of a reply. It is not secret, so it costs no system call for randomness.
fn request_id() -> Uuid {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static SEEDS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let [high, low] = SEEDS.each_ref().map(|seed| seed.hash_one(number));
    Builder::from_random_bytes((u128::from(high) << 64 | u128::from(low)).to_be_bytes()).into_uuid()
}

impl FlipError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), ..Self::default() }
    }

    /// A part of the call that can't be read.
    pub(super) fn malformed(at: impl Into<String>, message: impl Into<String>) -> Self {
        let (at, message) = (at.into(), message.into());
        Self { status: 400, code: "malformed", message, at, ..Self::default() }
    }

    /// A condition that can't be parsed.
    pub(super) fn condition(spot: TextProblem) -> Self {
        let refusal = CommandError::new(RefusalReason::InvalidCondition, "");
        Self::refused(&CommandError { text_problem: Some(Box::new(spot)), ..refusal }, "")
    }

    pub(super) fn no_endpoint() -> Self {
        let message = "not found; see /sync/interaction-rules, \
                       /sync/interaction-rules/{rule_id} and /sync/users/{id}/tags";
        Self::new(404, "not_found", message)
    }

    pub(super) fn unknown_user(id: &str) -> Self {
        let message =
            format!("no user `{}` is known; PUT their tags to create the user", id.escape_debug());
        Self::new(404, "unknown_user", message)
    }

    pub(super) fn wrong_method(allowed: &'static str) -> Self {
        let message = format!("method not allowed; use {allowed}");
        Self { allow: Some(allowed), ..Self::new(405, "wrong_method", message) }
    }

    pub(super) fn unauthorized(is_shown: bool) -> Self {
        let message = if is_shown {
            "unknown token"
        } else {
            "the token is missing: send `Authorization: Bearer TOKEN`"
        };
        Self::new(401, "unauthorized", message)
    }

    pub(super) fn missing_scope(scope: &str) -> Self {
        let message = format!("the token lacks the scope {scope}");
        Self::new(403, "missing_scope", message)
    }

    pub(super) fn disabled() -> Self {
        let message = "access is disabled; start the daemon with --admin-token-file or \
                       --flip-tokens-file, and send a token from it, or with --admin-uds, and use \
                       that socket";
        Self::new(403, "disabled", message)
    }

    /// A result of commands that holds no id of a rule.
    pub(super) fn missing_outcome() -> Self {
        Self::unavailable("the result of the write is unknown")
    }

    fn unavailable(message: &str) -> Self {
        Self::new(503, "unavailable", message)
    }

    /// A refused command; `at` is the field that holds its tags.
    pub(super) fn refused(refusal: &CommandError, at: &str) -> Self {
        let (status, at) = match refusal.reason {
            RefusalReason::StatedByFile | RefusalReason::NameTaken => (409, ""),
            RefusalReason::UnknownRule => (404, ""),
            RefusalReason::UnknownTag | RefusalReason::ProtectedTag | RefusalReason::TooMany => {
                (400, at)
            }
            RefusalReason::Denied(_)
            | RefusalReason::UnknownAudience
            | RefusalReason::UnknownMatrix
            | RefusalReason::BlockListFull
            | RefusalReason::FriendListsFull
            | RefusalReason::NotFriends
            | RefusalReason::NoRequest
            | RefusalReason::NoSuperAdmin
            | RefusalReason::GroupExists
            | RefusalReason::InvalidCondition
            | RefusalReason::InvalidValue
            | RefusalReason::TooLong
            | RefusalReason::Invalid
            | RefusalReason::InUse
            | RefusalReason::NotApplied => (400, ""),
        };
        let problem = refusal.text_problem.as_ref();
        let at = if problem.is_some() { "condition" } else { at };
        // Hints name no commands, since Flip has none.
        let message = problem.map_or_else(
            || refusal.message_with(ToString::to_string),
            |problem| problem.message.clone(),
        );
        Self {
            status,
            code: refusal.reason.as_str(),
            message,
            at: at.to_owned(),
            place: refusal.place.clone().map(Box::new),
            spot: refusal.text_problem.clone(),
            allow: None,
        }
    }

    pub(super) fn reply(&self) -> Reply {
        let mut error = Map::new();
        error.insert("code".to_owned(), self.code.into());
        error.insert("message".to_owned(), self.message.as_str().into());
        if !self.at.is_empty() {
            error.insert("at".to_owned(), self.at.as_str().into());
        }
        if let Some(spot) = &self.spot {
            let position = json!({ "line": spot.line, "column": spot.column });
            error.insert("position".to_owned(), position);
            error.insert("caret".to_owned(), spot.shown.as_str().into());
        }
        if let Some(FileLine { file, line }) = self.place.as_deref() {
            error.insert("place".to_owned(), json!({ "file": file, "line": line }));
        }
        let mut reply = Reply::json(self.status, &json!({ "error": Value::Object(error) }));
        reply.refuses_credential =
            matches!(self.code, "unauthorized" | "missing_scope" | "disabled");
        reply.headers.extend(self.allow.map(|allow| ("allow", allow.to_owned())));
        with_request_id(reply)
    }
}

impl DialectError for FlipError {}

impl From<JsonError> for FlipError {
    fn from(misread: JsonError) -> Self {
        Self::malformed(misread.at, misread.message)
    }
}

impl From<&WriteError> for FlipError {
    fn from(error: &WriteError) -> Self {
        let message = error.to_string();
        match error.kind() {
            WriteErrorKind::NoStore => Self::new(403, "no_store", message),
            WriteErrorKind::TooLarge => Self::new(413, "too_large", message),
            WriteErrorKind::Contended | WriteErrorKind::Unavailable => Self::unavailable(&message),
        }
    }
}

impl From<&CallError> for FlipError {
    fn from(failure: &CallError) -> Self {
        let message = failure.to_string();
        match failure {
            CallError::TooLarge(_) => Self::new(413, "too_large", message),
            CallError::Encoded(_) => Self::new(415, "unsupported_media_type", message),
            CallError::TimedOut(_) => Self::new(408, "timeout", message),
            CallError::Incomplete(_) => Self::new(400, "malformed", message),
            CallError::Unavailable(_) => Self::unavailable(&message),
        }
    }
}
