//! The walk over all classes of users that counts the subjects who reach them.

use super::{
    bitset::BitSet,
    classes::{PolicySide, Reachers, UserClasses},
};

/// A class of users for counting: the ranks of the tags by which it is reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClassLeaf<'c> {
    pub(super) ranks: &'c [u32],
    pub(super) class: u32,
    /// The number of users of the class that are counted.
    pub(super) users: i64,
}

/// The state of one word of subjects at a place of the walk: which of them may reach the classes
/// below. It is dropped where nothing is left to count.
pub(super) trait SubjectWord: Copy {
    type Counts: Copy + Default;

    /// The state after another tag; `None` if there is nothing left to count. `more` says whether
    /// tags on which the policies differ may follow.
    fn after(self, reachers: &Reachers, more: bool) -> Option<Self>;

    fn count(self, counts: &mut Self::Counts);
}

/// The subjects who reach none of the tags so far, under one policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct RemainingSubjects<const NEW: bool> {
    at: u32,
    left: u64,
}

impl<const NEW: bool> RemainingSubjects<NEW> {
    const SIDE: PolicySide = if NEW { PolicySide::New } else { PolicySide::Old };

    pub(super) fn all(set: &BitSet) -> Vec<Self> {
        let words = set.words().map(|(at, left)| Self { at, left });
        words.filter(|word| word.left != 0).collect()
    }
}

impl<const NEW: bool> SubjectWord for RemainingSubjects<NEW> {
    type Counts = u64;

    #[inline]
    fn after(self, reachers: &Reachers, _: bool) -> Option<Self> {
        let left = self.left & !reachers.on(Self::SIDE).word(self.at);
        (left != 0).then_some(Self { left, ..self })
    }

    #[inline]
    fn count(self, counts: &mut u64) {
        *counts += u64::from(self.left.count_ones());
    }
}

/// The subjects on whom the policies may still differ, and those of them who reach one of the tags
/// so far under the new policy only, or the old one only.
#[derive(Clone, Copy, Debug)]
pub(super) struct DifferingSubjects {
    at: u32,
    open: u64,
    gained: u64,
    lost: u64,
}

impl DifferingSubjects {
    pub(super) fn all(set: &BitSet) -> Vec<Self> {
        let words = set.words().map(|(at, open)| Self { at, open, gained: 0, lost: 0 });
        words.filter(|word| word.open != 0).collect()
    }
}

impl SubjectWord for DifferingSubjects {
    /// The gained and lost subjects.
    type Counts = [u64; 2];

    #[inline]
    fn after(self, reachers: &Reachers, more: bool) -> Option<Self> {
        let [old, new] =
            [PolicySide::Old, PolicySide::New].map(|side| reachers.on(side).word(self.at));
        let (gained, lost) = (self.gained | new & !old, self.lost | old & !new);
        let open = self.open & !(old & new) & !(gained & lost);
        let word = Self { open, gained: gained & open, lost: lost & open, ..self };
        let counts = if more { word.open } else { word.gained | word.lost };
        (counts != 0).then_some(word)
    }

    #[inline]
    fn count(self, [gained, lost]: &mut [u64; 2]) {
        *gained += u64::from(self.gained.count_ones());
        *lost += u64::from(self.lost.count_ones());
    }
}

/// Counts for each leaf the subjects that remain after all its tags.
///
/// Leaves come in the order of their ranks. Those with a common prefix share its state, and where
/// no subject remains, no leaf below is visited; so the cost is mostly that of the tags that few
/// users may reach.
pub(super) fn walk<W: SubjectWord>(
    user_classes: &UserClasses<'_>,
    leaves: &[ClassLeaf<'_>],
    subjects: Vec<W>,
    emit: &mut dyn FnMut(&ClassLeaf<'_>, W::Counts),
) {
    Walk { user_classes, emit, spare: Vec::new() }.down(leaves, 0, subjects);
}

struct Walk<'w, 'c, W: SubjectWord> {
    user_classes: &'w UserClasses<'c>,
    emit: &'w mut dyn FnMut(&ClassLeaf<'_>, W::Counts),
    /// Vectors for reuse.
    spare: Vec<Vec<W>>,
}

impl<W: SubjectWord> Walk<'_, '_, W> {
    fn down(&mut self, mut leaves: &[ClassLeaf<'_>], mut depth: usize, mut words: Vec<W>) {
        // Iterates as long as all leaves have a common prefix, and recurses only where they branch.
        while !words.is_empty() {
            let ended = leaves.partition_point(|leaf| leaf.ranks.len() <= depth);
            let (done, rest) = leaves.split_at(ended);
            if !done.is_empty() {
                let mut counts = W::Counts::default();
                words.iter().for_each(|word| word.count(&mut counts));
                done.iter().for_each(|leaf| (self.emit)(leaf, counts));
            }
            let mut rest = rest;
            while let Some(rank) = rest.first().and_then(|leaf| leaf.ranks.get(depth)).copied() {
                let same = rest.partition_point(|leaf| leaf.ranks.get(depth) == Some(&rank));
                let (alike, others) = rest.split_at(same);
                if others.is_empty() && rest.len() == leaves.len() - ended && alike.len() > 1 {
                    let after = self.after(&words, rank);
                    self.spare.push(std::mem::replace(&mut words, after));
                    break;
                }
                if let [leaf] = alike {
                    self.last(*leaf, depth, &words);
                } else {
                    let after = self.after(&words, rank);
                    self.down(alike, depth + 1, after);
                }
                rest = others;
            }
            if rest.is_empty() {
                break;
            }
            (leaves, depth) = (rest, depth + 1);
        }
        self.spare.push(words);
    }

    /// Counts for the only leaf with this prefix, word by word through the rest of its tags.
    fn last(&mut self, leaf: ClassLeaf<'_>, depth: usize, words: &[W]) {
        let ranks = leaf.ranks.get(depth..).unwrap_or_default();
        let sets = ranks.iter().filter_map(|&rank| {
            Some((self.user_classes.reachers.get(rank as usize)?, rank < self.user_classes.changed))
        });
        let sets: smallvec::SmallVec<[(&Reachers, bool); 8]> = sets.collect();
        let mut counts = W::Counts::default();
        for &word in words {
            let left = sets.iter().try_fold(word, |word, (set, more)| word.after(set, *more));
            left.into_iter().for_each(|word| word.count(&mut counts));
        }
        (self.emit)(&leaf, counts);
    }

    fn after(&mut self, words: &[W], rank: u32) -> Vec<W> {
        let mut after = self.spare.pop().unwrap_or_default();
        after.clear();
        match self.user_classes.reachers.get(rank as usize) {
            Some(set) => {
                let more = rank < self.user_classes.changed;
                after.extend(words.iter().filter_map(|word| word.after(set, more)));
            }
            None => after.extend_from_slice(words),
        }
        after
    }
}
