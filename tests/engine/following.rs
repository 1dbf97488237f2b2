//! A view that follows records that change is the view that is compiled from scratch.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by it")]

mod answers;
mod concerned;
mod ends;
mod records;

use std::sync::Arc;

use peerage::{
    compile::{self, BuildOutput, Declarations},
    facts::{Record, RecordChange, RecordKey, UserRecord},
    request::Relation,
    snapshot::{UserNumber, View},
    source::{LoadedSources, Sources},
};
use proptest::prelude::*;

use crate::oracle::World;
use crate::worlds::{Chance, WorldShape, shaped, text, world};
use records::Changes;
pub(crate) use records::Store;

/// What the worlds say of two users.
const SHAPE: WorldShape = WorldShape { declared: false, ..WorldShape::ALL };

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig::with_cases(cases)
}

/// More of them where it is asked for.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

fn parts(outcome: BuildOutput) -> (View, Arc<Declarations>) {
    let said = peerage::diagnostic::render_text(&outcome.report, false);
    assert_eq!(outcome.report.errors, 0, "{said}");
    (outcome.view.unwrap(), outcome.declarations.unwrap())
}

fn start(sources: &Sources, store: &Store) -> (View, Arc<Declarations>) {
    parts(compile::build_with_records(&LoadedSources::from(sources.clone()), store).unwrap())
}

fn rebuild(
    sources: &Sources,
    view: &View,
    basis: &Declarations,
    store: &Store,
) -> (View, Arc<Declarations>) {
    parts(compile::rebuild(&LoadedSources::from(sources.clone()), view, basis, store).unwrap())
}

/// Both hold and answer the same.
fn assert_alike(one: &View, other: &View, world: &World, seed: u64) {
    similar(&answers::held(one), &answers::held(other));
    assert_eq!(one.revision.policy, other.revision.policy);
    let matrices: Vec<String> = world.matrices.keys().cloned().collect();
    similar(&answers::all(one, &matrices, seed), &answers::all(other, &matrices, seed));
}

fn similar(one: &[String], other: &[String]) {
    for (one, other) in one.iter().zip(other) {
        let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
        let rest = |text: &str| text.chars().skip(same.saturating_sub(200)).take(500).collect();
        let (differs, from): (String, String) = (rest(one), rest(other));
        assert!(one == other, "{}\n: {differs}\n: {from}", one.get(..100).unwrap_or(one));
    }
    assert_eq!(one.len(), other.len());
}

/// Records change in random order and random batches.
fn changed(
    world: &World,
    view: &mut View,
    basis: &Declarations,
    store: &mut Store,
    chance: &mut Chance,
) -> Vec<RecordChange> {
    let changes = Changes::of(world);
    let mut journal = Vec::new();
    for _ in 0..=chance.below(4) {
        let batch: Vec<RecordChange> =
            (0..=chance.below(6)).map(|_| changes.next(store, chance)).collect();
        compile::apply_records(view, basis, &batch);
        journal.extend(batch);
    }
    journal
}

proptest! {
    #![proptest_config(config(cases(80)))]

    #[test]
    fn following_is_compiling(world in shaped(SHAPE), seed in any::<u64>()) {
        let chance = &mut Chance(seed);
        let sources = text::scattered(&world, seed);
        let mut store = Store::default();
        let (mut view, mut basis) = start(&sources, &store);
        let mut kept: Vec<(View, Vec<String>, Vec<String>)> = Vec::new();
        for round in 0..3 {
            if chance.percent(50) {
                (view, basis) = start(&sources, &store);
            }
            kept.push((view.clone(), answers::held(&view), answers::all(&view, &[], round)));
            changed(&world, &mut view, &basis, &mut store, chance);
            let (fresh, _) = start(&sources, &store);
            assert_alike(&view, &fresh, &world, chance.next());
        }
        for ((view, held, said), round) in kept.iter().zip(0..) {
            similar(&answers::held(view), held);
            similar(&answers::all(view, &[], round), said);
        }
    }

    #[test]
    fn reloading_is_compiling(
        one in world(), other in world(), is_like in any::<[bool; 5]>(), seed in any::<u64>()
    ) {
        let chance = &mut Chance(seed);
        let mixed = mixed(&one, other, is_like);
        let (before, after) = (text::scattered(&one, seed), text::scattered(&mixed, seed >> 1));
        let mut store = Store::default();
        let (mut view, basis) = start(&before, &store);
        changed(&one, &mut view, &basis, &mut store, chance);
        let fresh = start(&after, &store);
        let (reloaded, next) = rebuild(&after, &view, &basis, &store);
        assert_alike(&reloaded, &fresh.0, &mixed, chance.next());

        // What files shadow is found from what they shadowed before.
        let (begun, declarations) = start(&before, &store);
        let (_, shadowing) = rebuild(&after, &begun, &declarations, &store);
        assert_eq!(shadowing.shadowed, fresh.1.shadowed);

        // While it reloads, records change.
        let (old, then) = (view.clone(), store.clone());
        let journal = changed(&one, &mut view, &basis, &mut store, chance);
        let mut facts = then.clone();
        let moments: Vec<usize> = (0..=journal.len()).collect();
        for change in journal.iter().take(*chance.pick(&moments)) {
            facts.put(change.key.clone(), change.new.as_deref().cloned());
        }
        let (mut late, basis) = rebuild(&after, &old, &basis, &facts);
        compile::replay_changes(&mut late, &basis, &journal);
        let fresh = start(&after, &store);
        assert_alike(&late, &fresh.0, &mixed, chance.next());

        // And it goes on, and back again.
        let (mut view, mut basis) = (late, next);
        for sources in [&before, &after] {
            changed(&mixed, &mut view, &basis, &mut store, chance);
            (view, basis) = rebuild(sources, &view, &basis, &store);
            assert_alike(&view, &start(sources, &store).0, &mixed, chance.next());
        }
    }
}

