//! Walks the gates: one decision, its explanation, and the lists in both directions.
//!
//! Invariant: knows of `gates`, `snapshot` and `request`. It asks every gate alike and knows
//! nothing of what any of them is about.

mod cursor;
mod explain;
mod groups;
mod judge;
mod reach;
mod trace;

pub use crate::gates::{Ends, Sides};
pub use cursor::ListCursor;
pub use explain::{Explanation, GateFinding, MAX_RULES, RuleRef, explain};
pub use groups::{ReachableGroups, allowed_actions, reachable_groups};
pub use judge::PairEvaluator;
pub use reach::{ListPage, Reach, reach, reached_by};
pub use trace::{TraceStep, trace};

use crate::{
    gates::{GateContext, Principal, PrincipalPair, first_closed, obligation},
    request::{Decision, Reason, Request},
    snapshot::View,
};

/// Whether the subject may do this to the resource, and the reason.
///
/// Costs the look-ups of the ids, one of what is between the two, and a few membership tests,
/// however many rules there are; takes no lock and allocates nothing, unless the request brings
/// properties along. A request that does not fit, as one that lacks the `member` its action takes,
/// is denied.
#[inline]
pub fn decide(view: &View, request: &Request<'_>) -> Decision {
    let directory = &view.population.directory;
    let subject = directory.prefetch(request.subject.id);
    let scene = GateContext::resolve(view, request);
    let other = scene.other_user(request).map(|user| (user, directory.prefetch(user.id)));
    let subject = Principal::from_lookup(view, &request.subject, subject);
    let other = other.map(|(user, begun)| Principal::from_lookup(view, user, begun));
    let pair = PrincipalPair::new(view, &scene, &subject, other.as_ref());
    judge(view, &scene, &pair)
}

#[inline]
fn judge(view: &View, scene: &GateContext<'_>, pair: &PrincipalPair<'_, '_>) -> Decision {
    decision(first_closed(view, scene, pair), scene, pair)
}

fn decision(
    closed: Option<Reason>,
    scene: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> Decision {
    match closed {
        Some(reason) => Decision::denied(reason),
        None => Decision { obligation: obligation(scene, pair), ..Decision::ALLOWED },
    }
}
