//! The comparison of an action where a policy says something about two users together.
//!
//! Subjects of whom all that such statements ask of one user is the same reach the same strangers, so that
//! these are counted by set algebra once for each kind of subject. Then each pair with a tie, and each pair
//! that shares a group where a statement asks for it, is corrected one by one.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    bitset::BitSet,
    classes::UserClasses,
    comparison::ActionComparison,
    count::{GAINED, LOST, direction_of, on_all_processors},
    isolation::IsolationChange,
    questions::Questions,
};
use crate::{
    decide::{OneSided, PairCondition},
    request::AudienceSlot,
    snapshot::{GroupNumber, GroupView, TagId, UserNumber, View},
};

/// The number of users whose ties are corrected in one part of the work.
const PART: usize = 1 << 12;

/// The number of subject classes whose changes are broken down by the class of the other user.
const LOOKED_AT: usize = 24;

/// The pairs that an action gained and lost.
#[derive(Default, Debug)]
pub(super) struct PairwiseCounts {
    /// The gained and lost pairs.
    pub(super) totals: [i64; 2],
    /// The gained and lost pairs by the class of the subject.
    pub(super) classes: HashMap<u32, [i64; 2]>,
    /// Whether the pairs that share a group are estimated.
    pub(super) is_estimate: bool,
}

impl PairwiseCounts {
    pub(super) fn total(&self, direction: usize) -> u64 {
        self.totals.get(direction).map_or(0, |&total| u64::try_from(total).unwrap_or(0))
    }

    fn add(&mut self, class: u32, direction: usize, pairs: i64) {
        let of_class = self.classes.entry(class).or_default();
        for counts in [&mut self.totals, of_class] {
            counts.get_mut(direction).into_iter().for_each(|count| *count += pairs);
        }
    }

    fn merge(&mut self, other: Self) {
        for (class, counts) in other.classes {
            for (direction, pairs) in counts.into_iter().enumerate() {
                self.add(class, direction, pairs);
            }
        }
        self.is_estimate |= other.is_estimate;
    }
}

/// An action under two policies, of which at least one says something about two users together.
pub(super) struct PairwiseComparison<'c, 'v> {
    pub(super) comparison: &'c ActionComparison<'v>,
    pub(super) user_classes: &'c UserClasses<'v>,
    pub(super) old: &'v View,
    pub(super) new: &'v View,
    /// Whether a condition of one of the policies asks for shared groups.
    reads_groups: bool,
    /// The number of pairs in groups that are judged one by one; beyond it, the change among them is estimated.
    group_pairs: u64,
}

/// What sets apart users of the same tags by their own peers modes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct PeersKey<'v> {
    by_audience: [bool; 2],
    own: Option<&'v str>,
}

/// Subjects who reach the same strangers.
struct SubjectKind {
    /// In order, at least one.
    users: Vec<UserNumber>,
}

impl<'c, 'v> PairwiseComparison<'c, 'v> {
    pub(super) fn new(
        comparison: &'c ActionComparison<'v>,
        user_classes: &'c UserClasses<'v>,
        [old, new]: [&'v View; 2],
        group_pairs: u64,
    ) -> Self {
        let [before, after] = [comparison.old.one_sided(), comparison.new.one_sided()];
        let own = |view: &View| {
            let mut named = view.population.own_audiences.iter();
            named.any(|it| audience_reads_groups(view, &it.name))
        };
        let reads_groups =
            [&before, &after].into_iter().flat_map(|it| &it.pairwise).any(reads_groups)
                || before.reads_own_audiences && own(old)
                || after.reads_own_audiences && own(new);
        Self { comparison, user_classes, old, new, reads_groups, group_pairs }
    }

    /// Whether both policies say the same, so that no decision differs.
    pub(super) fn is_unchanged(&self) -> bool {
        let [before, after] = [self.comparison.old.one_sided(), self.comparison.new.one_sided()];
        let (comparison, names) = (self.comparison, |one_sided: &OneSided<'_>, view: &View| {
            let name = |tag: &TagId| view.tags.name(*tag).to_owned();
            one_sided.pairwise.iter().map(|pair| pair.render(&name)).collect::<Vec<_>>()
        });
        let has_same_rules = match (before.rules, after.rules) {
            (None, None) => true,
            (Some(_), Some(_)) => self.user_classes.rules_are_the_same(),
            _ => false,
        };
        comparison.subjects_differ.is_empty()
            && comparison.others_differ.is_empty()
            && !comparison.blocks_differ
            && has_same_rules
            && names(&before, self.old) == names(&after, self.new)
            && before.reads_own_audiences == after.reads_own_audiences
            && (!before.reads_own_audiences || self.own_audiences_mean_the_same())
    }

