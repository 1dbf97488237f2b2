use std::{borrow::Cow, sync::Arc};

use super::{
    Directory, Entry, Own, Selection, Standing, Standings, TagId, Tie, Ties, UserSet, paged::Paged,
    sorted::Sorted,
};
use crate::request::{Condition, Field, Stated, Switch};

/// A user, and a switch that his record sets to a condition.
pub type OwnCondition = (u32, Switch, Condition<TagId>);

/// The conditions of each user whose record sets some.
pub(super) type OwnConditions = Sorted<Arc<[OwnCondition]>, 256>;

/// Who there is: users, their tags, the users of each tag, and what is between users.
///
/// A clone shares all that is not changed.
#[derive(Clone, Debug)]
pub struct Population {
    pub directory: Directory,
    /// For each tag that users have, those who have it.
    pub members: Arc<[UserSet]>,
    pub everyone: UserSet,
    /// The numbers of those who are no users, but with whom users have to do.
    pub gone: UserSet,
    /// What the record of each user sets; empty where none sets anything.
    pub(super) own: Paged<Own, 512>,
    /// What files state of each user.
    pub(super) stated: Paged<Stated, 512>,
    /// The switches that records set to a condition: those of each user, in the order of users.
    pub(super) own_conditions: OwnConditions,
    /// What is between users.
    pub ties: Ties,
    /// Which users were counted together, to tell two populations apart that hold others.
    pub(super) made: Arc<()>,
    /// What the population was read from, to tell whether it would be read the same again.
    pub key: [u8; 32],
    /// What it says, whatever it was read from.
    pub digest: [u8; 32],
}

/// All that a population is built from.
#[derive(Debug)]
pub struct Told<'t, U, T> {
    /// In the order of their ids, each once.
    pub users: U,
    /// The tags of each class, in order.
    pub classes: &'t [Vec<TagId>],
    /// How many tags users have: their numbers are below it.
    pub tags: usize,
    /// What records set, in the order of the users.
    pub own: Vec<(u32, Own)>,
    pub own_conditions: Vec<OwnCondition>,
    /// What files state of each user; none if no one asks.
    pub stated: Vec<Stated>,
    /// What each is to another, in any order; at most 2^30.
    pub ties: T,
    pub key: [u8; 32],
}

