//! What a change of policy opens and closes, over the same users.
//!
//! No pair is ever looked at but those who have to do with each other. What is allowed between two
//! strangers depends on their tags and on where each stands. So strangers are counted by set algebra:
//! for each kind of users, the subjects who may reach them; what rules say of unchanged tags is left
//! out of the sets in one walk over all kinds (`walk`). Then each pair between whom there is
//! something is put right, where the two policies can differ at all (`count`).
//!
//! Invariant: both views are of the same population.

mod bits;
mod changes;
mod contact;
mod count;
mod crowd;
mod kinds;
mod matrices;
mod scene;
mod told;
mod walk;

pub use changes::{Change, Part};
pub use contact::Contact;
pub(super) use matrices::changes as matrix_changes;
pub use matrices::{Cell, Grants, MatrixChange};
pub(super) use told::why;

use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use crate::{
    decide::Explanation,
    request::{Action, Conversation, ResourceKind},
    snapshot::View,
};
use contact::Strangers;
use count::{Count, GAINED, LOST};
use crowd::{Crowd, Side};
use scene::Scene;

/// What one policy lets users do that another did not, and the other way round.
#[derive(Debug)]
pub struct Diff {
    pub users: u32,
    /// In the order of the reference; those that are done to groups alone are told by `matrices`,
    /// but for what `add_member` asks of subject and member.
    pub actions: Vec<ActionDiff>,
    pub changes: Vec<Change>,
    pub matrices: Vec<MatrixChange>,
}

/// What became of one action.
#[derive(Clone, Debug)]
pub struct ActionDiff {
    pub action: Action,
    pub over: Over,
    pub gained: u64,
    pub lost: u64,
    /// Pairs by the kinds of users, the largest that were gained and then the largest that were lost.
    pub kinds: Vec<KindDiff>,
    /// Whether a larger kind may be missing among these.
    pub has_all_largest: bool,
    /// The parts of the policy that the examples show to be responsible.
    pub because: Vec<Part>,
    pub contact: Contact,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// Ordered pairs of two different users: subject and resource.
    Users,
    /// Ordered pairs of two different users: subject and member, whatever the group says of it.
    Members,
    /// Subjects.
    Subjects,
}

impl Over {
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
pub struct Detail {
    /// How many kinds of pairs, gained and lost each.
    pub kinds: usize,
    /// How many examples of each.
    pub witnesses: usize,
    /// Whether users who lose or gain all contact are looked for.
    pub contact: bool,
}

impl Detail {
    /// Counts only.
    pub const NONE: Self = Self { kinds: 0, witnesses: 0, contact: false };
}

impl Default for Detail {
    fn default() -> Self {
        Self { kinds: 8, witnesses: 2, contact: true }
    }
}

impl Diff {
    /// Compares two policies over the same population, as [`versions`](crate::compile::versions)
    /// makes them; `conversation` stands in for what the facts say of each pair.
    ///
    /// Costs set algebra over the kinds of users and the tags that changed, and a look at each
    /// relation; runs on all processors.
    pub fn of(old: &View, new: &View, conversation: Option<Conversation>, detail: Detail) -> Self {
        let crowd = Crowd::of(old, new);
        let changes = changes::changes(old, new);
        let compared = Compared { old, new, detail, crowd: &crowd, changes: &changes };
        let mut actions = compared.all(conversation);
        actions.sort_by_key(|diff| diff.action);
        let matrices = matrices::changes(old, new);
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
        self.actions.iter().filter(|diff| diff.over != Over::Subjects)
    }
}

/// What every action is compared by.
struct Compared<'v> {
    old: &'v View,
    new: &'v View,
    detail: Detail,
    crowd: &'v Crowd<'v>,
    changes: &'v [Change],
}

/// An action under both policies, and which of the [`Common`] is its.
struct Act<'v> {
    action: Action,
    over: Over,
    scene: Scene<'v>,
    common: usize,
}

/// What is the same of all actions that strangers may do alike.
struct Common {
    count: Count,
    strangers: OnceLock<[Strangers; 2]>,
}

