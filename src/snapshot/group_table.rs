//! The table of groups: members, roles, matrices, and the groups of each user.

use std::{hash::BuildHasher, sync::Arc};

use foldhash::fast::RandomState;

use super::{
    CompiledMatrix, GroupRestrictions, MatrixNumber, TagId, UserNumber, append_arena::AppendArena,
    hash_index::HashIndex, memberships::build_memberships, persistent_vec::PersistentVec,
    row_store::RowStore,
};
use crate::request::{Condition, Role};

/// The number of a group in a view: its place in the order of ids, or the next free number for a
/// group that is added later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GroupNumber(pub u32);

/// A group from which a table is built; all users are given by number and in order.
#[derive(Clone, Debug)]
pub struct GroupEntry<'e> {
    pub id: &'e str,
    /// The matrix that governs the group; without one, it grants nothing.
    pub matrix: Option<MatrixNumber>,
    /// The group's own matrix, which replaces `matrix` and has no name.
    pub own_matrix: Option<CompiledMatrix>,
    pub creator: Option<UserNumber>,
    pub super_admins: Vec<UserNumber>,
    pub admins: Vec<UserNumber>,
    /// All members, whatever their role.
    pub members: Vec<UserNumber>,
    /// The users who may not speak in the group.
    pub muted: Vec<UserNumber>,
    /// The users who are neither added to the group nor join it.
    pub banned: Vec<UserNumber>,
    /// The condition that someone in the group must meet.
    pub requires: Option<Condition<TagId>>,
}

/// A group: its members with their roles, and the matrix that governs it.
#[derive(Clone, Copy, Debug)]
pub struct GroupView<'g> {
    pub id: &'g str,
    /// The matrix that governs the group; without one, it grants nothing.
    pub matrix: Option<MatrixNumber>,
    pub creator: Option<UserNumber>,
    /// The numbers of all members, whatever their role, in order.
    members: &'g [u32],
    /// Two bits for each member, in the same order.
    roles: &'g [u32],
    /// The number of super admins.
    pub super_admin_count: u32,
    /// The users whom the group mutes or bans, and who must be in it; `None` without any.
    pub restrictions: Option<&'g GroupRestrictions>,
}

const ADMIN: u32 = 0b01;
const SUPER_ADMIN: u32 = 0b10;

/// The number of members whose roles fit in one word.
const ROLES: usize = 16;

impl<'g> GroupView<'g> {
    /// The role of a user in the group; `None` if the user is not a member. Costs a search among
    /// the members.
    #[inline]
    pub fn role(&self, user: UserNumber) -> Option<Role> {
        let roles = self.roles_at(self.members.binary_search(&user.0).ok()?);
        Some(if roles & SUPER_ADMIN != 0 {
            Role::SuperAdmin
        } else if roles & ADMIN != 0 {
            Role::Admin
        } else {
            Role::Member
        })
    }

    /// All members, whatever their role, in order.
    pub fn members(self) -> impl ExactSizeIterator<Item = UserNumber> + Clone + 'g {
        self.members.iter().copied().map(UserNumber)
    }

    /// The super admins, in order.
    pub fn super_admins(self) -> impl Iterator<Item = UserNumber> + 'g {
        self.members_with_role(SUPER_ADMIN)
    }

    /// The admins, in order; a super admin may be an admin too.
    pub fn admins(self) -> impl Iterator<Item = UserNumber> + 'g {
        self.members_with_role(ADMIN)
    }

    fn members_with_role(self, role: u32) -> impl Iterator<Item = UserNumber> + 'g {
        self.members()
            .enumerate()
            .filter(move |&(at, _)| self.roles_at(at) & role != 0)
            .map(|(_, user)| user)
    }

    #[inline]
    fn roles_at(&self, at: usize) -> u32 {
        self.roles.get(at / ROLES).map_or(0, |word| word >> (2 * (at % ROLES)) & 0b11)
    }
}

/// The table of all groups, with the groups of each user.
///
/// The members of a group and their roles are contiguous, so that a decision fetches them together.
/// The number of a removed group is kept.
#[derive(Clone, Debug)]
pub struct GroupTable {
    records: PersistentVec<GroupSlot, 32>,
    by_id: HashIndex,
    hasher: RandomState,
    ids: AppendArena<u8>,
    /// The matrices of groups with permissions of their own; empty if there are none.
    own_matrices: PersistentVec<Option<Arc<CompiledMatrix>>, 32>,
    /// The restrictions of groups that have some; empty if none has.
    pub(super) restrictions: PersistentVec<Option<Arc<GroupRestrictions>>, 32>,
    /// For each group its members, followed by their roles.
    people: RowStore,
    /// The start and length of each user's row in `memberships`; empty if there are none.
    rows: PersistentVec<(u32, u32), 512>,
    memberships: RowStore,
    membership_count: u64,
    known: usize,
    /// The numbers below this are in the order of ids.
    ordered: u32,
}

