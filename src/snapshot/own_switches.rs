//! The switches of declared actions that users' own records set.

use std::sync::Arc;

use super::{TagId, UserNumber, chunked_list::ChunkedList};
use crate::request::{Condition, Toggle};

/// The switches of declared actions that records set, in the order of users and actions.
///
/// The actions are names: which of them there are is the policy's to say.
#[derive(Clone, Default, Debug)]
pub struct OwnSwitches {
    all: ChunkedList<OwnSwitch, 128>,
}

/// A record's setting of the switch of a declared action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnSwitch {
    pub action: Arc<str>,
    pub user: UserNumber,
    pub setting: OwnSetting<TagId>,
}

/// The setting of a switch of a declared action, over tags of type `T`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnSetting<T> {
    pub toggle: Toggle<T>,
    /// Whether a policy file states it; else the API does.
    pub is_declared: bool,
}

impl OwnSwitches {
    /// The settings of records, each of a user and an action once, in any order.
    pub fn new(mut all: Vec<OwnSwitch>) -> Self {
        all.sort_by(|one, other| one.key().cmp(&other.key()));
        Self { all: all.into_iter().collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.all.len() == 0
    }

    /// The settings for an action, in the order of users. Costs a look at each setting.
    pub fn of_action<'s>(&'s self, action: &'s str) -> impl Iterator<Item = &'s OwnSwitch> {
        self.all.iter().filter(move |it| &*it.action == action)
    }

    /// The setting of a user's record. Costs a binary search.
    pub fn get(&self, user: UserNumber, action: &str) -> Option<&Toggle<TagId>> {
        let found = self.all.first_from(|it| it.key() < (user, action))?;
        (found.key() == (user, action)).then_some(&found.setting.toggle)
    }

    /// The settings of a user's record, in the order of actions. Costs a binary search.
    pub fn of_user(&self, user: UserNumber) -> impl Iterator<Item = &OwnSwitch> {
        self.all.iter_from(&|it| it.user < user).take_while(move |it| it.user == user)
    }

    /// All settings, in order.
    pub fn iter(&self) -> impl Iterator<Item = &OwnSwitch> {
        self.all.iter()
    }

    /// The conditions of all settings.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition<TagId>> {
        self.all.iter().filter_map(|it| match &it.setting.toggle {
            Toggle::When(condition) => Some(condition),
            Toggle::Always(_) => None,
        })
    }

    /// Replaces the settings of a user's record. Costs a binary search for each setting before and after.
    pub(super) fn set(&mut self, user: UserNumber, settings: &[(Arc<str>, OwnSetting<TagId>)]) {
        for _ in 0..self.of_user(user).count() {
            self.all.remove(|it| it.user < user);
        }
        for (action, setting) in settings {
            let own = OwnSwitch { action: Arc::clone(action), user, setting: setting.clone() };
            self.all.insert(own, |it| it.key() < (user, action));
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.all.memory()
    }
}

impl OwnSwitch {
    fn key(&self) -> (UserNumber, &str) {
        (self.user, &self.action)
    }
}
