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
    pub(super) fn among_strangers(scene: &ActionComparison<'_>, crowd: &UserClasses<'_>) -> Self {
        let mut count = Self { classes: vec![[0; 2]; crowd.classes.len()] };
        let is_still = scene.subjects_differ.is_empty() && scene.others_differ.is_empty();
        if !(is_still && (!scene.rules || crowd.rules_are_the_same())) {
            count.everyone(scene, crowd);
            count.oneself(scene, crowd);
        }
        count
    }

    fn add(&mut self, class: u32, which: usize, pairs: i64) {
        let counts = self.classes.get_mut(class as usize);
        if let Some(slot) = counts.and_then(|counts| counts.get_mut(which)) {
            *slot += pairs;
        }
    }

    /// Counts all pairs without ties, those of a user with themselves included.
    fn everyone(&mut self, scene: &ActionComparison<'_>, crowd: &UserClasses<'_>) {
        for flags in FLAGS {
            let users = users_with(scene, crowd, flags);
            let weigh = |class: u32| users.get(class as usize).copied().unwrap_or(0);
            let lanes = Lanes::of(flags, scene, crowd);
            for &class in crowd.order.iter().filter(|&&class| weigh(class) > 0) {
                for (which, subjects) in lanes.plain.iter().enumerate() {
                    self.add(class, which, subjects * weigh(class));
                }
            }
            let leaf = |&class: &u32| Some(ClassLeaf { ranks: &crowd.class(class)?.ranks, class });
            let leaves: Vec<ClassLeaf<'_>> =
                crowd.order.iter().filter(|&&class| weigh(class) > 0).filter_map(leaf).collect();
            for (which, sign, side, set) in &lanes.left {
                let told = match side {
                    PolicySide::Old => in_parts(&leaves, &|part, tell| {
                        walk(crowd, part, RemainingSubjects::<false>::all(set), tell);
                    }),
                    PolicySide::New => in_parts(&leaves, &|part, tell| {
                        walk(crowd, part, RemainingSubjects::<true>::all(set), tell);
                    }),
                };
                for (class, subjects) in told {
                    self.add(class, *which, sign * signed(subjects) * weigh(class));
                }
            }
            let is_concerned =
                |leaf: &ClassLeaf<'_>| leaf.ranks.first().is_some_and(|&rank| rank < crowd.changed);
            let concerned: Vec<ClassLeaf<'_>> = leaves
                .iter()
                .copied()
                .filter(|leaf| lanes.apart.is_some() && is_concerned(leaf))
                .collect();
            let told = in_parts(&concerned, &|part, tell| {
                walk(
                    crowd,
                    part,
                    lanes.apart.iter().flat_map(DifferingSubjects::all).collect(),
                    tell,
                );
            });
            for (class, [gained, lost]) in told {
                self.add(class, GAINED, signed(gained) * weigh(class));
                self.add(class, LOST, signed(lost) * weigh(class));
            }
        }
    }

    /// Subtracts the pairs of a user with themselves.
    fn oneself(&mut self, scene: &ActionComparison<'_>, crowd: &UserClasses<'_>) {
        for user in UserNumber::first(crowd.users) {
            if let Some(which) = direction_of(scene.as_strangers(crowd, user, user)) {
                self.add(crowd.class_number(user), which, -1);
            }
        }
    }

    /// Corrects the counts for pairs with ties.
    pub(super) fn correct_tied_pairs(
        &mut self,
        scene: &ActionComparison<'_>,
        crowd: &UserClasses<'_>,
        population: &Population,
    ) {
        if scene.rules {
            for &(user, other, tie) in &crowd.tied {
                if !scene.sides_differ(user, other, tie) {
                    self.correct_pair(scene, crowd, (user, other), tie);
                }
            }
        }
        let blocks = if scene.blocks_differ { population.ties.edges(Relation::Block) } else { 0 };
        if !scene.others_differ.is_empty() || blocks > 0 {
            for user in UserNumber::first(crowd.users) {
                self.correct_ties_of(scene, crowd, population, user);
            }
        } else {
            scene
                .subjects_differ
                .iter()
                .for_each(|user| self.correct_ties_of(scene, crowd, population, user));
        }
    }

    fn correct_ties_of(
        &mut self,
        scene: &ActionComparison<'_>,
        crowd: &UserClasses<'_>,
        population: &Population,
        user: UserNumber,
    ) {
        for (other, tie) in population.ties_of(user) {
            if scene.sides_differ(user, other, tie) {
                self.correct_pair(scene, crowd, (user, other), tie);
            }
        }
    }

    fn correct_pair(
        &mut self,
        scene: &ActionComparison<'_>,
        crowd: &UserClasses<'_>,
        (user, other): (UserNumber, UserNumber),
        tie: Tie,
    ) {
        let class = crowd.class_number(other);
        if let Some(which) = direction_of(scene.judge(user, other, tie)) {
            self.add(class, which, 1);
        }
        if let Some(which) = direction_of(scene.judge(user, other, Tie::NONE)) {
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
fn users_with(scene: &ActionComparison<'_>, crowd: &UserClasses<'_>, flags: [bool; 2]) -> Vec<i64> {
    let [old, new] = &scene.others;
    let mut users = vec![0; crowd.classes.len()];
    for (user, &class) in (0..).map(UserNumber).zip(&crowd.class_of) {
        if [old.contains(user), new.contains(user)] == flags
            && let Some(slot) = users.get_mut(class as usize)
        {
            *slot += 1;
        }
    }
    users
}

/// A receiver of the counts of a class.
type Tell<'t, C> = &'t mut dyn FnMut(u32, C);

/// The counts of the classes in each part, computed on all processors.
fn in_parts<C: Send>(
    leaves: &[ClassLeaf<'_>],
    count: &(dyn Fn(&[ClassLeaf<'_>], Tell<'_, C>) + Sync),
) -> Vec<(u32, C)> {
    let parts: Vec<&[ClassLeaf<'_>]> = leaves.chunks((leaves.len() / PARTS).max(1024)).collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut told = Vec::with_capacity(part.len());
            count(part, &mut |class, counts| told.push((class, counts)));
            done.lock().unwrap_or_else(PoisonError::into_inner).append(&mut told);
        }
    };
    on_all_processors(parts.len(), &work);
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
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
struct Lanes {
    /// The constant terms, gained and lost.
    plain: [i64; 2],
    /// The terms that count the users of a set who reach the class by none of its tags under one
    /// policy, added or subtracted.
    left: Vec<(usize, i64, PolicySide, BitSet)>,
    /// The users on whom the rules of the two policies may differ.
    apart: Option<BitSet>,
}

impl Lanes {
    fn of(
        [on_old, on_new]: [bool; 2],
        scene: &ActionComparison<'_>,
        crowd: &UserClasses<'_>,
    ) -> Self {
        let [before, after] = &scene.subjects;
        let (come, go) = (after.minus(before), before.minus(after));
        let mut lanes = Self { plain: [0; 2], left: Vec::new(), apart: None };
        if on_new {
            lanes.reaching(GAINED, if on_old { come } else { after.clone() }, PolicySide::New);
        }
        if on_old {
            lanes.reaching(LOST, if on_new { go } else { before.clone() }, PolicySide::Old);
        }
        if on_old && on_new && scene.rules {
            let stay = before.and(after);
            match crowd.open {
                None => lanes.apart = Some(stay.and(&crowd.differ)),
                Some(PolicySide::Old) => lanes.left.push((LOST, 1, PolicySide::New, stay)),
                Some(PolicySide::New) => lanes.left.push((GAINED, 1, PolicySide::Old, stay)),
            }
        }
        // Where rules are not evaluated, every user reaches every class.
        lanes.left.retain(|(_, _, side, set)| {
            scene.rules && !set.is_empty() && crowd.open != Some(*side)
        });
        lanes
    }

    /// Adds the term of the users of a set who reach the class: all of them without those who
    /// don't.
    fn reaching(&mut self, which: usize, set: BitSet, side: PolicySide) {
        if let Some(plain) = self.plain.get_mut(which) {
            *plain += signed(set.len());
        }
        self.left.push((which, -1, side, set));
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