/// The fixed-size part of a group.
#[derive(Clone, Copy, Default, Debug)]
struct GroupSlot {
    id: u64,
    id_len: u32,
    people: u32,
    members: u32,
    super_admins: u32,
    creator: Option<UserNumber>,
    matrix: Option<MatrixNumber>,
    is_known: bool,
}

impl GroupTable {
    /// Takes back a mute. Costs a copy of the group's restrictions.
    pub fn unmute(&mut self, group: GroupNumber, user: UserNumber) {
        if let Some(Some(restrictions)) = self.restrictions.get_mut(group.0 as usize) {
            Arc::make_mut(restrictions).unmute(user);
        }
    }

    /// Takes back a ban, likewise.
    pub fn unban(&mut self, group: GroupNumber, user: UserNumber) {
        if let Some(Some(restrictions)) = self.restrictions.get_mut(group.0 as usize) {
            Arc::make_mut(restrictions).unban(user);
        }
    }

    /// Builds a table of groups in the order of their ids, each id once; the members' numbers are
    /// below `users`.
    pub fn new(groups: &[GroupEntry<'_>], users: u32) -> Self {
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let mut people = Vec::new();
        let mut ids = AppendArena::default();
        let mut records = Vec::with_capacity(groups.len());
        let mut own_matrices = PersistentVec::default();
        let mut restrictions = PersistentVec::default();
        for (number, group) in (0..).map(GroupNumber).zip(groups) {
            let start = count(people.len());
            records.push(GroupSlot {
                id: ids.push(group.id.as_bytes()),
                id_len: count(group.id.len()),
                people: if group.members.is_empty() { 0 } else { start },
                members: count(group.members.len()),
                super_admins: count(group.super_admins.len()),
                creator: group.creator,
                matrix: store_own_matrix(&mut own_matrices, number, group),
                is_known: true,
            });
            group.pack(&mut people);
            store_restrictions(&mut restrictions, number, group);
        }
        let hasher = RandomState::default();
        let by_id = HashIndex::new(
            groups.len(),
            groups.iter().map(|group| hasher.hash_one(group.id.as_bytes())),
        );
        let (rows, memberships) =
            build_memberships(groups.iter().map(|group| &*group.members), users);
        Self {
            known: records.len(),
            ordered: count(records.len()),
            membership_count: memberships.len() as u64,
            records: records.into_iter().collect(),
            by_id,
            hasher,
            ids,
            own_matrices,
            restrictions,
            people: people.into(),
            rows,
            memberships: memberships.into(),
        }
    }

    /// The number above those of all groups, removed ones among them.
    pub(super) fn numbers(&self) -> u32 {
        u32::try_from(self.records.len()).unwrap_or(u32::MAX)
    }

    /// The number of groups.
    pub fn len(&self) -> usize {
        self.known
    }

    pub fn is_empty(&self) -> bool {
        self.known == 0
    }

    /// The number of a group; `None` if there is no group with this id. Costs a hash and a
    /// comparison.
    #[inline]
    pub fn number(&self, id: &str) -> Option<GroupNumber> {
        self.number_or_tombstone(id).filter(|&number| self.get(number).is_some())
    }

    #[inline]
    fn number_or_tombstone(&self, id: &str) -> Option<GroupNumber> {
        let hash = self.hasher.hash_one(id.as_bytes());
        let is_it = |number: u32| {
            self.records.get(number as usize).is_some_and(|record| self.id(record) == id)
        };
        self.by_id.find(hash, is_it).map(GroupNumber)
    }

    #[inline]
    pub fn get(&self, number: GroupNumber) -> Option<GroupView<'_>> {
        let record = self.records.get(number.0 as usize).filter(|record| record.is_known)?;
        let members = record.members as usize;
        let words = members.div_ceil(ROLES);
        let people = self.people.row(record.people, members + words);
        let (members, rest) = people.split_at_checked(members).unwrap_or_default();
        let roles = rest.get(..words).unwrap_or_default();
        Some(GroupView {
            id: self.id(record),
            matrix: record.matrix,
            creator: record.creator,
            members,
            roles,
            super_admin_count: record.super_admins,
            restrictions: self.restrictions.get(number.0 as usize).and_then(Option::as_deref),
        })
    }

    /// All groups in the order of their ids. Costs a sort of those that were added later.
    pub fn iter(&self) -> impl Iterator<Item = (GroupNumber, GroupView<'_>)> {
        let numbers = (0..u32::try_from(self.records.len()).unwrap_or(u32::MAX)).map(GroupNumber);
        let mut all: Vec<GroupNumber> =
            numbers.filter(|&number| self.get(number).is_some()).collect();
        self.sort(&mut all);
        all.into_iter().filter_map(|number| Some((number, self.get(number)?)))
    }

