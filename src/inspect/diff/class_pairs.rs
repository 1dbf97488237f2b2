//! The pairs of user classes between which most pairs were gained or lost, with examples.

use std::collections::HashMap;

use super::{
    bitset::BitSet,
    classes::{PolicySide, UserClass, UserClasses},
    comparison::ActionComparison,
    count::{PairCounts, direction_of},
};
use crate::snapshot::{Tie, UserNumber, View};

/// The change from the users of one class to those of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ClassPair {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) pairs: u64,
}

/// The largest changes, largest first, and whether no larger one can be missing.
#[derive(Debug)]
pub(super) struct LargestPairs {
    pub(super) list: Vec<ClassPair>,
    pub(super) is_complete: bool,
}

/// The number of resource classes that are examined.
const LOOKED_AT: usize = 24;

/// The largest changes between classes that were gained or lost, at most `most`.
///
/// Costs a look at the subjects of a few classes: those with most changes.
pub(super) fn largest(
    comparison: &ActionComparison<'_>,
    user_classes: &UserClasses<'_>,
    view: &View,
    count: &PairCounts,
    direction: usize,
    most: usize,
) -> LargestPairs {
    // A change between classes has at most all changes of the resource class, and at most its users
    // times those of the largest class.
    let widest = user_classes.classes.iter().map(|class| class.users).max().unwrap_or(0);
    let most_pairs = |class: u32, pairs: i64| {
        let users = user_classes.class(class).map_or(0, |class| class.users);
        users.saturating_mul(widest).min(u64::try_from(pairs).unwrap_or(0))
    };
    let mut classes: Vec<(u32, u64)> = (0_u32..)
        .zip(&count.classes)
        .filter_map(|(class, counts)| Some((class, most_pairs(class, *counts.get(direction)?))))
        .filter(|&(_, pairs)| pairs > 0)
        .collect();
    classes.sort_unstable_by_key(|&(class, pairs)| (std::cmp::Reverse(pairs), class));
    let mut found: Vec<ClassPair> = Vec::new();
    let mut is_complete = true;
    for (looked, (to, pairs)) in classes.into_iter().enumerate() {
        let least = found.get(most.saturating_sub(1)).map_or(0, |between| between.pairs);
        if pairs <= least {
            break;
        }
        if looked == LOOKED_AT {
            is_complete = false;
            break;
        }
        found.extend(towards(comparison, user_classes, view, to, direction));
        found.sort_unstable_by_key(|b| (std::cmp::Reverse(b.pairs), b.from, b.to));
        found.truncate(most);
    }
    LargestPairs { list: found, is_complete }
}

/// The changes towards one class, by the classes of the subjects.
fn towards(
    comparison: &ActionComparison<'_>,
    user_classes: &UserClasses<'_>,
    view: &View,
    to: u32,
    direction: usize,
) -> Vec<ClassPair> {
    let Some(class) = user_classes.class(to) else { return Vec::new() };
    let members: Vec<UserNumber> = members(user_classes, to).collect();
    let [before, after] = [PolicySide::Old, PolicySide::New]
        .map(|side| subjects(comparison, user_classes, class, side));
    let nobody = BitSet::nobody(user_classes.users);
    let mut pairs: HashMap<u32, i64, foldhash::fast::RandomState> = HashMap::default();
    let mut add = |user: UserNumber, count: i64| {
        *pairs.entry(user_classes.class_number(user)).or_default() += count;
    };
    for flags in [[true, true], [true, false], [false, true]] {
        let [old, new] = &comparison.others;
        let is_so = |&&user: &&UserNumber| [old.contains(user), new.contains(user)] == flags;
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
        if direction_of(comparison.as_strangers(user_classes, user, user)) == Some(direction) {
            add(user, -1);
        }
        for (other, tie) in view.population.ties_of(user) {
            let tie = comparison.reversed(&view.population, user, other, tie);
            if comparison.may_differ(user_classes, other, user, tie) {
                let is = |tie| direction_of(comparison.judge(other, user, tie)) == Some(direction);
                add(other, i64::from(is(tie)) - i64::from(is(Tie::NONE)));
            }
        }
    }
    let changed = pairs.into_iter().filter(|&(_, pairs)| pairs > 0);
    changed
        .map(|(from, pairs)| ClassPair { from, to, pairs: u64::try_from(pairs).unwrap_or(0) })
        .collect()
}

/// The users who may perform the action on users of a class without a tie, as far as the subject's
/// side decides.
fn subjects(
    comparison: &ActionComparison<'_>,
    user_classes: &UserClasses<'_>,
    class: &UserClass<'_>,
    side: PolicySide,
) -> BitSet {
    let [old, new] = &comparison.subjects;
    let all = if side == PolicySide::Old { old } else { new };
    if comparison.rules { all.and(&user_classes.reachers(class, side)) } else { all.clone() }
}

/// Examples of pairs of these classes that changed: at least one, if there is any.
///
/// Users of one class and state are equivalent for users without ties, so that such an example is
/// found at once; then pairs with ties are examined one by one.
pub(super) fn examples(
    comparison: &ActionComparison<'_>,
    user_classes: &UserClasses<'_>,
    view: &View,
    between: ClassPair,
    direction: usize,
    most: usize,
) -> Vec<(UserNumber, UserNumber)> {
    let mut found = Vec::new();
    if most == 0 {
        return found;
    }
    let subjects = alike(user_classes, between.from, &comparison.subjects);
    let others = alike(user_classes, between.to, &comparison.others);
    let population = &view.population;
    let is_it = |user: UserNumber, other: UserNumber, tie: Tie| {
        user != other && direction_of(comparison.judge(user, other, tie)) == Some(direction)
    };
    for (from, to) in subjects.iter().flat_map(|from| others.iter().map(move |to| (from, to))) {
        let (Some(&one), Some(&other)) = (from.first(), to.first()) else { continue };
        if direction_of(comparison.as_strangers(user_classes, one, other)) != Some(direction) {
            continue;
        }
        for &other in to {
            // Among this many users, there is one without a tie.
            let some = from.iter().take(population.ties_of(other).len() + 2);
            let tie = |user: UserNumber| comparison.tie(population, user, other);
            found.extend(
                some.copied().find(|&user| is_it(user, other, tie(user))).map(|user| (user, other)),
            );
            if found.len() >= most {
                return found;
            }
        }
    }
    for other in members(user_classes, between.to) {
        for (user, tie) in population.ties_of(other) {
            let tie = comparison.reversed(population, other, user, tie);
            let is_new =
                user_classes.class_number(user) == between.from && !found.contains(&(user, other));
            if is_new && is_it(user, other, tie) {
                found.push((user, other));
                if found.len() >= most {
                    return found;
                }
            }
        }
    }
    found
}

/// The users of a class by their membership in two sets.
fn alike(
    user_classes: &UserClasses<'_>,
    class: u32,
    [old, new]: &[BitSet; 2],
) -> [Vec<UserNumber>; 4] {
    let mut alike: [Vec<UserNumber>; 4] = Default::default();
    for user in members(user_classes, class) {
        let at = usize::from(old.contains(user)) * 2 + usize::from(new.contains(user));
        alike.get_mut(at).into_iter().for_each(|users| users.push(user));
    }
    alike
}

fn members<'c>(
    user_classes: &'c UserClasses<'_>,
    class: u32,
) -> impl Iterator<Item = UserNumber> + 'c {
    let users = (0..).map(UserNumber).zip(&user_classes.class_of);
    users.filter(move |&(_, &of)| of == class).map(|(user, _)| user)
}
