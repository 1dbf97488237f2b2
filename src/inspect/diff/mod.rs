//! What a change of policy opens and closes, over the same users.
//!
//! No pair is ever looked at but those who have to do with each other. What is allowed between two
//! strangers depends on their tags and on where each stands. So strangers are counted by set algebra:
//! for each kind of users, the subjects who may reach them; what rules say of unchanged tags is left
//! out of the sets in one walk over all kinds (`walk`). Then each pair between whom there is
//! something is put right, where the two policies can differ at all (`count`).
//!
//! Invariant: both views are of the same population.

mod bitset;
mod changes;
mod class_pairs;
mod classes;
mod comparison;
mod count;
mod isolation;
mod matrices;
mod render;
mod walk;

pub use changes::{PolicyChange, PolicyPart};
pub use isolation::IsolationChange;
pub(super) use matrices::matrix_changes;
pub use matrices::{CellChange, GrantScope, MatrixChange};
pub(super) use render::describe_reason;

use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use crate::{
    decide::Explanation,
    request::{Action, Conversation, ResourceKind},
    snapshot::View,
};
use classes::{PolicySide, UserClasses};
use comparison::ActionComparison;
use count::{GAINED, LOST, PairCounts};
use isolation::StrangerReach;

/// What one policy lets users do that another did not, and the other way round.
#[derive(Debug)]
pub struct Diff {
    pub users: u32,
    /// In the order of the reference; those that are done to groups alone are told by `matrices`,
    /// but for what `add_member` asks of subject and member.
    pub actions: Vec<ActionDiff>,
    pub changes: Vec<PolicyChange>,
    pub matrices: Vec<MatrixChange>,
}

/// What became of one action.
#[derive(Clone, Debug)]
pub struct ActionDiff {
    pub action: Action,
    pub over: CountedUnit,
    pub gained: u64,
    pub lost: u64,
    /// Pairs by the kinds of users, the largest that were gained and then the largest that were lost.
    pub kinds: Vec<KindDiff>,
    /// Whether a larger kind may be missing among these.
    pub has_all_largest: bool,
    /// The parts of the policy that the examples show to be responsible.
    pub causes: Vec<PolicyPart>,
    pub contact: IsolationChange,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CountedUnit {
    /// Ordered pairs of two different users: subject and resource.
    Users,
    /// Ordered pairs of two different users: subject and member, whatever the group says of it.
    Members,
    /// Subjects.
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

/// What users with certain tags gained or lost towards users with certain tags.
#[derive(Clone, Debug)]
pub struct KindDiff {
    pub gained: bool,
    /// Tags by name, in order.
    pub from: Vec<String>,
    /// `None` where there is no other.
    pub to: Option<Vec<String>>,
    pub pairs: u64,
    pub witnesses: Vec<Witness>,
}

/// One of the pairs, with what both policies say of it.
#[derive(Clone, Debug)]
pub struct Witness {
    pub subject: String,
    pub other: Option<String>,
    pub old: Explanation,
    pub new: Explanation,
}

/// How much is told besides the counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiffDetail {
    /// How many kinds of pairs, gained and lost each.
    pub kinds: usize,
    /// How many examples of each.
    pub witnesses: usize,
    /// Whether users who lose or gain all contact are looked for.
    pub isolation: bool,
}

impl DiffDetail {
    /// Counts only.
    pub const NONE: Self = Self { kinds: 0, witnesses: 0, isolation: false };
}

impl Default for DiffDetail {
    fn default() -> Self {
        Self { kinds: 8, witnesses: 2, isolation: true }
    }
}

impl Diff {
    /// Compares two policies over the same population, as [`versions`](crate::compile::build_versions)
    /// makes them; `conversation` stands in for what the facts say of each pair.
    ///
    /// Costs set algebra over the kinds of users and the tags that changed, and a look at each
    /// relation; runs on all processors.
    pub fn compute(
        old: &View,
        new: &View,
        conversation: Option<Conversation>,
        detail: DiffDetail,
    ) -> Self {
        let crowd = UserClasses::of(old, new);
        let changes = changes::changes(old, new);
        let compared = DiffBuilder { old, new, detail, crowd: &crowd, changes: &changes };
        let mut actions = compared.all(conversation);
        actions.sort_by_key(|diff| diff.action);
        let matrices = matrices::matrix_changes(old, new);
        Self { users: crowd.users, actions, changes, matrices }
    }

