//! Conditions that no user can meet, or that every user meets.

use crate::{
    diagnostic::{Code, Diagnostic},
    request::Condition,
    snapshot::TagId,
    source::Span,
    syntax::ast::{Expr, Item, Mode, SettingsSection},
};

use super::{Diagram, Diagrams, Lints, State, TooHard, bind};

pub(super) fn lint(lints: &mut Lints<'_, '_>) {
    let mut rules = std::mem::take(&mut lints.rules);
    for rule in &mut rules {
        rule.state = lints.state(&rule.condition);
        let (span, place) = (rule.written.condition.span, rule.written.span);
        match rule.state {
            State::Never => {
                let message = format!("{} can never allow anything", rule.name());
                let problem = Diagnostic::warning(Code::DeadAlways, span, message)
                    .label("no user can meet this, whatever his tags")
                    .hint("correct the condition, or remove the rule");
                lints.warn(place, problem);
            }
            State::Always => always(lints, place, span),
            State::NotDecided => {
                lints.not_decided(place, span, "whether this condition can be met");
            }
            State::Sometimes(_) => {}
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
                    single(lints, entry.key.span, &entry.value);
                }
            }
            Item::Peers(peers) => modes(lints, &peers.modes),
            Item::Invariant(invariant) => {
                single(lints, invariant.span, &invariant.from);
                single(lints, invariant.span, &invariant.to);
            }
            _ => {}
        }
    }
}

fn single(lints: &mut Lints<'_, '_>, statement: Span, expr: &Expr<'_>) {
    let Some(condition) = bind::condition(expr, &lints.view.tags) else { return };
    match lints.state(&condition) {
        State::Never => never(lints, statement, expr.span),
        State::Always => always(lints, statement, expr.span),
        State::NotDecided => {
            lints.not_decided(statement, expr.span, "whether this condition can be met");
        }
        State::Sometimes(_) => {}
    }
}

pub(super) fn never(lints: &mut Lints<'_, '_>, statement: Span, span: Span) {
    let problem = Diagnostic::warning(Code::NeverHolds, span, "this can never hold")
        .label("no user can meet this, whatever his tags");
    lints.warn(statement, problem);
}

fn always(lints: &mut Lints<'_, '_>, statement: Span, span: Span) {
    let problem = Diagnostic::warning(Code::AlwaysHolds, span, "this always holds")
        .label("every user meets this, whatever his tags");
    lints.warn(statement, problem);
}

/// Of modes the first that a user meets counts, so one may never have its turn.
fn modes(lints: &mut Lints<'_, '_>, modes: &[Mode<'_>]) {
    let bound: Vec<(Span, Condition<TagId>)> = modes
        .iter()
        .filter_map(|it| Some((it.when.span, bind::condition(&it.when, &lints.view.tags)?)))
        .collect();
    for (at, (span, condition)) in bound.iter().enumerate() {
        match lints.state(condition) {
            State::Never => never(lints, *span, *span),
            State::Always => always(lints, *span, *span),
            State::NotDecided => {
                lints.not_decided(*span, *span, "whether this condition can be met");
            }
            State::Sometimes(_) => {
                let mut diagrams = Diagrams::default();
                let before = bound.get(..at).unwrap_or_default();
                let left = lints.effort.ask(&mut diagrams, |diagrams| {
                    let start = diagrams.condition(condition)?;
                    before.iter().try_fold(start, |left, (_, earlier)| {
                        let earlier = diagrams.condition(earlier)?;
                        let not = diagrams.not(earlier)?;
                        diagrams.and(left, not)
                    })
                });
                match left {
                    Ok(Diagram::NEVER) => {
                        let message = "this mode never has its turn";
                        let problem = Diagnostic::warning(Code::NeverHolds, *span, message)
                            .label("all who meet this meet a condition before it");
                        lints.warn(*span, problem);
                    }
                    Ok(_) => {}
                    Err(TooHard) => {
                        lints.not_decided(*span, *span, "whether this mode has its turn");
                    }
                }
            }
        }
    }
}
