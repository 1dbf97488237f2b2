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
mod lints;
mod population;
mod possible;
mod told;

pub use diagram::{Diagram, Diagrams, Effort, TooHard};
pub use lints::{Records, lint};

use crate::{
    decide::Judge,
    diagnostic::{Diagnostic, Diagnostics},
    policy::{Invariant, Scope},
    request::Condition,
    snapshot::{TagId, View},
};

/// Checks invariants against the view of their policy: each that is broken, or can't be told to hold,
/// is an error. Costs nothing where there are none.
///
/// The work for all possible users is bounded: each may take what the others left of a common store,
/// and a little of its own, so that many that are easy never fall short of one that is hard.
pub fn invariants(invariants: &[Invariant], view: &View, problems: &mut Diagnostics) {
    let mut store = STORE;
    for invariant in invariants {
        let mut effort = Effort { total: store + OWN, ..Effort::default() };
        problems.extend(check(invariant, view, &mut effort));
        store = store.min(effort.total);
    }
}

/// In steps, as [`Effort`] counts them.
const STORE: u64 = 20_000_000;
const OWN: u64 = 100_000;

fn check(invariant: &Invariant, view: &View, effort: &mut Effort) -> Option<Diagnostic> {
    let judge = Judge::new(view, invariant.action, None);
    let (from, to) = (bind(&invariant.from, view), bind(&invariant.to, view));
    let breach = population::check(view, &judge, invariant.demand, &from, &to);
    let found = (invariant.scope == Scope::All)
        .then(|| possible::check(&judge, invariant.demand, &from, &to, effort));
    told::Told { invariant, view, judge: &judge }.of(breach.as_ref(), found)
}

/// Every tag that an invariant names was numbered; a number that no one has stands for no user.
fn bind(condition: &Condition<String>, view: &View) -> Condition<TagId> {
    condition.map(&mut |name| view.tags.get(name).unwrap_or(TagId(u32::MAX)))
}
