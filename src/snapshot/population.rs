//! The population: all users, the sets of users by tag, record overrides, and ties.

use std::{borrow::Cow, sync::Arc};

use super::{
    Directory, DirectoryEntry, EndIndex, RecordOverrides, Selection, StateIndex, TagId, Tie, Ties,
    UserNumber, UserSet, UserState,
    chunked_list::ChunkedList,
    own_audiences::OwnAudiences,
    own_switches::{OwnSwitch, OwnSwitches},
    persistent_vec::PersistentVec,
};
use crate::request::{
    AudienceSlot, Condition, DeclaredField, DeclaredFields, During, Moment, Switch,
};

/// A user, and a switch that the user's record sets to a condition.
pub type SwitchCondition = (UserNumber, Switch, Condition<TagId>);

/// The conditional switches of each user whose record has any.
pub(super) type SwitchConditions = ChunkedList<Arc<[SwitchCondition]>, 256>;

/// The population: users, their tags, the users of each tag, and the ties between users.
///
/// A clone shares all unchanged parts.
#[derive(Clone, Debug)]
pub struct Population {
    pub directory: Directory,
    /// For each tag of users, the users who have it.
    pub members: Arc<[UserSet]>,
    pub everyone: UserSet,
    /// Tombstones: numbers of unknown users that relations still refer to.
    pub tombstones: UserSet,
    /// The overrides of each user's record; empty if no record has any.
    pub(super) overrides: PersistentVec<RecordOverrides, 512>,
    /// The fields that files declare of each user.
    pub(super) declared_fields: PersistentVec<DeclaredFields, 512>,
    /// The conditional switches of records, grouped by user and in the order of users.
    pub(super) switch_conditions: SwitchConditions,
    /// The audiences that records name.
    pub own_audiences: Arc<OwnAudiences>,
    /// The switches of declared actions that records set; files alone set them.
    pub own_switches: Arc<OwnSwitches>,
    /// The ties between users.
    pub ties: Ties,
    /// The future ends of what files declare.
    pub declared_ends: EndIndex,
    /// The future ends of what records state.
    pub record_ends: EndIndex,
    /// The latest moment up to now at which something ended.
    pub last_end: Option<Moment>,
    /// The identity of this population; equal pointers mean the same users and tags.
    pub(super) identity: Arc<()>,
    /// The digest of the sources from which the population was read; equal keys need no second
    /// reading.
    pub key: [u8; 32],
    /// The digest of the content, whatever it was read from.
    pub digest: [u8; 32],
}

/// The parts from which a population is built.
#[derive(Debug)]
pub struct PopulationParts<'t, U, T> {
    /// The users in the order of their ids, each once.
    pub users: U,
    /// The tags of each class, in order.
    pub classes: &'t [Vec<TagId>],
    /// The number of tags of users; tag numbers are below it.
    pub tags: usize,
    /// The overrides of records, in the order of the users.
    pub overrides: Vec<(UserNumber, RecordOverrides)>,
    pub switch_conditions: Vec<SwitchCondition>,
    /// The audiences that records name by action.
    pub own_audiences: Vec<(UserNumber, AudienceSlot, String)>,
    /// The switches of declared actions that records set.
    pub own_switches: Vec<OwnSwitch>,
    /// The fields that files declare of each user; empty if this is not recorded.
    pub declared_fields: Vec<DeclaredFields>,
    /// The ties from one user to another, in any order; at most 2^30.
    pub ties: T,
    pub key: [u8; 32],
    /// The future ends of what files declare, and of what records state.
    pub ends: [EndIndex; 2],
    /// The latest moment up to now at which something ended.
    pub last_end: Option<Moment>,
}