    fn own_audiences_mean_the_same(&self) -> bool {
        let meaning = |view: &View| {
            let audiences = view.settings.audiences.map(&mut |tag| view.tags.name(*tag).to_owned());
            let accepts: Vec<_> = view
                .settings
                .accepts
                .iter()
                .map(|entry| {
                    let said = entry.map(&mut |tag| view.tags.name(*tag).to_owned());
                    (
                        view.action_name(entry.action),
                        said.modes,
                        said.default,
                        said.asked,
                        said.otherwise,
                    )
                })
                .collect();
            (audiences, accepts)
        };
        meaning(self.old) == meaning(self.new)
    }

    /// Counts all pairs whose decision changes. Runs on all processors.
    pub(super) fn count(&self) -> PairwiseCounts {
        let kinds = self.subject_kinds();
        let mut counts = self.on_parts(kinds.len(), &|at, counts| {
            if let Some(kind) = kinds.get(at) {
                self.count_strangers(kind, counts);
            }
        });
        let users = self.user_classes.users as usize;
        counts.merge(self.on_parts(users.div_ceil(PART), &|at, counts| {
            let numbers =
                (at * PART..users.min((at + 1) * PART)).filter_map(|it| u32::try_from(it).ok());
            numbers.for_each(|user| self.correct_ties_of(UserNumber(user), counts));
        }));
        if self.reads_groups {
            counts.merge(self.correct_groups());
        }
        counts
    }

    fn on_parts(
        &self,
        parts: usize,
        work: &(dyn Fn(usize, &mut PairwiseCounts) + Sync),
    ) -> PairwiseCounts {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(PairwiseCounts::default());
        on_all_processors(parts, &|| {
            let mut counts = PairwiseCounts::default();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= parts || self.user_classes.is_late() {
                    break;
                }
                work(at, &mut counts);
            }
            done.lock().unwrap_or_else(PoisonError::into_inner).merge(counts);
        });
        done.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The strangers whom each of some subjects of one kind reaches, before and after. A subject may be among
    /// them, as another one of the kind reaches them.
    fn strangers(&self, alike: &[UserNumber]) -> [BitSet; 2] {
        let users = self.user_classes.users;
        [&self.comparison.old, &self.comparison.new].map(|evaluator| {
            let Some(&subject) = alike.first() else { return BitSet::nobody(users) };
            let mut reached = BitSet::selected(&evaluator.reached_strangers(subject), users);
            // What holds of oneself does not hold of others of the kind.
            if let Some(&second) = alike.get(1) {
                reached.set(subject, evaluator.allows_strangers(second, subject));
            }
            reached
        })
    }

    fn count_strangers(&self, kind: &SubjectKind, counts: &mut PairwiseCounts) {
        let [before, after] = self.strangers(&kind.users);
        for (direction, changed) in [(GAINED, after.minus(&before)), (LOST, before.minus(&after))] {
            let others = i64::try_from(changed.len()).unwrap_or(i64::MAX);
            if others == 0 {
                continue;
            }
            for &user in &kind.users {
                let oneself = i64::from(changed.contains(user));
                counts.add(self.user_classes.class_number(user), direction, others - oneself);
            }
        }
    }

    fn correct_ties_of(&self, user: UserNumber, counts: &mut PairwiseCounts) {
        let population = &self.new.population;
        for (other, _) in population.ties_of(user) {
            self.correct_pair(user, other, 1, counts);
        }
    }

