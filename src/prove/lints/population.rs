//! What has no effect on the users there are.

use crate::{
    diagnostic::{Code, Diagnostic},
    snapshot::{Selection, UserSet},
};

use super::{Lints, Rule, State};

pub(super) fn lint(lints: &mut Lints<'_, '_>) {
    let rules = std::mem::take(&mut lints.rules);
    for rule in rules.iter().filter(|rule| rule.state != State::Never) {
        if !is_dead(lints, rule) {
            unreached(lints, rule);
        }
    }
    if !rules.is_empty() {
        unconcerned(lints, &rules);
    }
    lints.rules = rules;
}

/// Whether a rule allows nobody anything today; says so then.
fn is_dead(lints: &mut Lints<'_, '_>, rule: &Rule<'_, '_>) -> bool {
    let population = &lints.view.population;
    let users = population.meeting(&rule.condition);
    let reached = UserSet::union(rule.outcome.iter().filter_map(|tag| population.members(*tag)));
    let why = if users.is_empty() {
        "no user meets the condition"
    } else if reached.is_empty() {
        "no user has a tag of the outcome"
    } else if users.len() == 1 && *users == reached {
        "the one user who meets the condition could reach himself alone"
    } else {
        return false;
    };
    let message = format!("{} allows nobody anything today", rule.name());
    let problem = Diagnostic::warning(Code::DeadNow, rule.written.span, message)
        .label(why)
        .hint("it is of use only once there are other users");
    lints.warn(rule.written.span, problem);
    true
}

fn unreached(lints: &mut Lints<'_, '_>, rule: &Rule<'_, '_>) {
    for tag in &rule.written.outcome.value {
        let number = lints.view.tags.get(&tag.value);
        let members = number.and_then(|number| lints.view.population.members(number));
        if members.is_none_or(UserSet::is_empty) {
            let message = format!("no user has the tag `{}`", tag.value);
            let problem = Diagnostic::warning(Code::UnreachedTag, tag.span, message)
                .label("so the rule reaches nobody by it");
            lints.warn(rule.written.span, problem);
        }
    }
}

/// How many users are told by name.
const TOLD: usize = 5;

fn unconcerned(lints: &mut Lints<'_, '_>, rules: &[Rule<'_, '_>]) {
    let population = &lints.view.population;
    let reachers = lints.view.rules.iter().flat_map(|book| &book.reachers);
    let outcomes = rules.iter().flat_map(|rule| &rule.outcome);
    let reached = outcomes.filter_map(|tag| population.members(*tag));
    let concerned = UserSet::union(reachers.chain(reached));
    let left = Selection::from(&concerned).complement().of(&population.everyone).into_owned();
    let spans = rules.iter().map(|rule| rule.written.span);
    let Some(span) = spans.min_by_key(|span| (span.source, span.start)) else { return };
    if left.is_empty() {
        return;
    }
    let id = |user| format!("`{}`", population.directory.id(user).escape_debug());
    let names: Vec<String> = left.iter().take(TOLD).map(id).collect();
    let more = if left.len() > TOLD as u64 { ", ..." } else { "" };
    let message = match left.len() {
        1 => "no rule concerns 1 user".to_owned(),
        count => format!("no rule concerns {count} users"),
    };
    let problem = Diagnostic::warning(Code::Unconcerned, span, message)
        .label("the first of the rules")
        .hint(format!(
            "{}{more}: no rule lets them reach anyone, nor anyone reach them",
            names.join(", ")
        ));
    lints.warn(span, problem);
}
