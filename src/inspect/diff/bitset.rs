//! Sets of users as plain bits, for many unions of the same users.

use crate::snapshot::{Selection, UserNumber, UserSet};

/// A set of users as plain bits, for fast unions.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct BitSet {
    words: Vec<u64>,
}

impl BitSet {
    pub(super) fn of(set: &UserSet, users: u32) -> Self {
        Self { words: set.words(users) }
    }

    pub(super) fn selected(selection: &Selection<'_>, users: u32) -> Self {
        match selection {
            Selection::Only(set) => Self::of(set, users),
            Selection::AllBut(set) => Self::everybody(users).minus(&Self::of(set, users)),
        }
    }

    pub(super) fn nobody(users: u32) -> Self {
        Self { words: vec![0; (users as usize).div_ceil(64)] }
    }

    pub(super) fn everybody(users: u32) -> Self {
        let full = |at: u32| if users - at < 64 { (1 << (users - at)) - 1 } else { u64::MAX };
        Self { words: (0..users).step_by(64).map(full).collect() }
    }

    #[inline]
    pub(super) fn contains(&self, user: UserNumber) -> bool {
        self.words.get(user.index() / 64).is_some_and(|word| word >> (user.0 % 64) & 1 == 1)
    }

    #[inline]
    pub(super) fn word(&self, at: u32) -> u64 {
        self.words.get(at as usize).copied().unwrap_or(0)
    }

    pub(super) fn words(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        (0_u32..).zip(self.words.iter().copied())
    }

    pub(super) fn insert(&mut self, user: UserNumber) {
        if let Some(word) = self.words.get_mut(user.index() / 64) {
            *word |= 1 << (user.0 % 64);
        }
    }

    pub(super) fn set(&mut self, user: UserNumber, is_in: bool) {
        if let Some(word) = self.words.get_mut(user.index() / 64) {
            let bit = 1 << (user.index() % 64);
            *word = if is_in { *word | bit } else { *word & !bit };
        }
    }

    pub(super) fn insert_all(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Adds the users who are in exactly one of the two sets.
    pub(super) fn insert_differing(&mut self, one: &Self, other: &Self) {
        let differing = one.words.iter().zip(&other.words).map(|(one, other)| one ^ other);
        self.words.iter_mut().zip(differing).for_each(|(word, differing)| *word |= differing);
    }

    #[must_use]
    pub(super) fn and(&self, other: &Self) -> Self {
        self.zip(other, |word, other| word & other)
    }

    #[must_use]
    pub(super) fn minus(&self, other: &Self) -> Self {
        self.zip(other, |word, other| word & !other)
    }

    fn zip(&self, other: &Self, join: impl Fn(u64, u64) -> u64) -> Self {
        let words = self.words.iter().zip(&other.words);
        Self { words: words.map(|(&word, &other)| join(word, other)).collect() }
    }

    pub(super) fn len(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// The members in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = UserNumber> + '_ {
        self.words().flat_map(|(at, word)| members(at, word))
    }
}

/// The users of the word at an index, in order.
pub(super) fn members(at: u32, word: u64) -> impl Iterator<Item = UserNumber> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let bit = (rest != 0).then(|| rest.trailing_zeros())?;
        rest &= rest - 1;
        Some(UserNumber(at * 64 + bit))
    })
}
