//! The changes of a policy, counted by peerage and pair by pair by a plain oracle.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail by it"
)]

mod arithmetic;

use std::collections::BTreeMap;

use peerage::{
    compile::{VersionPair, build_versions},
    inspect::diff::{ActionDiff, CountedUnit, Diff, DiffDetail},
    snapshot::UserNumber,
    source::{LoadedSources, Notation, Source, Sources},
};
use proptest::prelude::*;

use crate::oracle::{ACTIONS, Asked, Question, Resource, World};
use crate::worlds::{THIN, WorldShape, shaped, text};

/// What the worlds say of two users.
const SHAPE: WorldShape = WorldShape::ALL;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig::with_cases(cases)
}

/// The first world, with parts of the policy of the second in place of its own.
fn changed(world: &World, other: &World, parts: u8) -> World {
    let mut changed = world.clone();
    let is = |bit: u8| parts >> bit & 1 == 1;
    if is(0) {
        changed.rules.clone_from(&other.rules);
    } else if let (true, Some(rules)) = (is(1), &mut changed.rules) {
        rules.pop();
    }
    if is(2) {
        changed.settings = other.settings.clone();
    }
    if is(3) {
        changed.settings.managers.clone_from(&other.settings.managers);
        changed.settings.blocks.clone_from(&other.settings.blocks);
    }
    if is(4) {
        changed.settings.permissions.clone_from(&other.settings.permissions);
    }
    if is(5) {
        changed.settings.modes.clone_from(&other.settings.modes);
    }
    if is(6) {
        changed.between.sets.clone_from(&other.between.sets);
        changed.between.barriers.clone_from(&other.between.barriers);
    }
    if is(7) {
        changed.between.audiences.clone_from(&other.between.audiences);
        changed.between.accepts.clone_from(&other.between.accepts);
    }
    changed.declared = None;
    // What the first says of users may name audiences that there are no longer.
    changed.leave_out_statements();
    changed
}

/// A policy over the users of another: an audience of theirs that it does not have holds nobody.
fn over_users_of(world: &World, policy: World) -> World {
    World { users: world.users.clone(), ..policy }
}

fn pair(old: Sources, new: Sources) -> VersionPair {
    let versions = build_versions(&LoadedSources::from(old), &LoadedSources::from(new), None);
    let said = [&versions.old, &versions.new].map(|r| peerage::diagnostic::render_text(r, false));
    versions.views.unwrap_or_else(|| panic!("{said:?}"))
}

/// Whether all gates are open, those aside that are of the place, for two users or one alone.
fn allows(world: &World, action: &'static str, subject: &str, other: Option<&str>) -> bool {
    let question = match other {
        Some(other) if world.base(action) == "add_member" => Question {
            member: Some(Asked::from(other)),
            ..Question::of(subject, action, Resource::Group { id: String::new(), matrix: None })
        },
        Some(other) => Question::new(subject, action, other),
        None => Question::of(subject, action, Resource::None),
    };
    world.is_open_between(&question)
}

fn is_over_subjects(world: &World, action: &'static str) -> bool {
    world.kinds(action) == ["none"]
}

/// The actions whose changes are counted, declared ones among them.
fn counted(world: &World) -> Vec<&'static str> {
    let is_counted = |action: &&'static str| {
        let kinds = world.kinds(action);
        world.base(action) == "add_member" || kinds.contains(&"user") || kinds.contains(&"none")
    };
    let declared = world.between.actions.keys().copied();
    ACTIONS.into_iter().chain(declared).filter(is_counted).collect()
}

/// Gained and lost, by tag sets of both: each pair is looked at.
type Counted = BTreeMap<(bool, Vec<String>, Option<Vec<String>>), u64>;

fn tags(world: &World, id: &str) -> Vec<String> {
    let mut tags = world.users[id].tags.clone().unwrap_or_default();
    tags.sort();
    tags.dedup();
    tags
}

