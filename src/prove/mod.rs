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

pub use diagram::{Diagram, Diagrams, Effort, TooHard};
pub use lints::lint;

use crate::{
    decide::Judge,
    diagnostic::{Code, Diagnostic, Diagnostics},
    policy::{Demand, Invariant, Scope},
    request::Condition,
    snapshot::{Rule, TagId, View},
};

use population::Breach;
use possible::Counterexample;

/// Checks invariants against the view of their policy: each that is broken, or can't be told to hold,
/// is an error. Costs nothing where there are none.
pub fn invariants(invariants: &[Invariant], view: &View, problems: &mut Diagnostics) {
    for invariant in invariants {
        // Each has its own bound: how many there are decides nothing.
        problems.extend(check(invariant, view, &mut Effort::default()));
    }
}

fn check(invariant: &Invariant, view: &View, effort: &mut Effort) -> Option<Diagnostic> {
    let judge = Judge::new(view, invariant.action, None);
    let (from, to) = (bind(&invariant.from, view), bind(&invariant.to, view));
    if let Some(breach) = population::check(view, &judge, invariant.demand, &from, &to) {
        return Some(of_population(invariant, view, &judge, &breach));
    }
    if invariant.scope == Scope::Population {
        return None;
    }
    if let Ok(found) = possible::check(&judge, invariant.demand, &from, &to, effort) {
        return Some(of_possible(invariant, view, &found?));
    }
    let message = format!("{} can't be shown to hold", title(invariant));
    Some(
        Diagnostic::error(Code::NotDecided, invariant.span, message)
            .label("not decided: whether it holds for all possible users takes too long to tell")
            .hint(
                "it holds for the users there are; simplify the conditions, or limit it to these \
                 with `scope: population`",
            ),
    )
}

/// Every tag that an invariant names was numbered; a number that no one has stands for no user.
fn bind(condition: &Condition<String>, view: &View) -> Condition<TagId> {
    condition.map(&mut |name| view.tags.get(name).unwrap_or(TagId(u32::MAX)))
}

fn title(invariant: &Invariant) -> String {
    match &invariant.name {
        Some(name) => format!("the invariant `{}`", name.escape_debug()),
        None => "this invariant".to_owned(),
    }
}

fn broken(invariant: &Invariant) -> Diagnostic {
    let message = format!("{} is broken: {invariant}", title(invariant));
    Diagnostic::error(Code::BrokenInvariant, invariant.span, message)
}

fn of_population(
    invariant: &Invariant,
    view: &View,
    judge: &Judge<'_>,
    breach: &Breach,
) -> Diagnostic {
    let id = |user: &u32| format!("`{}`", view.population.directory.id(*user).escape_debug());
    let verb = if invariant.demand == Demand::Never { "may" } else { "may not" };
    match breach {
        Breach::Pairs(pairs) => {
            let told: Vec<String> =
                pairs.iter().map(|(one, other)| format!("{} to {}", id(one), id(other))).collect();
            let label = format!("{verb} {}: {}", invariant.action, told.join(", "));
            let rules = match pairs.first() {
                Some(&(one, other)) if invariant.demand == Demand::Never => {
                    judge.opening(one, other)
                }
                _ => Vec::new(),
            };
            let problem = broken(invariant).label(label);
            match rules.first() {
                Some(rule) => problem.hint(format!("the rule {} lets them", rule_name(rule))),
                None => problem.hint("`peerage decide --explain` tells why"),
            }
        }
        Breach::Orphans(users, count) => {
            let told: Vec<String> = users.iter().map(id).collect();
            let more = if *count > users.len() as u64 { ", ..." } else { "" };
            let label = format!("{count} who reach nobody: {}{more}", told.join(", "));
            broken(invariant).label(label)
        }
    }
}

fn of_possible(invariant: &Invariant, view: &View, found: &Counterexample<'_>) -> Diagnostic {
    let verb = if invariant.demand == Demand::Never { "may" } else { "may not" };
    let subject = tag_list(view, &found.subject);
    let label = match &found.other {
        Some(other) => format!(
            "a user with the tags {subject} {verb} {} to one with {}",
            invariant.action,
            tag_list(view, other)
        ),
        None => format!("a user with the tags {subject} would reach nobody"),
    };
    let rule = found
        .rule
        .map_or_else(String::new, |rule| format!("the rule {} lets him; ", rule_name(rule)));
    broken(invariant)
        .label(label)
        .hint(format!("{rule}the users there are keep it: `scope: population` limits it to them"))
}

/// Tags in brackets, in the order of their names.
fn tag_list(view: &View, tags: &[TagId]) -> String {
    let mut names: Vec<&str> = tags.iter().map(|&tag| view.tags.name(tag)).collect();
    names.sort_unstable();
    format!("[{}]", names.join(", "))
}

fn rule_name(rule: &Rule) -> String {
    match &rule.name {
        Some(name) => format!("`{}`", name.escape_debug()),
        None => rule.id.to_string(),
    }
}
