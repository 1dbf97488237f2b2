//! OpenID AuthZEN Authorization API 1.0: evaluation, evaluations and the three searches.
//!
//! A body (`messages`) is read part by part (`evaluation_parts`, `properties`, `property_reader`) and
//! becomes a request like any other. A malformed one gets a 400; a well-formed one that can't be judged
//! is not permitted, since the standard knows no other answer to it.

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
    evaluations::{evaluations, work_class},
    search::{search_action, search_resource, search_subject},
};
