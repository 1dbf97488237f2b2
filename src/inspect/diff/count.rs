use super::{
    bits::Bits,
    crowd::{Crowd, Side},
    scene::Scene,
    walk::{Leaf, left_over},
};
use crate::snapshot::{Population, Tie};

/// How many pairs an action gained and lost, by the class of the user to whom it is done.
#[derive(Clone, Debug)]
pub(super) struct Count {
    /// Gained and lost, by class.
    pub(super) classes: Vec<[i64; 2]>,
}

pub(super) const GAINED: usize = 0;
pub(super) const LOST: usize = 1;

/// Which policies let it be done to a user: both, the old one or the new one.
const FLAGS: [[bool; 2]; 3] = [[true, true], [true, false], [false, true]];

impl Count {
    /// The sum over all classes.
    pub(super) fn total(&self, which: usize) -> u64 {
        let sum: i64 = self.classes.iter().filter_map(|counts| counts.get(which)).sum();
        u64::try_from(sum).unwrap_or(0)
    }

    /// All ordered pairs of two users that may now and could not, and the other way round.
    pub(super) fn of(scene: &Scene<'_>, crowd: &Crowd<'_>, population: &Population) -> Self {
        let mut count = Self { classes: vec![[0; 2]; crowd.classes.len()] };
        let is_still = scene.subjects_differ.is_empty() && scene.others_differ.is_empty();
        if !(is_still && (!scene.rules || crowd.changed.is_empty() && crowd.open.is_none())) {
            count.strangers(scene, crowd);
            count.oneself(scene, crowd);
        }
        count.tied(scene, crowd, population);
        count
    }

    fn add(&mut self, class: u32, which: usize, pairs: i64) {
        let counts = self.classes.get_mut(class as usize);
        if let Some(slot) = counts.and_then(|counts| counts.get_mut(which)) {
            *slot += pairs;
        }
    }

    /// As if nothing were between any two, and everyone were a stranger to himself.
    fn strangers(&mut self, scene: &Scene<'_>, crowd: &Crowd<'_>) {
        let [before, after] = &scene.subjects;
        let stay = before.and(after);
        let [come, go] = [after.minus(before), before.minus(after)];
        for flags in FLAGS {
            let users = users_with(scene, crowd, flags);
            let mut rest = crowd.order.as_slice();
            // Classes of the same changed tags stand together.
            while let Some(first) = rest.first().and_then(|&class| crowd.class(class)) {
                let is_alike = |&class: &u32| {
                    crowd.class(class).is_some_and(|class| class.changed == first.changed)
                };
                let (alike, others) = if scene.rules {
                    rest.split_at(rest.partition_point(is_alike))
                } else {
                    (rest, &[][..])
                };
                rest = others;
                let weigh = |class: u32| users.get(class as usize).copied().unwrap_or(0);
                let leaves: Vec<Leaf<'_>> = alike
                    .iter()
                    .filter(|&&class| weigh(class) > 0)
                    .filter_map(|&class| Some(Leaf { tags: &crowd.class(class)?.same, class }))
                    .collect();
                if leaves.is_empty() {
                    continue;
                }
                let lanes = if scene.rules {
                    let old = crowd.by_changed(&first.changed, Side::Old);
                    let new = crowd.by_changed(&first.changed, Side::New);
                    lanes(flags, scene, [&stay, &come, &go], [&old, &new])
                } else {
                    Lanes::without_rules(flags, scene, [&come, &go])
                };
                for (which, &users) in lanes.plain.iter().enumerate().filter(|(_, n)| **n > 0) {
                    for leaf in &leaves {
                        self.add(leaf.class, which, users * weigh(leaf.class));
                    }
                }
                for (which, sign, set) in &lanes.left {
                    left_over(&leaves, set, &crowd.same, &mut |class, users| {
                        let users = i64::try_from(users).unwrap_or(i64::MAX);
                        self.add(class, *which, sign * users * weigh(class));
                    });
                }
            }
        }
    }

    /// Nobody is a pair with himself.
    fn oneself(&mut self, scene: &Scene<'_>, crowd: &Crowd<'_>) {
        for user in 0..crowd.users {
            if let Some(which) = which(scene.as_strangers(crowd, user, user)) {
                self.add(crowd.class_number(user), which, -1);
            }
        }
    }

    /// What is between users makes a difference to some pairs.
    fn tied(&mut self, scene: &Scene<'_>, crowd: &Crowd<'_>, population: &Population) {
        for user in 0..crowd.users {
            for (other, tie) in population.ties_of(user) {
                if !scene.may_differ(crowd, user, other, tie) {
                    continue;
                }
                let class = crowd.class_number(other);
                if let Some(which) = which(scene.judge(user, other, tie)) {
                    self.add(class, which, 1);
                }
                if let Some(which) = which(scene.judge(user, other, Tie::NONE)) {
                    self.add(class, which, -1);
                }
            }
        }
    }
}

/// Whether it is gained or lost, if it is either.
pub(super) fn which([before, after]: [bool; 2]) -> Option<usize> {
    match (before, after) {
        (false, true) => Some(GAINED),
        (true, false) => Some(LOST),
        _ => None,
    }
}

/// How many users of each class it may be done to under these policies and no other.
fn users_with(scene: &Scene<'_>, crowd: &Crowd<'_>, flags: [bool; 2]) -> Vec<i64> {
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

/// What is to be counted for each user of some classes: a number, and how many of some sets are left
/// without those who reach the class by an unchanged tag, added or subtracted.
struct Lanes {
    /// Gained and lost.
    plain: [i64; 2],
    left: Vec<(usize, i64, Bits)>,
}

impl Lanes {
    fn without_rules(flags: [bool; 2], scene: &Scene<'_>, [come, go]: [&Bits; 2]) -> Self {
        let [before, after] = &scene.subjects;
        let plain = match flags {
            [true, true] => [signed(come), signed(go)],
            [true, false] => [0, signed(before)],
            [false, _] => [signed(after), 0],
        };
        Self { plain, left: Vec::new() }
    }
}

fn lanes(
    flags: [bool; 2],
    scene: &Scene<'_>,
    [stay, come, go]: [&Bits; 3],
    [old, new]: [&Bits; 2],
) -> Lanes {
    let [before, after] = &scene.subjects;
    let (plain, mut left) = match flags {
        [true, true] => (
            [signed(come), signed(go)],
            vec![
                (GAINED, 1, stay.and(new).minus(old)),
                (GAINED, -1, come.minus(new)),
                (LOST, 1, stay.and(old).minus(new)),
                (LOST, -1, go.minus(old)),
            ],
        ),
        [true, false] => ([0, signed(before)], vec![(LOST, -1, before.minus(old))]),
        [false, _] => ([signed(after), 0], vec![(GAINED, -1, after.minus(new))]),
    };
    left.retain(|(_, _, set)| !set.is_empty());
    Lanes { plain, left }
}

fn signed(set: &Bits) -> i64 {
    i64::try_from(set.len()).unwrap_or(i64::MAX)
}
