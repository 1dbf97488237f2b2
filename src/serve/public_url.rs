//! The public URL, and AuthZEN's metadata below it.

use std::str::FromStr;

use hyper::{Uri, body::Bytes};
use serde_json::json;
use thiserror::Error;

use super::host::HostName;

/// Where the metadata are found; behind it may stand the path of a public URL.
pub(super) const WELL_KNOWN: &str = "/.well-known/authzen-configuration";

/// Where clients find the daemon: what it says of itself, since it may stand behind a proxy.
#[derive(Clone, Debug)]
pub struct PublicUrl {
    /// As it was given: clients compare it byte by byte.
    text: String,
    /// Its path, without a slash at the end.
    path: String,
    /// `None` if it is an address.
    host: Option<HostName>,
}

/// Why a text is no public URL.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum PublicUrlError {
    #[error("a public URL begins with https:// or http:// and a host")]
    Form,
    #[error("a public URL has no query and no fragment")]
    Query,
    #[error("a public URL names no user: everyone may read it")]
    User,
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        if text.contains(['?', '#']) {
            return Err(PublicUrlError::Query);
        }
        let url: Uri = text.parse().map_err(|_| PublicUrlError::Form)?;
        let host = url.host().unwrap_or_default();
        if !matches!(url.scheme_str(), Some("https" | "http")) || host.is_empty() {
            return Err(PublicUrlError::Form);
        }
        if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(PublicUrlError::User);
        }
        Ok(Self {
            text: text.to_owned(),
            path: url.path().trim_end_matches('/').to_owned(),
            host: host.parse().ok(),
        })
    }
}

impl PublicUrl {
    /// Its path, without a slash at the end.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Its host, if that is a name.
    pub(super) fn host(&self) -> Option<HostName> {
        self.host.clone()
    }

    /// What a client is told: where each API is.
    pub(super) fn metadata(&self) -> Bytes {
        let base = self.text.trim_end_matches('/');
        let metadata = json!({
            "policy_decision_point": self.text,
            "access_evaluation_endpoint": format!("{base}/access/v1/evaluation"),
            "access_evaluations_endpoint": format!("{base}/access/v1/evaluations"),
            "search_subject_endpoint": format!("{base}/access/v1/search/subject"),
            "search_resource_endpoint": format!("{base}/access/v1/search/resource"),
            "search_action_endpoint": format!("{base}/access/v1/search/action"),
        });
        metadata.to_string().into()
    }
}
