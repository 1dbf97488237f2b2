//! Lints about conditions that no user can meet, or that every user meets.

use std::collections::HashMap;

use crate::{
    diagnostic::{Code, Diagnostic},
    request::Condition,
    snapshot::TagId,
    source::Span,
    syntax::ast::{Expr, Item, Outcome, SettingsSection},
};

use super::{LintedRule, Linter, Satisfiability, bind};

pub(super) fn lint(linter: &mut Linter<'_, '_>) {
    let mut rules = std::mem::take(&mut linter.rules);
    for rule in &mut rules {
        rule.satisfiability = linter.satisfiability(&rule.condition);
        let (span, place) = (rule.ast.condition.span, rule.ast.span);
        match rule.satisfiability {
            _ if says_so(&rule.condition) => {}
            Satisfiability::Never => {
                let message = format!("{} can never allow anything", rule.name());
                let problem = Diagnostic::warning(Code::DeadAlways, span, message)
                    .label("no user can meet this, whatever their tags")
                    .hint("correct the condition, or remove the rule");
                linter.warn(place, problem);
            }
            Satisfiability::Always => linter.warn(place, always_holds(span)),
            Satisfiability::NotDecided => {
                linter.report_undecided(place, span, "whether this condition can be met");
            }
            Satisfiability::Sometimes(_) => {}
        }
    }
    rules.iter().for_each(|rule| check_outcome(linter, rule));
    linter.rules = rules;
    for item in linter.items {
        match item {
            Item::Settings(section) => match section.section {
                SettingsSection::Moderation | SettingsSection::Permissions => {
                    for entry in &section.entries {
                        check_condition(linter, entry.key.span, &entry.value);
                    }
                }
                SettingsSection::Blocks | SettingsSection::Friendship | SettingsSection::Limits => {
                }
            },
            Item::Peers(peers) => {
                peers
                    .modes
                    .iter()
                    .for_each(|mode| check_condition(linter, mode.when.span, &mode.when));
            }
            Item::Invariant(invariant) => {
                check_condition(linter, invariant.span, &invariant.from);
                check_condition(linter, invariant.span, &invariant.to);
            }
            Item::Barrier(barrier) => {
                check_condition(linter, barrier.name.span, &barrier.from);
                check_condition(linter, barrier.name.span, &barrier.to);
            }
            Item::Accepts(accepts) => {
                accepts
                    .modes
                    .iter()
                    .for_each(|mode| check_condition(linter, mode.when.span, &mode.when));
            }
            Item::Group(group) => {
                if let Some(requires) = &group.requires {
                    check_condition(linter, group.id.span, requires);
                }
            }
            // Rules are checked above, matrices as matrices, relation conditions with their statements,
            // and records below.
            Item::Tags(_)
            | Item::ProtectedTags(_)
            | Item::Rules(_)
            | Item::Rule(_)
            | Item::RuleSet(_)
            | Item::Audience(_)
            | Item::Action(_)
            | Item::Window(_)
            | Item::Word(_)
            | Item::Matrix(_)
            | Item::User(_)
            | Item::Conversation(_)
            | Item::Lints(_) => {}
        }
    }
    check_records(linter);
}

/// Checks the outcome of a rule where it is a condition.
fn check_outcome(linter: &mut Linter<'_, '_>, rule: &LintedRule<'_, '_>) {
    let Some(Outcome::Condition(expr)) = &rule.ast.outcome else { return };
    let Some(outcome) = rule.reached.as_ref().filter(|it| !says_so(it)) else { return };
    let state = linter.satisfiability(outcome);
    let problem = match state {
        Satisfiability::Never => {
            let message = format!("{} can never allow anything", rule.name());
            Some(
                Diagnostic::warning(Code::DeadAlways, expr.span, message)
                    .label("no user can meet this outcome, whatever their tags")
                    .hint("correct the outcome, or remove the rule"),
            )
        }
        _ => verdict(linter, &state, rule.ast.span, expr.span),
    };
    if let Some(problem) = problem {
        linter.warn(rule.ast.span, problem);
    }
}

fn check_condition(linter: &mut Linter<'_, '_>, statement: Span, expr: &Expr<'_>) {
    let Some(condition) = bind::condition(expr, &linter.view.tags) else { return };
    if says_so(&condition) {
        return;
    }
    let state = linter.satisfiability(&condition);
    if let Some(problem) = verdict(linter, &state, statement, expr.span) {
        linter.warn(statement, problem);
    }
}

/// Whether a condition says by its word that it always or never holds, so that it is meant.
fn says_so(condition: &Condition<TagId>) -> bool {
    matches!(condition, Condition::Everyone | Condition::Nobody)
}

/// The diagnostic of a condition; one that is left undecided is reported at once.
fn verdict(
    linter: &mut Linter<'_, '_>,
    state: &Satisfiability,
    statement: Span,
    span: Span,
) -> Option<Diagnostic> {
    match state {
        Satisfiability::Never => Some(never_holds(span)),
        Satisfiability::Always => Some(always_holds(span)),
        Satisfiability::NotDecided => {
            linter.report_undecided(statement, span, "whether this condition can be met");
            None
        }
        Satisfiability::Sometimes(_) => None,
    }
}

pub(super) fn never_holds(span: Span) -> Diagnostic {
    Diagnostic::warning(Code::NeverHolds, span, "this can never hold")
        .label("no user can meet this, whatever their tags")
}

fn always_holds(span: Span) -> Diagnostic {
    Diagnostic::warning(Code::AlwaysHolds, span, "this always holds")
        .label("every user meets this, whatever their tags")
}

/// Checks the switches that users' records set, each distinct condition once, and reports it at the
/// first record with it.
fn check_records(linter: &mut Linter<'_, '_>) {
    let view = linter.view;
    let mut states: HashMap<&Condition<TagId>, (Satisfiability, u64)> = HashMap::new();
    let built_in = view.population.switch_conditions().map(|(_, _, condition)| condition);
    for condition in built_in.chain(view.population.own_switches.conditions()) {
        let entry = states.entry(condition);
        entry.or_insert_with(|| (linter.satisfiability(condition), 0)).1 += 1;
    }
    states.retain(|condition, (state, _)| {
        !says_so(condition) && !matches!(state, Satisfiability::Sometimes(_))
    });
    if states.is_empty() {
        return;
    }
    let records = linter.records;
    records(&mut |user| {
        for setting in user.more.iter().flat_map(|more| &more.permissions) {
            let condition = bind::condition(&setting.value, &view.tags).map(|mut condition| {
                view.windows.resolve(&mut condition);
                condition
            });
            let Some((state, count)) = condition.and_then(|it| states.remove(&it)) else {
                continue;
            };
            let (statement, span) = (setting.key.span, setting.value.span);
            let problem = verdict(linter, &state, statement, span);
            if let Some(mut problem) = problem {
                if count > 1 {
                    problem =
                        problem.hint(format!("{count} switches in records have this condition"));
                }
                linter.warn(statement, problem);
            }
        }
    });
}
