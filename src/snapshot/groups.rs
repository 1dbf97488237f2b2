use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::{MatrixNumber, index::Index};
use crate::request::Role;

/// The number of a group in a view, in the order of their ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GroupNumber(pub u32);

/// A group: who is what in it, by the numbers of users in order, and which matrix governs it.
#[derive(Clone, Debug)]
pub struct Group {
    pub id: Box<str>,
    pub matrix: MatrixNumber,
    pub creator: Option<u32>,
    pub super_admins: Box<[u32]>,
    pub admins: Box<[u32]>,
    /// All members, whatever their role.
    pub members: Box<[u32]>,
}

impl Group {
    /// What a user is in the group; `None` if he is no member.
    pub fn role(&self, user: u32) -> Option<Role> {
        let is_in = |users: &[u32]| users.binary_search(&user).is_ok();
        if !is_in(&self.members) {
            None
        } else if is_in(&self.super_admins) {
            Some(Role::SuperAdmin)
        } else if is_in(&self.admins) {
            Some(Role::Admin)
        } else {
            Some(Role::Member)
        }
    }
}

/// All groups, in the order of their ids, and of which ones each user is a member.
#[derive(Clone, Debug)]
pub struct Groups {
    all: Box<[Group]>,
    by_id: Index,
    hasher: RandomState,
    /// Where each user's row in `memberships` starts, and where the last one ends.
    starts: Box<[u32]>,
    memberships: Box<[GroupNumber]>,
}

impl Groups {
    /// Groups in the order of their ids, each id once; their members are users below `users`.
    pub fn new(groups: Vec<Group>, users: u32) -> Self {
        let hasher = RandomState::default();
        let by_id = Index::new(groups.iter().map(|group| hasher.hash_one(group.id.as_bytes())));
        let (starts, memberships) = memberships(&groups, users);
        Self { all: groups.into(), by_id, hasher, starts, memberships }
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The number of a group; `None` if there is none of this id. Costs a hash and a comparison.
    pub fn number(&self, id: &str) -> Option<GroupNumber> {
        let hash = self.hasher.hash_one(id.as_bytes());
        let is_it =
            |number: u32| self.get(GroupNumber(number)).is_some_and(|group| *group.id == *id);
        self.by_id.find(hash, is_it).map(GroupNumber)
    }

    pub fn get(&self, number: GroupNumber) -> Option<&Group> {
        self.all.get(number.0 as usize)
    }

    /// All groups in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (GroupNumber, &Group)> {
        (0..).map(GroupNumber).zip(&*self.all)
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
        let group = |group: &Group| {
            size_of::<Group>()
                + group.id.len()
                + 4 * (group.super_admins.len() + group.admins.len() + group.members.len())
        };
        self.all.iter().map(group).sum::<usize>()
            + self.by_id.memory()
            + size_of_val(&*self.starts)
            + size_of_val(&*self.memberships)
    }
}

fn memberships(groups: &[Group], users: u32) -> (Box<[u32]>, Box<[GroupNumber]>) {
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
