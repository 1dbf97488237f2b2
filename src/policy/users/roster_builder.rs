//! The roster builder, which adds the users of facts to those of files.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::{Roster, UserOverrides, roster::list_at};
use crate::request::{DeclaredFields, Moment, Relation};

/// Adds to a roster what facts say of users: of those whom files state, and others.
///
/// A builder of the roster: users that files declare stay; an id that is only named is no user.
#[derive(Debug)]
pub struct RosterBuilder {
    roster: Roster,
    /// By user, whether there is one.
    known: Vec<bool>,
    hasher: RandomState,
    by_id: HashTable<u32>,
    by_tag: HashTable<u32>,
    by_set: HashTable<u32>,
}

impl RosterBuilder {
    /// Costs a hash of each id.
    pub fn new(roster: Roster) -> Self {
        let mut merging = Self {
            known: vec![true; roster.len()],
            roster,
            hasher: RandomState::default(),
            by_id: HashTable::new(),
            by_tag: HashTable::new(),
            by_set: HashTable::new(),
        };
        for user in 0..merging.roster.len() {
            merging.index(user);
        }
        for (number, tag) in (0_u32..).zip(&merging.roster.tags) {
            let hash = |&other: &u32| merging.hasher.hash_one(name(&merging.roster, other));
            merging.by_tag.insert_unique(merging.hasher.hash_one(tag), number, hash);
        }
        for set in 0..merging.roster.set_ends.len() {
            let Ok(number) = u32::try_from(set) else { break };
            let hash = |&other: &u32| merging.hasher.hash_one(members(&merging.roster, other));
            let own = merging.hasher.hash_one(members(&merging.roster, number));
            merging.by_set.insert_unique(own, number, hash);
        }
        merging
    }

    /// The number of an id; one who is not there yet is no user.
    pub fn intern(&mut self, id: &str) -> u32 {
        let roster = &self.roster;
        let hash = self.hasher.hash_one(id);
        let found = self.by_id.find(hash, |&other| roster.id(other as usize) == id);
        if let Some(&known) = found {
            return known;
        }
        let user = self.roster.len();
        self.roster.ids.push_str(id);
        self.roster.ends.push(self.roster.ids.len());
        self.roster.stated.resize(user, DeclaredFields::default());
        self.roster.stated.push(DeclaredFields::default());
        let none = self.set(&[]);
        self.roster.set_of.push(none);
        self.known.push(false);
        self.index(user);
        u32::try_from(user).unwrap_or(u32::MAX)
    }

    /// There is such a user.
    pub fn mark_known(&mut self, user: u32) {
        if let Some(known) = self.known.get_mut(user as usize) {
            *known = true;
        }
    }

    pub fn is_known(&self, user: u32) -> bool {
        self.known.get(user as usize).copied().unwrap_or(false)
    }

    pub fn stated(&self, user: u32) -> DeclaredFields {
        self.roster.stated(user as usize)
    }

    /// Gives a user tags.
    pub fn set_tags<'t>(&mut self, user: u32, tags: impl Iterator<Item = &'t str>) {
        let mut set: Vec<u32> = tags.map(|tag| self.tag_number(tag)).collect();
        set.sort_unstable();
        set.dedup();
        let set = self.set(&set);
        if let Some(place) = self.roster.set_of.get_mut(user as usize) {
            *place = set;
        }
    }

    /// Takes what files set of a user out, to be put back with more.
    pub fn take_overrides(&mut self, user: u32, rows: &[(u32, usize)]) -> UserOverrides {
        let at = rows.binary_search_by_key(&user, |&(user, _)| user).ok();
        let row =
            at.and_then(|at| rows.get(at)).and_then(|&(_, at)| self.roster.overrides.get_mut(at));
        row.map(|(_, own)| std::mem::take(own)).unwrap_or_default()
    }

    /// The places of the files' settings of users, in the order of users.
    pub fn override_rows(&self) -> Vec<(u32, usize)> {
        let mut rows: Vec<(u32, usize)> =
            self.roster.overrides.iter().map(|(user, _)| *user).zip(0..).collect();
        rows.sort_unstable();
        rows
    }

    pub fn set_overrides(&mut self, user: u32, own: UserOverrides) {
        if own != UserOverrides::default() {
            self.roster.overrides.push((user, own));
        }
    }

    pub fn add_edge(&mut self, relation: Relation, from: u32, to: u32) {
        self.roster.added[relation].push((from, to));
    }

    pub fn add_conversation(&mut self, one: u32, other: u32) {
        self.roster.conversations.push((one, other));
    }

    /// Adds the moments at which something of a user's record ends.
    pub fn add_record_ends(&mut self, user: u32, ends: impl Iterator<Item = Moment>, now: Moment) {
        for end in ends {
            if end > now {
                self.roster.record_ends.push((user, end));
            } else {
                self.roster.last_end = self.roster.last_end.max(Some(end));
            }
        }
    }

    pub fn finish(mut self) -> Roster {
        let known = self.known.iter().zip(0_u32..);
        self.roster.unknown = known.filter(|&(known, _)| !known).map(|(_, user)| user).collect();
        self.roster.overrides.retain(|(_, own)| *own != UserOverrides::default());
        self.roster
    }

    fn index(&mut self, user: usize) {
        let Ok(number) = u32::try_from(user) else { return };
        let (roster, hasher) = (&self.roster, &self.hasher);
        let hash = |&other: &u32| hasher.hash_one(roster.id(other as usize));
        self.by_id.insert_unique(hash(&number), number, hash);
    }

    fn tag_number(&mut self, tag: &str) -> u32 {
        let (roster, hasher) = (&self.roster, &self.hasher);
        let hash = hasher.hash_one(tag);
        if let Some(&known) = self.by_tag.find(hash, |&other| name(roster, other) == tag) {
            return known;
        }
        let number = u32::try_from(roster.tags.len()).unwrap_or(u32::MAX);
        self.by_tag.insert_unique(hash, number, |&other| hasher.hash_one(name(roster, other)));
        self.roster.tags.push(tag.to_owned());
        number
    }

    fn set(&mut self, tags: &[u32]) -> u32 {
        let (roster, hasher) = (&self.roster, &self.hasher);
        let hash = hasher.hash_one(tags);
        if let Some(&known) = self.by_set.find(hash, |&other| members(roster, other) == tags) {
            return known;
        }
        let number = u32::try_from(roster.set_ends.len()).unwrap_or(u32::MAX);
        self.by_set.insert_unique(hash, number, |&other| hasher.hash_one(members(roster, other)));
        self.roster.sets.extend_from_slice(tags);
        self.roster.set_ends.push(self.roster.sets.len());
        number
    }
}

fn name(roster: &Roster, tag: u32) -> &str {
    roster.tags.get(tag as usize).map_or("", String::as_str)
}

fn members(roster: &Roster, set: u32) -> &[u32] {
    list_at(&roster.sets, &roster.set_ends, set as usize)
}