impl Population {
    /// Builds a population. Costs a pass over the users, and a sort of their ties.
    pub fn new<'e>(
        parts: PopulationParts<
            '_,
            impl ExactSizeIterator<Item = DirectoryEntry<'e>> + Clone,
            impl Iterator<Item = (UserNumber, UserNumber, Tie)> + Clone,
        >,
    ) -> Self {
        let count = u32::try_from(parts.users.len()).unwrap_or(u32::MAX);
        let gone =
            (0..).map(UserNumber).zip(parts.users.clone()).filter(|(_, user)| !user.is_known);
        let gone: UserSet = gone.map(|(user, _)| user).collect();
        let (ties, rows) = Ties::new(count, parts.ties);
        let directory = Directory::new(parts.users, parts.classes, &rows);
        let mut members: Vec<Vec<UserNumber>> = vec![Vec::new(); parts.tags];
        for user in UserNumber::first(count) {
            for tag in directory.tags(user).iter() {
                if let Some(users) = members.get_mut(tag.index()) {
                    users.push(user);
                }
            }
        }
        let mut own = PersistentVec::default();
        if !parts.overrides.is_empty() {
            own.grow(count as usize);
        }
        for (user, said) in parts.overrides {
            if let Some(place) = own.get_mut(user.index()) {
                *place = said;
            }
        }
        let [declared_ends, record_ends] = parts.ends;
        Self {
            declared_ends,
            record_ends,
            last_end: parts.last_end,
            members: members
                .into_iter()
                .map(|users| UserSet::from_sorted(users.iter().copied()))
                .collect(),
            everyone: UserSet::first(count).minus(&gone),
            tombstones: gone,
            directory,
            overrides: own,
            declared_fields: parts.declared_fields.into_iter().collect(),
            switch_conditions: parts
                .switch_conditions
                .chunk_by(|(one, ..), (other, ..)| one == other)
                .map(Arc::from)
                .collect(),
            own_audiences: Arc::new(OwnAudiences::new(parts.own_audiences)),
            own_switches: Arc::new(OwnSwitches::new(parts.own_switches)),
            ties,
            key: parts.key,
            digest: [0; 32],
            identity: Arc::default(),
        }
    }

    /// Stores the state of each user beside the id, where decisions find it; an empty slice means
    /// that all users have the common state. Costs a pass over the users.
    #[must_use]
    pub fn with_states(mut self, states: &StateIndex, each: &[UserState]) -> Self {
        for user in self.directory.numbers() {
            let state = each.get(user.index()).copied().unwrap_or(states.common());
            self.directory.set_state(user, state);
        }
        self
    }

    /// Whether the stored states of all users are these already.
    pub fn has_states(&self, states: &StateIndex, each: &[UserState]) -> bool {
        let expected =
            |user: UserNumber| each.get(user.index()).copied().unwrap_or(states.common());
        self.directory.numbers().all(|user| self.directory.state(user) == expected(user))
    }

    /// Whether both populations have the same users with the same tags, whatever their states.
    pub fn has_same_identity(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.identity, &other.identity)
    }

    /// Takes over the identity of another population with the same users and tags.
    pub fn share_identity(&mut self, other: &Self) {
        self.identity = Arc::clone(&other.identity);
    }

    /// The ties of a user: all related users in the order of their numbers, seen from this user.
    pub fn ties_of(
        &self,
        user: UserNumber,
    ) -> impl ExactSizeIterator<Item = (UserNumber, Tie)> + '_ {
        self.ties.entries(self.directory.row(user))
    }

    /// The relations from one user to another, and which of them files declare; the way back is
    /// left out. Costs a search in the user's row.
    pub fn outgoing_tie(&self, user: UserNumber, other: UserNumber) -> Tie {
        self.ties.find(self.directory.row(user), other).outgoing_part()
    }

    /// The overrides of all records in the order of the users, empty ones left out.
    pub fn all_overrides(&self) -> impl Iterator<Item = (UserNumber, RecordOverrides)> + '_ {
        (0..).map(UserNumber).zip(self.overrides.iter().copied()).filter(|(_, own)| !own.is_empty())
    }

    /// The users who have a tag.
    pub fn members(&self, tag: TagId) -> Option<&UserSet> {
        self.members.get(tag.index())
    }

    /// The users who meet a condition: set algebra over the users of each tag, with `not` relative
    /// to all known users. Recursion is as deep as the condition, which the parsers limit.
    pub fn users_meeting(&self, condition: &Condition<TagId>) -> Cow<'_, UserSet> {
        self.selection(condition).within(&self.everyone)
    }

    /// The tie of two users, seen from the first. Costs a search in the shorter of their rows, or
    /// nothing where their signatures exclude a tie.
    #[inline]
    pub fn tie(&self, one: UserNumber, other: UserNumber) -> Tie {
        let row = |user: UserNumber| (user, self.directory.row(user));
        self.ties.between(row(one), row(other))
    }

    /// The tie of two users with its declared part. Costs a search in the row of the first.
    pub fn tie_with_declared(&self, one: UserNumber, other: UserNumber) -> Tie {
        self.ties.find(self.directory.row(one), other)
    }

    /// The overrides of a user's record, and its conditional switches. Costs a search.
    pub fn overrides(&self, user: UserNumber) -> (RecordOverrides, &[SwitchCondition]) {
        let own = self.overrides.get(user.index()).copied().unwrap_or_default();
        let conditions = self.switch_conditions.first_from(|those| owner(those) < Some(user));
        let conditions = conditions.filter(|those| owner(those) == Some(user));
        (own, conditions.map_or(&[], |those| those))
    }

    /// The conditional switches of all records, in the order of the users.
    pub fn switch_conditions(&self) -> impl Iterator<Item = &SwitchCondition> {
        self.switch_conditions.iter().flat_map(|those| those.iter())
    }

    /// Replaces the conditional switches of a user's record.
    pub(super) fn replace_switch_conditions(
        &mut self,
        user: UserNumber,
        conditions: &[(Switch, Condition<TagId>)],
    ) {
        let before = |those: &Arc<[SwitchCondition]>| owner(those) < Some(user);
        if !self.overrides(user).1.is_empty() {
            self.switch_conditions.remove(before);
        }
        if !conditions.is_empty() {
            let own = conditions.iter().map(|(switch, when)| (user, *switch, when.clone()));
            let mut own: Vec<SwitchCondition> = own.collect();
            own.sort_unstable_by_key(|&(_, switch, _)| switch);
            self.switch_conditions.insert(own.into(), before);
        }
    }

    /// The fields that files declare of a user.
    pub fn declared_fields(&self, user: UserNumber) -> DeclaredFields {
        self.declared_fields.get(user.index()).copied().unwrap_or_default()
    }

    /// Whether files declare a user with this id; if declarations are not recorded, whether the
    /// user exists.
    pub fn is_declared(&self, id: &str) -> bool {
        let number = self.directory.number(id);
        number.is_some_and(|user| {
            self.declared_fields.len() == 0
                || self.declared_fields(user).contains(DeclaredField::Itself)
        })
    }

    /// The users who meet a condition, as [`users_meeting`](Self::users_meeting), with `not` relative to
    /// everybody.
    pub fn selection(&self, condition: &Condition<TagId>) -> Selection<'_> {
        match condition {
            Condition::Everyone | Condition::During(During { is_open: true, .. }) => {
                Selection::everybody()
            }
            Condition::Nobody | Condition::During(During { is_open: false, .. }) => {
                Selection::nobody()
            }
            Condition::HasTag(tag) => {
                self.members(*tag).map_or_else(Selection::nobody, Selection::from)
            }
            Condition::Not(inner) => self.selection(inner).complement(),
            Condition::All(parts) => Selection::all(parts.iter().map(|part| self.selection(part))),
            Condition::Any(parts) => Selection::any(parts.iter().map(|part| self.selection(part))),
        }
    }

    pub(super) fn memory(&self) -> usize {
        let conditions = self.switch_conditions.memory()
            + self.switch_conditions().count() * size_of::<SwitchCondition>();
        self.directory.memory()
            + self.members.iter().map(UserSet::memory).sum::<usize>()
            + self.overrides.memory()
            + self.declared_fields.memory()
            + self.own_audiences.memory()
            + self.own_switches.memory()
            + self.declared_ends.memory()
            + self.record_ends.memory()
            + conditions
            + self.ties.memory()
    }
}

/// The user whose conditional switches these are.
fn owner(those: &Arc<[SwitchCondition]>) -> Option<UserNumber> {
    those.first().map(|&(user, ..)| user)
}
