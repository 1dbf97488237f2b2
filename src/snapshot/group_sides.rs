//! The number of members of each group on each side of the barriers, so that who joins is not compared with each.

use std::sync::Arc;

use super::{
    CompiledBarrier, GroupEntry, GroupNumber, GroupTable, UserNumber, View,
    persistent_vec::PersistentVec,
};

/// The counts by the number of the group, if a barrier concerns groups.
#[derive(Clone, Default, Debug)]
pub struct GroupSides {
    counts: PersistentVec<GroupCounts, 32>,
}

/// For each barrier, in order, the number of members on its first side and on its second; `None` without members.
type GroupCounts = Option<Arc<[[u32; 2]]>>;

/// The sides of barriers that a user leaves or joins.
pub(super) struct SideMoves {
    pub(super) user: UserNumber,
    /// For each barrier, in order, whether the user is on each side before and after.
    pub(super) moves: Vec<[[bool; 2]; 2]>,
}

impl GroupSides {
    pub(super) fn memory(&self) -> usize {
        let counts = self.counts.iter().flatten().map(|counts| size_of_val(&**counts));
        self.counts.memory() + counts.sum::<usize>()
    }
}

impl View {
    /// Replaces all groups. Costs a look at each member for each barrier that concerns groups.
    pub fn set_groups(&mut self, groups: GroupTable) {
        self.groups = groups;
        let counts = if self.barriers.concern_groups() {
            let numbers = (0..self.groups.numbers()).map(GroupNumber);
            numbers.map(|group| self.counted(group)).collect()
        } else {
            PersistentVec::default()
        };
        self.group_sides = GroupSides { counts };
        if self.groups.have_restrictions() {
            (0..self.groups.numbers()).for_each(|group| self.qualify_members(GroupNumber(group)));
        }
    }

    /// Adds a group or replaces the one with the same id. Costs its members, and the memberships of users who
    /// joined or left.
    pub fn put_group(&mut self, group: &GroupEntry<'_>) {
        self.groups.put(group);
        if let Some(number) = self.groups.number(group.id) {
            self.recount(number);
            self.qualify_members(number);
        }
    }

    /// Removes a group if there is one with this id.
    pub fn remove_group(&mut self, id: &str) {
        let number = self.groups.number(id);
        self.groups.remove(id);
        number.into_iter().for_each(|number| self.recount(number));
    }

    /// The number of members of a group on each side of a barrier. Costs an access to memory.
    pub fn members_on_sides(&self, group: GroupNumber, barrier: &CompiledBarrier) -> [u32; 2] {
        let counts = self.group_sides.counts.get(group.0 as usize).and_then(Option::as_deref);
        counts.and_then(|counts| counts.get(barrier.number)).copied().unwrap_or_default()
    }

    /// Moves users from side to side in all their groups.
    pub(super) fn move_sides(&mut self, users: &[SideMoves]) {
        for SideMoves { user, moves } in users {
            for group in self.groups.numbers_of(*user) {
                let Some(Some(counts)) = self.group_sides.counts.get_mut(group.0 as usize) else {
                    continue;
                };
                let mut changed: Vec<[u32; 2]> = counts.to_vec();
                for (counts, [before, after]) in changed.iter_mut().zip(moves) {
                    for ((count, was), is) in counts.iter_mut().zip(before).zip(after) {
                        *count =
                            count.saturating_add(u32::from(*is)).saturating_sub(u32::from(*was));
                    }
                }
                *counts = changed.into();
            }
        }
    }

    fn recount(&mut self, group: GroupNumber) {
        if self.barriers.concern_groups() {
            let counted = self.counted(group);
            self.group_sides.counts.grow(group.0 as usize + 1);
            if let Some(place) = self.group_sides.counts.get_mut(group.0 as usize) {
                *place = counted;
            }
        }
    }

    fn counted(&self, group: GroupNumber) -> GroupCounts {
        let members = self.groups.get(group).filter(|group| group.members().len() > 0)?.members();
        let count = |it: &CompiledBarrier| {
            it.sides.each_ref().map(|side| {
                let on_side = members.clone().filter(|&member| side.contains(member));
                u32::try_from(on_side.count()).unwrap_or(u32::MAX)
            })
        };
        Some(self.barriers.all.iter().map(count).collect())
    }
}
