//! The comparison of two policies over the same users: the pairs that a change opens and closes.
//!
//! Only pairs with ties are examined one by one. The decision on two users without a tie depends on
//! their tags and states. So these are counted by set algebra: for each class of users, the
//! subjects who may reach them; the effect of rules on unchanged tags is subtracted from the sets
//! in one walk over all classes (`walk`). Then each pair with a tie is corrected where the two
//! policies can differ at all (`count`).
//!
//! Invariant: both views are of the same population.

mod action_terms;
mod alike;
mod bitset;
mod changes;
mod class_pairs;
mod classes;
mod comparison;
mod count;
mod isolation;
mod kinds;
mod matrices;
mod openings;
mod pairwise;
mod pairwise_actions;
mod pairwise_count;
mod pairwise_isolation;
mod pairwise_largest;
mod pairwise_strangers;
mod questions;
mod reached_ranks;
mod render;
mod residues;
mod shared_tags;
mod stated;
mod teams;
mod walk;

pub use changes::{PolicyChange, PolicyPart};
pub use isolation::IsolationChange;
pub(super) use matrices::matrix_changes;
pub use matrices::{CellChange, GrantScope, MatrixChange};
pub(super) use render::describe_reason;

use std::{
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    compile::RestrictionChange,
    decide::Explanation,
    request::{Action, ActionName, Conversation, RequestedAction, ResourceKind},
    snapshot::{UserNumber, View},
};
use classes::{PolicySide, UserClasses};
use comparison::ActionComparison;
use count::{GAINED, LOST, PairCounts};
use isolation::StrangerReach;
use pairwise_actions::PairwiseActions;

/// The difference of two policies: the pairs that one allows and the other does not.
#[derive(Debug)]
pub struct Diff {
    pub users: u32,
    /// The differences by action, in the order of the reference; those of actions on groups only
    /// are in `matrices`, but for what `add_member` requires of subject and member.
    pub actions: Vec<ActionDiff>,
    pub changes: Vec<PolicyChange>,
    pub matrices: Vec<MatrixChange>,
}

/// The difference of one action.
#[derive(Clone, Debug)]
pub struct ActionDiff {
    pub action: ActionName,
    /// The action, or the one that it is like under the new policy.
    pub like: Action,
    pub over: CountedUnit,
    pub gained: u64,
    pub lost: u64,
    /// The changed pairs by classes of users, first the largest that were gained and then the
    /// largest that were lost.
    pub kinds: Vec<KindDiff>,
    /// Whether no larger change can be missing among `kinds`.
    pub has_all_largest: bool,
    /// The parts of the policy that cause the changes of the examples.
    pub causes: Vec<PolicyPart>,
    /// Whether the counts are an estimate: too many pairs share a group, or users are of too many kinds, to judge
    /// each of them.
    pub is_estimate: bool,
    pub contact: IsolationChange,
}

/// The unit in which an action is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CountedUnit {
    /// Ordered pairs of two different users: subject and resource.
    Users,
    /// Ordered pairs of two different users: subject and member, whatever the group's matrix
    /// decides.
    Members,
    /// Subjects alone.
    Subjects,
}

impl CountedUnit {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Users => "pairs",
            Self::Members => "pairs of subject and member",
            Self::Subjects => "subjects",
        }
    }
}

/// The change from the users with certain tags to those with certain tags.
#[derive(Clone, Debug)]
pub struct KindDiff {
    pub gained: bool,
    /// Tags by name, in order.
    pub from: Vec<String>,
    /// The tags of the other user; `None` for an action without one.
    pub to: Option<Vec<String>>,
    pub pairs: u64,
    pub witnesses: Vec<Witness>,
}

/// A changed pair with the explanations of both policies.
#[derive(Clone, Debug)]
pub struct Witness {
    pub subject: String,
    pub other: Option<String>,
    pub old: Explanation,
    pub new: Explanation,
}

/// The amount of detail besides the counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiffDetail {
    /// The number of class pairs, gained and lost each.
    pub kinds: usize,
    /// The number of examples of each class pair.
    pub witnesses: usize,
    /// Whether to find users who lose or gain all contact.
    pub isolation: bool,
    /// The number of pairs that share a group which are judged one by one; the change among more of them is
    /// estimated.
    pub group_pairs: u64,
    /// The number of pairs of kinds of users between which both policies are asked; if there are more, the change is
    /// estimated from some of the users.
    pub kind_pairs: usize,
}

