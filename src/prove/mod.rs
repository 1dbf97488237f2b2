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
mod windows;

pub use diagram::{Budget, BudgetExceededError, Diagram, Diagrams};
pub use lints::{RecordVisitor, lint};

use crate::{
    decide::PairEvaluator,
    diagnostic::{Diagnostic, Diagnostics},
    policy::{Invariant, InvariantScope},
    request::{Condition, Conversation, Windows},
    snapshot::{TagId, View},
};
use finding::Counterexample;
use windows::{NamedWindows, WindowStates};

/// Checks invariants against the view of their policy: each that is broken, or that can't be shown to
/// hold, is an error. Costs nothing where there are none.
///
/// They hold at all times: windows may be open or closed. `with_windows` is the same view in which others are open.
///
/// The work for all possible users is bounded. Each invariant may take what the others left of a shared
/// budget, and a little of its own, so that one that is hard never starves many that are easy.
pub fn invariants(
    invariants: &[Invariant],
    view: &View,
    with_windows: &dyn Fn(&View, Windows) -> View,
    problems: &mut Diagnostics,
) {
    if invariants.is_empty() {
        return;
    }
    let named = NamedWindows::of(view, invariants);
    let mut shared = SHARED_STEPS;
    let mut checks: Vec<InvariantCheck<'_>> = Vec::with_capacity(invariants.len());
    for invariant in invariants {
        let mut budget = Budget { total: shared + OWN_STEPS, ..Budget::default() };
        let found = (invariant.scope == InvariantScope::All)
            .then(|| check_possible(invariant, view, &named, &mut budget));
        shared = shared.min(budget.total);
        checks.push(InvariantCheck { invariant, found, breach: None });
    }
    checks.iter_mut().for_each(|check| check.check_existing(view, &named));
    let states = named.other_states(view);
    if let WindowStates::All(states) = &states {
        for state in states {
            if checks.iter().all(|check| check.breach.is_some()) {
                break;
            }
            let view = with_windows(view, state.clone());
            checks.iter_mut().for_each(|check| check.check_existing(&view, &named));
        }
    }
    for check in checks {
        problems.extend(check.finish(view, &states));
    }
}

/// An invariant while it is checked.
struct InvariantCheck<'v> {
    invariant: &'v Invariant,
    /// The result for all possible users.
    found: report::SymbolicResult<'v>,
    /// What is said of the existing users who break it.
    breach: Option<Diagnostic>,
}

impl InvariantCheck<'_> {
    /// Checks the existing users, unless some are known to break it.
    fn check_existing(&mut self, view: &View, named: &NamedWindows) {
        if self.breach.is_some() {
            return;
        }
        let evaluator = evaluator(self.invariant, view);
        let (from, to) = sides(self.invariant, view);
        let demand = self.invariant.demand;
        let Some(breach) = exhaustive::check(view, &evaluator, demand, &from, &to) else { return };
        let windows = named.states(view);
        let report =
            report::InvariantReport { invariant: self.invariant, view, evaluator: &evaluator };
        self.breach = Some(report.render_breach(&breach, self.found.as_ref(), &windows));
    }

    fn finish(self, view: &View, states: &WindowStates) -> Option<Diagnostic> {
        if self.breach.is_some() {
            return self.breach;
        }
        let evaluator = evaluator(self.invariant, view);
        let report =
            report::InvariantReport { invariant: self.invariant, view, evaluator: &evaluator };
        match states {
            WindowStates::TooMany => Some(report.render_too_many_windows()),
            WindowStates::All(_) => report.render(self.found),
        }
    }
}

/// A counterexample among all possible users.
fn check_possible<'v>(
    invariant: &Invariant,
    view: &'v View,
    named: &NamedWindows,
    budget: &mut Budget,
) -> Result<Option<Counterexample<'v>>, BudgetExceededError> {
    let evaluator = evaluator(invariant, view);
    let (from, to) = sides(invariant, view);
    let are_joined = !named.is_empty();
    symbolic::check(view, &evaluator, invariant.demand, (&from, &to), are_joined, budget)
}

fn evaluator<'v>(invariant: &Invariant, view: &'v View) -> PairEvaluator<'v> {
    let conversation = invariant.is_existing.then_some(Conversation::Existing);
    PairEvaluator::new(view, invariant.action, conversation)
}

/// The conditions of an invariant, with windows as they are in a view.
fn sides(invariant: &Invariant, view: &View) -> (Condition<TagId>, Condition<TagId>) {
    let mut sides = [&invariant.from, &invariant.to].map(|side| resolve_tags(side, view));
    sides.iter_mut().for_each(|side| {
        view.windows.resolve(side);
    });
    let [from, to] = sides;
    (from, to)
}

/// The budget that all invariants share, in the steps of [`Budget`].
const SHARED_STEPS: u64 = 20_000_000;

/// The budget of each invariant, in the steps of [`Budget`].
const OWN_STEPS: u64 = 100_000;

/// The condition of an invariant over the tags of a view, which has numbered every tag that its policy
/// names; one without a number would be a tag that no user has.
fn resolve_tags(condition: &Condition<String>, view: &View) -> Condition<TagId> {
    condition.map(&mut |name| {
        let tag = view.tags.get(name);
        debug_assert!(tag.is_some());
        tag.unwrap_or(view.tags.vacant())
    })
}