    fn correct_pair(
        &self,
        user: UserNumber,
        other: UserNumber,
        weight: i64,
        counts: &mut PairwiseCounts,
    ) {
        let is = direction_of(self.judge(user, other));
        let was = direction_of(self.judge_strangers(user, other));
        if is != was {
            let class = self.user_classes.class_number(user);
            is.into_iter().for_each(|direction| counts.add(class, direction, weight));
            was.into_iter().for_each(|direction| counts.add(class, direction, -weight));
        }
    }

    /// Whether the action is allowed, before and after. Each view has the friendships that its policy leaves.
    fn judge(&self, user: UserNumber, other: UserNumber) -> [bool; 2] {
        [&self.comparison.old, &self.comparison.new]
            .map(|evaluator| evaluator.allows_acquainted(user, other))
    }

    fn judge_strangers(&self, user: UserNumber, other: UserNumber) -> [bool; 2] {
        [&self.comparison.old, &self.comparison.new]
            .map(|evaluator| evaluator.allows_strangers(user, other))
    }

    /// Corrects the counts for pairs without a tie that share a group. Of more pairs than can be judged one by
    /// one, a part of the members of each group stands for all.
    fn correct_groups(&self) -> PairwiseCounts {
        let groups: Vec<GroupNumber> = self.new.groups.iter().map(|(group, _)| group).collect();
        let size = |group: &GroupNumber| {
            let members = self.new.groups.get(*group).map_or(0, |group| group.members().len());
            (members as u64).saturating_mul(members as u64)
        };
        let pairs = groups.iter().map(size).fold(0_u64, u64::saturating_add);
        let stride = pairs.div_ceil(self.group_pairs.max(1)).max(1);
        let weight = i64::try_from(stride).unwrap_or(i64::MAX);
        let mut counts = self.on_parts(groups.len(), &|at, counts| {
            let Some(&number) = groups.get(at) else { return };
            let Some(group) = self.new.groups.get(number) else { return };
            for user in group.members().filter(|&user| is_in_sample(number, user, stride)) {
                for other in group.members().filter(|&other| other != user) {
                    let mut shared = self.new.groups.shared(user, other);
                    let is_first = shared.next() == Some(number);
                    if is_first && self.new.population.tie(user, other).is_none() {
                        self.correct_pair(user, other, weight, counts);
                    }
                }
            }
        });
        counts.is_estimate = stride > 1;
        counts
    }