impl Population {
    /// Costs a pass over the users, and a sort of what is between them.
    pub fn new<'e>(
        told: Told<
            '_,
            impl ExactSizeIterator<Item = Entry<'e>> + Clone,
            impl Iterator<Item = (u32, u32, Tie)> + Clone,
        >,
    ) -> Self {
        let count = u32::try_from(told.users.len()).unwrap_or(u32::MAX);
        let gone = (0..).zip(told.users.clone()).filter(|(_, user)| !user.is_known);
        let gone: UserSet = gone.map(|(user, _)| user).collect();
        let (ties, rows) = Ties::new(count, told.ties);
        let directory = Directory::new(told.users, told.classes, &rows);
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); told.tags];
        for user in 0..count {
            for tag in directory.tags(user).iter() {
                if let Some(users) = members.get_mut(tag.index()) {
                    users.push(user);
                }
            }
        }
        let mut own = Paged::default();
        if !told.own.is_empty() {
            own.grow(count as usize);
        }
        for (user, said) in told.own {
            if let Some(place) = own.get_mut(user as usize) {
                *place = said;
            }
        }
        Self {
            members: members.into_iter().map(|users| UserSet::from_sorted(&users)).collect(),
            everyone: UserSet::range(0..count).minus(&gone),
            gone,
            directory,
            own,
            stated: told.stated.into_iter().collect(),
            own_conditions: told
                .own_conditions
                .chunk_by(|(one, ..), (other, ..)| one == other)
                .map(Arc::from)
                .collect(),
            ties,
            key: told.key,
            digest: [0; 32],
            made: Arc::default(),
        }
    }

    /// Notes where each user stands, beside his id, where decisions find it; none are told if all
    /// stand where most do. Costs a pass over the users.
    #[must_use]
    pub fn standing_as(mut self, standings: &Standings, each: &[Standing]) -> Self {
        for user in 0..self.directory.len() {
            let standing = each.get(user as usize).copied().unwrap_or(standings.common());
            self.directory.set_standing(user, standing);
        }
        self
    }

    /// Whether all users stand as told already.
    pub fn stands_as(&self, standings: &Standings, each: &[Standing]) -> bool {
        let as_told = |user: u32| each.get(user as usize).copied().unwrap_or(standings.common());
        (0..self.directory.len()).all(|user| self.directory.standing(user) == as_told(user))
    }

    /// Whether both are of the same users with the same tags, wherever they stand.
    pub fn is_of_the_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.made, &other.made)
    }

    /// Says that it is of the same users as another, since no more than places changed.
    pub fn stays(&mut self, other: &Self) {
        self.made = Arc::clone(&other.made);
    }

    /// All others with whom a user has to do, by number and in order, and what is between them, seen
    /// from him.
    pub fn ties_of(&self, user: u32) -> impl ExactSizeIterator<Item = (u32, Tie)> + '_ {
        self.ties.of(self.directory.row(user))
    }

    /// What one user is to another, and what of it files state; the way back is not told. Costs a
    /// search in his row.
    pub fn outward(&self, user: u32, other: u32) -> Tie {
        self.ties.find(self.directory.row(user), other).outward()
    }

    /// What records set, by user and in their order; those that set nothing are left out.
    pub fn owns(&self) -> impl Iterator<Item = (u32, Own)> + '_ {
        (0..).zip(self.own.iter().copied()).filter(|(_, own)| !own.is_empty())
    }

    /// The users who have a tag.
    pub fn members(&self, tag: TagId) -> Option<&UserSet> {
        self.members.get(tag.index())
    }

    /// The users who meet a condition: set algebra over the users of each tag, `not` being relative
    /// to all known users. Recursion is as deep as the condition, which the parsers limit.
    pub fn meeting(&self, condition: &Condition<TagId>) -> Cow<'_, UserSet> {
        self.selection(condition).of(&self.everyone)
    }

    /// What is between two users, seen from the first. Costs a search in the shorter of their rows, or
    /// nothing where it can be told from what stands beside their ids.
    #[inline]
    pub fn tie(&self, one: u32, other: u32) -> Tie {
        let row = |user: u32| (user, self.directory.row(user));
        self.ties.between(row(one), row(other))
    }

    /// The same with what files state of it. Costs a search in the row of the first.
    pub fn stated_tie(&self, one: u32, other: u32) -> Tie {
        self.ties.find(self.directory.row(one), other)
    }

    /// What the record of a user sets, and the switches that it sets to a condition. Costs a
    /// search.
    pub fn own(&self, user: u32) -> (Own, &[OwnCondition]) {
        let own = self.own.get(user as usize).copied().unwrap_or_default();
        let conditions = self.own_conditions.first_from(|those| owner(those) < Some(user));
        let conditions = conditions.filter(|those| owner(those) == Some(user));
        (own, conditions.map_or(&[], |those| those))
    }

    /// The switches that records set to a condition, in the order of the users.
    pub fn own_conditions(&self) -> impl Iterator<Item = &OwnCondition> {
        self.own_conditions.iter().flat_map(|those| those.iter())
    }

    /// Puts other conditions in the place of those that the record of a user sets.
    pub(super) fn replace_conditions(
        &mut self,
        user: u32,
        conditions: &[(Switch, Condition<TagId>)],
    ) {
        let before = |those: &Arc<[OwnCondition]>| owner(those) < Some(user);
        if !self.own(user).1.is_empty() {
            self.own_conditions.remove(before);
        }
        if !conditions.is_empty() {
            let own = conditions.iter().map(|(switch, when)| (user, *switch, when.clone()));
            let mut own: Vec<OwnCondition> = own.collect();
            own.sort_unstable_by_key(|&(_, switch, _)| switch);
            self.own_conditions.insert(own.into(), before);
        }
    }

    /// What files state of a user.
    pub fn stated(&self, user: u32) -> Stated {
        self.stated.get(user as usize).copied().unwrap_or_default()
    }

    /// Whether files state a user of this id; if it was not noted what they state, whether there is one.
    pub fn states(&self, id: &str) -> bool {
        let number = self.directory.number(id);
        number.is_some_and(|user| self.stated.len() == 0 || self.stated(user).has(Field::Itself))
    }

    fn selection(&self, condition: &Condition<TagId>) -> Selection<'_> {
        match condition {
            Condition::HasTag(tag) => {
                self.members(*tag).map_or_else(Selection::nobody, Selection::from)
            }
            Condition::Not(inner) => self.selection(inner).complement(),
            Condition::All(parts) => Selection::all(parts.iter().map(|part| self.selection(part))),
            Condition::Any(parts) => Selection::any(parts.iter().map(|part| self.selection(part))),
        }
    }

    pub(super) fn memory(&self) -> usize {
        let conditions = self.own_conditions.memory()
            + self.own_conditions().count() * size_of::<OwnCondition>();
        self.directory.memory()
            + self.members.iter().map(UserSet::memory).sum::<usize>()
            + self.own.memory()
            + self.stated.memory()
            + conditions
            + self.ties.memory()
    }
}

/// Whose conditions they are.
fn owner(those: &Arc<[OwnCondition]>) -> Option<u32> {
    those.first().map(|&(user, ..)| user)
}
