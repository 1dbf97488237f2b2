//! Walks the gates: one decision, its explanation, and the lists in both directions.
//!
//! Invariant: knows of `gates`, `snapshot` and `request`. It asks every gate alike and knows
//! nothing of what any of them is about.

mod explain;
mod groups;
mod reach;

pub use explain::{Explanation, Finding, RuleRef, explain};
pub use groups::{Groups, actions, groups};
pub use reach::{Page, Reach, reach, reached_by};

use crate::{
    gates::{GATES, Party},
    request::{Decision, Reason, Request, Resource},
    snapshot::View,
};

/// Whether the subject may do this to the resource, and the reason.
///
/// Costs the two look-ups of the ids and a few membership tests, however many rules there are;
/// takes no lock and allocates nothing, unless the request brings tags along.
#[inline]
pub fn decide(view: &View, request: &Request<'_>) -> Decision {
    let subject = Party::find(view, &request.subject);
    let Resource::User(resource) = &request.resource else {
        return Decision::denied(Reason::UnknownResource);
    };
    let resource = Party::find(view, resource);
    GATES
        .iter()
        .find_map(|gate| gate.check(view, &subject, &resource))
        .map_or(Decision::ALLOWED, Decision::denied)
}
