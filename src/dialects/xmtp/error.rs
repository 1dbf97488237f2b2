//! Errors of XMTP's API: a status, a code and a message.

use serde_json::{Map, Value};

use crate::{
    dialects::{Admission, CallError, DialectError, Reply, Stop},
    facts::{RefusalReason, WriteError, WriteErrorKind},
};

/// An error of XMTP's API: `{"error": {"code", "message", ...}}`.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct XmtpError {
    status: u16,
    /// Further fields of the error by their names.
    error: Map<String, Value>,
    /// The methods that the path accepts, if the call used another.
    allow: Option<&'static str>,
}

/// The reason why a call is not handled to its end.
pub(super) type XmtpStop = Stop<XmtpError>;

impl DialectError for XmtpError {}

impl XmtpError {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        let mut error = Map::new();
        error.insert("code".to_owned(), code.into());
        error.insert("message".to_owned(), message.into().into());
        Self { status, error, allow: None }
    }

    /// The error of a field or another part of the call that is invalid.
    pub(super) fn invalid(at: &str, message: impl Into<String>) -> Self {
        Self::new(400, RefusalReason::Invalid.as_str(), message).with("at", at)
    }

    /// The error of a path that accepts other methods.
    pub(super) fn method_not_allowed(allow: &'static str) -> Self {
        let message = format!("method not allowed; use {allow}");
        let refused = Self::new(405, "method_not_allowed", message);
        Self { allow: Some(allow), ..refused }
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "not_found", message)
    }

    /// Adds a field.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.error.insert(name.to_owned(), value.into());
        self
    }

    /// The error of a caller who is not an administrator.
    pub(super) fn from_admission(admission: Admission) -> Option<Self> {
        match admission {
            Admission::Admitted => None,
            Admission::Missing => {
                let message =
                    format!("{}: send `Authorization: Bearer TOKEN`", admission.message());
                Some(Self::new(401, "unauthorized", message))
            }
            Admission::Wrong => Some(Self::new(401, "unauthorized", admission.message())),
            Admission::MissingScope(_) | Admission::Disabled => {
                Some(Self::new(403, "forbidden", admission.message()))
            }
        }
    }

    pub(super) fn reply(&self) -> Reply {
        let error = Value::Object(self.error.clone());
        let mut reply = Reply::json(self.status, &serde_json::json!({ "error": error }));
        reply.headers.extend(self.allow.map(|allow| ("allow", allow.to_owned())));
        reply
    }
}

impl From<&WriteError> for XmtpError {
    fn from(error: &WriteError) -> Self {
        let (status, code) = match error.kind() {
            WriteErrorKind::NoStore => (403, "no_store"),
            WriteErrorKind::TooLarge => (413, "too_large"),
            WriteErrorKind::Contended | WriteErrorKind::Unavailable => (503, "unavailable"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<&CallError> for XmtpError {
    fn from(failure: &CallError) -> Self {
        let (status, code) = match failure {
            CallError::TooLarge(_) => (413, "too_large"),
            CallError::Encoded(_) => (415, "unsupported"),
            CallError::TimedOut(_) => (408, "late"),
            CallError::Incomplete(_) => (400, "invalid"),
            CallError::Unavailable(_) => (503, "unavailable"),
        };
        Self::new(status, code, failure.to_string())
    }
}
