//! OpenID AuthZEN Authorization API 1.0: evaluation, evaluations and the three searches.
//!
//! A body (`messages`) is read part by part (`evaluation_parts`, `properties`, `property_reader`) and
//! becomes a request like any other. A malformed body gets a 400; a well-formed one to which no action
//! applies is denied, since the standard has no error for it.

mod evaluation;
mod evaluation_parts;
mod evaluations;
mod messages;
mod paging;
mod properties;
mod property_reader;
mod search;
mod verdict;

pub(super) use {
    evaluation::evaluation,
    evaluations::evaluations,
    search::{search_action, search_resource, search_subject},
};
