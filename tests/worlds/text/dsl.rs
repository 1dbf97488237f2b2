//! Worlds written in the DSL.

use std::fmt::Write as _;

use super::{between, condition, lists, member_lists, mode_number, quoted, times, value};
use crate::{
    oracle::{Fields, Group, Matrix, Outcome, Rule, Settings, Toggle, User, World},
    worlds::Chance,
};

pub(super) fn file(part: &World, chance: &mut Chance) -> String {
    let mut statements = settings(&part.settings, chance);
    if let Some(tags) = &part.declared {
        statements.push(format!("tags: {};", list(tags, chance)));
    }
    if part.rules.as_ref().is_some_and(Vec::is_empty) {
        statements.push("rules: [];".into());
    }
    statements.extend(part.rules.iter().flatten().map(|it| rule(it, chance)));
    statements.extend(part.matrices.iter().map(|(name, it)| matrix(name, it, chance)));
    statements.extend(part.users.iter().map(|(id, it)| user(id, it, chance)));
    statements.extend(part.groups.iter().map(|(id, it)| group(id, it, chance)));
    statements.extend(part.conversations.iter().map(|[one, other]| {
        format!("conversation {}, {};", word(one, chance), word(other, chance))
    }));
    statements.extend(between::statements(&part.between, chance));
    statements.extend(part.windows.iter().map(|(name, it)| times::window_statement(name, it)));
    chance.shuffle(&mut statements);
    format!("// A policy.\n{}\n", statements.join("\n"))
}

/// A tag or name, in quotes where it must be or by chance.
pub(super) fn word(text: &str, chance: &mut Chance) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let may_be_bare = !text.is_empty() && text.chars().all(is_plain) && text != "rule_id";
    if may_be_bare && chance.percent(75) { text.to_owned() } else { quoted(text) }
}

fn list(names: &[String], chance: &mut Chance) -> String {
    let names: Vec<String> = names.iter().map(|name| word(name, chance)).collect();
    format!("[{}]", names.join(", "))
}

/// Entries in braces.
fn braced(mut entries: Vec<String>, chance: &mut Chance) -> String {
    chance.shuffle(&mut entries);
    let line = if chance.percent(50) { "\n  " } else { " " };
    let separated: Vec<String> = [String::new()].into_iter().chain(entries).collect();
    format!("{{{} }}", separated.join(line))
}

fn toggle(toggle: &Toggle, chance: &mut Chance) -> String {
    match toggle {
        Toggle::Always(on) => on.to_string(),
        Toggle::When(when) => condition(when, chance),
    }
}

fn mode(mode: &str, chance: &mut Chance) -> String {
    match mode_number(mode) {
        Some(number) if chance.percent(50) => number.to_string(),
        _ => mode.to_owned(),
    }
}

fn settings(settings: &Settings, chance: &mut Chance) -> Vec<String> {
    let mut statements = Vec::new();
    statements.extend(settings.preset.map(|name| format!("preset: {name};")));
    statements.extend(settings.unknown_users.map(|word| format!("unknown_users: {word};")));
    let managers = settings.managers.iter();
    let managers = managers.map(|it| format!("managers: {};", condition(it, chance))).collect();
    let permissions = settings.permissions.iter();
    let permissions =
        permissions.map(|(name, it)| format!("{name}: {};", toggle(it, chance))).collect();
    let blocks = settings.blocks.iter().map(|(name, mode)| format!("{name}: {mode};")).collect();
    let approval = settings.default_approval.iter();
    let approval = approval.map(|it| format!("default_approval: {it};")).collect();
    let limits = settings.limits.iter().map(|(name, it)| format!("{name}: {it};")).collect();
    for (name, entries) in [
        ("moderation", managers),
        ("permissions", permissions),
        ("blocks", blocks),
        ("friendship", approval),
        ("limits", limits),
    ] {
        let entries: Vec<String> = entries;
        if !entries.is_empty() {
            statements.push(format!("{name} {}", braced(entries, chance)));
        }
    }
    statements.extend(peers(settings, chance));
    statements
}