fn check_action(old: &World, new: &World, diff: &ActionDiff, users: u32) {
    let action = diff.action.as_str();
    let action = counted(new).into_iter().find(|known| *known == action).unwrap();
    let ids: Vec<&str> = new.users.keys().map(String::as_str).collect();
    assert_eq!(users as usize, ids.len());
    let mut counted = Counted::new();
    // By user: whether they reached anybody or was reached, before and now.
    let mut reach: BTreeMap<&str, [bool; 4]> = BTreeMap::new();
    for &subject in &ids {
        let others: Vec<Option<&str>> = if is_over_subjects(new, action) {
            vec![None]
        } else {
            ids.iter().filter(|&&id| id != subject).map(|&id| Some(id)).collect()
        };
        for other in others {
            let [before, after] = [old, new].map(|world| allows(world, action, subject, other));
            if before != after {
                let to = other.map(|id| tags(new, id));
                *counted.entry((after, tags(new, subject), to)).or_default() += 1;
            }
            if let Some(other) = other {
                let subject = reach.entry(subject).or_default();
                *subject = [subject[0] | before, subject[1] | after, subject[2], subject[3]];
                let other = reach.entry(other).or_default();
                *other = [other[0], other[1], other[2] | before, other[3] | after];
            }
        }
    }
    let total = |gained: bool| -> u64 {
        counted.iter().filter(|((is, ..), _)| *is == gained).map(|(_, pairs)| pairs).sum()
    };
    assert_eq!((diff.gained, diff.lost), (total(true), total(false)), "{action}");

    // In small worlds all that can be the largest is looked at.
    assert!(diff.has_all_largest || users > 8);
    for gained in [true, false].into_iter().filter(|_| diff.has_all_largest) {
        let reported: Vec<u64> =
            diff.kinds.iter().filter(|kind| kind.gained == gained).map(|kind| kind.pairs).collect();
        let mut all: Vec<u64> =
            counted.iter().filter(|((is, ..), _)| *is == gained).map(|(_, &pairs)| pairs).collect();
        all.sort_unstable_by_key(|&pairs| std::cmp::Reverse(pairs));
        all.truncate(8);
        assert_eq!(reported, all, "{action}");
    }
    for kind in &diff.kinds {
        let key = (kind.gained, kind.from.clone(), kind.to.clone());
        assert_eq!(counted.get(&key), Some(&kind.pairs), "{action}: {key:?}");
        assert!(!kind.witnesses.is_empty());
        for witness in &kind.witnesses {
            let other = witness.other.as_deref();
            let [before, after] =
                [old, new].map(|world| allows(world, action, &witness.subject, other));
            assert_eq!((before, after), (!kind.gained, kind.gained));
            assert_eq!(witness.old.decision.allow, before);
            assert_eq!(witness.new.decision.allow, after);
            assert_eq!(tags(new, &witness.subject), kind.from);
            assert_eq!(other.map(|id| tags(new, id)), kind.to);
        }
    }
    if diff.over != CountedUnit::Subjects {
        let contact = &diff.contact;
        let lists = [
            (&contact.reach_nobody_now, 0, true),
            (&contact.reach_somebody_now, 0, false),
            (&contact.reached_by_nobody_now, 2, true),
            (&contact.reached_by_somebody_now, 2, false),
        ];
        for (list, at, before) in lists {
            let expected: Vec<UserNumber> = (0..)
                .map(UserNumber)
                .zip(&ids)
                .filter(|(_, id)| {
                    let reach = reach.get(*id).copied().unwrap_or_default();
                    (reach[at], reach[at + 1]) == (before, !before)
                })
                .map(|(user, _)| user)
                .collect();
            assert_eq!(list, &expected, "{action}");
        }
    }
}

