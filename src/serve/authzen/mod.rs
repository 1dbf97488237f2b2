//! OpenID AuthZEN Authorization API 1.0, whole: evaluation, evaluations, the three searches and the
//! metadata.
//!
//! What comes over the wire (`wire`) is read part by part (`question`, `properties`, `reading`) and becomes a
//! request like any other. What is malformed gets a 400; what is well-formed and can't be judged is
//! not permitted, since the standard knows no other answer to it.

mod evaluation;
mod evaluation_parts;
mod evaluations;
mod messages;
mod metadata;
mod paging;
mod properties;
mod property_reader;
mod search;
mod verdict;

pub use metadata::{PublicUrl, PublicUrlError};
pub use property_reader::PropertyNames;
pub(super) use {
    evaluation::evaluation,
    evaluations::{evaluations, work_class},
    metadata::WELL_KNOWN,
    search::{search_action, search_resource, search_subject},
};

use hyper::header::HeaderName;

/// A caller's own name for a request; it comes back with the answer.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
