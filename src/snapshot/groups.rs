use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::{MatrixNumber, index::Index};
use crate::request::Role;

/// The number of a group in a view, in the order of their ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GroupNumber(pub u32);

/// A group as it is built: who is what in it, by the numbers of users in order.
#[derive(Clone, Debug)]
pub struct GroupEntry<'e> {
    pub id: &'e str,
    pub matrix: MatrixNumber,
    pub creator: Option<u32>,
    pub super_admins: Vec<u32>,
    pub admins: Vec<u32>,
    /// All members, whatever their role.
    pub members: Vec<u32>,
}

/// A group: who is what in it, and which matrix governs it.
#[derive(Clone, Copy, Debug)]
pub struct Group<'g> {
    pub id: &'g str,
    pub matrix: MatrixNumber,
    pub creator: Option<u32>,
    /// All members, whatever their role, by number and in order.
    pub members: &'g [u32],
    /// Two bits for each member, in the same order.
    roles: &'g [u32],
    /// How many super admins there are.
    pub super_admin_count: u32,
}

const ADMIN: u32 = 0b01;
const SUPER_ADMIN: u32 = 0b10;

/// How many members have their roles in one word.
const ROLES: usize = 16;

impl<'g> Group<'g> {
    /// What a user is in the group; `None` if he is no member. Costs a search among the members.
    #[inline]
    pub fn role(&self, user: u32) -> Option<Role> {
        let roles = self.roles_at(self.members.binary_search(&user).ok()?);
        Some(if roles & SUPER_ADMIN != 0 {
            Role::SuperAdmin
        } else if roles & ADMIN != 0 {
            Role::Admin
        } else {
            Role::Member
        })
    }

    /// The super admins, in order.
    pub fn super_admins(self) -> impl Iterator<Item = u32> + 'g {
        self.having(SUPER_ADMIN)
    }

    /// The admins, in order; a super admin may be one of them too.
    pub fn admins(self) -> impl Iterator<Item = u32> + 'g {
        self.having(ADMIN)
    }

    fn having(self, role: u32) -> impl Iterator<Item = u32> + 'g {
        let members = self.members.iter().copied().enumerate();
        members.filter(move |&(at, _)| self.roles_at(at) & role != 0).map(|(_, user)| user)
    }

    #[inline]
    fn roles_at(&self, at: usize) -> u32 {
        self.roles.get(at / ROLES).map_or(0, |word| word >> (2 * (at % ROLES)) & 0b11)
    }
}

/// All groups, in the order of their ids, and of which ones each user is a member.
///
/// The members of a group and their roles stand one after the other, so that a decision fetches them
/// together.
#[derive(Clone, Debug)]
pub struct Groups {
    records: Box<[Record]>,
    by_id: Index,
    hasher: RandomState,
    ids: Box<str>,
    /// For each group its members, and after them their roles.
    people: Box<[u32]>,
    /// Where each user's row in `memberships` starts, and where the last one ends.
    starts: Box<[u32]>,
    memberships: Box<[GroupNumber]>,
}

/// What of a group has a fixed size.
#[derive(Clone, Copy, Debug)]
struct Record {
    id_start: u32,
    id_len: u32,
    people: u32,
    members: u32,
    super_admins: u32,
    creator: Option<u32>,
    matrix: MatrixNumber,
}

