use crate::snapshot::UserSet;

/// A set of users as plain bits: what many unions are worked out with.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Bits {
    words: Vec<u64>,
}

/// The words of a set in which anybody is, with their places.
pub(super) type Sparse = Vec<(u32, u64)>;

impl Bits {
    pub(super) const NONE: Self = Self { words: Vec::new() };

    pub(super) fn of(set: &UserSet, users: u32) -> Self {
        let mut words = vec![0; (users as usize).div_ceil(64)];
        for user in set.iter() {
            if let Some(word) = words.get_mut(user as usize / 64) {
                *word |= 1 << (user % 64);
            }
        }
        Self { words }
    }

    pub(super) fn nobody(users: u32) -> Self {
        Self { words: vec![0; (users as usize).div_ceil(64)] }
    }

    pub(super) fn everybody(users: u32) -> Self {
        Self::of(&UserSet::range(0..users), users)
    }

    #[inline]
    pub(super) fn contains(&self, user: u32) -> bool {
        self.words.get(user as usize / 64).is_some_and(|word| word >> (user % 64) & 1 == 1)
    }

    #[inline]
    pub(super) fn word(&self, at: u32) -> u64 {
        self.words.get(at as usize).copied().unwrap_or(0)
    }

    pub(super) fn insert(&mut self, user: u32) {
        if let Some(word) = self.words.get_mut(user as usize / 64) {
            *word |= 1 << (user % 64);
        }
    }

    pub(super) fn insert_all(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
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

    pub(super) fn sparse(&self) -> Sparse {
        let words = (0_u32..).zip(self.words.iter().copied());
        words.filter(|&(_, word)| word != 0).collect()
    }

    /// The members in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).zip(&self.words).flat_map(|(at, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(at * 64 + bit)
            })
        })
    }
}

/// The members that a set has left without those of another.
pub(super) fn without(set: &[(u32, u64)], other: &Bits) -> Sparse {
    let left = set.iter().map(|&(at, word)| (at, word & !other.word(at)));
    left.filter(|&(_, word)| word != 0).collect()
}

pub(super) fn count(set: &[(u32, u64)]) -> u64 {
    set.iter().map(|(_, word)| u64::from(word.count_ones())).sum()
}
