//! Errors as Matrix has them: a code, a text, and peerage's own fields.

use serde_json::{Value, json};

use crate::{
    dialects::{Admission, CallError, DialectError, Reply, Stop},
    request::{Action, Decision},
};

/// An error of Matrix's API: `{"errcode", "error", ...}`. Synapse passes it on to the client.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct MatrixError {
    status: u16,
    body: Value,
    refuses_credential: bool,
}

/// The reason why a call is not handled to its end.
pub(super) type MatrixStop = Stop<MatrixError>;

impl DialectError for MatrixError {}

impl MatrixError {
    fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        let body = json!({ "errcode": code, "error": message.into() });
        Self { status, body, refuses_credential: false }
    }

    /// A denied action.
    pub(super) fn denied(action: Action, decision: Decision) -> Self {
        let (action, reason) = (action.as_str(), decision.reason.as_str());
        let mut body = json!({
            "errcode": "M_FORBIDDEN",
            "error": format!("{action} is denied by the policy: {reason}"),
            "peerage.action": action,
            "peerage.reason": reason,
        });
        if let Value::Object(members) = &mut body
            && decision.allow
        {
            let error = format!("{action} is allowed only where others are not shown it");
            members.insert("error".to_owned(), error.into());
            let obligations = decision.obligations.to_string();
            members.insert("peerage.obligations".to_owned(), obligations.into());
        }
        Self { status: 403, body, refuses_credential: false }
    }

    /// A caller without a sufficient token. The code is not one of those at which a client forgets its
    /// session: the token is the server's.
    pub(super) fn not_admitted(admission: Admission) -> Self {
        let status = match admission {
            Admission::MissingScope(_) | Admission::Disabled => 403,
            Admission::Admitted | Admission::Missing | Admission::Wrong => 401,
        };
        let error = Self::new(status, "M_FORBIDDEN", admission.message());
        Self { refuses_credential: true, ..error }
    }

    pub(super) fn not_found(message: String) -> Self {
        Self::new(404, "M_UNRECOGNIZED", message)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(405, "M_UNRECOGNIZED", "method not allowed; use POST")
    }

    /// A body that is no JSON, or has something twice.
    pub(super) fn not_json(message: String) -> Self {
        Self::new(400, "M_NOT_JSON", message)
    }

    /// An argument of another shape than the module gives it; `at` is its name.
    pub(super) fn invalid(at: &str, message: impl Into<String>) -> Self {
        let mut error = Self::new(400, "M_BAD_JSON", message);
        if let Value::Object(members) = &mut error.body {
            members.insert("peerage.at".to_owned(), at.into());
        }
        error
    }

    pub(super) fn reply(&self) -> Reply {
        let mut reply = Reply::json(self.status, &self.body);
        reply.refuses_credential = self.refuses_credential;
        if self.status == 405 {
            reply.headers.push(("allow", "POST".to_owned()));
        }
        reply
    }
}

impl From<&CallError> for MatrixError {
    fn from(failure: &CallError) -> Self {
        let (status, code) = match failure {
            CallError::TooLarge(_) => (413, "M_TOO_LARGE"),
            CallError::Encoded(_) => (415, "M_NOT_JSON"),
            CallError::TimedOut(_) => (408, "M_UNKNOWN"),
            CallError::Incomplete(_) => (400, "M_NOT_JSON"),
            CallError::Unavailable(_) => (503, "M_UNKNOWN"),
        };
        Self::new(status, code, failure.to_string())
    }
}
