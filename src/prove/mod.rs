//! What can be shown of a policy without asking about each pair of users: that its invariants hold,
//! and where it says less than it seems to.
//!
//! - An invariant is checked twice: of the users there are (`population`), by sets, and of all that
//!   there may be (`possible`), by decision diagrams.
//! - A lint is a warning about a statement that has no effect, or one that nobody can have meant.
//!
//! Invariant: nothing is guessed. What is said is so; what would take too long is said to be not
//! decided.

mod diagram;
mod exhaustive;
mod lints;
mod report;
mod symbolic;

pub use diagram::{Budget, BudgetExceededError, Diagram, Diagrams};
pub use lints::{RecordVisitor, lint};

use crate::{
    decide::PairEvaluator,
    diagnostic::{Diagnostic, Diagnostics},
    policy::{Invariant, InvariantScope},
    request::Condition,
    snapshot::{TagId, View},
};

/// Checks invariants against the view of their policy: each that is broken, or can't be told to hold,
/// is an error. Costs nothing where there are none.
///
/// The work for all possible users is bounded: each may take what the others left of a common store,
/// and a little of its own, so that many that are easy never fall short of one that is hard.
pub fn invariants(invariants: &[Invariant], view: &View, problems: &mut Diagnostics) {
    let mut store = SHARED_STEPS;
    for invariant in invariants {
        let mut effort = Budget { total: store + OWN_STEPS, ..Budget::default() };
        problems.extend(check(invariant, view, &mut effort));
        store = store.min(effort.total);
    }
}

/// In steps, as [`Budget`] counts them.
const SHARED_STEPS: u64 = 20_000_000;
const OWN_STEPS: u64 = 100_000;

fn check(invariant: &Invariant, view: &View, effort: &mut Budget) -> Option<Diagnostic> {
    let judge = PairEvaluator::new(view, invariant.action, None);
    let (from, to) = (resolve_tags(&invariant.from, view), resolve_tags(&invariant.to, view));
    let breach = exhaustive::check(view, &judge, invariant.demand, &from, &to);
    let found = (invariant.scope == InvariantScope::All)
        .then(|| symbolic::check(&judge, invariant.demand, &from, &to, effort));
    report::InvariantReport { invariant, view, judge: &judge }.render(breach.as_ref(), found)
}

/// Every tag that an invariant names was numbered; a number that no one has stands for no user.
fn resolve_tags(condition: &Condition<String>, view: &View) -> Condition<TagId> {
    condition.map(&mut |name| view.tags.get(name).unwrap_or(TagId(u32::MAX)))
}
