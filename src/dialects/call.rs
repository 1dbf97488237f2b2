//! Calls as they come from HTTP, and the replies to them.

use super::{Admission, Backend};
use crate::wire::{AccessScope, bearer_token};

/// A call as it came over HTTP.
#[derive(Clone, Copy, Debug)]
pub struct Call<'c> {
    pub method: &'c str,
    /// The path as it was sent, without the query.
    pub path: &'c str,
    /// The query as it was sent; empty if there is none.
    pub query: &'c str,
    /// The `Content-Type`; empty if it is missing or not text.
    pub content_type: &'c str,
    /// The `Authorization` header.
    pub authorization: Option<&'c [u8]>,
    /// Whether the call came by a socket that only administrators can reach.
    pub trusted: bool,
    pub body: &'c [u8],
}

/// A reply to a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    pub status: u16,
    /// The content type; empty if there is no body.
    pub content_type: &'static str,
    /// Further headers, their names in lower case.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Whether the call is refused because it showed no credential, or one that is not sufficient.
    pub refuses_credential: bool,
}

/// The error of a call that the transport could not handle.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CallError {
    #[error("request body exceeds {0} bytes")]
    TooLarge(usize),
    /// The body did not arrive in time.
    #[error("{0}")]
    TimedOut(String),
    /// The connection ended before the whole body had arrived.
    #[error("{0}")]
    Incomplete(String),
    /// The body has a `Content-Encoding`, none of which is supported.
    #[error("{0}")]
    Encoded(String),
    /// The facts can't be read or written now.
    #[error("{0}")]
    Unavailable(String),
}

impl Call<'_> {
    /// The token of `Authorization: Bearer TOKEN`; `None` if there is none.
    pub fn bearer(&self) -> Option<&[u8]> {
        bearer_token(self.authorization?)
    }

    /// The name of the token that a caller showed, for the audit log.
    pub fn caller_label(&self, token: Option<&[u8]>, backend: &dyn Backend) -> String {
        if self.trusted {
            return "socket".to_owned();
        }
        let name = token.and_then(|token| backend.token_name(token));
        name.unwrap_or_else(|| "admin-token".to_owned())
    }

    /// The standing of the caller, who shows this token for a call of this scope; a trusted socket needs none.
    pub fn admission(
        &self,
        token: Option<&[u8]>,
        scope: AccessScope,
        backend: &dyn Backend,
    ) -> Admission {
        if self.trusted { Admission::Admitted } else { backend.admission(token, scope) }
    }
}

impl Reply {
    /// A reply with a JSON body.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        // Serializing a JSON value into memory can't fail.
        let body = serde_json::to_vec(body).unwrap_or_default();
        let content_type = "application/json";
        Self { status, content_type, headers: Vec::new(), body, refuses_credential: false }
    }

    /// A reply without a body.
    pub fn empty(status: u16) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self { status, content_type: "", headers, body, refuses_credential: false }
    }
}
