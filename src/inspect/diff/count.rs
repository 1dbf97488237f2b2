//! The counts of pairs that an action gained or lost.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    bitset::BitSet,
    classes::{PolicySide, UserClasses},
    comparison::ActionComparison,
    walk::{ClassLeaf, DifferingSubjects, RemainingSubjects, walk},
};
use crate::{
    request::Relation,
    snapshot::{Population, Tie, UserNumber},
};

/// The number of pairs that an action gained and lost, by the class of the user on whom it is
/// performed.
#[derive(Clone, Debug)]
pub(super) struct PairCounts {
    /// The gained and lost pairs, by class.
    pub(super) classes: Vec<[i64; 2]>,
}

pub(super) const GAINED: usize = 0;
pub(super) const LOST: usize = 1;

/// The combinations of policies, old and new, that let the action be performed on a user.
const FLAGS: [[bool; 2]; 3] = [[true, true], [true, false], [false, true]];

/// The number of parts in which classes are counted, so that all processors are busy to the end.
const PARTS: usize = 64;

/// The stack of a thread that walks the classes: as deep as their tags branch.
const STACK: usize = 64 << 20;

impl PairCounts {
    /// The sum over all classes.
    pub(super) fn total(&self, which: usize) -> u64 {
        let sum: i64 = self.classes.iter().filter_map(|counts| counts.get(which)).sum();
        u64::try_from(sum).unwrap_or(0)
    }

    /// All ordered pairs of two users whose decision changes if no users have ties. Runs on all
    /// processors.
    pub(super) fn among_strangers(
        comparison: &ActionComparison<'_>,
        user_classes: &UserClasses<'_>,
    ) -> Self {
        let mut count = Self::none(user_classes);
        let is_still = comparison.subjects_differ.is_empty() && comparison.others_differ.is_empty();
        if !(is_still && (!comparison.rules || user_classes.rules_are_the_same())) {
            count.everyone(comparison, user_classes);
            count.oneself(comparison, user_classes);
        }
        count
    }

    /// No pairs of any class.
    pub(super) fn none(user_classes: &UserClasses<'_>) -> Self {
        Self { classes: vec![[0; 2]; user_classes.classes.len()] }
    }

    pub(super) fn add(&mut self, class: u32, which: usize, pairs: i64) {
        let counts = self.classes.get_mut(class as usize);
        if let Some(slot) = counts.and_then(|counts| counts.get_mut(which)) {
            *slot += pairs;
        }
    }

    /// Counts all pairs without ties, those of a user with themselves included.
    fn everyone(&mut self, comparison: &ActionComparison<'_>, user_classes: &UserClasses<'_>) {
        for flags in FLAGS {
            let users = users_with(comparison, user_classes, flags);
            let leaves = user_classes.order.iter().filter_map(|&class| {
                let users = users.get(class as usize).copied().filter(|&users| users > 0)?;
                Some(ClassLeaf { ranks: &user_classes.class(class)?.ranks, class, users })
            });
            let leaves: Vec<ClassLeaf<'_>> = leaves.collect();
            let lanes = Lanes::of(flags, comparison, user_classes);
            self.add_lanes(&lanes, &leaves, user_classes);
        }
    }

    /// Adds the terms for each user of the leaves, which come in the order of their ranks.
    pub(super) fn add_lanes(
        &mut self,
        lanes: &Lanes,
        leaves: &[ClassLeaf<'_>],
        user_classes: &UserClasses<'_>,
    ) {
        for (which, subjects) in lanes.plain.iter().enumerate().filter(|(_, plain)| **plain != 0) {
            leaves.iter().for_each(|leaf| self.add(leaf.class, which, subjects * leaf.users));
        }
        for (which, sign, side, set) in &lanes.left {
            let counted = match side {
                PolicySide::Old => in_parts(user_classes, leaves, &|part, emit| {
                    walk(user_classes, part, RemainingSubjects::<false>::all(set), emit);
                }),
                PolicySide::New => in_parts(user_classes, leaves, &|part, emit| {
                    walk(user_classes, part, RemainingSubjects::<true>::all(set), emit);
                }),
            };
            for (class, users, subjects) in counted {
                self.add(class, *which, sign * signed(subjects) * users);
            }
        }
        let is_concerned = |leaf: &ClassLeaf<'_>| {
            leaf.ranks.first().is_some_and(|&rank| rank < user_classes.changed)
        };
        let concerned: Vec<ClassLeaf<'_>> = leaves
            .iter()
            .copied()
            .filter(|leaf| lanes.apart.is_some() && is_concerned(leaf))
            .collect();
        let counted = in_parts(user_classes, &concerned, &|part, emit| {
            walk(
                user_classes,
                part,
                lanes.apart.iter().flat_map(DifferingSubjects::all).collect(),
                emit,
            );
        });
        for (class, users, [gained, lost]) in counted {
            self.add(class, GAINED, signed(gained) * users);
            self.add(class, LOST, signed(lost) * users);
        }
    }