impl Compared<'_> {
    /// Strangers once for all actions of which the same is to be said, then one action after the
    /// other on each processor.
    fn all(&self, conversation: Option<Conversation>) -> Vec<ActionDiff> {
        let (mut acts, mut commons): (Vec<Act<'_>>, Vec<Common>) = (Vec::new(), Vec::new());
        for (action, over) in Action::ALL.iter().copied().filter_map(over) {
            let scene = Scene::new(self.old, self.new, action, conversation, self.crowd);
            let alike = acts.iter().find(|act| act.scene.is_of_the_same_strangers(&scene));
            let common = alike.map_or_else(
                || {
                    let count = Count::of_strangers(&scene, self.crowd);
                    commons.push(Common { count, strangers: OnceLock::new() });
                    commons.len() - 1
                },
                |act| act.common,
            );
            acts.push(Act { action, over, scene, common });
        }
        // Those that cost most come first.
        acts.sort_by_key(|act| act.over == Over::Subjects || !act.scene.rules);
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

    fn action(&self, act: &Act<'_>, common: &Common) -> ActionDiff {
        let mut diff = ActionDiff {
            action: act.action,
            over: act.over,
            gained: 0,
            lost: 0,
            kinds: Vec::new(),
            has_all_largest: true,
            because: Vec::new(),
            contact: Contact::default(),
        };
        if act.over == Over::Subjects {
            self.subjects(&act.scene, &mut diff);
        } else {
            self.pairs(&act.scene, common, &mut diff);
        }
        diff.because = self.because(&diff);
        diff
    }

    fn subjects(&self, scene: &Scene<'_>, diff: &mut ActionDiff) {
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
        [diff.gained, diff.lost] = changed.each_ref().map(bits::Bits::len);
    }

    fn pairs(&self, scene: &Scene<'_>, common: &Common, diff: &mut ActionDiff) {
        let (crowd, view) = (self.crowd, self.new);
        let mut count = common.count.clone();
        count.tied(scene, crowd, &view.population);
        [diff.gained, diff.lost] = [GAINED, LOST].map(|which| count.total(which));
        for direction in [GAINED, LOST] {
            let most = self.detail.kinds;
            if most == 0 || count.total(direction) == 0 {
                continue;
            }
            let largest = kinds::largest(scene, crowd, view, &count, direction, most);
            diff.has_all_largest &= largest.is_complete;
            for between in largest.list {
                let most = self.detail.witnesses;
                let some = kinds::examples(scene, crowd, view, between, direction, most);
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
        if self.detail.contact && diff.gained + diff.lost > 0 {
            let population = &view.population;
            let of = |side| Strangers::of(scene, crowd, population, side);
            let strangers = common.strangers.get_or_init(|| [Side::Old, Side::New].map(of));
            diff.contact = contact::contact(scene, population, strangers);
        }
    }

    fn witness(&self, scene: &Scene<'_>, subject: u32, other: Option<u32>) -> Witness {
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
    fn because(&self, diff: &ActionDiff) -> Vec<Part> {
        let witnesses = diff.kinds.iter().flat_map(|kind| &kind.witnesses);
        let is_behind = |part: &Part| {
            witnesses.clone().any(|Witness { old, new, .. }| {
                let (shut, open) = if old.decision.allow { (new, old) } else { (old, new) };
                shut.findings.iter().filter_map(|finding| finding.closed).any(|reason| match part {
                    Part::Rules => {
                        reason == crate::request::Reason::NoRule && open.rules.is_empty()
                    }
                    Part::Rule(id, _) => {
                        reason == crate::request::Reason::NoRule
                            && open.rules.iter().any(|rule| rule.id == *id)
                    }
                    Part::Setting(path) => changes::is_behind(path, reason, diff.action),
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
fn over(action: Action) -> Option<(Action, Over)> {
    let takes = action.takes();
    let over = if takes.contains(&ResourceKind::User) {
        Over::Users
    } else if action == Action::AddMember {
        Over::Members
    } else if takes.contains(&ResourceKind::None) {
        Over::Subjects
    } else {
        return None;
    };
    Some((action, over))
}