impl DiffDetail {
    /// Counts only.
    pub const NONE: Self = Self {
        kinds: 0,
        witnesses: 0,
        isolation: false,
        group_pairs: Self::GROUP_PAIRS,
        kind_pairs: Self::KIND_PAIRS,
    };

    /// The number of pairs in groups that are judged one by one within seconds.
    pub const GROUP_PAIRS: u64 = 4_000_000;

    /// The number of pairs of kinds between which both policies are asked within seconds.
    pub const KIND_PAIRS: usize = 1 << 22;
}

impl Default for DiffDetail {
    fn default() -> Self {
        Self { kinds: 8, witnesses: 2, isolation: true, ..Self::NONE }
    }
}

impl ActionDiff {
    /// The difference of an action whose decisions are the same.
    fn unchanged(action: &ComparedAction, over: CountedUnit) -> Self {
        Self {
            action: action.name.clone(),
            like: action.new.action,
            over,
            gained: 0,
            lost: 0,
            kinds: Vec::new(),
            has_all_largest: true,
            causes: Vec::new(),
            is_estimate: false,
            contact: IsolationChange::default(),
        }
    }
}

impl Diff {
    /// Compares two policies over the same population, as [`build_versions`](crate::compile::build_versions) builds them;
    /// `conversation` replaces the facts about conversations.
    ///
    /// Costs set algebra over the classes of users and the changed tags, and a look at each relation;
    /// runs on all processors.
    pub fn compute(
        old: &View,
        new: &View,
        conversation: Option<Conversation>,
        detail: DiffDetail,
    ) -> Self {
        Self::of_classes(old, new, conversation, detail, &UserClasses::of(old, new))
    }

    /// Adds what the two policies' files say differently about whom groups restrict. The pairs are over the same
    /// groups, so these changes cause none of the counts.
    pub fn add_restrictions(&mut self, restrictions: Vec<RestrictionChange>) {
        self.changes.extend(restrictions.into_iter().map(|change| PolicyChange {
            part: PolicyPart::Setting(change.path),
            old: change.old,
            new: change.new,
        }));
    }

    /// As [`compute`](Self::compute), but `None` if counting takes longer than `limit`. It is given up
    /// between parts of the work, so it may take some more time.
    pub fn compute_within(
        old: &View,
        new: &View,
        limit: Duration,
        detail: DiffDetail,
    ) -> Option<Self> {
        let deadline = Instant::now() + limit;
        let mut user_classes = UserClasses::of(old, new);
        user_classes.deadline = Some(deadline);
        let diff = Self::of_classes(old, new, None, detail, &user_classes);
        (!user_classes.is_late()).then_some(diff)
    }

    fn of_classes(
        old: &View,
        new: &View,
        conversation: Option<Conversation>,
        detail: DiffDetail,
        user_classes: &UserClasses<'_>,
    ) -> Self {
        let changes = changes::changes(old, new);
        let compared = DiffBuilder { old, new, detail, user_classes, changes: &changes };
        let mut actions = compared.all(conversation);
        actions.sort_by(|one, other| one.action.cmp(&other.action));
        let matrices = matrices::matrix_changes(old, new);
        Self { users: user_classes.users, actions, changes, matrices }
    }

    /// The number of pairs whose decision changed, over all actions between two users.
    pub fn changed(&self) -> u64 {
        self.pairs().map(|diff| diff.gained + diff.lost).sum()
    }

    /// The number of ordered pairs, over all actions between two users.
    pub fn compared(&self) -> u64 {
        let users = u64::from(self.users);
        self.pairs().count() as u64 * users * users.saturating_sub(1)
    }

    /// The share of all pairs whose decision changed, over all actions between two users, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn share(&self) -> f64 {
        match self.compared() {
            0 => 0.0,
            compared => self.changed() as f64 / compared as f64,
        }
    }

    /// The pairs that were gained and lost over all actions between two users.
    pub fn totals(&self) -> [u64; 2] {
        [self.pairs().map(|diff| diff.gained).sum(), self.pairs().map(|diff| diff.lost).sum()]
    }

    /// Whether some of the counts are an estimate, as [`ActionDiff::is_estimate`].
    pub fn is_estimate(&self) -> bool {
        self.pairs().any(|diff| diff.is_estimate)
    }

    fn pairs(&self) -> impl Iterator<Item = &ActionDiff> {
        self.actions.iter().filter(|diff| diff.over != CountedUnit::Subjects)
    }
}

/// The inputs of the comparison of every action.
struct DiffBuilder<'v> {
    old: &'v View,
    new: &'v View,
    detail: DiffDetail,
    user_classes: &'v UserClasses<'v>,
    changes: &'v [PolicyChange],
}

