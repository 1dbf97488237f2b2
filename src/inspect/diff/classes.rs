//! Classes of users with the same tags, and the users who may reach each tag under two policies.

use std::{collections::HashMap, ops::Range, thread, time::Instant};

use super::bitset::BitSet;
use crate::snapshot::{RuleBook, TagId, Tie, UserNumber, UserTags, View};

/// One of two policies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PolicySide {
    Old,
    New,
}

/// The users of both policies by their tag sets, and for each tag the users who may reach it.
///
/// Tags that anybody may reach have ranks: first those on which the rule books differ, then those
/// on which they agree; within either, the tag that most users may reach under both comes first.
#[derive(Debug)]
pub(super) struct UserClasses<'v> {
    pub(super) users: u32,
    /// The class number of each user.
    pub(super) class_of: Vec<u32>,
    pub(super) classes: Vec<UserClass<'v>>,
    /// The class numbers in the order of their ranks, so that classes with a common prefix are
    /// adjacent.
    pub(super) order: Vec<u32>,
    /// The reachers of tags, by rank.
    pub(super) reachers: Vec<Reachers>,
    /// The number of ranks of changed tags.
    pub(super) changed: u32,
    /// The policy without a `rules` section, if only one of them has it.
    pub(super) open: Option<PolicySide>,
    /// The users who may reach a tag under one policy only, and the users with a changed tag.
    pub(super) differ: BitSet,
    concerned: BitSet,
    /// All pairs with a tie on which the rules differ.
    pub(super) tied: Vec<(UserNumber, UserNumber, Tie)>,
    /// The instant after which the counting is given up.
    pub(super) deadline: Option<Instant>,
}

/// A class of users with the same tags.
#[derive(Debug)]
pub(super) struct UserClass<'v> {
    pub(super) tags: UserTags<'v>,
    pub(super) users: u64,
    /// The ranks of the tags, in order.
    pub(super) ranks: Box<[u32]>,
}

/// The users who may reach a tag.
#[derive(Debug)]
pub(super) struct Reachers {
    pub(super) tag: TagId,
    pub(super) old: BitSet,
    /// The users under the new policy; `None` if they are the same.
    new: Option<BitSet>,
}

impl Reachers {
    #[inline]
    pub(super) fn on(&self, side: PolicySide) -> &BitSet {
        match (side, &self.new) {
            (PolicySide::New, Some(new)) => new,
            _ => &self.old,
        }
    }
}

