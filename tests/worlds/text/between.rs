//! What is said of two users, as sections and as statements.

use serde_json::{Value as Json, json};

use super::{
    Chance, condition, dsl, quoted,
    values::{self, Entries},
};
use crate::oracle::{Accepts, Barrier, Between, RuleSet, World};

/// Each statement in one of the parts.
pub(super) fn scatter(between: &Between, parts: &mut [World], chance: &mut Chance) {
    let files = parts.len();
    let mut part = || chance.place(files);
    for set in &between.sets {
        parts[part()].between.sets.push(set.clone());
    }
    for barrier in &between.barriers {
        parts[part()].between.barriers.push(barrier.clone());
    }
    for (name, condition) in &between.audiences {
        parts[part()].between.audiences.insert(name, condition.clone());
    }
    for (action, accepts) in &between.accepts {
        parts[part()].between.accepts.insert(action, accepts.clone());
    }
    for (name, like) in &between.actions {
        parts[part()].between.actions.insert(name, like);
    }
}

/// The sections of YAML and JSON.
pub(super) fn sections(between: &Between, sections: &mut Entries, chance: &mut Chance) {
    let sets = between.sets.iter().map(|it| (it.name.clone(), set(it, chance))).collect();
    values::section(sections, "rule_sets", sets, chance);
    if !between.barriers.is_empty() {
        let barriers: Vec<Json> = between.barriers.iter().map(|it| barrier(it, chance)).collect();
        sections.push(("barriers".into(), json!(barriers)));
    }
    let audiences = between.audiences.iter();
    let audiences =
        audiences.map(|(name, it)| ((*name).to_owned(), json!(it.to_string()))).collect();
    values::section(sections, "audiences", audiences, chance);
    let entries = between.accepts.iter();
    let entries = entries.map(|(name, it)| ((*name).to_owned(), accepts(it, chance))).collect();
    values::section(sections, "accepts", entries, chance);
    let actions = between.actions.iter();
    let actions = actions.map(|(name, it)| ((*name).to_owned(), json!({ "like": it }))).collect();
    values::section(sections, "actions", actions, chance);
}

fn set(set: &RuleSet, chance: &mut Chance) -> Json {
    let mut fields = Entries::new();
    fields.extend(set.asked.map(|word| ("asked".to_owned(), json!(word))));
    fields.extend(set.actions.iter().map(|names| ("actions".to_owned(), json!(names))));
    let rules: Vec<Json> = set.rules.iter().map(|rule| values::rule(rule, chance)).collect();
    fields.push(("rules".into(), json!(rules)));
    json!(values::mixed(fields, chance))
}

fn barrier(barrier: &Barrier, chance: &mut Chance) -> Json {
    let mut fields = vec![("name".to_owned(), json!(barrier.name))];
    let [from, to] = [&barrier.from, &barrier.to].map(|side| condition(side, chance));
    if barrier.is_both_ways {
        fields.push(("between".into(), json!([from, to])));
    } else {
        fields.push(("from".into(), json!(from)));
        fields.push(("to".into(), json!(to)));
    }
    fields.extend(barrier.actions.iter().map(|names| ("actions".to_owned(), json!(names))));
    fields.extend(barrier.unless.iter().map(|it| ("unless".to_owned(), json!(it.to_string()))));
    fields.extend(barrier.groups.map(|it| ("groups".to_owned(), json!(it))));
    json!(values::mixed(fields, chance))
}

fn accepts(accepts: &Accepts, chance: &mut Chance) -> Json {
    let mut fields = Entries::new();
    if !accepts.modes.is_empty() {
        let modes = accepts.modes.iter().map(|mode| {
            let mut entries = vec![
                ("when".to_owned(), json!(condition(&mode.when, chance))),
                ("audience".to_owned(), json!(mode.audience)),
            ];
            if mode.is_locked || chance.percent(20) {
                entries.push(("locked".into(), json!(mode.is_locked)));
            }
            json!(values::mixed(entries, chance))
        });
        fields.push(("modes".into(), Json::Array(modes.collect())));
    }
    for (name, word) in
        [("default", accepts.default), ("asked", accepts.asked), ("otherwise", accepts.otherwise)]
    {
        fields.extend(word.map(|word| (name.to_owned(), json!(word))));
    }
    json!(values::mixed(fields, chance))
}

/// The statements of the DSL.
pub(super) fn statements(between: &Between, chance: &mut Chance) -> Vec<String> {
    let mut statements = Vec::new();
    statements.extend(between.sets.iter().map(|set| set_statement(set, chance)));
    statements.extend(between.barriers.iter().map(|it| barrier_statement(it, chance)));
    statements.extend(between.audiences.iter().map(|(name, it)| format!("audience {name}: {it};")));
    let accepts = between.accepts.iter();
    statements.extend(accepts.map(|(name, it)| accepts_statement(name, it, chance)));
    statements.extend(between.actions.iter().map(|(name, like)| format!("action {name}: {like};")));
    statements
}

fn clauses(asked: Option<&str>, actions: Option<&Vec<&'static str>>) -> Vec<String> {
    let mut clauses = Vec::new();
    clauses.extend(asked.map(|word| format!("asked: {word};")));
    clauses.extend(actions.map(|names| format!("actions: [{}];", names.join(", "))));
    clauses
}

fn set_statement(set: &RuleSet, chance: &mut Chance) -> String {
    let mut entries = clauses(set.asked, set.actions.as_ref());
    entries.extend(set.rules.iter().map(|rule| dsl::rule(rule, chance)));
    format!("rule_set {} {{\n{}\n}}", quoted(&set.name), entries.join("\n"))
}

fn barrier_statement(barrier: &Barrier, chance: &mut Chance) -> String {
    let [from, to] = [&barrier.from, &barrier.to].map(|side| condition(side, chance));
    let arrow = if barrier.is_both_ways { "<->" } else { "->" };
    let mut entries = clauses(None, barrier.actions.as_ref());
    entries.extend(barrier.unless.iter().map(|it| format!("unless: {it};")));
    entries.extend(barrier.groups.map(|it| format!("groups: {it};")));
    let sides = format!("barrier {}: {from} {arrow} {to}", quoted(&barrier.name));
    if entries.is_empty() {
        format!("{sides};")
    } else {
        format!("{sides} {{ {} }}", entries.join(" "))
    }
}

fn accepts_statement(action: &str, accepts: &Accepts, chance: &mut Chance) -> String {
    let mut entries: Vec<String> = accepts
        .modes
        .iter()
        .map(|mode| {
            let locked = if mode.is_locked { " locked" } else { "" };
            format!("{}: {}{locked};", condition(&mode.when, chance), mode.audience)
        })
        .collect();
    entries.extend(accepts.default.map(|word| format!("default: {word};")));
    entries.extend(accepts.asked.map(|word| format!("asked: {word};")));
    entries.extend(accepts.otherwise.map(|word| format!("otherwise: {word};")));
    format!("accepts {action} {{ {} }}", entries.join(" "))
}
