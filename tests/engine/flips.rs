//! The changed decisions of policies whose users change too, counted by peerage and pair by pair by
//! a plain oracle.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail by it"
)]

use peerage::inspect::{
    Impact,
    diff::{Diff, DiffDetail},
};
use proptest::prelude::*;

use crate::oracle::{ACTIONS, Asked, Between, Question, Resource, World};
use crate::worlds::{Chance, WorldShape, shaped, text, view};

/// What the worlds say of two users.
const SHAPE: WorldShape = WorldShape::ALL;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig::with_cases(cases)
}

/// The first world, with some of the users, groups and settings of the second in place of its own.
fn moved(world: &World, other: &World, seed: u64) -> World {
    let mut moved = world.clone();
    let chance = &mut Chance(seed);
    moved.declared = None;
    let share = *chance.pick(&[0, 10, 50, 100]);
    moved.users.retain(|_, _| !chance.percent(share));
    for (id, user) in &other.users {
        if chance.percent(share) {
            moved.users.insert(id.clone(), user.clone());
        }
    }
    if chance.percent(50) {
        moved.rules.clone_from(&other.rules);
    }
    if chance.percent(30) {
        moved.settings = other.settings.clone();
    }
    if chance.percent(30) {
        let actions = moved.between.actions.clone();
        moved.between = Between { actions, ..other.between.clone() };
    }
    moved.sound()
}

fn allows(world: &World, action: &'static str, subject: &str, other: &str) -> bool {
    let are_known = [subject, other].iter().all(|id| world.users.contains_key(*id));
    if world.base(action) == "add_member" {
        let member = Some(Asked::from(other));
        let group = Resource::Group { id: String::new(), matrix: None };
        let question = Question { member, ..Question::of(subject, action, group) };
        return are_known && world.is_open_between(&question);
    }
    world.allows(&Question::new(subject, action, other))
}

fn check(before: &World, after: &World, flips: &Impact) {
    let ids: Vec<&str> = before.users.keys().map(String::as_str).collect();
    assert_eq!(flips.users as usize, ids.len());
    let gone = ids.iter().filter(|&&id| !after.users.contains_key(id)).count();
    assert_eq!(flips.vanished as usize, gone);
    assert!(!flips.is_estimate);
    let declared = before.between.actions.keys();
    let is_counted =
        |it: &&&'static str| before.kinds(it).contains(&"user") || before.base(it) == "add_member";
    let expected = ACTIONS.iter().chain(declared).filter(is_counted);
    let reported: Vec<&str> = flips.actions.iter().map(|it| it.action.as_str()).collect();
    assert_eq!(reported.len(), expected.clone().count());
    for &action in expected {
        let (mut gained, mut lost) = (0, 0);
        for &one in &ids {
            for &other in ids.iter().filter(|&&other| other != one) {
                match [before, after].map(|world| allows(world, action, one, other)) {
                    [false, true] => gained += 1,
                    [true, false] => lost += 1,
                    _ => {}
                }
            }
        }
        let found = flips.actions.iter().find(|it| it.action.as_str() == action).unwrap();
        assert_eq!((found.gained, found.lost), (gained, lost), "{action}");
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn small_worlds_pair_by_pair(world in shaped(SHAPE), other in shaped(SHAPE), seed: u64) {
        let next = moved(&world, &other, seed);
        let views = [&world, &next].map(|world| view(&text::plain(world), None));
        check(&world, &next, &Impact::between(&views[0], &views[1]));
    }

    #[test]
    fn nothing_flips_where_the_same_is_said_in_other_words(world in shaped(SHAPE), seed: u64) {
        let [one, other] = [text::plain(&world), text::scattered(&world, seed)];
        let flips = Impact::between(&view(&one, None), &view(&other, None));
        prop_assert_eq!(flips.totals(), [0, 0]);
    }
}

#[test]
fn where_nobody_is_left_all_that_was_allowed_is_lost() {
    let mut world = World::large(60, 12, 14, 1);
    world.settings.unknown_users = None;
    let nobody = World { users: std::collections::BTreeMap::default(), ..world.clone() }.sound();
    let views = [&world, &nobody].map(|world| view(&text::bulk(world), None));
    let flips = Impact::between(&views[0], &views[1]);
    check(&world, &nobody, &flips);
    assert!(flips.summary().starts_with("60 of 60 users vanish; 0 pairs gained, "));
    // From nobody to somebody, no one who was there is concerned.
    let back = Impact::between(&views[1], &views[0]);
    assert!(back.share().abs() < f64::EPSILON);
    assert_eq!((back.totals(), back.vanished), ([0, 0], 0));
}

/// Too many pairs to look at: a sample comes near to what is counted by set algebra.
#[test]
fn a_sample_is_near_the_count() {
    let world = World::large(500, 40, 30, 5);
    for seed in [9, 10] {
        let other = World::large(500, 40, 30, seed);
        let rules = other.rules.filter(|_| seed == 9).or_else(|| world.rules.clone());
        let next = World { rules, settings: other.settings, ..world.clone() }.sound();
        let before = view(&text::bulk(&world), None);
        let after = view(&text::bulk(&next), Some(&before));
        let flips = Impact::between(&before, &after);
        assert!(flips.is_estimate);
        assert_eq!(flips, Impact::between(&before, &after), "the same each time");
        let diff = Diff::compute(&before, &after, None, DiffDetail::NONE);
        assert_eq!(flips.compared(), diff.compared());
        let [exact, estimate] = [diff.share(), flips.share()];
        assert!(exact > 0.0 && (estimate - exact).abs() < 0.005, "{estimate} {exact}");
        for (flips, diff) in flips.actions.iter().zip(
            diff.actions
                .iter()
                .filter(|it| it.over != peerage::inspect::diff::CountedUnit::Subjects),
        ) {
            assert_eq!(flips.action, diff.action);
            let is_near = |one: u64, other: u64| one.abs_diff(other) < 500 * 499 / 100;
            assert!(is_near(flips.gained, diff.gained), "{flips:?} {}", diff.gained);
            assert!(is_near(flips.lost, diff.lost), "{flips:?} {}", diff.lost);
        }
    }
}

/// One user of a thousand is hard to meet by chance: pairs that a changed user is in are looked at
/// apart.
#[test]
fn a_single_user_is_not_overlooked() {
    let world = World::large(1_000, 40, 30, 5);
    let mut next = world.clone();
    let id = next.users.keys().next().unwrap().clone();
    next.users.get_mut(&id).unwrap().moderation = Some("banned");
    let before = view(&text::bulk(&world), None);
    let flips = Impact::between(&before, &view(&text::bulk(&next), None));
    let lost =
        |action: &str| flips.actions.iter().find(|it| it.action.as_str() == action).unwrap().lost;
    let expected = next
        .users
        .keys()
        .filter(|&other| *other != id && world.allows(&Question::new(&id, "read", other)));
    assert_eq!(lost("read"), expected.count() as u64);
    assert_eq!(flips.totals()[0], 0);
}