impl Groups {
    /// Groups in the order of their ids, each id once; their members are users below `users`.
    pub fn new(groups: &[GroupEntry<'_>], users: u32) -> Self {
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let (mut ids, mut people) = (String::new(), Vec::new());
        let mut records = Vec::with_capacity(groups.len());
        for group in groups {
            records.push(Record {
                id_start: count(ids.len()),
                id_len: count(group.id.len()),
                people: count(people.len()),
                members: count(group.members.len()),
                super_admins: count(group.super_admins.len()),
                creator: group.creator,
                matrix: group.matrix,
            });
            ids.push_str(group.id);
            people.extend_from_slice(&group.members);
            people.extend(group.members.chunks(ROLES).map(|members| roles(group, members)));
        }
        let hasher = RandomState::default();
        let by_id = Index::new(groups.iter().map(|group| hasher.hash_one(group.id.as_bytes())));
        let (starts, memberships) = memberships(groups, users);
        Self {
            records: records.into(),
            by_id,
            hasher,
            ids: ids.into(),
            people: people.into(),
            starts,
            memberships,
        }
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The number of a group; `None` if there is none of this id. Costs a hash and a comparison.
    #[inline]
    pub fn number(&self, id: &str) -> Option<GroupNumber> {
        let hash = self.hasher.hash_one(id.as_bytes());
        let is_it = |number: u32| {
            self.records.get(number as usize).is_some_and(|record| self.id(record) == id)
        };
        self.by_id.find(hash, is_it).map(GroupNumber)
    }

    #[inline]
    pub fn get(&self, number: GroupNumber) -> Option<Group<'_>> {
        let record = self.records.get(number.0 as usize)?;
        let people = self.people.get(record.people as usize..).unwrap_or_default();
        let members = record.members as usize;
        let (members, rest) = people.split_at_checked(members).unwrap_or_default();
        let roles = rest.get(..members.len().div_ceil(ROLES)).unwrap_or_default();
        Some(Group {
            id: self.id(record),
            matrix: record.matrix,
            creator: record.creator,
            members,
            roles,
            super_admin_count: record.super_admins,
        })
    }

    /// All groups in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (GroupNumber, Group<'_>)> {
        let numbers = (0..).map(GroupNumber).take(self.records.len());
        numbers.filter_map(|number| Some((number, self.get(number)?)))
    }

    /// The groups of which a user is a member, in order.
    pub fn of(&self, user: u32) -> &[GroupNumber] {
        let at = user as usize;
        match self.starts.get(at..at.saturating_add(2)) {
            Some(&[start, end]) => {
                self.memberships.get(start as usize..end as usize).unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// How many memberships there are.
    pub fn memberships(&self) -> usize {
        self.memberships.len()
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.records)
            + self.by_id.memory()
            + self.ids.len()
            + size_of_val(&*self.people)
            + size_of_val(&*self.starts)
            + size_of_val(&*self.memberships)
    }

    #[inline]
    fn id(&self, record: &Record) -> &str {
        let start = record.id_start as usize;
        self.ids.get(start..start + record.id_len as usize).unwrap_or_default()
    }
}

/// The roles of some members of a group, two bits for each.
fn roles(group: &GroupEntry<'_>, members: &[u32]) -> u32 {
    members.iter().enumerate().fold(0, |word, (at, member)| {
        let has = |users: &[u32], role: u32| {
            if users.binary_search(member).is_ok() { role } else { 0 }
        };
        let roles = has(&group.admins, ADMIN) | has(&group.super_admins, SUPER_ADMIN);
        word | roles << (2 * at)
    })
}

fn memberships(groups: &[GroupEntry<'_>], users: u32) -> (Box<[u32]>, Box<[GroupNumber]>) {
    if groups.is_empty() {
        return Default::default();
    }
    let mut starts = vec![0_u32; users as usize + 1];
    for &user in groups.iter().flat_map(|group| &group.members) {
        if let Some(count) = starts.get_mut(user as usize + 1) {
            *count += 1;
        }
    }
    let mut total = 0;
    for start in &mut starts {
        total += *start;
        *start = total;
    }
    let mut free = starts.clone();
    let mut memberships = vec![GroupNumber(0); total as usize];
    for (number, group) in (0..).map(GroupNumber).zip(groups) {
        for &user in &group.members {
            if let Some(at) = free.get_mut(user as usize)
                && let Some(place) = memberships.get_mut(*at as usize)
            {
                *place = number;
                *at += 1;
            }
        }
    }
    (starts.into(), memberships.into())
}
