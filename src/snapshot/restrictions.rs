//! The restrictions of groups: whom they mute and ban, and who must be in them.

use super::{TagId, UserNumber};
use crate::request::Condition;

/// The restrictions of a group.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct GroupRestrictions {
    /// The users who may not speak in the group, members or not, in order.
    muted: Box<[UserNumber]>,
    /// The users who are neither added to the group nor join it, in order.
    banned: Box<[UserNumber]>,
    /// The condition that someone in the group must meet, if there is one.
    pub(super) requires: Option<Requirement>,
}

/// The condition that someone in a group must meet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Requirement {
    pub condition: Condition<TagId>,
    /// The members who meet it and are not banned by moderation, in order.
    pub(super) qualified: Box<[UserNumber]>,
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

    /// Lets a user speak again.
    pub(super) fn unmute(&mut self, user: UserNumber) {
        self.muted = self.muted().filter(|&muted| muted != user).collect();
    }

    /// Lets a user come again.
    pub(super) fn unban(&mut self, user: UserNumber) {
        self.banned = self.banned().filter(|&banned| banned != user).collect();
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

    pub(super) fn set_qualified(&mut self, user: UserNumber, is_qualified: bool) {
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
