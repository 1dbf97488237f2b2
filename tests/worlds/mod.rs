//! Random policies, and how they are written down.

#![allow(dead_code, reason = "each test needs a part of it")]

pub(crate) mod text;

use std::collections::{BTreeMap, BTreeSet};

use peerage::{
    compile::{self, Outcome},
    snapshot::View,
    source::{Loaded, Sources},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

use crate::oracle::{Condition, Rule, World};

/// Tags, those among them that a notation might take for something else.
pub(crate) const TAGS: [&str; 16] = [
    "A",
    "a",
    "Berlin",
    "Munich",
    "x_y",
    "B-1",
    "-",
    "_",
    "null",
    "true",
    "007",
    "1e3",
    "rule",
    "rule_id",
    "hasTag",
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV_-",
];

/// Ids of users, in no order.
pub(crate) const IDS: [&str; 20] = [
    "2",
    "10",
    "alice",
    "Alice",
    "null",
    "true",
    "007",
    "1.50",
    "~",
    "-",
    "with space",
    "a,b",
    "say \"hi\"",
    "it's",
    "back\\slash",
    "x: y # z",
    "ü",
    "日本",
    "\u{1f600}",
    "user",
];

fn tags(most: usize) -> impl Strategy<Value = Vec<String>> {
    vec(select(&TAGS[..most]).prop_map(String::from), 0..5)
}

fn condition(most: usize) -> impl Strategy<Value = Condition> {
    let leaf = select(&TAGS[..most]).prop_map(|tag| Condition::HasTag(tag.into()));
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| Condition::Not(Box::new(part))),
            vec(inner.clone(), 1..4).prop_map(Condition::All),
            vec(inner, 1..4).prop_map(Condition::Any),
        ]
    })
}

fn rule(most: usize) -> impl Strategy<Value = Rule> {
    let name = select(vec!["headquarters", "rule_id", "über alles", "a \"b\" \\c", "7", "rule: x"]);
    let text = select(vec!["Why.", "Two\nlines: # both", "", "- \"x\"", "é\n\n日本"]);
    let id = option::weighted(0.3, any::<u128>().prop_map(Uuid::from_u128));
    (
        id,
        option::weighted(0.4, name.prop_map(String::from)),
        option::of(text.prop_map(String::from)),
        condition(most),
        vec(select(&TAGS[..most]).prop_map(String::from), 1..4),
    )
        .prop_map(|(id, name, description, condition, outcome)| Rule {
            id,
            name,
            description,
            condition,
            outcome,
        })
}

/// Small worlds: up to 8 tags, 12 users and 10 rules.
pub(crate) fn world() -> impl Strategy<Value = World> {
    (1..=8_usize).prop_flat_map(|most| {
        let user = move || option::weighted(0.8, tags(most));
        let users = proptest::sample::subsequence(IDS.to_vec(), 0..=12)
            .prop_flat_map(move |ids| {
                let count = ids.len();
                (Just(ids), vec(user(), count))
            })
            .prop_map(|(ids, tags)| ids.into_iter().map(String::from).zip(tags).collect());
        let declared = option::of(Just(TAGS.iter().map(|&tag| tag.to_owned()).collect()));
        let rules = option::weighted(0.9, vec(rule(most), 0..=10));
        (declared, rules, users).prop_map(|(declared, rules, users)| {
            World { declared, rules, users }.without_repetition()
        })
    })
}

/// One more rule.
pub(crate) fn any_rule() -> impl Strategy<Value = Rule> {
    rule(8)
}

impl World {
    /// Leaves out rules that a policy may not hold beside an earlier one.
    #[must_use]
    pub(crate) fn without_repetition(mut self) -> Self {
        let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
        if let Some(rules) = &mut self.rules {
            rules.retain(|rule| {
                let is_new_name = rule.name.as_ref().is_none_or(|name| !names.contains(name));
                let is_new = is_new_name && ids.insert(rule.expected_id());
                if is_new {
                    names.extend(rule.name.clone());
                }
                is_new
            });
        }
        self
    }

    /// A world of many users, who have few of many tags, and of rules for them.
    pub(crate) fn large(users: u32, tags: u64, rules: u64, seed: u64) -> Self {
        let mut chance = Chance(seed);
        let tag = |chance: &mut Chance| format!("t{}", chance.below(tags));
        let mut everyone = BTreeMap::new();
        for user in 0..users {
            let count = chance.below(5);
            everyone
                .insert(format!("u{user}"), Some((0..count).map(|_| tag(&mut chance)).collect()));
        }
        let rules = (0..rules)
            .map(|number| {
                let has = |chance: &mut Chance| Condition::HasTag(tag(chance));
                let first = has(&mut chance);
                let condition = match chance.below(4) {
                    0 => first,
                    1 => Condition::Not(Box::new(first)),
                    2 => Condition::All(vec![first, has(&mut chance)]),
                    _ => Condition::Any(vec![
                        first,
                        Condition::Not(Box::new(has(&mut chance))),
                        has(&mut chance),
                    ]),
                };
                Rule {
                    id: None,
                    name: Some(format!("rule {number}")),
                    description: None,
                    condition,
                    outcome: vec![tag(&mut chance), tag(&mut chance)],
                }
            })
            .collect();
        Self { declared: None, rules: Some(rules), users: everyone }
    }
}

/// Builds a policy through the public interface.
pub(crate) fn build(sources: &Sources, previous: Option<&View>) -> Outcome {
    compile::build(&Loaded::from(sources.clone()), previous)
}

/// Builds a policy that has no mistakes.
pub(crate) fn view(sources: &Sources, previous: Option<&View>) -> View {
    let outcome = build(sources, previous);
    let said = peerage::diagnostic::render(&outcome.report, false);
    assert!(outcome.report.diagnostics.is_empty(), "{said}");
    outcome.view.unwrap()
}

/// Numbers that look random and are the same for the same seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, usize::try_from(self.below(at as u64 + 1)).unwrap());
        }
    }
}
