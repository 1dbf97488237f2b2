//! The rendering of differences as JSON, Markdown and single lines.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{
    ActionDiff, CountedUnit, Diff, IsolationChange, KindDiff, MatrixChange, PolicyChange, Witness,
};
use crate::{
    decide::Explanation,
    snapshot::{UserNumber, View},
};

/// The number of users that are named of those who lost or gained all contact.
const NAMED: usize = 10;

impl Diff {
    /// The difference as JSON; `view` is one of the two that were compared.
    pub fn to_json(&self, view: &View) -> Value {
        let actions: Map<String, Value> = self
            .actions
            .iter()
            .map(|diff| (diff.action.as_str().to_owned(), diff.to_json(view)))
            .collect();
        let [gained, lost] = self.totals();
        json!({
            "users": self.users,
            "gained": gained,
            "lost": lost,
            "compared": self.compared(),
            "share": self.share(),
            "estimate": self.is_estimate(),
            "actions": actions,
            "changes": self.changes.iter().map(change).collect::<Vec<_>>(),
            "matrices": self.matrices.iter().map(matrix).collect::<Vec<_>>(),
        })
    }

    /// The difference in one line: the totals over all actions, and the actions that changed.
    pub fn summary(&self) -> String {
        let [gained, lost] = self.totals();
        let about = if self.is_estimate() { "about " } else { "" };
        let mut text = format!(
            "{about}{gained} pairs gained, {lost} lost: {} of all {} over the actions",
            percent(self.share()),
            self.compared()
        );
        let changed = self.actions.iter().filter(|diff| diff.gained + diff.lost > 0);
        for (at, diff) in changed.enumerate() {
            let before = if at == 0 { " (" } else { ", " };
            // Writing to a string can't fail.
            let about = diff.about();
            let _ = write!(text, "{before}{} {about}+{} -{}", diff.action, diff.gained, diff.lost);
        }
        if text.contains('(') {
            text.push(')');
        }
        text
    }

    /// The difference as a Markdown comment: a table, with details folded away.
    pub fn to_markdown(&self) -> String {
        let [gained, lost] = self.totals();
        let (about, estimated) = if self.is_estimate() {
            (
                "about ",
                " There are too many pairs to judge each of them, so these are estimates from a part.",
            )
        } else {
            ("", "")
        };
        let mut text = String::new();
        let subjects = self.actions.iter().filter(|diff| diff.over == CountedUnit::Subjects);
        let is_same =
            gained + lost + subjects.map(|diff| diff.gained + diff.lost).sum::<u64>() == 0;
        // Writing to a string can't fail.
        let _ = if is_same {
            writeln!(text, "### Nobody's conversations change\n\nOver {} users.", self.users)
        } else {
            writeln!(
                text,
                "### This change opens {about}{gained} and closes {about}{lost} pairs\n\nOver {} users; {} of \
                 all pairs.{estimated}\n\n| action | opens | closes | because of |\n|---|---:|---:|---|",
                self.users,
                percent(self.share())
            )
        };
        for diff in self.actions.iter().filter(|diff| diff.gained + diff.lost > 0) {
            let about = diff.about();
            let because: Vec<String> =
                diff.causes.iter().map(|part| escape(&part.name())).collect();
            let _ = writeln!(
                text,
                "| `{}`{} | {about}{} | {about}{} | {} |",
                diff.action,
                if diff.over == CountedUnit::Subjects { " (users)" } else { "" },
                diff.gained,
                diff.lost,
                because.join(", ")
            );
        }
        let [nobody, unreached] = self.cut_off();
        if nobody + unreached > 0 {
            let _ = writeln!(
                text,
                "\n**{nobody}** times a user reaches nobody any more by an action, **{unreached}** \
                 times nobody reaches the user."
            );
        }
        for change in &self.matrices {
            let _ = writeln!(text, "\nMatrix `{}`, {} groups:\n", change.matrix, change.groups);
            lines(change).iter().for_each(|line| {
                let _ = writeln!(text, "- {}", escape(line));
            });
        }
        if !is_same {
            text.push_str("\n<details><summary>Who, for example</summary>\n\n");
            for diff in &self.actions {
                for kind in &diff.kinds {
                    let _ = writeln!(text, "- {}", escape(&kind.line(diff)));
                    for witness in kind.witnesses.iter().take(1) {
                        let _ = writeln!(text, "  - {}", escape(&witness.line()));
                    }
                }
            }
            text.push_str("\n</details>\n");
        }
        text
    }

    /// The number of times, over the actions, that a user lost all contact: reaching nobody, and
    /// reached by nobody.
    fn cut_off(&self) -> [usize; 2] {
        let contacts = || self.actions.iter().map(|diff| &diff.contact);
        [
            contacts().map(|contact| contact.reach_nobody_now.len()).sum(),
            contacts().map(|contact| contact.reached_by_nobody_now.len()).sum(),
        ]
    }
}

/// A share in percent; a small one is not rounded to zero.
fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 0.01 => "less than 0.01%".to_owned(),
        percent => format!("{percent:.2}%"),
    }
}

/// A line of text, escaped for a cell or list item in Markdown.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '|' | '<' | '*' | '\\' => escaped.extend(['\\', character]),
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

impl ActionDiff {
    /// The word before counts that are an estimate, with a blank.
    pub fn about(&self) -> &'static str {
        if self.is_estimate { "about " } else { "" }
    }

    fn to_json(&self, view: &View) -> Value {
        let kinds: Vec<Value> = self.kinds.iter().map(KindDiff::to_json).collect();
        json!({
            "over": self.over.as_str(),
            "gained": self.gained,
            "lost": self.lost,
            "estimate": self.is_estimate,
            "kinds": kinds,
            "kinds_complete": self.has_all_largest,
            "because": self.causes.iter().map(super::PolicyPart::name).collect::<Vec<_>>(),
            "contact": self.contact.to_json(view),
        })
    }
}

