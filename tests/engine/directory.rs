//! The directory finds each user, with their own id and tags, however long and many these are, and
//! whenever the user came.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test may fail by it, and its numbers are small"
)]

use std::collections::{BTreeMap, BTreeSet};

use peerage::{
    compile,
    request::Relation,
    snapshot::{
        DirectoryEntry, Population, PopulationParts, TagId, UserChange, UserNumber, UserSet, View,
    },
    source::{LoadedSources, Notation, Sources},
};
use proptest::{collection, prelude::*};

use crate::worlds;

type Users = BTreeMap<String, Vec<u32>>;

fn population(users: &Users) -> Population {
    let mut sets: Vec<&Vec<u32>> = users.values().collect();
    sets.sort();
    sets.dedup();
    let class = |tags: &Vec<u32>| sets.binary_search(&tags).unwrap();
    let classes: Vec<Vec<TagId>> = sets.iter().map(|set| numbers(set)).collect();
    let entries: Vec<DirectoryEntry<'_>> = users
        .iter()
        .map(|(id, tags)| DirectoryEntry { id, class: Some(class(tags)), is_known: true })
        .collect();
    Population::new(PopulationParts {
        ends: Default::default(),
        last_end: None,
        users: entries.into_iter(),
        classes: &classes,
        tags: 0,
        overrides: Vec::new(),
        switch_conditions: Vec::new(),
        own_audiences: Vec::new(),
        own_switches: Vec::new(),
        declared_fields: Vec::new(),
        ties: std::iter::empty(),
        key: [0; 32],
    })
}

fn numbers(tags: &[u32]) -> Vec<TagId> {
    tags.iter().copied().map(TagId).collect()
}

/// A view of nobody, and then of these, who all come late but the first.
fn late(first: &Users, others: &Users) -> View {
    let nobody = LoadedSources::from(Sources::default());
    let mut view = compile::build(&nobody, None).view.unwrap();
    view.population = population(first).into();
    for (id, tags) in others {
        let tags = numbers(tags);
        let change =
            UserChange { id, known: Some(true), tags: Some(tags), ..UserChange::default() };
        // An older version stays alive beside it.
        let older = view.clone();
        let was = older.population.directory.len();
        view.apply_changes(&[change], &[]);
        assert_eq!(older.population.directory.len(), was);
        assert_eq!(older.population.directory.number(id), None);
    }
    view
}

fn check(users: &Users, view: &Population, strangers: &[String]) {
    let directory = &view.directory;
    assert_eq!(directory.len() as usize, users.len());
    for (id, tags) in users {
        let number = directory.number(id).unwrap();
        assert_eq!(directory.number_or_tombstone(id), Some(number));
        assert_eq!(directory.id(number), id);
        assert!(directory.is_known(number));
        assert_eq!(directory.tags(number).iter().collect::<Vec<_>>(), numbers(tags), "{id}");
    }
    let all = UserSet::first(directory.len());
    let some: UserSet = directory.numbers().step_by(3).collect();
    let mut after: Vec<Option<&str>> = vec![None];
    after.extend(users.keys().chain(strangers).map(|id| Some(id.as_str())));
    for after in after {
        let follows = |id: &&String| after.is_none_or(|after| id.as_str() > after);
        let listed = |set: &UserSet| -> Vec<String> {
            directory.iter_by_id(set, after).map(|user| directory.id(user).to_owned()).collect()
        };
        let expected: Vec<String> = users.keys().filter(follows).cloned().collect();
        assert_eq!(listed(&all), expected, "{after:?}");
        let is_in = |id: &String| some.contains(directory.number(id).unwrap());
        let expected: Vec<String> = expected.into_iter().filter(is_in).collect();
        assert_eq!(listed(&some), expected, "{after:?}");
    }
    for stranger in strangers.iter().filter(|id| !users.contains_key(*id)) {
        assert_eq!(directory.number(stranger), None, "{stranger}");
        assert_eq!(directory.number_or_tombstone(stranger), None, "{stranger}");
    }
    let unassigned = UserNumber(directory.len());
    assert_eq!(directory.id(unassigned), "");
    assert!(directory.tags(unassigned).is_empty());
}