impl<'v> UserClasses<'v> {
    /// Whether the counting is given up.
    pub(super) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() > deadline)
    }

    /// Classifies the users. Costs a look at each user, tag and relation, and the sets of all tags
    /// as bits.
    pub(super) fn of(old: &View, new: &'v View) -> Self {
        let population = &new.population;
        let users = population.directory.len();
        let open = match (&old.rules, &new.rules) {
            (None, Some(_)) => Some(PolicySide::Old),
            (Some(_), None) => Some(PolicySide::New),
            _ => None,
        };
        let (reachers, changed) = reachers(old, new, open, users);
        let mut user_classes = Self {
            users,
            class_of: Vec::with_capacity(users as usize),
            classes: Vec::with_capacity(population.directory.tag_set_count()),
            order: Vec::new(),
            reachers,
            changed,
            open,
            differ: BitSet::nobody(users),
            concerned: BitSet::nobody(users),
            tied: Vec::new(),
            deadline: None,
        };
        user_classes.classify(new);
        if open.is_some() {
            user_classes.differ = BitSet::everybody(users);
            user_classes.concerned = BitSet::everybody(users);
        }
        if !population.ties.is_empty() && !user_classes.rules_are_the_same() {
            user_classes.tied = user_classes.tied(new);
        }
        user_classes
    }

    fn classify(&mut self, view: &'v View) {
        let directory = &view.population.directory;
        let mut rank = vec![None; view.population.members.len()];
        for (number, reachers) in (0_u32..).zip(&self.reachers) {
            if let Some(slot) = rank.get_mut(reachers.tag.index()) {
                *slot = Some(number);
            }
            if number < self.changed {
                let [old, new] = [PolicySide::Old, PolicySide::New].map(|side| reachers.on(side));
                self.differ.insert_differing(old, new);
            }
        }
        let mut known: HashMap<UserTags<'_>, u32, foldhash::fast::RandomState> = HashMap::default();
        known.reserve(directory.tag_set_count());
        for user in UserNumber::first(self.users) {
            let tags = directory.tags(user);
            let class = *known.entry(tags).or_insert_with(|| {
                let ranks = tags.iter().filter_map(|tag| rank.get(tag.index()).copied().flatten());
                let mut ranks: Box<[u32]> = ranks.collect();
                ranks.sort_unstable();
                self.classes.push(UserClass { tags, users: 0, ranks });
                u32::try_from(self.classes.len() - 1).unwrap_or(u32::MAX)
            });
            self.class_of.push(class);
            if let Some(class) = self.classes.get_mut(class as usize) {
                class.users += 1;
                if class.ranks.first().is_some_and(|&rank| rank < self.changed) {
                    self.concerned.insert(user);
                }
            }
        }
        let mut order: Vec<(&[u32], u32)> =
            self.classes.iter().map(|class| &*class.ranks).zip(0..).collect();
        order.sort_unstable();
        self.order = order.into_iter().map(|(_, class)| class).collect();
    }

    /// Finds the pairs with a tie on which the rules differ, on all processors.
    fn tied(&self, view: &View) -> Vec<(UserNumber, UserNumber, Tie)> {
        let population = &view.population;
        let of = |users: Range<u32>| -> Vec<(UserNumber, UserNumber, Tie)> {
            let users = users.map(UserNumber).filter(|&user| self.differ.contains(user));
            let pairs = users
                .flat_map(|user| population.ties_of(user).map(move |(to, tie)| (user, to, tie)));
            pairs.filter(|&(user, other, _)| self.rules_differ(user, other)).collect()
        };
        let parts = thread::available_parallelism().map_or(1, usize::from);
        let each = self.users / u32::try_from(parts).unwrap_or(1) + 1;
        let ranges = (0..self.users).step_by(each as usize);
        let ranges: Vec<_> =
            ranges.map(|from| from..self.users.min(from.saturating_add(each))).collect();
        thread::scope(|scope| {
            let spawn = |range: Range<u32>| {
                let begun = thread::Builder::new().spawn_scoped(scope, {
                    let range = range.clone();
                    move || of(range)
                });
                (begun, range)
            };
            let threads: Vec<_> = ranges.into_iter().map(spawn).collect();
            let end = |(thread, range): (std::io::Result<thread::ScopedJoinHandle<'_, _>>, _)| {
                // The work of a thread that failed is done here.
                let done = thread.ok().and_then(|thread| thread.join().ok());
                done.unwrap_or_else(|| of(range))
            };
            threads.into_iter().flat_map(end).collect()
        })
    }

    pub(super) fn class(&self, number: u32) -> Option<&UserClass<'v>> {
        self.classes.get(number as usize)
    }

    /// The class number of a user.
    #[inline]
    pub(super) fn class_number(&self, user: UserNumber) -> u32 {
        self.class_of.get(user.index()).copied().unwrap_or(u32::MAX)
    }

    pub(super) fn rules_are_the_same(&self) -> bool {
        self.changed == 0 && self.open.is_none()
    }

    /// The users who may reach those of a class by the rules.
    pub(super) fn reachers(&self, class: &UserClass<'_>, side: PolicySide) -> BitSet {
        if self.open == Some(side) {
            return BitSet::everybody(self.users);
        }
        let mut all = BitSet::nobody(self.users);
        for &rank in &class.ranks {
            if let Some(reachers) = self.reachers.get(rank as usize) {
                all.insert_all(reachers.on(side));
            }
        }
        all
    }

    /// Whether the rules let a user reach those of a class.
    #[inline]
    pub(super) fn reaches(
        &self,
        user: UserNumber,
        class: &UserClass<'_>,
        side: PolicySide,
    ) -> bool {
        let sets = class.ranks.iter().filter_map(|&rank| self.reachers.get(rank as usize));
        self.open == Some(side) || sets.into_iter().any(|set| set.on(side).contains(user))
    }

    /// Whether the rules differ on a user and another one.
    #[inline]
    pub(super) fn rules_differ(&self, user: UserNumber, other: UserNumber) -> bool {
        self.differ.contains(user)
            && self.concerned.contains(other)
            && self.class(self.class_number(other)).is_some_and(|class| {
                self.reaches(user, class, PolicySide::Old)
                    != self.reaches(user, class, PolicySide::New)
            })
    }
}

/// The reachers of each tag that anybody may reach, by rank, and the number of changed ones.
fn reachers(old: &View, new: &View, open: Option<PolicySide>, users: u32) -> (Vec<Reachers>, u32) {
    let [old, new_book] = [old, new].map(|view| view.rules.as_deref());
    let says =
        |book: Option<&RuleBook>, tag: TagId| book?.condition_digests.get(tag.index()).copied();
    let (mut changed, mut same) = (Vec::new(), Vec::new());
    for tag in (0..).map(TagId).take(new.population.members.len()) {
        let sets = [old, new_book].map(|book| book.and_then(|book| book.reachers(tag)));
        let bits = |at: usize| {
            let set = sets.get(at).copied().flatten();
            set.map_or_else(|| BitSet::nobody(users), |set| BitSet::of(set, users))
        };
        let is_same = open.is_some() || says(old, tag) == says(new_book, tag) || sets[0] == sets[1];
        if !is_same {
            let reachers = Reachers { tag, old: bits(0), new: Some(bits(1)) };
            changed.push((reachers.old.and(&bits(1)).len(), reachers));
        } else if let Some(set) = sets[0].or(sets[1]).filter(|set| !set.is_empty()) {
            same.push((set.len(), Reachers { tag, old: BitSet::of(set, users), new: None }));
        }
    }
    for all in [&mut changed, &mut same] {
        all.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    }
    let count = u32::try_from(changed.len()).unwrap_or(u32::MAX);
    (changed.into_iter().chain(same).map(|(_, reachers)| reachers).collect(), count)
}
