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
    snapshot::{Population, Tie},
};

/// How many pairs an action gained and lost, by the class of the user to whom it is done.
#[derive(Clone, Debug)]
pub(super) struct PairCounts {
    /// Gained and lost, by class.
    pub(super) classes: Vec<[i64; 2]>,
}

pub(super) const GAINED: usize = 0;
pub(super) const LOST: usize = 1;

/// Which policies let it be done to a user: both, the old one or the new one.
const FLAGS: [[bool; 2]; 3] = [[true, true], [true, false], [false, true]];

/// How many parts the classes are counted in, so that all processors have work to the end.
const PARTS: usize = 64;

/// The stack of a thread that walks the kinds: as deep as their tags branch.
const STACK: usize = 64 << 20;

impl PairCounts {
    /// The sum over all classes.
    pub(super) fn total(&self, which: usize) -> u64 {
        let sum: i64 = self.classes.iter().filter_map(|counts| counts.get(which)).sum();
        u64::try_from(sum).unwrap_or(0)
    }

    /// All ordered pairs of two users that may now and could not, and the other way round, as if
    /// nothing were between any two. Runs on all processors.
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

    /// As if everyone were a stranger to himself too.
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

    /// Nobody is a pair with himself.
    fn oneself(&mut self, scene: &ActionComparison<'_>, crowd: &UserClasses<'_>) {
        for user in 0..crowd.users {
            if let Some(which) = direction_of(scene.as_strangers(crowd, user, user)) {
                self.add(crowd.class_number(user), which, -1);
            }
        }
    }

    /// The same with what is between users, which makes a difference to some pairs.
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
            for user in 0..crowd.users {
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
        user: u32,
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
        (user, other): (u32, u32),
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

/// Whether it is gained or lost, if it is either.
pub(super) fn direction_of([before, after]: [bool; 2]) -> Option<usize> {
    match (before, after) {
        (false, true) => Some(GAINED),
        (true, false) => Some(LOST),
        _ => None,
    }
}

/// How many users of each class it may be done to under these policies and no other.
fn users_with(scene: &ActionComparison<'_>, crowd: &UserClasses<'_>, flags: [bool; 2]) -> Vec<i64> {
    let [old, new] = &scene.others;
    let mut users = vec![0; crowd.classes.len()];
    for (user, &class) in (0_u32..).zip(&crowd.class_of) {
        if [old.contains(user), new.contains(user)] == flags
            && let Some(slot) = users.get_mut(class as usize)
        {
            *slot += 1;
        }
    }
    users
}

/// Takes what is counted of a class.
type Tell<'t, C> = &'t mut dyn FnMut(u32, C);

/// What is told of the classes in each part of them, part by part on all processors.
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

/// Runs a work that ends when there is nothing left to do on as many threads as there are
/// processors, or parts if they are fewer.
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
        // Without other threads, this one does it all.
        if begun == 0 {
            work();
        }
    });
}

/// What is to be counted for each user of the classes to whom it may be done under certain policies.
struct Lanes {
    /// A number: gained and lost.
    plain: [i64; 2],
    /// How many of a set reach the class by none of its tags under one policy, added or subtracted.
    left: Vec<(usize, i64, PolicySide, BitSet)>,
    /// Whoever of these the rules of the two policies say something else of.
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
        // Where no rules are asked, nobody is left.
        lanes.left.retain(|(_, _, side, set)| {
            scene.rules && !set.is_empty() && crowd.open != Some(*side)
        });
        lanes
    }

    /// Those of a set who reach the class: all but those who are left.
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