    /// The groups that a user is a member of, in the order of their ids.
    pub fn groups_of(&self, user: UserNumber) -> Vec<GroupNumber> {
        let mut groups: Vec<GroupNumber> =
            self.row(user).iter().copied().map(GroupNumber).collect();
        self.sort(&mut groups);
        groups
    }

    /// The groups that two users are both members of, by number. Costs a search in the longer list of
    /// groups for each group of the shorter one.
    #[inline]
    pub fn shared(
        &self,
        one: UserNumber,
        other: UserNumber,
    ) -> impl Iterator<Item = GroupNumber> + '_ {
        let (one, other) = (self.row(one), self.row(other));
        let (few, many) = if one.len() <= other.len() { (one, other) } else { (other, one) };
        let shared = few.iter().filter(move |&group| many.binary_search(group).is_ok());
        shared.copied().map(GroupNumber)
    }

    /// The numbers of the groups that a user is a member of.
    pub fn numbers_of(&self, user: UserNumber) -> impl Iterator<Item = GroupNumber> + '_ {
        self.row(user).iter().copied().map(GroupNumber)
    }

    /// The matrix of a group with permissions of its own.
    pub(super) fn own_matrix(&self, group: usize) -> Option<&CompiledMatrix> {
        self.own_matrices.get(group)?.as_deref()
    }

    /// The own matrices of groups, by the numbers of the groups.
    pub(super) fn all_own_matrices(&self) -> impl Iterator<Item = (usize, &CompiledMatrix)> {
        let all = self.own_matrices.iter().enumerate();
        all.filter_map(|(at, matrix)| Some((at, &**matrix.as_ref()?)))
    }

    /// Changes the own matrix of a group.
    pub(super) fn update_own_matrix(
        &mut self,
        at: usize,
        change: impl FnOnce(&mut CompiledMatrix),
    ) {
        if let Some(Some(matrix)) = self.own_matrices.get_mut(at) {
            change(Arc::make_mut(matrix));
        }
    }

    /// The matrices of groups with permissions of their own.
    pub fn own_matrices(&self) -> impl Iterator<Item = &CompiledMatrix> {
        self.own_matrices.iter().flatten().map(|matrix| &**matrix)
    }

    /// Whether any group has had restrictions.
    pub(super) fn have_restrictions(&self) -> bool {
        self.restrictions.len() > 0
    }

    /// The groups that mute or ban a user. Costs a look at each group, if any has had restrictions.
    pub fn restricting(&self, user: UserNumber) -> impl Iterator<Item = GroupNumber> + '_ {
        let all = (0..).map(GroupNumber).zip(self.restrictions.iter());
        all.filter(move |(_, restrictions)| {
            restrictions.as_deref().is_some_and(|it| it.mutes(user) || it.bans(user))
        })
        .map(|(number, _)| number)
    }

    /// The number of memberships of all groups.
    pub fn membership_count(&self) -> u64 {
        self.membership_count
    }

    /// Adds a group or replaces the one with the same id. Costs its members, and the memberships of
    /// users who joined or left.
    pub(super) fn put(&mut self, group: &GroupEntry<'_>) {
        let number = self.number_or_tombstone(group.id).unwrap_or_else(|| self.add(group.id));
        let before: Vec<UserNumber> =
            self.get(number).map(|group| group.members().collect()).unwrap_or_default();
        let mut people = Vec::new();
        group.pack(&mut people);
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let matrix = store_own_matrix(&mut self.own_matrices, number, group);
        store_restrictions(&mut self.restrictions, number, group);
        if let Some(record) = self.records.get_mut(number.0 as usize) {
            self.known += usize::from(!record.is_known);
            record.people = self.people.replace(record.people, people);
            record.members = count(group.members.len());
            record.super_admins = count(group.super_admins.len());
            record.creator = group.creator;
            record.matrix = matrix;
            record.is_known = true;
        }
        self.update_memberships(number, &before, &group.members);
    }

    /// Removes a group if there is one with this id.
    pub(super) fn remove(&mut self, id: &str) {
        let Some(number) = self.number(id) else { return };
        let before: Vec<UserNumber> =
            self.get(number).map(|group| group.members().collect()).unwrap_or_default();
        if let Some(record) = self.records.get_mut(number.0 as usize) {
            record.people = self.people.replace(record.people, Vec::new());
            (record.members, record.super_admins, record.is_known) = (0, 0, false);
            self.known -= 1;
        }
        if let Some(own) = self.own_matrices.get_mut(number.0 as usize) {
            *own = None;
        }
        if let Some(restrictions) = self.restrictions.get_mut(number.0 as usize) {
            *restrictions = None;
        }
        self.update_memberships(number, &before, &[]);
    }

    fn add(&mut self, id: &str) -> GroupNumber {
        let number = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        let id_len = u32::try_from(id.len()).unwrap_or(u32::MAX);
        let record = GroupSlot { id: self.ids.push(id.as_bytes()), id_len, ..GroupSlot::default() };
        self.records.push(record);
        if self.by_id.is_full() {
            let hash = |record: &GroupSlot| self.hasher.hash_one(self.id(record).as_bytes());
            self.by_id = HashIndex::new(self.records.len(), self.records.iter().map(hash));
        } else {
            self.by_id.insert(self.hasher.hash_one(id.as_bytes()), number);
        }
        GroupNumber(number)
    }

    /// Updates the memberships of users who joined or left a group; both lists are in order.
    fn update_memberships(
        &mut self,
        group: GroupNumber,
        before: &[UserNumber],
        after: &[UserNumber],
    ) {
        let is_in = |all: &[UserNumber], user: &UserNumber| all.binary_search(user).is_ok();
        let left = before.iter().filter(|user| !is_in(after, user)).map(|&user| (user, false));
        let joined = after.iter().filter(|user| !is_in(before, user)).map(|&user| (user, true));
        for (user, is_member) in left.chain(joined) {
            let mut row: Vec<u32> = self.row(user).to_vec();
            match (row.binary_search(&group.0), is_member) {
                (Err(at), true) => row.insert(at, group.0),
                (Ok(at), false) => {
                    row.remove(at);
                }
                _ => continue,
            }
            self.rows.grow(user.index() + 1);
            let len = u32::try_from(row.len()).unwrap_or(u32::MAX);
            if let Some(place) = self.rows.get_mut(user.index()) {
                *place = (self.memberships.replace(place.0, row), len);
            }
        }
        self.membership_count += after.len() as u64;
        self.membership_count -= before.len() as u64;
    }

    fn row(&self, user: UserNumber) -> &[u32] {
        let row = self.rows.get(user.index());
        row.map_or(&[], |&(start, len)| self.memberships.row(start, len as usize))
    }

    fn sort(&self, groups: &mut [GroupNumber]) {
        if groups.iter().any(|group| group.0 >= self.ordered) {
            groups.sort_by_key(|&group| self.get(group).map(|group| group.id));
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.records.memory()
            + self.by_id.memory()
            + self.ids.memory()
            + self.restrictions.memory()
            + self.restrictions.iter().flatten().map(|it| it.memory()).sum::<usize>()
            + self.people.memory()
            + self.rows.memory()
            + self.memberships.memory()
    }

    #[inline]
    fn id(&self, record: &GroupSlot) -> &str {
        let id = self.ids.get(record.id, record.id_len as usize).unwrap_or_default();
        str::from_utf8(id).unwrap_or_default()
    }
}

