//! The cost of applying changed records to a view, with a million users and ten million
//! relations between them.
//!
//! `cargo bench --bench follow` prints a table: a change is followed on a clone of the view, and the
//! view before it is dropped, as when no reader holds it.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench may stop at what it did not expect"
)]
#![allow(dead_code, reason = "each bench needs a part of the world")]

mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use peerage::{
    compile::{self, Declarations, FactsSource},
    facts::{
        Friend, GroupRecord, Member, Record, RecordChange, RecordKey, RecordKind, RuleRecord,
        UserRecord,
    },
    request::{Moderation, Role},
    snapshot::View,
    source::{Notation, Source},
};
use uuid::Uuid;
use world::{LARGE, Random, social};

const ROUNDS: u32 = 400;

#[derive(Default)]
struct Store(BTreeMap<RecordKey, Record>);

impl FactsSource for Store {
    type Error = Infallible;

    fn get(&self, key: &RecordKey) -> Result<Option<Record>, Infallible> {
        Ok(self.0.get(key).cloned())
    }

    fn each(
        &self,
        kind: RecordKind,
        each: &mut dyn FnMut(RecordKey, Record),
    ) -> Result<(), Infallible> {
        for (key, record) in self.0.iter().filter(|(key, _)| key.kind() == kind) {
            each(key.clone(), record.clone());
        }
        Ok(())
    }
}

impl Store {
    fn user(&mut self, id: &str, change: impl FnOnce(&mut UserRecord)) -> RecordChange {
        let key = RecordKey::User(id.to_owned());
        let mut user = match self.0.get(&key) {
            Some(Record::User(user)) => UserRecord::clone(user),
            _ => UserRecord::default(),
        };
        change(&mut user);
        self.put(key, Record::User(Box::new(user)))
    }

    fn put(&mut self, key: RecordKey, record: Record) -> RecordChange {
        let old = self.0.insert(key.clone(), record.clone());
        RecordChange { key, old: old.map(Arc::new), new: Some(Arc::new(record)) }
    }
}

fn main() {
    let sources = social::sources(LARGE, 20_000);
    let mut store = Store::default();
    let begun = Instant::now();
    let outcome = compile::build_with_records(&sources, &store).unwrap();
    println!("started in {:.1} s", begun.elapsed().as_secs_f64());
    let (mut view, basis) = (outcome.view.unwrap(), outcome.declarations.unwrap());

    let cloned = times(|_| {
        let begun = Instant::now();
        black_box(view.clone());
        begun.elapsed()
    });
    reported("clone and drop", &cloned);
    singles(&mut view, &basis, &mut store);
    reloads(&mut view, &basis, &store, &sources);
    bulk(&mut view, &basis, &mut store);
    println!("{} MB", view.memory() / 1_000_000);
}

type Kinds<'k> = [(&'k str, &'k dyn Fn(&mut Store, u32) -> Vec<RecordChange>)];