    /// What a user's own record decides on whom they communicate with who has no tie: whether an audience is
    /// their peers mode, before and after, and which one their record names.
    fn peers_key(&self, user: UserNumber) -> PeersKey<'v> {
        let of = |view: &View| view.population.directory.state(user).peers().is_none();
        let by_audience = [of(self.old), of(self.new)];
        let own = &self.new.population.own_audiences;
        let own = own.get(user, &AudienceSlot::Peers).filter(|_| by_audience.contains(&true));
        PeersKey { by_audience, own }
    }

    /// The kinds of subjects: those of whom both policies ask the same, with the same answers.
    fn subject_kinds(&self) -> Vec<SubjectKind> {
        let questions =
            Questions::of([(self.old, &self.comparison.old), (self.new, &self.comparison.new)]);
        let signatures: Vec<Vec<u64>> =
            self.user_classes.classes.iter().map(|class| questions.answers(class.tags)).collect();
        let [old, new] = &self.comparison.subjects;
        let mut kinds: HashMap<_, SubjectKind, foldhash::fast::RandomState> = HashMap::default();
        for user in UserNumber::first(self.user_classes.users) {
            let able = (old.contains(user), new.contains(user));
            if able == (false, false) {
                continue;
            }
            let class = self.user_classes.class_number(user) as usize;
            let signature = signatures.get(class).map_or(&[][..], Vec::as_slice);
            let kind = kinds
                .entry((signature, able, self.peers_key(user)))
                .or_insert_with(|| SubjectKind { users: Vec::new() });
            kind.users.push(user);
        }
        let mut kinds: Vec<SubjectKind> = kinds.into_values().collect();
        kinds.sort_unstable_by_key(|kind| kind.users.first().copied());
        kinds
    }

    /// The largest changes in a direction by the classes of both users, at most `most`, and whether no larger
    /// one can be missing. Costs what some subject classes reach.
    pub(super) fn largest(
        &self,
        counts: &PairwiseCounts,
        direction: usize,
        most: usize,
    ) -> (Vec<ChangedClasses>, bool) {
        let mut classes: Vec<(u32, i64)> = counts
            .classes
            .iter()
            .filter_map(|(&class, counts)| Some((class, *counts.get(direction)?)))
            .filter(|&(_, pairs)| pairs > 0)
            .collect();
        classes.sort_unstable_by_key(|&(class, pairs)| (std::cmp::Reverse(pairs), class));
        let mut found: Vec<ChangedClasses> = Vec::new();
        let mut is_complete = true;
        for (at, &(from, pairs)) in classes.iter().enumerate() {
            let least = found.get(most.saturating_sub(1)).map_or(0, |it| it.pairs);
            if u64::try_from(pairs).unwrap_or(0) <= least {
                break;
            }
            if at == LOOKED_AT || self.user_classes.is_late() {
                is_complete = false;
                break;
            }
            found.extend(self.changes_from(from, direction));
            found.sort_unstable_by_key(|it| (std::cmp::Reverse(it.pairs), it.from, it.to));
            found.truncate(most);
        }
        (found, is_complete)
    }

    /// The changes from one class, by the classes of the others.
    fn changes_from(&self, from: u32, direction: usize) -> Vec<ChangedClasses> {
        let mut by_class: HashMap<u32, ChangedClasses> = HashMap::new();
        let mut kinds: HashMap<_, Vec<UserNumber>> = HashMap::new();
        let users = (0..).map(UserNumber).zip(&self.user_classes.class_of);
        for (user, _) in users.filter(|&(_, &class)| class == from) {
            let [old, new] = &self.comparison.subjects;
            let able = (old.contains(user), new.contains(user));
            kinds.entry((able, self.peers_key(user))).or_default().push(user);
        }
        let mut kinds: Vec<_> = kinds.into_values().collect();
        kinds.sort_unstable();
        let of_kinds = kinds.into_iter().flat_map(|alike| {
            let [before, after] = self.strangers(&alike);
            let changed =
                if direction == GAINED { after.minus(&before) } else { before.minus(&after) };
            let changed = std::rc::Rc::new(changed);
            alike.into_iter().map(move |user| (user, std::rc::Rc::clone(&changed)))
        });
        for (user, strangers) in of_kinds {
            let mut apart: HashMap<UserNumber, bool> = HashMap::new();
            for other in self.acquainted(user) {
                let is = direction_of(self.judge(user, other)) == Some(direction);
                apart.insert(other, is);
            }
            apart.insert(user, false);
            let of_strangers = strangers.iter().filter(|other| !apart.contains_key(other));
            let of_others = apart.iter().filter(|(_, is)| **is).map(|(&other, _)| other);
            for other in of_strangers.chain(of_others) {
                let to = self.user_classes.class_number(other);
                let empty = ChangedClasses { from, to, pairs: 0, examples: Vec::new() };
                let changed = by_class.entry(to).or_insert(empty);
                changed.pairs += 1;
                if changed.examples.len() < MAX_EXAMPLES {
                    changed.examples.push((user, other));
                }
            }
        }
        by_class.into_values().collect()
    }

    /// The users who are no strangers to a user: with a tie, or in a group with them.
    fn acquainted(&self, user: UserNumber) -> HashSet<UserNumber> {
        let tied = self.new.population.ties_of(user).map(|(other, _)| other);
        let mut acquainted: HashSet<UserNumber> = tied.collect();
        if self.reads_groups {
            let groups = self.new.groups.numbers_of(user);
            let members = groups.filter_map(|group| self.new.groups.get(group));
            acquainted.extend(members.flat_map(GroupView::members));
            acquainted.remove(&user);
        }
        acquainted
    }

    /// The number of users who are no strangers to a user, at most: who is in several groups counts several times.
    fn most_acquainted(&self, user: UserNumber) -> u64 {
        let ties = self.new.population.ties_of(user).len();
        let groups = self.new.groups.numbers_of(user).filter(|_| self.reads_groups);
        let groups = groups.filter_map(|group| self.new.groups.get(group));
        (ties + groups.map(|group| group.members().len()).sum::<usize>()) as u64
    }

    /// The users who lost or gained all contact. Costs what each user reaches, and is reached by, once for each
    /// who has few strangers or many ties.
    pub(super) fn isolation(&self) -> IsolationChange {
        let mut change = IsolationChange::default();
        let (mut reaching, mut reached) = (HashMap::new(), HashMap::new());
        for user in UserNumber::first(self.user_classes.users) {
            if self.user_classes.is_late() {
                break;
            }
            let class = self.user_classes.class_number(user);
            // Themself, and the user by whom their kind was looked at.
            let acquainted = self.most_acquainted(user) + 2;
            let [old, new] = &self.comparison.subjects;
            let key = (class, old.contains(user), new.contains(user), self.peers_key(user));
            let counts = *reaching
                .entry(key)
                .or_insert_with(|| self.strangers(&[user]).each_ref().map(BitSet::len));
            let reach = self.has_somebody(
                counts,
                acquainted,
                |evaluator| BitSet::selected(&evaluator.reached(user), self.user_classes.users),
                user,
            );
            match reach {
                [true, false] => change.reach_nobody_now.push(user),
                [false, true] => change.reach_somebody_now.push(user),
                _ => {}
            }
            let [old, new] = &self.comparison.others;
            let own: Vec<_> = self.new.population.own_audiences.of_user(user).collect();
            let peers = self.peers_key(user);
            let key = (class, old.contains(user), new.contains(user), own, peers);
            let counts = *reached.entry(key).or_insert_with(|| {
                [&self.comparison.old, &self.comparison.new].map(|evaluator| {
                    let subjects = evaluator.reaching_strangers(user);
                    BitSet::selected(&subjects, self.user_classes.users).len()
                })
            });
            let reach = self.has_somebody(
                counts,
                acquainted,
                |evaluator| BitSet::selected(&evaluator.reaching(user), self.user_classes.users),
                user,
            );
            match reach {
                [true, false] => change.reached_by_nobody_now.push(user),
                [false, true] => change.reached_by_somebody_now.push(user),
                _ => {}
            }
        }
        change
    }

    /// Whether there is somebody besides the user, before and after: a stranger for certain if there are more
    /// of them than acquainted users, and else by the exact set.
    fn has_somebody(
        &self,
        strangers: [u64; 2],
        acquainted: u64,
        exact: impl Fn(&crate::decide::PairEvaluator<'v>) -> BitSet,
        user: UserNumber,
    ) -> [bool; 2] {
        let [old, new] = strangers;
        let of = |count: u64, evaluator| {
            count > acquainted || {
                let set = exact(evaluator);
                set.len() > u64::from(set.contains(user))
            }
        };
        [of(old, &self.comparison.old), of(new, &self.comparison.new)]
    }
}

