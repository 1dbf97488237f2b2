//! The reach of an action between classes of users with the same tags.

use std::collections::HashMap;

use crate::{
    decide::PairEvaluator,
    request::{Conversation, RequestedAction},
    snapshot::{Tie, UserNumber, UserState, UserTags, View},
};

/// The number of pairs that may perform an action, by classes of users with the same tags.
///
/// The counts are exact: users' own settings and the ties between them are included.
#[derive(Debug)]
pub struct ReachTable<'v> {
    /// The largest classes, largest first, and those of one size by their tags.
    pub classes: Vec<TagSetClass<'v>>,
    /// The number of classes.
    pub total: usize,
    /// For each pair of classes, row by row, the number of allowed pairs.
    allowed: Vec<u64>,
}

/// A class of users with the same tags.
#[derive(Debug)]
pub struct TagSetClass<'v> {
    /// The tags, by name and in order.
    pub tags: Vec<&'v str>,
    pub users: Vec<UserNumber>,
}

/// Users of one class and state, who differ by their ties only.
struct StateClass {
    kind: usize,
    users: u64,
    /// One of the users, and another one if there is one.
    one: UserNumber,
    another: Option<UserNumber>,
}

impl<'v> ReachTable<'v> {
    /// Counts the pairs of the largest classes, at most `most` of them, for an action between
    /// users.
    ///
    /// Costs a look at each user and each relation, and at each pair of classes.
    pub fn count(
        view: &'v View,
        asked: impl Into<RequestedAction>,
        conversation: Option<Conversation>,
        most: usize,
    ) -> Self {
        let (kinds, total) = largest(view, most);
        let asked = asked.into();
        let judge = PairEvaluator::new(view, asked, conversation);
        let mut counted =
            Self { allowed: vec![0; kinds.len() * kinds.len()], classes: kinds, total };
        counted.count_strangers(view, asked, &judge);
        counted.count_ties(view, &judge);
        counted
    }

    /// The number of allowed pairs of a user of one class and another user of the other class.
    pub fn allowed(&self, from: usize, to: usize) -> u64 {
        self.allowed.get(from * self.classes.len() + to).copied().unwrap_or(0)
    }

    /// The number of all such pairs.
    pub fn pairs(&self, from: usize, to: usize) -> u64 {
        let users = |kind: usize| self.classes.get(kind).map_or(0, |kind| kind.users.len() as u64);
        users(from) * (users(to) - u64::from(from == to && users(to) > 0))
    }

    fn slot(&mut self, from: usize, to: usize) -> Option<&mut u64> {
        let width = self.classes.len();
        self.allowed.get_mut(from * width + to)
    }

    /// Counts all pairs as if no users had ties.
    fn count_strangers(&mut self, view: &View, asked: RequestedAction, judge: &PairEvaluator<'_>) {
        let groups = self.state_classes(view, asked);
        for (at, from) in groups.iter().enumerate() {
            for (to_at, to) in groups.iter().enumerate() {
                let is_same = at == to_at;
                let other = if is_same { to.another } else { Some(to.one) };
                let Some(other) = other else { continue };
                if judge.allows(from.one, other, Tie::NONE) {
                    let pairs = from.users * (to.users - u64::from(is_same));
                    if let Some(slot) = self.slot(from.kind, to.kind) {
                        *slot += pairs;
                    }
                }
            }
        }
    }

    /// Corrects the counts for pairs with ties.
    fn count_ties(&mut self, view: &View, judge: &PairEvaluator<'_>) {
        let mut kind_of = HashMap::new();
        for (kind, users) in self.classes.iter().enumerate() {
            kind_of.extend(users.users.iter().map(|&user| (user, kind)));
        }
        let users: Vec<(UserNumber, usize)> =
            kind_of.iter().map(|(&user, &kind)| (user, kind)).collect();
        for (user, from) in users {
            for (other, tie) in view.population.ties_of(user) {
                let Some(&to) = kind_of.get(&other) else { continue };
                let as_strangers = judge.allows(user, other, Tie::NONE);
                let as_they_are = judge.allows(user, other, tie);
                if let Some(slot) = self.slot(from, to) {
                    *slot = *slot + u64::from(as_they_are) - u64::from(as_strangers);
                }
            }
        }
    }

    fn state_classes(&self, view: &View, asked: RequestedAction) -> Vec<StateClass> {
        let declared = asked.own.and_then(|own| view.settings.actions.get(own));
        let mut groups: Vec<StateClass> = Vec::new();
        for (kind, users) in self.classes.iter().enumerate() {
            let mut by_standing: HashMap<_, usize> = HashMap::new();
            for &user in &users.users {
                let state: UserState = view.population.directory.state(user);
                let tags = view.population.directory.tags(user);
                let own = declared
                    .and_then(|it| view.population.own_switches.get(user, &it.name))
                    .map(|toggle| toggle.is_on(&|tag| tags.contains(*tag)));
                let key = (state.to_bytes(), own);
                let at = *by_standing.entry(key).or_insert(groups.len());
                match groups.get_mut(at) {
                    Some(group) => {
                        group.users += 1;
                        group.another = group.another.or(Some(user));
                    }
                    None => groups.push(StateClass { kind, users: 1, one: user, another: None }),
                }
            }
        }
        groups
    }
}

/// The largest classes, and the number of all.
fn largest(view: &View, most: usize) -> (Vec<TagSetClass<'_>>, usize) {
    let directory = &view.population.directory;
    let mut by_tags: HashMap<UserTags<'_>, Vec<UserNumber>> = HashMap::new();
    for user in directory.numbers() {
        by_tags.entry(directory.tags(user)).or_default().push(user);
    }
    let total = by_tags.len();
    let mut kinds: Vec<TagSetClass<'_>> = by_tags
        .into_iter()
        .map(|(tags, users)| {
            let mut tags: Vec<&str> = tags.iter().map(|tag| view.tags.name(tag)).collect();
            tags.sort_unstable();
            TagSetClass { tags, users }
        })
        .collect();
    kinds.sort_by(|one, other| {
        other.users.len().cmp(&one.users.len()).then_with(|| one.tags.cmp(&other.tags))
    });
    kinds.truncate(most);
    (kinds, total)
}