/// Checks what is counted user by user, as where users differ too much to be counted by kinds.
fn check_by_rows(views: &VersionPair, old: &World, new: &World) {
    let detail = DiffDetail { kind_pairs: 0, ..DiffDetail::default() };
    let diff = Diff::compute(&views.old, &views.new, None, detail);
    assert!(!diff.is_estimate(), "so few users stand for themselves");
    for action in &diff.actions {
        check_action(old, new, action, diff.users);
    }
}

proptest! {
    #![proptest_config(config(400))]

    /// All pairs, all actions.
    #[test]
    fn small_worlds_pair_by_pair(world in shaped(SHAPE), other in shaped(SHAPE), parts: u8) {
        let old = changed(&world, &other, parts);
        let views = pair(text::plain(&old), text::plain(&world));
        let old = over_users_of(&world, old);
        let diff = Diff::compute(&views.old, &views.new, None, DiffDetail::default());
        prop_assert_eq!(diff.actions.len(), counted(&world).len());
        for action in &diff.actions {
            check_action(&old, &world, action, diff.users);
        }
        check_by_rows(&views, &old, &world);
        let sum: u64 = diff.actions.iter().filter(|a| a.over != CountedUnit::Subjects).map(|a| a.gained + a.lost).sum();
        prop_assert_eq!(diff.changed(), sum);
    }

    #[test]
    fn a_policy_does_not_differ_from_itself(world in shaped(SHAPE), seed: u64) {
        let views = pair(text::scattered(&world, seed), text::plain(&world));
        let diff = Diff::compute(&views.old, &views.new, None, DiffDetail::default());
        prop_assert_eq!(diff.changed(), 0);
        prop_assert!(diff.changes.is_empty(), "{:?}", diff.changes);
        prop_assert!(diff.matrices.is_empty());
        prop_assert!(diff.actions.iter().all(|action| action.gained + action.lost == 0));
    }
}

/// What of two policies differs only in existing conversations, or only in which actions a statement concerns.
#[test]
fn what_only_concerns_some_conversations() {
    let users = "users: { ann: { tags: [A] }, bob: { tags: [B] } }\nconversations: [[ann, bob]]\n";
    let cases = [
        (
            "accepts: { send_message: { default: contacts, asked: always } }",
            "asked: always",
            "asked: new",
            2,
        ),
        (
            "rule_sets: { staff: { asked: always, actions: [start_chat, send_message], rules: [{ condition: nobody, outcome: [A] }] } }",
            "asked: always",
            "asked: new",
            2,
        ),
        (
            "barriers: [{ name: apart, from: hasTag(A), to: hasTag(B), actions: [start_chat, send_message] }]",
            "[start_chat, send_message]",
            "[start_chat]",
            1,
        ),
    ];
    for (old, before, after, gained) in cases {
        let new = old.replace(before, after);
        assert_ne!(new, old);
        let source = |text: &str| {
            Sources::new(vec![Source::new("p.yaml", Notation::Yaml, format!("{text}\n{users}"))])
        };
        let views = pair(source(old), source(&new));
        let diff = Diff::compute(&views.old, &views.new, None, DiffDetail::default());
        let send = diff.actions.iter().find(|it| it.action.as_str() == "send_message").unwrap();
        assert_eq!((send.gained, send.lost), (gained, 0), "{old}");
    }
}

/// Some hundred users, with relations enough for every gate.
#[test]
fn hundreds_pair_by_pair() {
    for seed in 0..3 {
        let large = |seed| World::large(90, 12, 14, seed).extended(SHAPE, seed, &THIN).sound();
        let (world, other) = (large(seed), large(seed + 10));
        for parts in [0b10, 0b1, 0b0110_0000, 0b1001_1010] {
            let old = changed(&world, &other, parts);
            let views = pair(text::bulk(&old), text::bulk(&world));
            let old = over_users_of(&world, old);
            let diff = Diff::compute(&views.old, &views.new, None, DiffDetail::default());
            for action in &diff.actions {
                check_action(&old, &world, action, diff.users);
            }
            check_by_rows(&views, &old, &world);
        }
    }
}