    /// Subtracts the pairs of a user with themselves.
    fn oneself(&mut self, comparison: &ActionComparison<'_>, user_classes: &UserClasses<'_>) {
        for user in UserNumber::first(user_classes.users) {
            if let Some(which) = direction_of(comparison.as_strangers(user_classes, user, user)) {
                self.add(user_classes.class_number(user), which, -1);
            }
        }
    }

    /// Corrects the counts for pairs with ties.
    pub(super) fn correct_tied_pairs(
        &mut self,
        comparison: &ActionComparison<'_>,
        user_classes: &UserClasses<'_>,
        population: &Population,
    ) {
        if comparison.rules {
            for &(user, other, tie) in &user_classes.tied {
                if !comparison.sides_differ(user, other, tie) {
                    self.correct_pair(comparison, user_classes, (user, other), tie);
                }
            }
        }
        let blocks =
            if comparison.blocks_differ { population.ties.edges(Relation::Block) } else { 0 };
        if !comparison.others_differ.is_empty() || blocks > 0 {
            for user in UserNumber::first(user_classes.users) {
                self.correct_ties_of(comparison, user_classes, population, user);
            }
        } else {
            comparison
                .subjects_differ
                .iter()
                .for_each(|user| self.correct_ties_of(comparison, user_classes, population, user));
        }
    }

    fn correct_ties_of(
        &mut self,
        comparison: &ActionComparison<'_>,
        user_classes: &UserClasses<'_>,
        population: &Population,
        user: UserNumber,
    ) {
        for (other, tie) in population.ties_of(user) {
            if comparison.sides_differ(user, other, tie) {
                self.correct_pair(comparison, user_classes, (user, other), tie);
            }
        }
    }

    fn correct_pair(
        &mut self,
        comparison: &ActionComparison<'_>,
        user_classes: &UserClasses<'_>,
        (user, other): (UserNumber, UserNumber),
        tie: Tie,
    ) {
        let class = user_classes.class_number(other);
        if let Some(which) = direction_of(comparison.judge(user, other, tie)) {
            self.add(class, which, 1);
        }
        if let Some(which) = direction_of(comparison.judge(user, other, Tie::NONE)) {
            self.add(class, which, -1);
        }
    }
}

/// The direction of a change, gained or lost; `None` without a change.
pub(super) fn direction_of([before, after]: [bool; 2]) -> Option<usize> {
    match (before, after) {
        (false, true) => Some(GAINED),
        (true, false) => Some(LOST),
        _ => None,
    }
}

/// The number of users of each class on whom the action may be performed under exactly these
/// policies.
fn users_with(
    comparison: &ActionComparison<'_>,
    user_classes: &UserClasses<'_>,
    flags: [bool; 2],
) -> Vec<i64> {
    let [old, new] = &comparison.others;
    let mut users = vec![0; user_classes.classes.len()];
    for (user, &class) in (0..).map(UserNumber).zip(&user_classes.class_of) {
        if [old.contains(user), new.contains(user)] == flags
            && let Some(slot) = users.get_mut(class as usize)
        {
            *slot += 1;
        }
    }
    users
}

