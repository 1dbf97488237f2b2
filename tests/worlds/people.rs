//! The users of small worlds, densely related.

use std::collections::BTreeMap;

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::{select, subsequence},
};

use super::{GROUPS, IDS, MATRICES, MODES, SWITCHES, policies};
use crate::oracle::{BUILT_IN, Group, User};

/// Some of the users, by their numbers.
type Users = u16;

type People = (BTreeMap<String, User>, BTreeMap<String, Group>, Vec<[String; 2]>);

pub(super) fn people(most: usize) -> impl Strategy<Value = People> {
    let ids = prop_oneof![
        1 => subsequence(IDS.to_vec(), 0..2),
        9 => subsequence(IDS.to_vec(), 2..=8),
    ];
    ids.prop_flat_map(move |ids| {
        let count = ids.len();
        let ids: Vec<String> = ids.into_iter().map(String::from).collect();
        let talks = vec((any::<usize>(), any::<usize>()), 0..8);
        let groups = btree_map(select(&GROUPS[..]).prop_map(String::from), group(), 0..4);
        (Just(ids), vec(user(most), count), groups, talks).prop_map(
            |(ids, users, groups, talks)| {
                let named = |users: Users| named(&ids, users);
                let users = users.into_iter().map(|(user, relations)| User {
                    contacts: named(relations[0]),
                    favorites: named(relations[1]),
                    paired: named(relations[2]),
                    blocked: named(relations[3]),
                    friends: named(relations[4]),
                    ..user
                });
                let users = ids.iter().cloned().zip(users).collect();
                let groups = groups.into_iter().map(|(id, (matrix, creator, members))| {
                    let group = Group {
                        matrix,
                        creator: creator.and_then(|at| ids.get(at % ids.len().max(1)).cloned()),
                        super_admins: members[0].map(named),
                        admins: named(members[1].unwrap_or_default()),
                        members: named(members[2].unwrap_or_default()),
                        ..Group::default()
                    };
                    (id, group)
                });
                let talks = talks.into_iter().filter_map(|(one, other)| {
                    let id = |at: usize| ids.get(at % ids.len().max(1)).cloned();
                    Some([id(one)?, id(other)?])
                });
                (users, groups.collect(), talks.collect())
            },
        )
    })
}

fn named(ids: &[String], users: Users) -> Vec<String> {
    let is_one = |at: &usize| users >> at & 1 == 1;
    (0..ids.len()).filter(is_one).map(|at| ids[at].clone()).collect()
}

fn some() -> impl Strategy<Value = Users> {
    prop_oneof![
        1 => Just(0),
        3 => (any::<Users>(), any::<Users>()).prop_map(|(one, other)| one & other),
        1 => any::<Users>(),
    ]
}

/// A user, and the users related to them.
fn user(most: usize) -> impl Strategy<Value = (User, [Users; 5])> {
    let moderation = select(vec!["none", "none", "silenced", "banned", "shadowed"]);
    let approval = select(vec!["allow_any", "need_confirm", "deny_any"]);
    let relations = [some(), some(), some(), some(), some()];
    (
        option::weighted(0.8, policies::tags(most)),
        option::weighted(0.3, select(&MODES[..])),
        btree_map(select(&SWITCHES[..]), policies::toggle(most), 0..3),
        option::weighted(0.3, moderation),
        option::weighted(0.4, approval),
        relations,
    )
        .prop_map(|(tags, peers, permissions, moderation, approval, relations)| {
            let user = User { tags, peers, permissions, moderation, approval, ..User::default() };
            (user, relations)
        })
}

type Draft = (Option<String>, Option<usize>, [Option<Users>; 3]);

fn group() -> impl Strategy<Value = Draft> {
    let matrix = prop_oneof![select(&BUILT_IN[..]), select(&MATRICES[..])];
    (
        option::weighted(0.8, matrix.prop_map(String::from)),
        option::weighted(0.8, any::<usize>()),
        [option::of(some()), option::of(some()), option::weighted(0.9, some())],
    )
}
