use serde_json::{Map, Value};

use crate::{
    dialects::{Admission, Failure, NotWritten, Reply, Unread},
    facts::Reason,
};

/// Why a call is not answered with a result: `{"error": {"code", "message", ...}}`.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Refused {
    status: u16,
    /// By the names of its fields.
    error: Map<String, Value>,
    /// The methods that a path takes, if it was another.
    allow: Option<&'static str>,
}

/// Why there is no result.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Stop {
    Refused(Box<Refused>),
    Unread(Unread),
}

impl Refused {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        let mut error = Map::new();
        error.insert("code".to_owned(), code.into());
        error.insert("message".to_owned(), message.into().into());
        Self { status, error, allow: None }
    }

    /// Of a field, or another part of the call, that can't be taken as it is.
    pub(super) fn invalid(at: &str, message: impl Into<String>) -> Self {
        Self::new(400, Reason::Invalid.as_str(), message).with("at", at)
    }

    /// Of a path that takes other methods.
    pub(super) fn method(allow: &'static str) -> Self {
        let message = format!("this path takes {allow}");
        let refused = Self::new(405, "method_not_allowed", message);
        Self { allow: Some(allow), ..refused }
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "not_found", message)
    }

    /// Says more of it.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.error.insert(name.to_owned(), value.into());
        self
    }

    /// Of who is no administrator.
    pub(super) fn admission(admission: Admission) -> Option<Self> {
        match admission {
            Admission::Admitted => None,
            Admission::Missing => {
                let message = format!("{}: send `Authorization: Bearer TOKEN`", admission.why());
                Some(Self::new(401, "unauthorized", message))
            }
            Admission::Wrong => Some(Self::new(401, "unauthorized", admission.why())),
            Admission::Disabled => Some(Self::new(403, "forbidden", admission.why())),
        }
    }

    pub(super) fn reply(&self) -> Reply {
        let error = Value::Object(self.error.clone());
        let mut reply = Reply::json(self.status, &serde_json::json!({ "error": error }));
        reply.headers.extend(self.allow.map(|allow| ("allow", allow.to_owned())));
        reply
    }
}

impl From<&NotWritten> for Refused {
    fn from(not: &NotWritten) -> Self {
        let (status, code) = match not {
            NotWritten::NoStore(_) => (403, "no_store"),
            NotWritten::TooLarge(_) => (413, "too_large"),
            NotWritten::Contended(_) | NotWritten::Unavailable(_) => (503, "unavailable"),
        };
        Self::new(status, code, not.to_string())
    }
}

impl From<&Failure> for Refused {
    fn from(failure: &Failure) -> Self {
        let (status, code) = match failure {
            Failure::TooLarge(_) => (413, "too_large"),
            Failure::Encoded(_) => (415, "unsupported"),
            Failure::Late(_) => (408, "late"),
            Failure::Cut(_) => (400, "invalid"),
            Failure::Unavailable(_) => (503, "unavailable"),
        };
        Self::new(status, code, failure.to_string())
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(Box::new(refused))
    }
}

impl From<Unread> for Stop {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}
