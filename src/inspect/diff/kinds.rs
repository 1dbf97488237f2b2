//! Kinds of users: those of whom statements about two users ask the same, with the same answers.

use std::{collections::HashMap, hash::Hash};

use super::{
    bitset::BitSet,
    classes::UserClasses,
    questions::{PairRole, Questions},
};
use crate::{
    request::AudienceSlot,
    snapshot::{UserNumber, View},
};

/// The users of both policies by the kind that they are of, as subjects or as the others.
#[derive(Debug)]
pub(super) struct UserKinds {
    /// The kind of each user.
    of: Vec<u32>,
    pub(super) kinds: Vec<UserKind>,
}

/// The users of one kind.
#[derive(Debug)]
pub(super) struct UserKind {
    pub(super) users: u32,
    /// The first user, and another one if there are two.
    pub(super) some: [UserNumber; 2],
    /// Whether the users may take part in the action at all, before and after.
    pub(super) is_able: [bool; 2],
    /// Whether records of the users name audiences, so that not all that policies state binds them.
    pub(super) has_own_audiences: bool,
}

/// What sets apart users of the same tags by their own peers modes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct PeersKey<'v> {
    by_audience: [bool; 2],
    own: Option<&'v str>,
}

impl UserKinds {
    pub(super) const NONE: Self = Self { of: Vec::new(), kinds: Vec::new() };

    /// Classifies the users. Costs a look at each user, and the answers of each class of tags; `able` has the
    /// users who may take part, before and after.
    pub(super) fn of(
        [old, new]: [&View; 2],
        user_classes: &UserClasses<'_>,
        questions: &Questions,
        able: &[BitSet; 2],
        role: PairRole,
    ) -> Self {
        let mut known: HashMap<Vec<u64>, u32, foldhash::fast::RandomState> = HashMap::default();
        let answers: Vec<u32> = user_classes
            .classes
            .iter()
            .map(|class| number_of(&mut known, questions.answers(class.tags)))
            .collect();
        let own = &new.population.own_audiences;
        let peers = |user: UserNumber| {
            let by_audience =
                [old, new].map(|view| view.population.directory.state(user).peers().is_none());
            let own = || own.get(user, &AudienceSlot::Peers);
            PeersKey { by_audience, own: if by_audience == [false; 2] { None } else { own() } }
        };
        let mut numbers: HashMap<_, u32, foldhash::fast::RandomState> = HashMap::default();
        let mut kinds = Self { of: Vec::with_capacity(user_classes.users as usize), kinds: vec![] };
        for user in UserNumber::first(user_classes.users) {
            let class = user_classes.class_number(user) as usize;
            let is_able = able.each_ref().map(|set| set.contains(user));
            let audiences: Vec<(&AudienceSlot, &str)> = match role {
                PairRole::Other if !own.is_empty() => own.of_user(user).collect(),
                PairRole::Subject | PairRole::Other => Vec::new(),
            };
            let peers = peers(user);
            let has_own_audiences = peers.own.is_some() || !audiences.is_empty();
            let key = (answers.get(class).copied(), is_able, peers, audiences);
            let kind = number_of(&mut numbers, key);
            kinds.of.push(kind);
            match kinds.kinds.get_mut(kind as usize) {
                Some(known) => {
                    if known.users == 1 {
                        known.some[1] = user;
                    }
                    known.users += 1;
                }
                None => kinds.kinds.push(UserKind {
                    users: 1,
                    some: [user; 2],
                    is_able,
                    has_own_audiences,
                }),
            }
        }
        kinds
    }

    #[inline]
    pub(super) fn number(&self, user: UserNumber) -> u32 {
        self.of.get(user.index()).copied().unwrap_or(u32::MAX)
    }

    /// The kind of each user, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (UserNumber, u32)> + '_ {
        (0..).map(UserNumber).zip(self.of.iter().copied())
    }

    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }
}

fn number_of<K: Eq + Hash>(
    numbers: &mut HashMap<K, u32, foldhash::fast::RandomState>,
    key: K,
) -> u32 {
    let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    *numbers.entry(key).or_insert(next)
}
