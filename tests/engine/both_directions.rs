//! Lists against pairs, and both against the oracle: whom somebody may reach, and who may reach them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by it")]

use std::collections::{BTreeMap, BTreeSet};

use peerage::{
    decide::{decide, reach, reached_by},
    snapshot::View,
};
use proptest::prelude::*;

use crate::oracle::{Asked, Given, Question, REACHING, Resource, World};
use crate::worlds::{
    WorldShape,
    questions::{STRANGERS, request_for},
    shaped, text, view,
};

/// What the worlds say of two users.
const SHAPE: WorldShape = WorldShape::ALL;

/// The places where an action may be done to another user: in each group, or by itself in
/// conversations of every kind.
fn places(world: &World, action: &'static str) -> Vec<Question> {
    let mut places = Vec::new();
    for kind in world.kinds(action) {
        if *kind == "user" {
            for conversation in [None, Some("new"), Some("existing")] {
                places.push(Question { conversation, ..Question::new("", action, "") });
            }
        } else if *kind == "group" && world.takes_member(action) {
            places.extend(world.groups.keys().map(|id| {
                let group = Resource::Group { id: id.clone(), matrix: None };
                Question { member: Some("".into()), ..Question::of("", action, group) }
            }));
        }
    }
    places
}

/// The question there, of these two.
fn between(place: &Question, subject: &Asked, other: &Asked) -> Question {
    let mut question = Question { subject: subject.clone(), ..place.clone() };
    match &mut question.resource {
        Resource::User(resource) => *resource = other.clone(),
        _ => question.member = Some(other.clone()),
    }
    question
}

/// The users whom a list may be about: all who are known, some who are not, and each of the known
/// with tags that a request gives them.
fn ends(world: &World) -> Vec<Asked> {
    let known = world.users.keys().map(String::as_str);
    let mut ends: Vec<Asked> = known.clone().chain(STRANGERS).map(Asked::from).collect();
    let tags: BTreeSet<&String> =
        world.users.values().flat_map(|user| user.tags.iter().flatten()).collect();
    for (id, tag) in known.zip(tags.iter().cycle()) {
        let given = Given { tags: Some(vec![(*tag).clone()]), ..Given::default() };
        ends.push(Asked { id: id.to_owned(), given });
    }
    ends
}

/// Each list of the engine against its decisions, and these against the oracle's.
fn check(world: &World, view: &View, place: &Question) {
    let ends = ends(world);
    let mut allowed: BTreeMap<(usize, usize), bool> = BTreeMap::new();
    for (one, subject) in ends.iter().enumerate() {
        for (two, other) in ends.iter().enumerate() {
            let question = between(place, subject, other);
            let decision = decide(view, &request_for(view, &question));
            assert_eq!(decision.reason.as_str(), world.reason(&question), "{question:?}");
            allowed.insert((one, two), decision.allow);
        }
    }
    let known: Vec<&str> = world.users.keys().map(String::as_str).collect();
    for (at, end) in ends.iter().enumerate() {
        let question = between(place, end, end);
        let list = reach(view, &request_for(view, &question));
        let expected = (0..).zip(&known).filter(|&(other, _)| allowed[&(at, other)]);
        let expected: Vec<&str> = expected.map(|(_, id)| *id).collect();
        assert_eq!(list.ids().collect::<Vec<_>>(), expected, "reached: {question:?}");
        assert_eq!(list.total(), expected.len() as u64, "{question:?}");

        let list = reached_by(view, &request_for(view, &question));
        let expected = (0..).zip(&known).filter(|&(subject, _)| allowed[&(subject, at)]);
        let expected: Vec<&str> = expected.map(|(_, id)| *id).collect();
        assert_eq!(list.ids().collect::<Vec<_>>(), expected, "reached by: {question:?}");
        assert_eq!(list.total(), expected.len() as u64, "{question:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// Every action that reaches another user or shows them, everywhere.
    #[test]
    fn lists_hold_exactly_the_pairs_that_are_allowed(world in shaped(SHAPE), seed in any::<u64>()) {
        let view = view(&text::scattered(&world, seed), None);
        let declared = world.between.actions.keys().copied();
        for action in REACHING.into_iter().chain(["view_profile"]).chain(declared) {
            for place in places(&world, action) {
                check(&world, &view, &place);
            }
        }
    }
}
