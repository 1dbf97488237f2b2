use super::{
    bits::Bits,
    count::{Count, which},
    crowd::{Class, Crowd, Side},
    scene::Scene,
};
use crate::snapshot::{Tie, View};

/// Users of one tag set who gained or lost something towards users of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Between {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) pairs: u64,
}

/// The largest of them, largest first, and whether no larger one can be missing.
#[derive(Debug)]
pub(super) struct Largest {
    pub(super) list: Vec<Between>,
    pub(super) is_complete: bool,
}

/// How many classes are looked at as those to whom it is done.
const LOOKED_AT: usize = 12;

/// How many users of a class are tried for an example of a pair.
const TRIED: usize = 150;

/// The largest kinds of pairs that were gained or lost, at most `most`.
///
/// Costs a look at the subjects of a few classes: those towards which most changed.
pub(super) fn largest(
    scene: &Scene<'_>,
    crowd: &Crowd<'_>,
    view: &View,
    count: &Count,
    direction: usize,
    most: usize,
) -> Largest {
    let mut classes: Vec<(u32, i64)> = (0_u32..)
        .zip(&count.classes)
        .filter_map(|(class, counts)| Some((class, *counts.get(direction)?)))
        .filter(|&(_, pairs)| pairs > 0)
        .collect();
    classes.sort_unstable_by_key(|&(class, pairs)| (std::cmp::Reverse(pairs), class));
    let mut found: Vec<Between> = Vec::new();
    let mut is_complete = true;
    for (looked, (to, pairs)) in classes.into_iter().enumerate() {
        let least = found.get(most.saturating_sub(1)).map_or(0, |between| between.pairs);
        if u64::try_from(pairs).unwrap_or(0) <= least {
            break;
        }
        if looked == LOOKED_AT {
            is_complete = false;
            break;
        }
        found.extend(towards(scene, crowd, view, to, direction));
        found.sort_unstable_by_key(|b| (std::cmp::Reverse(b.pairs), b.from, b.to));
        found.truncate(most);
    }
    Largest { list: found, is_complete }
}

/// What changed towards one class, by the classes of the subjects.
fn towards(
    scene: &Scene<'_>,
    crowd: &Crowd<'_>,
    view: &View,
    to: u32,
    direction: usize,
) -> Vec<Between> {
    let Some(class) = crowd.class(to) else { return Vec::new() };
    let members: Vec<u32> = members(crowd, to).collect();
    let [before, after] = [Side::Old, Side::New].map(|side| subjects(scene, crowd, class, side));
    let nobody = Bits::nobody(crowd.users);
    let mut pairs = vec![0_i64; crowd.classes.len()];
    let mut add = |user: u32, count: i64| {
        if let Some(slot) = pairs.get_mut(crowd.class_number(user) as usize) {
            *slot += count;
        }
    };
    for flags in [[true, true], [true, false], [false, true]] {
        let [old, new] = &scene.others;
        let is_so = |&&user: &&u32| [old.contains(user), new.contains(user)] == flags;
        let users = i64::try_from(members.iter().filter(is_so).count()).unwrap_or(i64::MAX);
        if users > 0 {
            let old = if flags[0] { &before } else { &nobody };
            let new = if flags[1] { &after } else { &nobody };
            let [gained, lost] = [new.minus(old), old.minus(new)];
            let changed = if direction == super::count::GAINED { gained } else { lost };
            changed.iter().for_each(|user| add(user, users));
        }
    }
    for &user in &members {
        if which(scene.as_strangers(crowd, user, user)) == Some(direction) {
            add(user, -1);
        }
        for (other, tie) in view.population.ties_of(user) {
            let tie = tie.reversed();
            if scene.may_differ(crowd, other, user, tie) {
                let is = |tie| which(scene.judge(other, user, tie)) == Some(direction);
                add(other, i64::from(is(tie)) - i64::from(is(Tie::NONE)));
            }
        }
    }
    let told = (0_u32..).zip(pairs).filter(|&(_, pairs)| pairs > 0);
    told.map(|(from, pairs)| Between { from, to, pairs: u64::try_from(pairs).unwrap_or(0) })
        .collect()
}

/// Who may do it to users of a class with whom he has nothing to do, if it is not up to them.
fn subjects(scene: &Scene<'_>, crowd: &Crowd<'_>, class: &Class<'_>, side: Side) -> Bits {
    let [old, new] = &scene.subjects;
    let all = if side == Side::Old { old } else { new };
    if scene.rules { all.and(&crowd.reachers(class, side)) } else { all.clone() }
}

/// Some pairs of these kinds that changed; none, if none of the first users of both did.
pub(super) fn examples(
    scene: &Scene<'_>,
    crowd: &Crowd<'_>,
    view: &View,
    between: Between,
    direction: usize,
    most: usize,
) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    let subjects: Vec<u32> = members(crowd, between.from).take(TRIED).collect();
    for other in members(crowd, between.to).take(TRIED) {
        for &user in &subjects {
            if user == other {
                continue;
            }
            let tie = view.population.tie(user, other);
            if which(scene.judge(user, other, tie)) == Some(direction) {
                found.push((user, other));
                break;
            }
        }
        if found.len() == most {
            break;
        }
    }
    found
}

fn members<'c>(crowd: &'c Crowd<'_>, class: u32) -> impl Iterator<Item = u32> + 'c {
    let users = (0_u32..).zip(&crowd.class_of);
    users.filter(move |&(_, &of)| of == class).map(|(user, _)| user)
}
