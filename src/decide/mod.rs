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
    gates::{GATES, Pair, Party, Scene},
    request::{Decision, Request},
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
    let scene = Scene::set(view, request);
    let subject = Party::find(view, &request.subject);
    let other = scene.other(request).map(|user| Party::find(view, user));
    let pair = Pair::new(view, &scene, &subject, other.as_ref());
    judge(view, &scene, &pair)
}

#[inline]
fn judge(view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Decision {
    match GATES.iter().find_map(|gate| gate.check(view, scene, pair)) {
        Some(reason) => Decision::denied(reason),
        None => allowed(view, scene, pair),
    }
}

fn allowed(view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Decision {
    let obligation = GATES.iter().find_map(|gate| gate.obligation(view, scene, pair));
    Decision { obligation, ..Decision::ALLOWED }
}