/// Whether the first is a friend of the second, told as plainly as can be: a friendship that files
/// state counts as ended while one blocks the other, where the policy has it so.
fn is_friend(world: &World, store: &Store, one: &str, other: &str) -> bool {
    let stated = |id: &str| world.users.get(id).cloned().unwrap_or_default();
    let record = |id: &str| match store.0.get(&RecordKey::User(id.to_owned())) {
        Some(Record::User(user)) => (**user).clone(),
        _ => UserRecord::default(),
    };
    let blocks = |from: &str, to: &str| {
        stated(from).blocked.iter().any(|id| id == to) || record(from).blocked.contains_key(to)
    };
    let are_blocked = blocks(one, other) || blocks(other, one);
    if stated(one).friends.iter().any(|id| id == other) {
        !(are_blocked && world.settings.preset == Some("tencent"))
    } else {
        record(one).friends.contains_key(other)
    }
}

fn check_friends(world: &World, store: &Store, view: &View) {
    let directory = &view.population.directory;
    let known: Vec<(UserNumber, &str)> = directory
        .numbers()
        .filter(|&user| directory.is_known(user))
        .map(|user| (user, directory.id(user)))
        .collect();
    for &(one, id) in &known {
        for &(other, other_id) in known.iter().filter(|(other, _)| *other != one) {
            let expected = is_friend(world, store, id, other_id);
            let tie = view.population.tie(one, other);
            assert_eq!(tie.outgoing(Relation::Friend), expected, "{id} {other_id}");
            let tie = view.population.tie(other, one);
            assert_eq!(tie.incoming(Relation::Friend), expected, "{other_id} {id}");
        }
    }
}

proptest! {
    #![proptest_config(config(cases(60)))]

    /// Blocks come and go between friends whom files state, and so does what they do to a friendship.
    #[test]
    fn friendships_end_with_blocks(world in world(), seed in any::<u64>()) {
        let chance = &mut Chance(seed);
        let mut ends = world;
        ends.settings.preset = Some("tencent");
        let ids: Vec<String> = ends.users.keys().cloned().collect();
        for (user, id) in ends.users.values_mut().zip(&ids) {
            user.blocked.retain(|_| chance.percent(10));
            user.friends = ids.iter().filter(|it| *it != id && chance.percent(70)).cloned().collect();
        }
        let ends = ends.sound();
        let mut stays = ends.clone();
        stays.settings.preset = None;
        let stays = stays.sound();
        let mut store = Store::default();
        let (mut view, mut basis) = start(&text::scattered(&ends, seed), &store);
        for round in 0..4 {
            let world = if round % 2 == 0 { &ends } else { &stays };
            for _ in 0..4 {
                changed(world, &mut view, &basis, &mut store, chance);
            }
            check_friends(world, &store, &view);
            let sources = text::scattered(world, seed);
            assert_alike(&view, &start(&sources, &store).0, world, chance.next());
            let next = if round % 2 == 0 { &stays } else { &ends };
            let sources = text::scattered(next, seed);
            (view, basis) = rebuild(&sources, &view, &basis, &store);
            check_friends(next, &store, &view);
            assert_alike(&view, &start(&sources, &store).0, next, chance.next());
        }
    }
}

/// The one in some of its parts, and else the other.
fn mixed(one: &World, other: World, is_like: [bool; 5]) -> World {
    let [rules, settings, matrices, users, groups] = is_like;
    let mut mixed = other;
    if rules {
        mixed.rules.clone_from(&one.rules);
        mixed.declared.clone_from(&one.declared);
    }
    if settings {
        mixed.settings = one.settings.clone();
    }
    if matrices {
        mixed.matrices.clone_from(&one.matrices);
    }
    if users {
        mixed.users.clone_from(&one.users);
        mixed.conversations.clone_from(&one.conversations);
    }
    if groups {
        mixed.groups.clone_from(&one.groups);
    }
    mixed.declared = None;
    mixed.sound()
}
