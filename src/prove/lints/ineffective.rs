//! Lints about rules without effect on existing users.

use crate::{
    diagnostic::{Code, Diagnostic},
    request::NamesWindows as _,
    snapshot::{Selection, UserSet},
    syntax::ast::Outcome,
};

use super::{LintedRule, Linter, Satisfiability, users_meeting_sometimes};

pub(super) fn lint(linter: &mut Linter<'_, '_>) {
    let rules = std::mem::take(&mut linter.rules);
    for rule in rules.iter().filter(|rule| rule.satisfiability != Satisfiability::Never) {
        if !is_dead(linter, rule) {
            report_unreached_tags(linter, rule);
        }
    }
    let section: Vec<&LintedRule<'_, '_>> =
        rules.iter().filter(|rule| rule.set.is_none()).collect();
    if !section.is_empty() {
        report_unconcerned_users(linter, &section);
    }
    linter.rules = rules;
}

/// Reports a rule that allows nothing among the existing users; whether it is one.
fn is_dead(linter: &mut Linter<'_, '_>, rule: &LintedRule<'_, '_>) -> bool {
    let users = users_meeting_sometimes(linter.view, &rule.condition);
    let reached = rule.reached_users(linter.view);
    let why = if users.is_empty() {
        "no user meets the condition"
    } else if reached.is_empty() {
        if rule.reached.is_some() {
            "no user meets the outcome"
        } else {
            "no user has a tag of the outcome"
        }
    } else if users.len() == 1 && users == reached {
        "the only user who meets the condition could reach nobody else"
    } else {
        return false;
    };
    let message = format!("{} allows nothing today", rule.name());
    let problem = Diagnostic::warning(Code::DeadNow, rule.ast.span, message)
        .label(why)
        .hint("it is of use only once there are other users");
    linter.warn(rule.ast.span, problem);
    true
}

fn report_unreached_tags(linter: &mut Linter<'_, '_>, rule: &LintedRule<'_, '_>) {
    for tag in rule.ast.outcome.iter().flat_map(Outcome::tags) {
        let number = linter.view.tags.get(&tag.value);
        let members = number.and_then(|number| linter.view.population.members(number));
        if members.is_none_or(UserSet::is_empty) {
            let message = format!("no user has the tag `{}`", tag.value);
            let problem = Diagnostic::warning(Code::UnreachedTag, tag.span, message)
                .label("the rule reaches nobody through it");
            linter.warn(rule.ast.span, problem);
        }
    }
}

/// The number of users that a report names.
const MAX_NAMED_USERS: usize = 5;

fn report_unconcerned_users(linter: &mut Linter<'_, '_>, rules: &[&LintedRule<'_, '_>]) {
    let population = &linter.view.population;
    let book = linter.view.rules.as_deref();
    let reachers = book.into_iter().flat_map(|book| &book.reachers);
    let targets = book.into_iter().flat_map(|book| &book.targets.all);
    let reachers = reachers.chain(targets.map(|target| &target.reachers));
    let timed = rules.iter().filter(|rule| rule.condition.names_windows());
    let timed: Vec<UserSet> =
        timed.map(|rule| users_meeting_sometimes(linter.view, &rule.condition)).collect();
    let reached: Vec<UserSet> = rules.iter().map(|rule| rule.reached_users(linter.view)).collect();
    let concerned = UserSet::union(reachers.chain(&reached).chain(&timed));
    let left = Selection::from(&concerned).complement().within(&population.everyone).into_owned();
    let spans = rules.iter().map(|rule| rule.ast.span);
    let Some(span) = spans.min_by_key(|span| (span.source, span.start)) else { return };
    if left.is_empty() {
        return;
    }
    let id = |user| format!("`{}`", population.directory.id(user).escape_debug());
    let names: Vec<String> = left.iter().take(MAX_NAMED_USERS).map(id).collect();
    let more = if left.len() > MAX_NAMED_USERS as u64 { ", ..." } else { "" };
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
    linter.warn(span, problem);
}
