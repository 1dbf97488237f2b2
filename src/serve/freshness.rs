//! Decisions and lists from a view that may be stale, and the marks of stale responses.

use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::response::HttpResponse;
use crate::{
    decide::{self, Explanation, ListCursor},
    live::{Freshness, ServedPolicy},
    request::{Decision, Request},
};

/// The header of responses from a stale view; its value is `true`.
const STALE: HeaderName = HeaderName::from_static("peerage-stale");

/// A view with its freshness, which stays the same for the whole of one response.
#[derive(Clone, Copy, Debug)]
pub(super) struct DecisionView<'v> {
    served: &'v ServedPolicy,
    freshness: Freshness,
}

impl<'v> DecisionView<'v> {
    pub(super) fn new(served: &'v ServedPolicy, freshness: Freshness) -> Self {
        Self { served, freshness }
    }

    /// Whether the served view is stale.
    pub(super) fn is_stale(self) -> bool {
        self.freshness != Freshness::Current
    }

    /// Whether every decision is a denial.
    pub(super) fn denies(self) -> bool {
        self.freshness == Freshness::Denied
    }

    /// The decision of a request.
    #[inline]
    pub(super) fn decide(self, request: &Request<'_>) -> Decision {
        if self.denies() { Decision::STALE } else { decide::decide(&self.served.view, request) }
    }

    /// The explanation of a request's decision; without findings if no gate is evaluated.
    pub(super) fn explain(self, request: &Request<'_>) -> Explanation {
        if self.denies() {
            Explanation::without_gates(Decision::STALE)
        } else {
            decide::explain(&self.served.view, request)
        }
    }

    /// A list of all allowed ids: empty if every decision is a denial.
    pub(super) fn list(self, list: impl FnOnce() -> ListCursor) -> ListCursor {
        if self.denies() { ListCursor::empty() } else { list() }
    }

    /// The JSON member that marks a stale response, after other members; empty if it is not stale.
    pub(super) fn mark(self) -> &'static str {
        if self.is_stale() { r#","stale":true"# } else { "" }
    }
}

impl DecisionView<'_> {
    /// Adds the same member to an object.
    pub(super) fn mark_json(self, object: &mut Value) {
        if let (true, Value::Object(object)) = (self.is_stale(), object) {
            object.insert("stale".to_owned(), Value::Bool(true));
        }
    }
}

/// Marks a response as made from a stale view.
pub(super) fn mark_header(response: &mut HttpResponse) {
    response.headers_mut().insert(STALE, HeaderValue::from_static("true"));
}
