//! Conditions that no user can meet, or that every user meets.

use std::collections::HashMap;

use crate::{
    diagnostic::{Code, Diagnostic},
    request::Condition,
    snapshot::TagId,
    source::Span,
    syntax::ast::{Expr, Item, SettingsSection},
};

use super::{Linter, Satisfiability, bind};

pub(super) fn lint(lints: &mut Linter<'_, '_>) {
    let mut rules = std::mem::take(&mut lints.rules);
    for rule in &mut rules {
        rule.satisfiability = lints.satisfiability(&rule.condition);
        let (span, place) = (rule.ast.condition.span, rule.ast.span);
        match rule.satisfiability {
            Satisfiability::Never => {
                let message = format!("{} can never allow anything", rule.name());
                let problem = Diagnostic::warning(Code::DeadAlways, span, message)
                    .label("no user can meet this, whatever their tags")
                    .hint("correct the condition, or remove the rule");
                lints.warn(place, problem);
            }
            Satisfiability::Always => lints.warn(place, always_holds(span)),
            Satisfiability::NotDecided => {
                lints.report_undecided(place, span, "whether this condition can be met");
            }
            Satisfiability::Sometimes(_) => {}
        }
    }
    lints.rules = rules;
    for item in lints.items {
        match item {
            Item::Settings(section)
                if matches!(
                    section.section,
                    SettingsSection::Moderation | SettingsSection::Permissions
                ) =>
            {
                for entry in &section.entries {
                    check_condition(lints, entry.key.span, &entry.value);
                }
            }
            Item::Peers(peers) => {
                peers
                    .modes
                    .iter()
                    .for_each(|mode| check_condition(lints, mode.when.span, &mode.when));
            }
            Item::Invariant(invariant) => {
                check_condition(lints, invariant.span, &invariant.from);
                check_condition(lints, invariant.span, &invariant.to);
            }
            _ => {}
        }
    }
    check_records(lints);
}

fn check_condition(lints: &mut Linter<'_, '_>, statement: Span, expr: &Expr<'_>) {
    let Some(condition) = bind::condition(expr, &lints.view.tags) else { return };
    let state = lints.satisfiability(&condition);
    if let Some(problem) = verdict(lints, &state, statement, expr.span) {
        lints.warn(statement, problem);
    }
}

/// What there is to say of a condition; that it was not decided is said at once.
fn verdict(
    lints: &mut Linter<'_, '_>,
    state: &Satisfiability,
    statement: Span,
    span: Span,
) -> Option<Diagnostic> {
    match state {
        Satisfiability::Never => Some(never_holds(span)),
        Satisfiability::Always => Some(always_holds(span)),
        Satisfiability::NotDecided => {
            lints.report_undecided(statement, span, "whether this condition can be met");
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

/// The switches that records of users set, each distinct condition once: told at the first record that
/// says so.
fn check_records(lints: &mut Linter<'_, '_>) {
    let view = lints.view;
    let mut states: HashMap<&Condition<TagId>, (Satisfiability, u64)> = HashMap::new();
    for (_, _, condition) in view.population.switch_conditions() {
        let entry = states.entry(condition);
        entry.or_insert_with(|| (lints.satisfiability(condition), 0)).1 += 1;
    }
    states.retain(|_, (state, _)| !matches!(state, Satisfiability::Sometimes(_)));
    if states.is_empty() {
        return;
    }
    let records = lints.records;
    records(&mut |user| {
        for setting in user.more.iter().flat_map(|more| &more.permissions) {
            let condition = bind::condition(&setting.value, &view.tags);
            let Some((state, count)) = condition.and_then(|it| states.remove(&it)) else {
                continue;
            };
            let (statement, span) = (setting.key.span, setting.value.span);
            let told = verdict(lints, &state, statement, span);
            if let Some(mut problem) = told {
                if count > 1 {
                    problem =
                        problem.hint(format!("{count} switches in records have this condition"));
                }
                lints.warn(statement, problem);
            }
        }
    });
}
