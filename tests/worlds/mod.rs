//! Random policies, their requests, and their texts.

#![allow(dead_code, reason = "each test needs a part of it")]

mod large;
mod lively;
mod people;
mod policies;
pub(crate) mod questions;
mod relations;
mod shapes;
mod sound;
mod sound_between;
pub(crate) mod text;
mod timed;

use std::collections::BTreeMap;

use peerage::{
    compile::{self, BuildOutput},
    snapshot::View,
    source::{LoadedSources, Sources},
};
use proptest::{bool::weighted, collection::vec, option, prelude::*};

use crate::oracle::{Between, Rule, World};

pub(crate) use crate::support::chance::Chance;
pub(crate) use shapes::{THIN, WorldShape};

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

/// Ids of groups, some of which are users' too.
pub(crate) const GROUPS: [&str; 7] = ["g1", "alice", "10", "null", "the \"team\"", "group", "日本"];

/// Names of matrices.
pub(crate) const MATRICES: [&str; 4] = ["team", "7", "open house", "matrix"];

/// Fields of what a group says of itself.
pub(crate) const FIELDS: [&str; 7] = [
    "group_name",
    "description",
    "app_data",
    "_signer",
    "minimum_supported_protocol_version",
    "message_disappear_in_ns",
    "favourite colour",
];

pub(crate) const SWITCHES: [&str; 8] = [
    "outgoing",
    "incoming",
    "start_chat",
    "send_message",
    "voice_call",
    "video_call",
    "friend_request",
    "create_group",
];

/// The actions that a block may stop.
pub(crate) const BLOCKABLE: [&str; 6] =
    ["start_chat", "send_message", "voice_call", "video_call", "add_member", "friend_request"];

/// By number, which is another spelling.
pub(crate) const MODES: [&str; 4] = ["all", "paired", "contacts", "favorites"];

pub(crate) const LIMITS: [&str; 4] = ["friends", "blocked", "friend_lists", "group_members"];

/// Small worlds: up to 8 tags, 8 users, 3 groups and 6 rules.
pub(crate) fn world() -> impl Strategy<Value = World> {
    (1..=8_usize).prop_flat_map(|most| {
        let declared = option::of(Just(TAGS.iter().map(|&tag| tag.to_owned()).collect()));
        (
            declared,
            option::weighted(0.8, policies::rules(most)),
            policies::settings(most),
            policies::matrices(most),
            people::people(most),
        )
            .prop_map(|(declared, rules, settings, matrices, people)| {
                let (users, groups, conversations) = people;
                let between = Between::default();
                let windows = BTreeMap::new();
                World {
                    declared,
                    rules,
                    between,
                    settings,
                    matrices,
                    users,
                    groups,
                    conversations,
                    windows,
                }
                .sound()
            })
    })
}

/// Small worlds that may hold all that their shape names.
pub(crate) fn shaped(shape: WorldShape) -> impl Strategy<Value = World> {
    (world(), any::<u64>(), vec(weighted(0.95), 64))
        .prop_map(move |(world, seed, keep)| world.extended(shape, seed, &keep).sound())
}

/// One more rule.
pub(crate) fn any_rule() -> impl Strategy<Value = Rule> {
    policies::rule(8)
}

/// Builds a policy through the public interface.
pub(crate) fn build(sources: &Sources, previous: Option<&View>) -> BuildOutput {
    compile::build(&LoadedSources::from(sources.clone()), previous)
}

/// Builds a policy that has no mistakes; it may be warned about.
pub(crate) fn view(sources: &Sources, previous: Option<&View>) -> View {
    let outcome = build(sources, previous);
    let said = peerage::diagnostic::render_text(&outcome.report, false);
    assert_eq!(outcome.report.errors, 0, "{said}");
    outcome.view.unwrap()
}