/// A receiver of the counts of a class.
type Tell<'t, C> = &'t mut dyn FnMut(&ClassLeaf<'_>, C);

/// The classes of each part, the users of the leaf and their counts, computed on all processors; those of some
/// parts, if the counting is given up.
fn in_parts<C: Send>(
    user_classes: &UserClasses<'_>,
    leaves: &[ClassLeaf<'_>],
    count: &(dyn Fn(&[ClassLeaf<'_>], Tell<'_, C>) + Sync),
) -> Vec<(u32, i64, C)> {
    let parts: Vec<&[ClassLeaf<'_>]> = leaves.chunks((leaves.len() / PARTS).max(1024)).collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed))
            && !user_classes.is_late()
        {
            let mut counted = Vec::with_capacity(part.len());
            count(part, &mut |leaf, counts| counted.push((leaf.class, leaf.users, counts)));
            done.lock().unwrap_or_else(PoisonError::into_inner).append(&mut counted);
        }
    };
    on_all_processors(parts.len(), &work);
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What some work gives for each of so many parts, in order, computed on all processors.
pub(super) fn in_parallel<T: Send>(parts: usize, work: &(dyn Fn(usize) -> T + Sync)) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(parts));
    on_all_processors(parts, &|| {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= parts {
                break;
            }
            let result = work(at);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|&(at, _)| at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What two pieces of work give, done side by side.
pub(super) fn side_by_side<A: Send, B>(
    one: &(dyn Fn() -> A + Sync),
    other: &dyn Fn() -> B,
) -> (A, B) {
    thread::scope(|scope| {
        let begun = thread::Builder::new().spawn_scoped(scope, one);
        let other = other();
        // The work of a thread that failed is done here.
        let one = begun.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(one);
        (one, other)
    })
}

/// Runs work that ends when nothing is left to do, on as many threads as there are processors, or
/// parts if they are fewer.
pub(super) fn on_all_processors(parts: usize, work: &(dyn Fn() + Sync)) {
    if parts == 0 {
        return;
    }
    let threads = thread::available_parallelism().map_or(1, usize::from).min(parts);
    thread::scope(|scope| {
        let mut begun = 0;
        for _ in 0..threads {
            let builder = thread::Builder::new().stack_size(STACK);
            begun += usize::from(builder.spawn_scoped(scope, work).is_ok());
        }
        // Without other threads, this one does all the work.
        if begun == 0 {
            work();
        }
    });
}

/// The terms to count for each user of the classes on whom the action may be performed under
/// certain policies.
#[derive(Debug)]
pub(super) struct Lanes {
    /// The constant terms, gained and lost.
    pub(super) plain: [i64; 2],
    /// The terms that count the users of a set who reach the class by none of its tags under one
    /// policy, added or subtracted.
    pub(super) left: Vec<(usize, i64, PolicySide, BitSet)>,
    /// The users on whom the rules of the two policies may differ.
    pub(super) apart: Option<BitSet>,
}

impl Lanes {
    pub(super) fn none() -> Self {
        Self { plain: [0; 2], left: Vec::new(), apart: None }
    }

    fn of(
        [on_old, on_new]: [bool; 2],
        comparison: &ActionComparison<'_>,
        user_classes: &UserClasses<'_>,
    ) -> Self {
        let [before, after] = &comparison.subjects;
        let (come, go) = (after.minus(before), before.minus(after));
        let mut lanes = Self::none();
        if on_new {
            lanes.reaching(GAINED, if on_old { come } else { after.clone() }, PolicySide::New);
        }
        if on_old {
            lanes.reaching(LOST, if on_new { go } else { before.clone() }, PolicySide::Old);
        }
        if on_old && on_new && comparison.rules {
            let stay = before.and(after);
            match user_classes.open {
                None => lanes.apart = Some(stay.and(&user_classes.differ)),
                Some(PolicySide::Old) => lanes.left.push((LOST, 1, PolicySide::New, stay)),
                Some(PolicySide::New) => lanes.left.push((GAINED, 1, PolicySide::Old, stay)),
            }
        }
        // Where rules are not evaluated, every user reaches every class.
        lanes.left.retain(|(_, _, side, set)| {
            comparison.rules && !set.is_empty() && user_classes.open != Some(*side)
        });
        lanes
    }

    /// Adds the term of the users of a set who reach the class: all of them without those who
    /// don't.
    pub(super) fn reaching(&mut self, which: usize, set: BitSet, side: PolicySide) {
        if let Some(plain) = self.plain.get_mut(which) {
            *plain += signed(set.len());
        }
        self.left.push((which, -1, side, set));
    }
}

pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