fn singles(view: &mut View, basis: &Declarations, store: &mut Store) {
    let someone = |number: u32| world::user(number.wrapping_mul(0x9e37_79b9) % LARGE.users);
    let other = |number: u32| someone(number + 1_000_000);
    let late = |number: u32| format!("new-{}", number.wrapping_mul(0x9e37_79b9));
    let befriend = |store: &mut Store, one: &str, other: &str| {
        let id = other.to_owned();
        store.user(one, |user| drop(user.friends.insert(id, Friend::default())))
    };
    let kinds: &Kinds<'_> = &[
        ("block", &|store, at| {
            vec![store.user(&someone(at), |user| {
                user.blocked.insert(other(at), 1);
            })]
        }),
        ("friends, both ways", &|store, at| {
            let (one, two) = (someone(at), other(at));
            vec![befriend(store, &one, &two), befriend(store, &two, &one)]
        }),
        ("ban", &|store, at| {
            vec![
                store
                    .user(&someone(40 * at + 7), |user| user.moderation = Some(Moderation::Banned)),
            ]
        }),
        ("new user", &|store, at| vec![store.user(&late(at), |user| user.created = true)]),
        ("tags of a user", &|store, at| {
            let tags = [format!("tag-{}", at % 40), "tag-500".to_owned()];
            vec![store.user(&late(at), |user| user.tags = Some(BTreeSet::from(tags)))]
        }),
        ("member of a group", &|store, at| {
            let key = RecordKey::Group(social::group(at % 20_000));
            let mut group = match store.0.get(&key) {
                Some(Record::Group(group)) => GroupRecord::clone(group),
                _ => GroupRecord::default(),
            };
            group.members.insert(someone(at), Member::new(Role::Member));
            vec![store.put(key, Record::Group(Box::new(group)))]
        }),
        ("a rule", &|store, at| {
            let mut random = Random::new(u64::from(at) + 1);
            let mut tag = || format!("hasTag(tag-{})", random.tag(LARGE));
            let rule = RuleRecord {
                name: None,
                description: None,
                condition: format!("all({}, not({}))", tag(), tag()),
                outcome: vec![format!("tag-{}", at % 1000)],
            };
            vec![
                store.put(
                    RecordKey::Rule(Uuid::from_u128(u128::from(at) << 100)),
                    Record::Rule(rule),
                ),
            ]
        }),
    ];
    for (name, change) in kinds {
        let each = times(|at| {
            let changes = change(store, at);
            let begun = Instant::now();
            let mut next = view.clone();
            compile::apply_records(&mut next, basis, &changes);
            drop(std::mem::replace(view, next));
            begun.elapsed()
        });
        reported(name, &each);
    }
}

/// A rule more in the files, and one user less.
fn reloads(
    view: &mut View,
    basis: &Declarations,
    store: &Store,
    sources: &peerage::source::LoadedSources,
) {
    let more = Source::new("z.peerage", Notation::Dsl, "rule z: hasTag(tag-1) -> [tag-9];");
    let changed = world::with(sources, more);
    for _ in 0..3 {
        let loaded = world::fresh(&changed);
        let begun = Instant::now();
        let outcome = compile::rebuild(&loaded, view, basis, store).unwrap();
        println!("{:>24} {:>9.1} ms", "a rule in the files", begun.elapsed().as_secs_f64() * 1e3);
        drop(black_box(outcome));
    }
    let more = Source::new("zz.ndjson", Notation::Ndjson, "{\"id\":\"zz\",\"tags\":[\"tag-1\"]}\n");
    let loaded = world::fresh(&world::with(sources, more));
    let begun = Instant::now();
    let outcome = compile::rebuild(&loaded, view, basis, store).unwrap();
    println!("{:>24} {:>9.1} ms", "a user in the files", begun.elapsed().as_secs_f64() * 1e3);
    drop(black_box(outcome));
}

/// Many new users in batches.
fn bulk(view: &mut View, basis: &Declarations, store: &mut Store) {
    let begun = Instant::now();
    for batch in 0..300_u32 {
        let users = (0..1000).map(|at| (batch * 1000 + at).wrapping_mul(0x9e37_79b9));
        let changes: Vec<RecordChange> = users
            .map(|number| {
                store.user(&format!("bulk-{number}"), |user| {
                    user.created = true;
                    user.tags = Some(BTreeSet::from([format!("tag-{}", number % 1000)]));
                })
            })
            .collect();
        let mut next = view.clone();
        compile::apply_records(&mut next, basis, &changes);
        drop(std::mem::replace(view, next));
    }
    let each = begun.elapsed().as_secs_f64() * 1e6 / 300_000.0;
    println!("{:>24} {each:>9.2} us each", "300,000 users in 1000s");
}

fn times(mut run: impl FnMut(u32) -> Duration) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..ROUNDS).map(&mut run).collect();
    times.sort_unstable();
    times
}

fn reported(name: &str, sorted: &[Duration]) {
    let at = |part: usize| {
        let time = sorted.get(sorted.len() * part / 100).copied().unwrap_or_default();
        time.as_secs_f64() * 1e6
    };
    println!("{name:>24} {:>9.1} us, 99 in 100 below {:>9.1} us", at(50), at(99));
}