/// Stores the group's own matrix and returns the number of the matrix that governs the group.
fn store_own_matrix(
    own: &mut PersistentVec<Option<Arc<CompiledMatrix>>, 32>,
    number: GroupNumber,
    group: &GroupEntry<'_>,
) -> Option<MatrixNumber> {
    let at = number.0 as usize;
    if group.own_matrix.is_some() {
        own.grow(at + 1);
    }
    if let Some(place) = own.get_mut(at) {
        *place = group.own_matrix.clone().map(Arc::new);
    }
    if group.own_matrix.is_some() { MatrixNumber::of_group(at) } else { group.matrix }
}

/// Stores the restrictions of a group.
fn store_restrictions(
    all: &mut PersistentVec<Option<Arc<GroupRestrictions>>, 32>,
    number: GroupNumber,
    group: &GroupEntry<'_>,
) {
    let at = number.0 as usize;
    let restrictions = GroupRestrictions::new(&group.muted, &group.banned, group.requires.as_ref());
    if restrictions.is_some() {
        all.grow(at + 1);
    }
    if let Some(place) = all.get_mut(at) {
        *place = restrictions.map(Arc::new);
    }
}

impl GroupEntry<'_> {
    /// Appends the members, followed by their roles.
    fn pack(&self, people: &mut Vec<u32>) {
        people.extend(self.members.iter().map(|user| user.0));
        people.extend(self.members.chunks(ROLES).map(|members| roles(self, members)));
    }
}

/// The roles of some members of a group, two bits for each.
fn roles(group: &GroupEntry<'_>, members: &[UserNumber]) -> u32 {
    members.iter().enumerate().fold(0, |word, (at, member)| {
        let has = |users: &[UserNumber], role: u32| {
            if users.binary_search(member).is_ok() { role } else { 0 }
        };
        let roles = has(&group.admins, ADMIN) | has(&group.super_admins, SUPER_ADMIN);
        word | roles << (2 * at)
    })
}
