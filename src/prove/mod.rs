//! Proofs about a policy without a decision on each pair of users: invariants and lints.
//!
//! - An invariant is checked twice: for the existing users by sets (`exhaustive`), and for all possible
//!   users by decision diagrams (`symbolic`).
//! - A lint is a warning about a statement that has no effect, or that is most likely a mistake.
//!
//! Invariant: nothing is guessed. What is reported holds; what would take too long is reported as
//! undecided.

mod diagram;
mod exhaustive;
mod finding;
mod lints;
mod pairwise;
mod pairwise_users;
mod report;
mod symbolic;

pub use diagram::{Budget, BudgetExceededError, Diagram, Diagrams};
pub use lints::{RecordVisitor, lint};

use crate::{
    decide::PairEvaluator,
    diagnostic::{Diagnostic, Diagnostics},
    policy::{Invariant, InvariantScope},
    request::{Condition, Conversation},
    snapshot::{TagId, View},
};

/// Checks invariants against the view of their policy: each that is broken, or that can't be shown to
/// hold, is an error. Costs nothing where there are none.
///
/// The work for all possible users is bounded. Each invariant may take what the others left of a shared
/// budget, and a little of its own, so that one that is hard never starves many that are easy.
pub fn invariants(invariants: &[Invariant], view: &View, problems: &mut Diagnostics) {
    let mut shared = SHARED_STEPS;
    for invariant in invariants {
        let mut budget = Budget { total: shared + OWN_STEPS, ..Budget::default() };
        problems.extend(check(invariant, view, &mut budget));
        shared = shared.min(budget.total);
    }
}

/// The budget that all invariants share, in the steps of [`Budget`].
const SHARED_STEPS: u64 = 20_000_000;

/// The budget of each invariant, in the steps of [`Budget`].
const OWN_STEPS: u64 = 100_000;

fn check(invariant: &Invariant, view: &View, budget: &mut Budget) -> Option<Diagnostic> {
    let conversation = invariant.is_existing.then_some(Conversation::Existing);
    let evaluator = PairEvaluator::new(view, invariant.action, conversation);
    let (from, to) = (resolve_tags(&invariant.from, view), resolve_tags(&invariant.to, view));
    let breach = exhaustive::check(view, &evaluator, invariant.demand, &from, &to);
    let found = (invariant.scope == InvariantScope::All)
        .then(|| symbolic::check(view, &evaluator, invariant.demand, &from, &to, budget));
    report::InvariantReport { invariant, view, evaluator: &evaluator }
        .render(breach.as_ref(), found)
}

/// The condition of an invariant over the tags of a view, which has numbered every tag that its policy
/// names; one without a number would be a tag that no user has.
fn resolve_tags(condition: &Condition<String>, view: &View) -> Condition<TagId> {
    condition.map(&mut |name| {
        let tag = view.tags.get(name);
        debug_assert!(tag.is_some());
        tag.unwrap_or(view.tags.vacant())
    })
}
