//! The impact of another view on pairs of users, where the users may differ between the views.

use std::fmt::Write as _;

use crate::{
    decide::{PairEvaluator, decide},
    request::{Action, ActionName, Request, RequestedAction, Resource, ResourceKind, UnknownUsers},
    snapshot::{TagId, UserNumber, View},
};

/// The impact of a second view on the pairs of users of the first.
///
/// The ordered pairs of two different users of the first view are counted, once for each action
/// between users, as a [`Diff`](super::diff::Diff) counts them. New users are not counted; a
/// removed user is judged as the second view judges unknown users.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Impact {
    /// The number of users of the first view, and how many of them the second one lacks.
    pub users: u32,
    pub vanished: u32,
    /// The impact by action, in the order of the reference.
    pub actions: Vec<ActionImpact>,
    /// Whether the counts are extrapolated from a sample because there are too many pairs.
    pub is_estimate: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionImpact {
    pub action: ActionName,
    pub gained: u64,
    pub lost: u64,
}

/// The number of pairs that are judged of each kind: with two changed users, with one, and with
/// none.
const MOST_PAIRS: u64 = 1 << 17;

impl Impact {
    /// Compares two views. Costs a comparison of each user's record and ties, and at most some
    /// 500,000 pairs judged by both views for each action: about a second. The result is
    /// deterministic, also where it is an estimate.
    pub fn between(before: &View, after: &View) -> Self {
        let moves = UserMapping::of(before, after);
        let mut flips = Self {
            users: u32::try_from(moves.same.len() + moves.changed.len()).unwrap_or(u32::MAX),
            vanished: moves.vanished(),
            actions: Vec::new(),
            is_estimate: false,
        };
        let compared: Vec<ComparedAction<'_>> = ComparedAction::all(before, after);
        let mut counts = vec![[0_u64; 2]; compared.len()];
        for part in moves.parts() {
            let found = part.count(&moves, &compared);
            flips.is_estimate |= part.len() > MOST_PAIRS;
            for (count, found) in counts.iter_mut().zip(found) {
                *count = [count[0] + found[0], count[1] + found[1]];
            }
        }
        flips.actions = compared
            .iter()
            .zip(counts)
            .map(|(compared, [gained, lost])| ActionImpact {
                action: compared.name.clone(),
                gained,
                lost,
            })
            .collect();
        flips
    }

    /// The pairs that were gained and lost over all actions.
    pub fn totals(&self) -> [u64; 2] {
        let sum = |of: fn(&ActionImpact) -> u64| self.actions.iter().map(of).sum();
        [sum(|it| it.gained), sum(|it| it.lost)]
    }

    /// The number of pairs over all actions.
    pub fn compared(&self) -> u64 {
        let users = u64::from(self.users);
        self.actions.len() as u64 * users * users.saturating_sub(1)
    }

    /// The share of all pairs whose decision changed, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn share(&self) -> f64 {
        let [gained, lost] = self.totals();
        match self.compared() {
            0 => 0.0,
            compared => (gained + lost) as f64 / compared as f64,
        }
    }

    /// The impact in one line.
    pub fn summary(&self) -> String {
        let [gained, lost] = self.totals();
        let about = if self.is_estimate { "about " } else { "" };
        // Writing to a string can't fail.
        let mut text = String::new();
        if self.vanished > 0 {
            let _ = write!(text, "{} of {} users vanish; ", self.vanished, self.users);
        }
        let _ = write!(
            text,
            "{about}{gained} pairs gained, {lost} lost: {:.2}% of all {} over the actions",
            self.share() * 100.0,
            self.compared()
        );
        let changed = self.actions.iter().filter(|it| it.gained + it.lost > 0);
        let changed: Vec<String> =
            changed.map(|it| format!("{} +{} -{}", it.action, it.gained, it.lost)).collect();
        if !changed.is_empty() {
            let _ = write!(text, " ({})", changed.join(", "));
        }
        text
    }
}

/// Whether it is an action between two users, or the one where the other is a group's member.
fn is_between_users(action: Action) -> bool {
    action.takes().contains(&ResourceKind::User) || action == Action::AddMember
}

/// The mapping from the users of one view to those of another.
struct UserMapping {
    /// The numbers in the other view, by number; `None` for a removed user.
    now: Vec<Option<UserNumber>>,
    /// The users with the same facts in both views, and the others.
    same: Vec<UserNumber>,
    changed: Vec<UserNumber>,
}

impl UserMapping {
    fn of(before: &View, after: &View) -> Self {
        let (old, new) = (&before.population.directory, &after.population.directory);
        let now: Vec<Option<UserNumber>> =
            old.numbers().map(|user| new.number(old.id(user))).collect();
        let tags: Vec<Option<TagId>> =
            before.tags.iter().map(|(_, name)| after.tags.get(name)).collect();
        let is_same = |&user: &UserNumber| {
            now.get(user.index()).copied().flatten().is_some_and(|at| {
                old.state(user) == new.state(at)
                    && has_same_tags(before, after, user, at, &tags)
                    && has_same_ties(before, after, user, at, &now)
            })
        };
        let (same, changed) = old.numbers().filter(|&user| old.is_known(user)).partition(is_same);
        Self { now, same, changed }
    }

    fn vanished(&self) -> u32 {
        let gone = self.changed.iter().filter(|&&user| self.now(user).is_none()).count();
        u32::try_from(gone).unwrap_or(u32::MAX)
    }

    fn now(&self, user: UserNumber) -> Option<UserNumber> {
        self.now.get(user.index()).copied().flatten()
    }