/// The modes in their order; where the default stands among them is left to chance.
fn peers(settings: &Settings, chance: &mut Chance) -> Option<String> {
    let modes = settings.modes.iter();
    let mut entries: Vec<String> = modes
        .map(|(when, it)| format!("{}: {};", condition(when, chance), mode(it, chance)))
        .collect();
    if let Some(default) = settings.peers {
        let at = chance.place(entries.len() + 1);
        entries.insert(at, format!("default: {};", mode(default, chance)));
    }
    if entries.is_empty() { None } else { Some(format!("peers {{ {} }}", entries.join(" "))) }
}

pub(super) fn rule(rule: &Rule, chance: &mut Chance) -> String {
    let mut text = String::new();
    for line in rule.description.iter().flat_map(|text| text.split('\n')) {
        writeln!(text, "/// {line}").unwrap();
    }
    text.push_str("rule");
    if let Some(name) = &rule.name {
        write!(text, " {}", word(name, chance)).unwrap();
    }
    if let Some(id) = rule.id {
        write!(text, " rule_id {id}").unwrap();
    }
    let condition = condition(&rule.condition, chance);
    write!(text, ": {condition}").unwrap();
    match &rule.outcome {
        Outcome::Tags(tags) => write!(text, " -> {}", list(tags, chance)).unwrap(),
        Outcome::Condition(it) => write!(text, " -> {}", super::condition(it, chance)).unwrap(),
        Outcome::LeftOut => {}
    }
    if let Some(between) = &rule.between {
        write!(text, " between {between}").unwrap();
    }
    text.push(';');
    text
}

fn matrix(name: &str, matrix: &Matrix, chance: &mut Chance) -> String {
    let permissions = matrix.permissions.iter();
    let mut entries: Vec<String> =
        permissions.map(|(name, it)| format!("{name}: {};", value(it, chance))).collect();
    match &matrix.update_metadata {
        None => {}
        Some(Fields::One(it)) => entries.push(format!("update_metadata: {};", value(it, chance))),
        Some(Fields::Named(fields)) => {
            let fields = fields.iter().map(|(name, it)| {
                let name = if name == "*" { name.clone() } else { word(name, chance) };
                format!("{name}: {};", value(it, chance))
            });
            let fields = fields.collect();
            entries.push(format!("update_metadata {}", braced(fields, chance)));
        }
    }
    format!("matrix {} {}", word(name, chance), braced(entries, chance))
}

fn user(id: &str, user: &User, chance: &mut Chance) -> String {
    let mut entries = Vec::new();
    let tags = user.tags.iter().map(|tags| times::list("tags", tags, &user.ends, chance));
    entries.extend(tags.map(|tags| format!("tags: {tags};")));
    entries.extend(user.peers.iter().map(|it| format!("peers: {};", mode(it, chance))));
    let permissions = user.permissions.iter();
    let permissions: Vec<String> =
        permissions.map(|(name, it)| format!("{name}: {};", toggle(it, chance))).collect();
    if !permissions.is_empty() {
        entries.push(format!("permissions {}", braced(permissions, chance)));
    }
    let accepts = user.accepts.iter();
    let accepts: Vec<String> = accepts.map(|(name, it)| format!("{name}: {it};")).collect();
    if !accepts.is_empty() {
        entries.push(format!("accepts {}", braced(accepts, chance)));
    }
    let end = times::end("moderation", "", &user.ends);
    entries.extend(user.moderation.map(|word| format!("moderation: {word}{end};")));
    entries.extend(user.approval.map(|word| format!("approval: {word};")));
    for (name, ids) in lists(user, chance) {
        entries.push(format!("{name}: {};", times::list(name, ids, &user.ends, chance)));
    }
    format!("user {} {}", word(id, chance), braced(entries, chance))
}

fn group(id: &str, group: &Group, chance: &mut Chance) -> String {
    let mut entries = Vec::new();
    for (name, text) in [("matrix", &group.matrix), ("creator", &group.creator)] {
        entries.extend(text.iter().map(|text| format!("{name}: {};", word(text, chance))));
    }
    for (name, ids) in member_lists(group, chance) {
        entries.push(format!("{name}: {};", times::list(name, ids, &group.ends, chance)));
    }
    entries.extend(group.requires.iter().map(|it| format!("requires: {};", condition(it, chance))));
    format!("group {} {}", word(id, chance), braced(entries, chance))
}
