//! Calls as they come from HTTP, and the replies to them.

use super::{Admission, Backend};
use crate::wire::bearer_token;

/// What a caller sent.
#[derive(Clone, Copy, Debug)]
pub struct Call<'c> {
    pub method: &'c str,
    /// As it was sent, without the query.
    pub path: &'c str,
    /// As it was sent; empty if there is none.
    pub query: &'c str,
    /// `Content-Type`; empty if it is missing, or no text.
    pub content_type: &'c str,
    /// `Authorization`.
    pub authorization: Option<&'c [u8]>,
    /// Whether it came by a socket that only administrators can reach.
    pub trusted: bool,
    pub body: &'c [u8],
}

/// What is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    pub status: u16,
    /// Empty if there is no body.
    pub content_type: &'static str,
    /// By their names in lower case, besides those of the body.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Whether it is so because the caller showed no credential, or one that does not open this.
    pub refuses_credential: bool,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CallError {
    #[error("a body may have {0} bytes")]
    TooLarge(usize),
    /// The body did not come in time.
    #[error("{0}")]
    TimedOut(String),
    /// The body did not come whole.
    #[error("{0}")]
    Incomplete(String),
    /// The body is packed, which its `Content-Encoding` says.
    #[error("{0}")]
    Encoded(String),
    /// What is kept can't be read or written now, or not yet.
    #[error("{0}")]
    Unavailable(String),
}

impl Call<'_> {
    /// The token of `Authorization: Bearer TOKEN`.
    pub fn bearer(&self) -> Option<&[u8]> {
        bearer_token(self.authorization?)
    }

    /// Whether an administrator sent it, who shows this token.
    pub fn admission(&self, token: Option<&[u8]>, backend: &dyn Backend) -> Admission {
        if self.trusted { Admission::Admitted } else { backend.admission(token) }
    }
}

impl Reply {
    /// A body of JSON.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        // Texts, numbers and lists of them: nothing in them can fail.
        let body = serde_json::to_vec(body).unwrap_or_default();
        let content_type = "application/json";
        Self { status, content_type, headers: Vec::new(), body, refuses_credential: false }
    }

    /// No body.
    pub fn empty(status: u16) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self { status, content_type: "", headers, body, refuses_credential: false }
    }
}
