//! The members of groups who meet the condition that someone in their group must meet.

use std::{collections::BTreeMap, sync::Arc};

use super::{GroupNumber, GroupRestrictions, GroupTable, Requirement, TagId, UserNumber, View};
use crate::request::{Condition, Moderation, Windows};

impl View {
    /// Whether a user counts as one who meets the condition of a group that they are in.
    fn is_qualified(&self, user: UserNumber, condition: &Condition<TagId>) -> bool {
        let directory = &self.population.directory;
        let tags = directory.tags(user);
        directory.is_known(user)
            && directory.state(user).moderation() != Moderation::Banned
            && condition.holds(&|tag: &TagId| tags.contains(*tag))
    }

    /// Finds the members of a group who meet its condition, if it has one. Costs a look at each.
    pub(super) fn qualify_members(&mut self, group: GroupNumber) {
        let Some(found) = self.groups.get(group) else { return };
        let Some(requirement) = found.restrictions.and_then(GroupRestrictions::requires) else {
            return;
        };
        let condition = &requirement.condition;
        let qualified = found.members().filter(|&member| self.is_qualified(member, condition));
        let qualified: Box<[UserNumber]> = qualified.collect();
        self.groups.update_requirement(group, |it| it.qualified = qualified);
    }

    /// Finds out whether users still meet the conditions of their groups, of which the tags, the moderation or
    /// the existence changed. Costs their memberships, and the qualified members of groups that it changes.
    pub(super) fn requalify_users(&mut self, users: &[UserNumber]) {
        if !self.groups.have_restrictions() {
            return;
        }
        let mut moves: BTreeMap<GroupNumber, Vec<(UserNumber, bool)>> = BTreeMap::new();
        for &user in users {
            for number in self.groups.numbers_of(user) {
                let restrictions = self.groups.get(number).and_then(|group| group.restrictions);
                let Some(it) = restrictions.and_then(GroupRestrictions::requires) else { continue };
                let is_qualified = self.is_qualified(user, &it.condition);
                if is_qualified != it.qualified.binary_search(&user).is_ok() {
                    moves.entry(number).or_default().push((user, is_qualified));
                }
            }
        }
        for (group, moves) in moves {
            self.groups.update_requirement(group, |it| {
                moves.iter().for_each(|&(user, is)| it.set_qualified(user, is));
            });
        }
    }
}

impl GroupTable {
    fn update_requirement(&mut self, group: GroupNumber, update: impl FnOnce(&mut Requirement)) {
        let place = self.restrictions.get_mut(group.0 as usize);
        if let Some(Some(restrictions)) = place
            && let Some(requirement) = &mut Arc::make_mut(restrictions).requires
        {
            update(requirement);
        }
    }
}

impl View {
    /// Opens and closes windows in what groups say of themselves: their own matrices, and whom they require. Costs a
    /// look at each group that does, and at the members of those that it changes.
    pub fn set_group_windows(&mut self, windows: &Windows) {
        for group in self.groups.set_windows(windows) {
            self.qualify_members(group);
        }
    }
}

impl GroupTable {
    /// Opens and closes windows in the conditions that groups require. Returns the groups that it changes.
    pub(super) fn set_requirement_windows(&mut self, windows: &Windows) -> Vec<GroupNumber> {
        if !self.have_restrictions() {
            return Vec::new();
        }
        let numbers = (0..self.numbers()).map(GroupNumber);
        let others = numbers.filter_map(|number| {
            let requirement = self.get(number)?.restrictions?.requires()?;
            let mut resolved = requirement.condition.clone();
            windows.resolve_record(&mut resolved);
            (resolved != requirement.condition).then_some((number, resolved))
        });
        let others: Vec<_> = others.collect();
        for (number, resolved) in &others {
            self.update_requirement(*number, |it| it.condition = resolved.clone());
        }
        others.into_iter().map(|(number, _)| number).collect()
    }
}