    /// How many pairs came out otherwise, over all actions between two users.
    pub fn changed(&self) -> u64 {
        self.pairs().map(|diff| diff.gained + diff.lost).sum()
    }

    /// How many ordered pairs there are, over all actions between two users.
    pub fn compared(&self) -> u64 {
        let users = u64::from(self.users);
        self.pairs().count() as u64 * users * users.saturating_sub(1)
    }

    /// Which share of all pairs came out otherwise, over all actions between two users: 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn share(&self) -> f64 {
        match self.compared() {
            0 => 0.0,
            compared => self.changed() as f64 / compared as f64,
        }
    }

    /// Gained and lost over all actions between two users.
    pub fn totals(&self) -> [u64; 2] {
        [self.pairs().map(|diff| diff.gained).sum(), self.pairs().map(|diff| diff.lost).sum()]
    }

    fn pairs(&self) -> impl Iterator<Item = &ActionDiff> {
        self.actions.iter().filter(|diff| diff.over != CountedUnit::Subjects)
    }
}

/// What every action is compared by.
struct DiffBuilder<'v> {
    old: &'v View,
    new: &'v View,
    detail: DiffDetail,
    crowd: &'v UserClasses<'v>,
    changes: &'v [PolicyChange],
}

/// An action under both policies, and which of the [`SharedCounts`] is its.
struct PlannedAction<'v> {
    action: Action,
    over: CountedUnit,
    scene: ActionComparison<'v>,
    common: usize,
}

/// What is the same of all actions that strangers may do alike.
struct SharedCounts {
    count: PairCounts,
    strangers: OnceLock<[StrangerReach; 2]>,
}