impl IsolationChange {
    /// The lists with their names.
    pub fn lists(&self) -> [(&'static str, &[UserNumber]); 4] {
        [
            ("reach_nobody_now", &self.reach_nobody_now),
            ("reach_somebody_now", &self.reach_somebody_now),
            ("reached_by_nobody_now", &self.reached_by_nobody_now),
            ("reached_by_somebody_now", &self.reached_by_somebody_now),
        ]
    }

    fn to_json(&self, view: &View) -> Value {
        let directory = &view.population.directory;
        let lists = self.lists().into_iter().map(|(name, users)| {
            let some: Vec<&str> =
                users.iter().take(NAMED).map(|&user| directory.id(user)).collect();
            (name.to_owned(), json!({ "users": users.len(), "some": some }))
        });
        Value::Object(lists.collect())
    }
}

impl KindDiff {
    fn to_json(&self) -> Value {
        let witnesses: Vec<Value> = self.witnesses.iter().map(Witness::to_json).collect();
        json!({
            "change": if self.gained { "gained" } else { "lost" },
            "from": self.from,
            "to": self.to,
            "pairs": self.pairs,
            "witnesses": witnesses,
        })
    }

    /// The change in one line, such as `+12 start_chat: [Berlin] -> [Munich]`.
    pub fn line(&self, diff: &ActionDiff) -> String {
        let sign = if self.gained { '+' } else { '-' };
        let from = self.from.join(", ");
        let to = self.to.as_ref().map(|to| format!(" -> [{}]", to.join(", "))).unwrap_or_default();
        format!("{sign}{} {}: [{from}]{to}", self.pairs, diff.action)
    }
}

impl Witness {
    fn to_json(&self) -> Value {
        json!({
            "subject": self.subject,
            "resource": self.other,
            "old": explanation(&self.old),
            "new": explanation(&self.new),
        })
    }

    /// The pair in one line, with the reasons before and now.
    pub fn line(&self) -> String {
        let other = self.other.as_ref().map(|id| format!(" -> `{id}`")).unwrap_or_default();
        let (old, new) = (describe_reason(&self.old), describe_reason(&self.new));
        format!("`{}`{other}: before {old}; now {new}", self.subject)
    }
}

/// The reason, with the detail of the gate that gave it, or the rules that opened it.
pub(in crate::inspect) fn describe_reason(explanation: &Explanation) -> String {
    let reason = explanation.decision.reason;
    let closed = explanation.findings.iter().find(|finding| finding.closed.is_some());
    if let Some(finding) = closed {
        return format!("{reason} ({})", finding.detail);
    }
    let rules = explanation.rules.iter();
    let names: Vec<String> = rules
        .map(|rule| {
            rule.name.as_ref().map_or_else(|| rule.id.to_string(), |name| format!("`{name}`"))
        })
        .collect();
    if names.is_empty() { reason.to_string() } else { format!("{reason} by {}", names.join(", ")) }
}

fn explanation(explanation: &Explanation) -> Value {
    let closed = explanation.findings.iter().filter(|finding| finding.closed.is_some());
    let closed: Vec<Value> = closed
        .map(|finding| json!({ "gate": finding.gate.as_str(), "detail": finding.detail }))
        .collect();
    let rules: Vec<Value> = explanation
        .rules
        .iter()
        .map(|rule| json!({ "rule_id": rule.id.to_string(), "name": rule.name }))
        .collect();
    json!({
        "decision": explanation.decision.allow,
        "reason": explanation.decision.reason.as_str(),
        "closed": closed,
        "rules": rules,
    })
}

fn change(change: &PolicyChange) -> Value {
    json!({ "part": change.part.name(), "old": change.old, "new": change.new })
}

fn matrix(change: &MatrixChange) -> Value {
    let cells: Vec<Value> = change
        .cells
        .iter()
        .map(|cell| {
            let [old, new] = &cell.values;
            let roles: Map<String, Value> = cell
                .roles
                .iter()
                .map(|(role, [old, new])| {
                    (role.to_string(), json!({ "old": old.as_str(), "new": new.as_str() }))
                })
                .collect();
            json!({
                "permission": cell.permission.as_str(), "field": cell.field,
                "old": old, "new": new, "roles": roles,
            })
        })
        .collect();
    let [before, now] = change.exists;
    json!({
        "matrix": change.matrix, "groups": change.groups,
        "existed": before, "exists": now, "cells": cells,
    })
}

/// The changes of a matrix, one to a line.
fn lines(change: &MatrixChange) -> Vec<String> {
    let mut all = Vec::new();
    match change.exists {
        [false, _] => all.push("it is new".to_owned()),
        [_, false] => all.push("it is gone".to_owned()),
        _ => {}
    }
    for cell in &change.cells {
        let field = cell.field.as_ref().map(|field| format!(" of `{field}`")).unwrap_or_default();
        let [old, new] = &cell.values;
        let mut line = format!("{}{field}: {old} -> {new}", cell.permission);
        for (at, (role, [old, new])) in cell.roles.iter().enumerate() {
            let before = if at == 0 { "; " } else { ", " };
            // Writing to a string can't fail.
            let _ = write!(line, "{before}{role}: {} -> {}", old.as_str(), new.as_str());
        }
        all.push(line);
    }
    all
}

impl MatrixChange {
    /// The changes in lines: the values before and now, and the roles for which the result differs.
    pub fn lines(&self) -> Vec<String> {
        lines(self)
    }
}
