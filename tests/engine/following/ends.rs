//! A view that advances with time is the view that is compiled from scratch at that time.

use std::collections::BTreeMap;

use peerage::{
    compile::{self, Declarations},
    facts::{GroupRecord, GroupRestriction, Member, Record, RecordKey, Terms, UserRecord},
    request::{Action, Moderation, Moment, Request, Role, UserList},
    snapshot::View,
    source::{LoadedSources, Notation, Sources},
};
use proptest::prelude::*;

use super::{answers, cases, concerned::assert_concerned, config, parts, records::Store, similar};
use crate::worlds::Chance;

const IDS: [&str; 5] = ["ann", "bob", "cat", "dan", "eve"];
const TAGS: [&str; 3] = ["red", "green", "blue"];
const STATES: [Moderation; 3] = [Moderation::Silenced, Moderation::Banned, Moderation::Shadowed];

/// What files say besides.
const POLICIES: [&str; 3] = [
    "rules: []; user ann { tags: [red]; moderation: silenced; } user bob { contacts: [ann]; }",
    "rules: []; rule: hasTag(red) -> [blue]; user cat { favorites: [dan, ann]; \
     blocked: [bob]; } user ann {} user bob {} user dan {}",
    "rules: []; moderation { managers: hasTag(green); } peers { default: contacts; }",
];

/// Soon, so that much ends in a few steps.
fn until(chance: &mut Chance) -> Option<u64> {
    if chance.percent(50) { Some(1000 * chance.below(8)) } else { None }
}

fn terms(chance: &mut Chance) -> Terms {
    Terms { until: until(chance), ..Terms::default() }
}

fn record(chance: &mut Chance) -> UserRecord {
    let mut user = UserRecord { created: chance.percent(80), ..UserRecord::default() };
    let mut states: Vec<u64> = (0..chance.below(4)).filter_map(|_| until(chance)).collect();
    states.sort_unstable();
    if chance.percent(30) {
        user.moderate(*chance.pick(&STATES), Terms::default());
    }
    for until in states.into_iter().rev() {
        user.moderate(*chance.pick(&STATES), Terms { until: Some(until), ..Terms::default() });
    }
    for tag in TAGS.iter().filter(|_| chance.percent(40)).collect::<Vec<_>>() {
        user.tags.get_or_insert_default().insert((*tag).to_owned());
        user.set_terms(UserList::Tags, tag, terms(chance));
    }
    for id in IDS {
        for (at, list) in
            [UserList::Contacts, UserList::Favorites, UserList::Paired].iter().enumerate()
        {
            if chance.percent(25) {
                [&mut user.contacts, &mut user.favorites, &mut user.paired][at]
                    .insert(id.to_owned());
                user.set_terms(*list, id, terms(chance));
            }
        }
        if chance.percent(25) {
            user.blocked.insert(id.to_owned(), 5);
            user.set_terms(UserList::Blocked, id, terms(chance));
        }
    }
    user
}

/// A group of the API, which mutes and bans for a while.
fn group(chance: &mut Chance) -> GroupRecord {
    let mut group = GroupRecord { created: chance.percent(90), ..GroupRecord::default() };
    group.members.insert("ann".to_owned(), Member::new(Role::SuperAdmin));
    for id in &IDS[1..] {
        let restriction = GroupRestriction { since: 5, terms: terms(chance) };
        let [is_member, is_restricted] = [(); 2].map(|()| chance.percent(50));
        if is_member {
            group.members.insert((*id).to_owned(), Member::new(Role::Member));
        }
        if is_restricted {
            let list = if is_member { &mut group.muted } else { &mut group.banned };
            list.insert((*id).to_owned(), restriction);
        }
    }
    group
}

/// The policies, with whatever else files say of users.
fn sources(policy: &str, at: Moment) -> LoadedSources {
    let sources = Sources::single("policy.peerage", Notation::Dsl, policy);
    LoadedSources::from(sources).at(at.into())
}

fn built(policy: &str, at: Moment, store: &Store) -> (View, std::sync::Arc<Declarations>) {
    parts(compile::build_with_records(&sources(policy, at), store).unwrap())
}

/// Some requests between all users, and in the group.
fn requests() -> Vec<Request<'static>> {
    let between = [Action::StartChat, Action::SendMessage, Action::ViewProfile];
    let alone = IDS.iter().flat_map(|one| {
        let others = IDS.iter().flat_map(move |other| {
            let about = Request {
                member: Some((*other).into()),
                ..Request::in_group(one, Action::AddMember, "g")
            };
            between.map(|action| Request::new(one, action, other)).into_iter().chain([about])
        });
        let in_group =
            [Action::Join, Action::SendMessage].map(|action| Request::in_group(one, action, "g"));
        others.chain(in_group)
    });
    alone.collect()
}

fn assert_as_built(view: &View, policy: &str, store: &Store, seed: u64) {
    let (built, _) = built(policy, view.at, store);
    similar(&answers::held(view), &answers::held(&built));
    similar(&answers::all(view, &[], seed), &answers::all(&built, &[], seed));
    let next = view.next_change();
    assert_eq!(next, built.next_change());
    assert!(next.is_none_or(|next| next > view.at));
}

proptest! {
    #![proptest_config(config(cases(100)))]

    #[test]
    fn time_passes_as_if_it_had_always_been_so_late(seed in any::<u64>()) {
        let chance = &mut Chance(seed);
        let mut store = Store::default();
        for id in IDS {
            let user = Record::User(Box::new(record(chance)));
            store.put(RecordKey::User(id.to_owned()), Some(user));
        }
        store.put(RecordKey::Group("g".to_owned()), Some(Record::Group(Box::new(group(chance)))));
        let mut policy = *chance.pick(&POLICIES);
        let (mut view, mut declarations) = built(policy, Moment::default(), &store);
        assert_as_built(&view, policy, &store, seed);
        for _ in 0..6 {
            match chance.below(3) {
                0 => {
                    let later = Moment::from_millis(view.at.millis() + 700 * chance.below(4));
                    let due = view.next_change().is_some_and(|next| next <= later);
                    let before = view.clone();
                    let Ok(advance) = compile::advance_with_records(&mut view, later, &declarations, &store);
                    assert_eq!(advance.has_changed, due);
                    for request in requests() {
                        assert_concerned(&before, &view, &advance.concerned, &request);
                    }
                }
                1 => {
                    let mut changes = BTreeMap::new();
                    for _ in 0..chance.below(3) {
                        let key = RecordKey::User((*chance.pick(&IDS)).to_owned());
                        let new = chance.percent(85).then(|| Record::User(Box::new(record(chance))));
                        changes.entry(key.clone()).or_insert_with(|| store.put(key, new));
                    }
                    if chance.percent(50) {
                        let key = RecordKey::Group("g".to_owned());
                        let new = Record::Group(Box::new(group(chance)));
                        changes.insert(key.clone(), store.put(key, Some(new)));
                    }
                    let changes: Vec<_> = changes.into_values().collect();
                    compile::apply_records(&mut view, &declarations, &changes);
                }
                _ => {
                    policy = *chance.pick(&POLICIES);
                    let later = Moment::from_millis(view.at.millis() + 600 * chance.below(3));
                    let loaded = sources(policy, later);
                    let again = compile::rebuild(&loaded, &view, &declarations, &store).unwrap();
                    (view, declarations) = parts(again);
                }
            }
            assert_as_built(&view, policy, &store, seed);
        }
    }
}
