//! Pairs of users between whom both policies decide alike for the same reasons: each such decision is made once.

use std::{collections::HashMap, hash::Hash};

use super::comparison::ActionComparison;
use crate::snapshot::{MatrixNumber, UserNumber, View};

/// What a decision on two users depends on besides the section `rules`, if neither has audiences of their own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct AlikePair {
    /// What statements about two users leave open between the kinds of the two.
    pub(super) residue: u32,
    /// The traits of the subject and of the other.
    pub(super) traits: [u32; 2],
    /// The tie as bytes.
    pub(super) tie: [u8; 2],
    /// The mask of the tags that both have.
    pub(super) shared: u64,
    /// The matrix of the groups that both are in.
    pub(super) group: Option<MatrixNumber>,
}

/// The groups that two users are both in, as far as statements can tell them apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CommonGroups {
    None,
    /// All of them have the same matrix.
    Of(MatrixNumber),
    /// Their matrices differ, or one has none.
    Several,
}

/// The traits of all users: equal numbers mean that both policies have the same settings and the same moderation
/// state for the users, and let them act, or others on them, as far as it depends on one user alone.
#[derive(Debug)]
pub(super) struct UserTraits {
    of: Vec<u32>,
}

impl UserTraits {
    /// Costs a look at each user.
    pub(super) fn of(
        [old, new]: [&View; 2],
        comparison: &ActionComparison<'_>,
        users: u32,
    ) -> Self {
        let mut numbers: HashMap<_, u32, foldhash::fast::RandomState> = HashMap::default();
        let of = UserNumber::first(users).map(|user| {
            let states = [old, new].map(|view| view.population.directory.state(user));
            let key = (states, comparison.one_sided_bits(user));
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry(key).or_insert(next)
        });
        Self { of: of.collect() }
    }

    #[inline]
    pub(super) fn number(&self, user: UserNumber) -> u32 {
        self.of.get(user.index()).copied().unwrap_or(u32::MAX)
    }
}

impl CommonGroups {
    /// Those of two users, if statements read groups at all. Costs a search in the longer list of groups for each
    /// group of the shorter one.
    #[inline]
    pub(super) fn of(view: &View, user: UserNumber, other: UserNumber, are_read: bool) -> Self {
        if !are_read {
            return Self::None;
        }
        let matrix = |group| view.groups.get(group).and_then(|group| group.matrix);
        let mut matrices = view.groups.shared(user, other).map(matrix);
        match matrices.next() {
            None => Self::None,
            Some(Some(first)) if matrices.all(|it| it == Some(first)) => Self::Of(first),
            Some(_) => Self::Several,
        }
    }
}