impl DiffBuilder<'_> {
    /// Strangers once for all actions of which the same is to be said, then one action after the
    /// other on each processor.
    fn all(&self, conversation: Option<Conversation>) -> Vec<ActionDiff> {
        let (mut acts, mut commons): (Vec<PlannedAction<'_>>, Vec<SharedCounts>) =
            (Vec::new(), Vec::new());
        for (action, over) in Action::ALL.iter().copied().filter_map(over) {
            let scene = ActionComparison::new(self.old, self.new, action, conversation, self.crowd);
            let alike = acts.iter().find(|act| act.scene.has_same_strangers(&scene));
            let common = alike.map_or_else(
                || {
                    let count = PairCounts::among_strangers(&scene, self.crowd);
                    commons.push(SharedCounts { count, strangers: OnceLock::new() });
                    commons.len() - 1
                },
                |act| act.common,
            );
            acts.push(PlannedAction { action, over, scene, common });
        }
        // Those that cost most come first.
        acts.sort_by_key(|act| act.over == CountedUnit::Subjects || !act.scene.rules);
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        count::on_all_processors(acts.len(), &|| {
            while let Some(act) = acts.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Some(common) = commons.get(act.common) {
                    let diff = self.action(act, common);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push(diff);
                }
            }
        });
        done.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn action(&self, act: &PlannedAction<'_>, common: &SharedCounts) -> ActionDiff {
        let mut diff = ActionDiff {
            action: act.action,
            over: act.over,
            gained: 0,
            lost: 0,
            kinds: Vec::new(),
            has_all_largest: true,
            causes: Vec::new(),
            contact: IsolationChange::default(),
        };
        if act.over == CountedUnit::Subjects {
            self.subjects(&act.scene, &mut diff);
        } else {
            self.pairs(&act.scene, common, &mut diff);
        }
        diff.causes = self.because(&diff);
        diff
    }

    fn subjects(&self, scene: &ActionComparison<'_>, diff: &mut ActionDiff) {
        let [before, after] = &scene.subjects;
        let changed = [after.minus(before), before.minus(after)];
        for (direction, users) in changed.iter().enumerate() {
            let mut by_class = vec![0_u64; self.crowd.classes.len()];
            for user in users.iter() {
                let class = self.crowd.class_number(user) as usize;
                by_class.get_mut(class).into_iter().for_each(|count| *count += 1);
            }
            let mut kinds: Vec<(u32, u64)> =
                (0_u32..).zip(by_class).filter(|&(_, count)| count > 0).collect();
            kinds.sort_unstable_by_key(|&(class, count)| (std::cmp::Reverse(count), class));
            for (class, pairs) in kinds.into_iter().take(self.detail.kinds) {
                let of_class = |&user: &u32| self.crowd.class_number(user) == class;
                let some = users.iter().filter(of_class).take(self.detail.witnesses);
                diff.kinds.push(KindDiff {
                    gained: direction == GAINED,
                    from: self.tags(class),
                    to: None,
                    pairs,
                    witnesses: some.map(|user| self.witness(scene, user, None)).collect(),
                });
            }
        }
        [diff.gained, diff.lost] = changed.each_ref().map(bitset::BitSet::len);
    }

    fn pairs(&self, scene: &ActionComparison<'_>, common: &SharedCounts, diff: &mut ActionDiff) {
        let (crowd, view) = (self.crowd, self.new);
        let mut count = common.count.clone();
        count.correct_tied_pairs(scene, crowd, &view.population);
        [diff.gained, diff.lost] = [GAINED, LOST].map(|which| count.total(which));
        for direction in [GAINED, LOST] {
            let most = self.detail.kinds;
            if most == 0 || count.total(direction) == 0 {
                continue;
            }
            let largest = class_pairs::largest(scene, crowd, view, &count, direction, most);
            diff.has_all_largest &= largest.is_complete;
            for between in largest.list {
                let most = self.detail.witnesses;
                let some = class_pairs::examples(scene, crowd, view, between, direction, most);
                let some = some.into_iter();
                diff.kinds.push(KindDiff {
                    gained: direction == GAINED,
                    from: self.tags(between.from),
                    to: Some(self.tags(between.to)),
                    pairs: between.pairs,
                    witnesses: some.map(|(a, b)| self.witness(scene, a, Some(b))).collect(),
                });
            }
        }
        if self.detail.isolation && diff.gained + diff.lost > 0 {
            let population = &view.population;
            let of = |side| StrangerReach::of(scene, crowd, population, side);
            let strangers =
                common.strangers.get_or_init(|| [PolicySide::Old, PolicySide::New].map(of));
            diff.contact = isolation::isolation_change(scene, population, strangers);
        }
    }

    fn witness(&self, scene: &ActionComparison<'_>, subject: u32, other: Option<u32>) -> Witness {
        let id = |user: u32| self.new.population.directory.id(user).to_owned();
        Witness {
            subject: id(subject),
            other: other.map(id),
            old: scene.old.explain(subject, other),
            new: scene.new.explain(subject, other),
        }
    }

    fn tags(&self, class: u32) -> Vec<String> {
        let tags = self.crowd.class(class).into_iter().flat_map(|class| class.tags.iter());
        let mut tags: Vec<String> = tags.map(|tag| self.new.tags.name(tag).to_owned()).collect();
        tags.sort_unstable();
        tags
    }

    /// The changes that made the examples come out otherwise.
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
                    PolicyPart::Setting(path) => changes::can_cause(path, reason, diff.action),
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

/// What of an action is compared here.
fn over(action: Action) -> Option<(Action, CountedUnit)> {
    let takes = action.takes();
    let over = if takes.contains(&ResourceKind::User) {
        CountedUnit::Users
    } else if action == Action::AddMember {
        CountedUnit::Members
    } else if takes.contains(&ResourceKind::None) {
        CountedUnit::Subjects
    } else {
        return None;
    };
    Some((action, over))
}
