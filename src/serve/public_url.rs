//! The public URL, and AuthZEN's metadata below it.

use std::str::FromStr;

use hyper::{Uri, body::Bytes};
use serde_json::json;
use thiserror::Error;

use super::host::HostName;

/// The path of the metadata; the path of a public URL may follow it.
pub(super) const WELL_KNOWN: &str = "/.well-known/authzen-configuration";

/// The public URL: the base of the URLs in the metadata, since the daemon may be behind a proxy.
#[derive(Clone, Debug)]
pub struct PublicUrl {
    /// The URL as it was given: clients compare it byte by byte.
    text: String,
    /// The path, without a slash at the end.
    path: String,
    /// `None` if the host is an address.
    host: Option<HostName>,
}

/// The error for a text that is not a public URL.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum PublicUrlError {
    #[error("a public URL must begin with https:// or http:// and a host")]
    Form,
    #[error("a public URL can't have a query or a fragment")]
    Query,
    #[error("a public URL can't have user information, as everyone may read it")]
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
    /// The path, without a slash at the end.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The host, if it is a name.
    pub(super) fn host(&self) -> Option<HostName> {
        self.host.clone()
    }

    /// The metadata in JSON: the URL of each endpoint.
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