/// The number of examples that are kept of each pair of classes.
const MAX_EXAMPLES: usize = 8;

/// The change from the users of one class to those of another, with some of the pairs.
#[derive(Clone, Debug)]
pub(super) struct ChangedClasses {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) pairs: u64,
    pub(super) examples: Vec<(UserNumber, UserNumber)>,
}

/// Whether a member of a group is one of those who stand for `stride` members each, the same in every run.
fn is_in_sample(group: GroupNumber, user: UserNumber, stride: u64) -> bool {
    // The finalizer of SplitMix64, so that no order among members makes a difference.
    let mut mixed =
        (u64::from(group.0) << 32 | u64::from(user.0)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)).is_multiple_of(stride)
}

fn reads_groups(pair: &PairCondition) -> bool {
    match pair {
        PairCondition::Subject(_) | PairCondition::Other(_) => false,
        PairCondition::FromSubject(relation) | PairCondition::FromOther(relation) => {
            relation.reads_groups()
        }
        PairCondition::Not(inner) => reads_groups(inner),
        PairCondition::All(parts) | PairCondition::Any(parts) => parts.iter().any(reads_groups),
    }
}

fn audience_reads_groups(view: &View, name: &str) -> bool {
    let audiences = &view.settings.audiences;
    let audience = audiences.number(name).and_then(|number| audiences.get(number));
    audience.is_some_and(|audience| audience.condition.reads_groups())
}
