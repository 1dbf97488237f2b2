//! The restrictions of groups: whom they mute and ban, and who must be in them.

use std::{collections::BTreeMap, sync::Arc};

use super::{GroupNumber, GroupTable, TagId, UserNumber, View};
use crate::request::{Condition, Moderation, Windows};

/// The restrictions of a group.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct GroupRestrictions {
    /// The users who may not speak in the group, members or not, in order.
    muted: Box<[UserNumber]>,
    /// The users who are neither added to the group nor join it, in order.
    banned: Box<[UserNumber]>,
    /// The condition that someone in the group must meet, if there is one.
    requires: Option<Requirement>,
}

/// The condition that someone in a group must meet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Requirement {
    pub condition: Condition<TagId>,
    /// The members who meet it and are not banned by moderation, in order.
    qualified: Box<[UserNumber]>,
}

impl GroupRestrictions {
    /// Restrictions with these users in order, of a group of which nobody meets the condition yet;
    /// `None` without any.
    pub(super) fn new(
        muted: &[UserNumber],
        banned: &[UserNumber],
        requires: Option<&Condition<TagId>>,
    ) -> Option<Self> {
        let requires = requires.map(|condition| Requirement {
            condition: condition.clone(),
            qualified: Box::default(),
        });
        let all = Self { muted: muted.into(), banned: banned.into(), requires };
        (all != Self::default()).then_some(all)
    }

    /// Whether the group mutes a user. Costs a binary search.
    pub fn mutes(&self, user: UserNumber) -> bool {
        self.muted.binary_search(&user).is_ok()
    }

    /// Whether the group bans a user. Costs a binary search.
    pub fn bans(&self, user: UserNumber) -> bool {
        self.banned.binary_search(&user).is_ok()
    }

    /// The users whom the group mutes, in order.
    pub fn muted(&self) -> impl Iterator<Item = UserNumber> + Clone + '_ {
        self.muted.iter().copied()
    }

    /// The users whom the group bans, in order.
    pub fn banned(&self) -> impl Iterator<Item = UserNumber> + Clone + '_ {
        self.banned.iter().copied()
    }

    /// The condition that someone in the group must meet, if there is one.
    pub fn requires(&self) -> Option<&Requirement> {
        self.requires.as_ref()
    }

    pub(super) fn memory(&self) -> usize {
        let qualified = self.requires.as_ref().map_or(0, |it| size_of_val(&*it.qualified));
        size_of::<Self>() + size_of_val(&*self.muted) + size_of_val(&*self.banned) + qualified
    }
}

impl Requirement {
    /// Whether a member who meets the condition is in the group.
    pub fn is_met(&self) -> bool {
        !self.qualified.is_empty()
    }

    /// The only member who meets the condition, if it is one.
    pub fn only_qualified(&self) -> Option<UserNumber> {
        match *self.qualified {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The members who meet the condition, in order.
    pub fn qualified(&self) -> impl ExactSizeIterator<Item = UserNumber> + '_ {
        self.qualified.iter().copied()
    }

    fn set_qualified(&mut self, user: UserNumber, is_qualified: bool) {
        let at = self.qualified.binary_search(&user);
        let mut all = std::mem::take(&mut self.qualified).into_vec();
        match (at, is_qualified) {
            (Err(at), true) => all.insert(at, user),
            (Ok(at), false) => {
                all.remove(at);
            }
            _ => {}
        }
        self.qualified = all.into();
    }
}

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
            let requirement = self.get(number)?.restrictions?.requires.as_ref()?;
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

    fn update_requirement(&mut self, group: GroupNumber, update: impl FnOnce(&mut Requirement)) {
        let place = self.restrictions.get_mut(group.0 as usize);
        if let Some(Some(restrictions)) = place
            && let Some(requirement) = &mut Arc::make_mut(restrictions).requires
        {
            update(requirement);
        }
    }
}
