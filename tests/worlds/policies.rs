//! The settings of small worlds.

use std::collections::BTreeMap;

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};
use uuid::Uuid;

use super::{BLOCKABLE, FIELDS, LIMITS, MATRICES, MODES, SWITCHES, TAGS};
use crate::oracle::{Condition, Fields, Matrix, Outcome, Rule, Settings, Toggle, Value};

/// The first so many tags.
fn tag(most: usize) -> impl Strategy<Value = String> + Clone {
    select(&TAGS[..most]).prop_map(String::from)
}

pub(super) fn tags(most: usize) -> impl Strategy<Value = Vec<String>> {
    vec(tag(most), 0..5)
}

fn condition(most: usize, depth: u32) -> impl Strategy<Value = Condition> {
    let word = prop_oneof![Just(Condition::Everyone), Just(Condition::Nobody)];
    let leaf = prop_oneof![9 => tag(most).prop_map(Condition::HasTag), 1 => word];
    leaf.prop_recursive(depth, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| Condition::Not(Box::new(part))),
            vec(inner.clone(), 1..4).prop_map(Condition::All),
            vec(inner, 1..4).prop_map(Condition::Any),
        ]
    })
}

pub(super) fn toggle(most: usize) -> impl Strategy<Value = Toggle> {
    prop_oneof![any::<bool>().prop_map(Toggle::Always), condition(most, 2).prop_map(Toggle::When)]
}

pub(super) fn rule(most: usize) -> impl Strategy<Value = Rule> {
    let name = select(vec!["headquarters", "rule_id", "über alles", "a \"b\" \\c", "7", "rule: x"]);
    let text = select(vec!["Why.", "Two\nlines: # both", "", "- \"x\"", "é\n\n日本"]);
    let id = option::weighted(0.3, any::<u128>().prop_map(Uuid::from_u128));
    (
        id,
        option::weighted(0.4, name.prop_map(String::from)),
        option::of(text.prop_map(String::from)),
        condition(most, 4),
        vec(tag(most), 1..4),
    )
        .prop_map(|(id, name, description, condition, outcome)| Rule {
            id,
            name,
            description,
            condition,
            outcome: Outcome::Tags(outcome),
            between: None,
        })
}

pub(super) fn rules(most: usize) -> impl Strategy<Value = Vec<Rule>> {
    vec(rule(most), 0..=6)
}

pub(super) fn settings(most: usize) -> impl Strategy<Value = Settings> {
    let preset = select(vec!["flip", "mesibo", "venueless", "xmtp", "tencent"]);
    let unknown_users = select(vec!["deny", "allow_defaults"]);
    let block_mode = select(vec!["off", "one_way", "two_way"]);
    let approval = select(vec!["allow_any", "need_confirm", "deny_any"]);
    (
        option::weighted(0.4, preset),
        option::of(unknown_users),
        option::weighted(0.7, condition(most, 2)),
        btree_map(select(&SWITCHES[..]), toggle(most), 0..3),
        btree_map(select(&BLOCKABLE[..]), block_mode, 0..4),
        option::weighted(0.3, select(&MODES[..])),
        vec((condition(most, 1), select(&MODES[..])), 0..3),
        option::weighted(0.4, approval),
        btree_map(select(&LIMITS[..]), 1..4_usize, 0..4),
    )
        .prop_map(
            |(
                preset,
                unknown_users,
                managers,
                permissions,
                blocks,
                peers,
                modes,
                default_approval,
                limits,
            )| Settings {
                preset,
                unknown_users,
                managers,
                permissions,
                blocks,
                peers,
                modes,
                default_approval,
                limits,
            },
        )
}

/// Who has a permission: mostly a word by itself.
fn value(most: usize) -> impl Strategy<Value = Value> {
    let word = select(vec!["allow", "deny", "allow_if_admin", "allow_if_super_admin"]);
    let leaf = prop_oneof![word.clone().prop_map(Value::Grant), tag(most).prop_map(Value::HasTag)];
    let combined = leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| Value::Not(Box::new(part))),
            vec(inner.clone(), 1..4).prop_map(Value::All),
            vec(inner, 1..4).prop_map(Value::Any),
        ]
    });
    prop_oneof![
        5 => word.prop_map(Value::Grant),
        1 => Just(Value::Grant("unspecified")),
        4 => combined,
    ]
}

fn matrix(most: usize) -> impl Strategy<Value = Matrix> {
    let permission = select(vec![
        "add_member",
        "remove_member",
        "add_admin",
        "remove_admin",
        "update_permissions",
    ]);
    let field = prop_oneof![
        4 => select(&FIELDS[..]),
        1 => Just("*"),
    ];
    let fields = prop_oneof![
        value(most).prop_map(Fields::One),
        btree_map(field.prop_map(String::from), value(most), 1..4).prop_map(Fields::Named),
    ];
    (btree_map(permission, value(most), 0..6), option::weighted(0.8, fields))
        .prop_map(|(permissions, update_metadata)| Matrix { permissions, update_metadata })
}

pub(super) fn matrices(most: usize) -> impl Strategy<Value = BTreeMap<String, Matrix>> {
    btree_map(select(&MATRICES[..]).prop_map(String::from), matrix(most), 0..3)
}