/// An action that is compared, as each policy has it.
pub(super) struct ComparedAction {
    name: ActionName,
    pub(super) old: RequestedAction,
    pub(super) new: RequestedAction,
}

/// The actions that are compared: the built-in ones, and those that both policies declare.
fn compared_actions(old: &View, new: &View) -> impl Iterator<Item = ComparedAction> {
    let built_in = Action::ALL.iter().map(|&action| ComparedAction {
        name: action.into(),
        old: action.into(),
        new: action.into(),
    });
    let declared = new.settings.actions.requested().filter_map(|asked| {
        let name = new.action_name(asked);
        let before = old.requested_action(name.as_str()).ok()?;
        Some(ComparedAction { name, old: before, new: asked })
    });
    built_in.chain(declared)
}

/// An action under both policies, with the index of its [`SharedCounts`].
struct PlannedAction<'v> {
    action: ComparedAction,
    over: CountedUnit,
    comparison: ActionComparison<'v>,
    common: usize,
}

/// The counts that are shared by all actions with the same decisions on users without ties.
struct SharedCounts {
    count: PairCounts,
    strangers: OnceLock<[StrangerReach; 2]>,
}

impl DiffBuilder<'_> {
    /// Compares all actions: the pairs without ties once for all actions with the same decisions on
    /// them, then one action after the other on each processor.
    fn all(&self, conversation: Option<Conversation>) -> Vec<ActionDiff> {
        let (mut acts, mut commons): (Vec<PlannedAction<'_>>, Vec<SharedCounts>) =
            (Vec::new(), Vec::new());
        let mut pairwise = PairwiseActions::of(self);
        for action in compared_actions(self.old, self.new) {
            let Some(over) = action.over() else { continue };
            if self.user_classes.is_late() {
                return Vec::new();
            }
            let comparison =
                ActionComparison::new(self.old, self.new, &action, conversation, self.user_classes);
            if comparison.is_pairwise && over != CountedUnit::Subjects {
                // Its work is divided among all processors by itself.
                pairwise.compare(&action, over, &comparison);
                continue;
            }
            let alike = acts.iter().find(|act| act.comparison.has_same_strangers(&comparison));
            let common = alike.map_or_else(
                || {
                    let count = PairCounts::among_strangers(&comparison, self.user_classes);
                    commons.push(SharedCounts { count, strangers: OnceLock::new() });
                    commons.len() - 1
                },
                |act| act.common,
            );
            acts.push(PlannedAction { action, over, comparison, common });
        }
        // The most expensive actions are first.
        acts.sort_by_key(|act| act.over == CountedUnit::Subjects || !act.comparison.rules);
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        count::on_all_processors(acts.len(), &|| {
            while let Some(act) = acts.get(next.fetch_add(1, Ordering::Relaxed))
                && !self.user_classes.is_late()
            {
                if let Some(common) = commons.get(act.common) {
                    let diff = self.action(act, common);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push(diff);
                }
            }
        });
        let mut diffs = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        diffs.extend(pairwise.into_diffs());
        diffs
    }

    fn action(&self, act: &PlannedAction<'_>, common: &SharedCounts) -> ActionDiff {
        let mut diff = ActionDiff::unchanged(&act.action, act.over);
        if act.over == CountedUnit::Subjects {
            self.subjects(&act.comparison, &mut diff);
        } else {
            self.pairs(&act.comparison, common, &mut diff);
        }
        diff.causes = self.because(&diff);
        diff
    }

    fn subjects(&self, comparison: &ActionComparison<'_>, diff: &mut ActionDiff) {
        let [before, after] = &comparison.subjects;
        let changed = [after.minus(before), before.minus(after)];
        for (direction, users) in changed.iter().enumerate() {
            let mut by_class = vec![0_u64; self.user_classes.classes.len()];
            for user in users.iter() {
                let class = self.user_classes.class_number(user) as usize;
                by_class.get_mut(class).into_iter().for_each(|count| *count += 1);
            }
            let mut kinds: Vec<(u32, u64)> =
                (0_u32..).zip(by_class).filter(|&(_, count)| count > 0).collect();
            kinds.sort_unstable_by_key(|&(class, count)| (std::cmp::Reverse(count), class));
            for (class, pairs) in kinds.into_iter().take(self.detail.kinds) {
                let of_class = |&user: &UserNumber| self.user_classes.class_number(user) == class;
                let some = users.iter().filter(of_class).take(self.detail.witnesses);
                diff.kinds.push(KindDiff {
                    gained: direction == GAINED,
                    from: self.tags(class),
                    to: None,
                    pairs,
                    witnesses: some.map(|user| self.witness(comparison, user, None)).collect(),
                });
            }
        }
        [diff.gained, diff.lost] = changed.each_ref().map(bitset::BitSet::len);
    }

    fn pairs(
        &self,
        comparison: &ActionComparison<'_>,
        common: &SharedCounts,
        diff: &mut ActionDiff,
    ) {
        let (user_classes, view) = (self.user_classes, self.new);
        let mut count = common.count.clone();
        count.correct_tied_pairs(comparison, user_classes, &view.population);
        [diff.gained, diff.lost] = [GAINED, LOST].map(|which| count.total(which));
        for direction in [GAINED, LOST] {
            let most = self.detail.kinds;
            if most == 0 || count.total(direction) == 0 {
                continue;
            }
            let largest =
                class_pairs::largest(comparison, user_classes, view, &count, direction, most);
            diff.has_all_largest &= largest.is_complete;
            for between in largest.list {
                let most = self.detail.witnesses;
                let some =
                    class_pairs::examples(comparison, user_classes, view, between, direction, most);
                let some = some.into_iter();
                diff.kinds.push(KindDiff {
                    gained: direction == GAINED,
                    from: self.tags(between.from),
                    to: Some(self.tags(between.to)),
                    pairs: between.pairs,
                    witnesses: some.map(|(a, b)| self.witness(comparison, a, Some(b))).collect(),
                });
            }
        }
        if self.detail.isolation && diff.gained + diff.lost > 0 {
            let population = &view.population;
            let of = |side| StrangerReach::of(comparison, user_classes, population, side);
            let strangers =
                common.strangers.get_or_init(|| [PolicySide::Old, PolicySide::New].map(of));
            diff.contact = isolation::isolation_change(comparison, population, strangers);
        }
    }

    fn witness(
        &self,
        comparison: &ActionComparison<'_>,
        subject: UserNumber,
        other: Option<UserNumber>,
    ) -> Witness {
        let id = |user: UserNumber| self.new.population.directory.id(user).to_owned();
        Witness {
            subject: id(subject),
            other: other.map(id),
            old: comparison.old.explain(subject, other),
            new: comparison.new.explain(subject, other),
        }
    }

    fn tags(&self, class: u32) -> Vec<String> {
        let tags = self.user_classes.class(class).into_iter().flat_map(|class| class.tags.iter());
        let mut tags: Vec<String> = tags.map(|tag| self.new.tags.name(tag).to_owned()).collect();
        tags.sort_unstable();
        tags
    }

    /// The changes of the policy that cause the changes of the examples.
    fn because(&self, diff: &ActionDiff) -> Vec<PolicyPart> {
        let witnesses = diff.kinds.iter().flat_map(|kind| &kind.witnesses);
        let is_behind = |part: &PolicyPart| {
            witnesses.clone().any(|Witness { old, new, .. }| {
                let (shut, open) = if old.decision.allow { (new, old) } else { (old, new) };
                shut.findings.iter().filter_map(|finding| finding.closed).any(|reason| match part {
                    PolicyPart::Rules => {
                        reason == crate::request::Reason::NoRule && open.rules.is_empty()
                    }
                    PolicyPart::Rule(id, _) => {
                        reason == crate::request::Reason::NoRule
                            && open.rules.iter().any(|rule| rule.id == *id)
                    }
                    PolicyPart::Setting(path) => {
                        changes::can_cause(path, reason, diff.action.as_str(), diff.like)
                    }
                })
            })
        };
        self.changes
            .iter()
            .map(|change| &change.part)
            .filter(|part| is_behind(part))
            .cloned()
            .collect()
    }
}

impl ComparedAction {
    /// The unit in which the action is counted; `None` for actions that are not compared here, such as those
    /// that the two policies count differently.
    fn over(&self) -> Option<CountedUnit> {
        let [old, new] = [self.old, self.new].map(|asked| over(asked.action));
        new.filter(|_| old == new)
    }
}

fn over(action: Action) -> Option<CountedUnit> {
    let takes = action.takes();
    if takes.contains(&ResourceKind::User) {
        Some(CountedUnit::Users)
    } else if action == Action::AddMember {
        Some(CountedUnit::Members)
    } else if takes.contains(&ResourceKind::None) {
        Some(CountedUnit::Subjects)
    } else {
        None
    }
}