    /// All ordered pairs by whether the users' facts changed: where few users changed, few pairs
    /// can change for it, and a sample of all pairs would hardly meet them.
    fn parts(&self) -> [PairSample<'_>; 4] {
        let (same, changed) = (&*self.same, &*self.changed);
        [(same, same), (changed, same), (same, changed), (changed, changed)]
            .map(|(from, to)| PairSample { from, to })
    }
}

fn has_same_tags(
    before: &View,
    after: &View,
    user: UserNumber,
    now: UserNumber,
    tags: &[Option<TagId>],
) -> bool {
    let [old, new] =
        [(before, user), (after, now)].map(|(view, user)| view.population.directory.tags(user));
    let moved = old.iter().map(|tag| tags.get(tag.index()).copied().flatten());
    moved.eq(new.iter().map(Some))
}

fn has_same_ties(
    before: &View,
    after: &View,
    user: UserNumber,
    now: UserNumber,
    moves: &[Option<UserNumber>],
) -> bool {
    let now_is = |other: UserNumber| moves.get(other.index()).copied().flatten();
    let old = before.population.ties_of(user).map(|(other, tie)| (now_is(other), tie));
    old.eq(after.population.ties_of(now).map(|(other, tie)| (Some(other), tie)))
}

/// Ordered pairs of two different users, the first from one list and the second from another.
#[derive(Clone, Copy)]
struct PairSample<'m> {
    from: &'m [UserNumber],
    to: &'m [UserNumber],
}

impl PairSample<'_> {
    /// Whether both lists are the same; otherwise they have no user in common.
    fn is_within(self) -> bool {
        self.from.first() == self.to.first()
    }

    fn len(self) -> u64 {
        let oneself = if self.is_within() { self.from.len() as u64 } else { 0 };
        self.from.len() as u64 * self.to.len() as u64 - oneself
    }

    /// The gained and lost pairs of each action, counted or extrapolated from a sample.
    fn count(self, moves: &UserMapping, actions: &[ComparedAction<'_>]) -> Vec<[u64; 2]> {
        let mut counts = vec![[0_u64; 2]; actions.len()];
        let mut look = |one: UserNumber, other: UserNumber| {
            for (count, action) in counts.iter_mut().zip(actions) {
                match action.both(moves, one, other) {
                    [false, true] => count[0] += 1,
                    [true, false] => count[1] += 1,
                    _ => {}
                }
            }
        };
        let all = self.len();
        if all <= MOST_PAIRS {
            for &one in self.from {
                self.to.iter().filter(|&&other| other != one).for_each(|&other| look(one, other));
            }
            return counts;
        }
        let mut chance = SampleGenerator(all);
        let mut drawn = 0;
        while drawn < MOST_PAIRS {
            if let (Some(one), Some(other)) = (chance.pick(self.from), chance.pick(self.to))
                && one != other
            {
                look(one, other);
                drawn += 1;
            }
        }
        let scaled = |count: u64| {
            let count = u128::from(count) * u128::from(all) / u128::from(MOST_PAIRS);
            u64::try_from(count).unwrap_or(u64::MAX)
        };
        counts.into_iter().map(|count| count.map(scaled)).collect()
    }
}

/// An action under both views.
struct ComparedAction<'v> {
    name: ActionName,
    /// The action as the second view has it.
    asked: RequestedAction,
    before: (&'v View, PairEvaluator<'v>),
    after: (&'v View, PairEvaluator<'v>),
}

impl<'v> ComparedAction<'v> {
    /// The built-in actions, and those that both policies declare.
    fn all(before: &'v View, after: &'v View) -> Vec<Self> {
        let built_in = Action::ALL.iter().map(|&action| ActionName::from(action));
        let declared = after.settings.actions.requested().map(|asked| after.action_name(asked));
        built_in.chain(declared).filter_map(|name| Self::new(before, after, name)).collect()
    }

    /// The action of a name; `None` if it is not between users, or a policy does not declare it.
    fn new(before: &'v View, after: &'v View, name: ActionName) -> Option<Self> {
        let judge = |view: &'v View| {
            let asked = view.requested_action(name.as_str()).ok()?;
            is_between_users(asked.action)
                .then(|| (asked, (view, PairEvaluator::new(view, asked, None))))
        };
        let ((_, before), (asked, after)) = (judge(before)?, judge(after)?);
        Some(Self { name, asked, before, after })
    }

    fn both(&self, moves: &UserMapping, one: UserNumber, other: UserNumber) -> [bool; 2] {
        let may =
            |(view, judge): &(&View, PairEvaluator<'_>), one: UserNumber, other: UserNumber| {
                judge.allows(one, other, view.population.tie(one, other))
            };
        let now = match (moves.now(one), moves.now(other)) {
            (Some(one), Some(other)) => may(&self.after, one, other),
            _ => self.allows_unknown(one, other),
        };
        [may(&self.before, one, other), now]
    }

    /// The decision of the second view on two users of whom it does not know at least one, by their
    /// ids.
    fn allows_unknown(&self, one: UserNumber, other: UserNumber) -> bool {
        let (before, after) = (self.before.0, self.after.0);
        if after.settings.unknown_users == UnknownUsers::Deny
            || !self.asked.action.takes().contains(&ResourceKind::User)
        {
            return false;
        }
        let directory = &before.population.directory;
        let resource = Resource::User(directory.id(other).into());
        let request = Request::with_resource(directory.id(one), self.asked.action, resource);
        decide(after, &request.with_action(self.asked)).allow
    }
}

/// A deterministic pseudo-random generator for samples.
struct SampleGenerator(u64);

impl SampleGenerator {
    fn pick(&mut self, list: &[UserNumber]) -> Option<UserNumber> {
        // SplitMix64 takes one word of state and passes the usual statistical tests.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let at = (u128::from(bits) * list.len() as u128) >> 64;
        list.get(usize::try_from(at).unwrap_or(usize::MAX)).copied()
    }
}