#[test]
fn every_length_of_id_and_number_of_tags() {
    let id = |len: usize| "x".repeat(len);
    let users: Users = (1..=255).map(|len| (id(len), (0..len as u32).collect())).collect();
    let strangers: Vec<String> = (0..=255).map(|len| format!("{}y", id(len))).collect();
    check(&users, &population(&users), &strangers);
    check(&Users::new(), &population(&Users::new()), &strangers);
    check(&users, &late(&Users::new(), &users).population, &strangers);
}

#[test]
fn tags_of_large_numbers() {
    let tags = |from: u32| -> Vec<u32> { (from..from + 3).collect() };
    let of = |from: u32| (format!("u{from}"), tags(from));
    let users: Users = (65_530..65_540).chain([u32::MAX - 3]).map(of).collect();
    check(&users, &population(&users), &[]);
}

#[test]
fn thousands_come_late() {
    let of = |number: u32| (format!("u{}", number.wrapping_mul(0x9e37_79b9)), vec![number % 7]);
    let (first, others): (Users, Users) =
        ((0..100).map(of).collect(), (100..12_000).map(of).collect());
    let view = late(&first, &others);
    let directory = &view.population.directory;
    let users: Users = first.into_iter().chain(others).collect();
    assert_eq!(directory.appended_count(), users.len() - 100);
    let listed =
        directory.iter_by_id(&view.population.everyone, None).map(|user| directory.id(user));
    // Those who were there first were never put in `everyone`, but are still found.
    let listed: BTreeSet<&str> = listed.collect();
    assert!(listed.iter().all(|id| users.contains_key(*id)));
    assert!(users.keys().all(|id| directory.number(id).is_some()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_users(
        users in collection::btree_map(
            "[a-c\u{e4}\u{1f600}]{1,50}",
            collection::btree_set(0_u32..300, 0..12).prop_map(|tags| tags.into_iter().collect()),
            0..60,
        ),
        strangers in collection::vec("[a-c\u{e4}\u{1f600}]{0,50}", 0..20),
        seed in any::<u64>(),
    ) {
        check(&users, &population(&users), &strangers);
        let is_first = |id: &String| seed >> (id.len() % 64) & 1 == 1;
        let (first, others) = users.clone().into_iter().partition(|(id, _)| is_first(id));
        check(&users, &late(&first, &others).population, &strangers);
    }
}

/// A row of more words than a directory record can count, and the shortest and longest around it.
#[test]
fn users_with_very_many_ties_are_related_to_each() {
    // A neighbor takes a word and a half.
    const EDGE: u32 = 43_690;
    for count in [EDGE - 1, EDGE] {
        let ids: Vec<String> = (0..count).map(|at| format!("u{at}")).collect();
        let users: Vec<String> = ids.iter().map(|id| format!("user {id} {{ }}\n")).collect();
        let policy = format!("{} user hub {{ contacts: [{}]; }}", users.concat(), ids.join(", "));
        let view = worlds::view(&Sources::single("p.peerage", Notation::Dsl, policy), None);
        let number = |id: &str| view.population.directory.number(id).unwrap();
        let hub = number("hub");
        assert_eq!(view.population.ties_of(hub).count(), count as usize);
        assert_eq!(view.population.ties.edges(Relation::Contact), u64::from(count));
        for id in [&ids[0], &ids[count as usize / 2], &ids[count as usize - 1]] {
            assert!(view.population.tie(hub, number(id)).outgoing(Relation::Contact), "{id}");
            assert!(view.population.tie(number(id), hub).incoming(Relation::Contact), "{id}");
        }
    }
}

/// A view takes at least the memory of the ids, relations and groups in it, and more with each user.
#[test]
fn the_memory_of_a_view_holds_that_of_its_parts() {
    let with_users = |count: usize| {
        let user = |at: usize| format!("user u{at} {{ tags: [a]; contacts: [v]; }}");
        let users = (0..count).map(user).collect::<Vec<_>>().join("\n");
        let policy = format!(
            "{users}user v {{ tags: [a]; }}\ngroup g {{ members: [u0]; }}\nrule: hasTag(a) -> [a];"
        );
        let view = worlds::view(&Sources::single("p.peerage", Notation::Dsl, policy), None);
        let footprint = view.footprint();
        assert_eq!(footprint.view, view.memory());
        assert!(footprint.ids > 0 && footprint.relations > 0 && footprint.groups > 0);
        assert!(view.memory() > footprint.ids + footprint.relations + footprint.groups);
        view.memory()
    };
    let (few, many) = (with_users(10), with_users(1000));
    assert!(many > few + 990 * size_of::<u64>(), "{few} {many}");
}
