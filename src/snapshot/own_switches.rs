//! The switches of declared actions that users' own records set.

use std::sync::Arc;

use super::{TagId, UserNumber};
use crate::request::{Condition, Toggle};

/// The switches of declared actions that records set, in the order of actions and users.
///
/// The actions are names: which of them there are is the policy's to say.
#[derive(Clone, Default, Debug)]
pub struct OwnSwitches {
    all: Vec<OwnSwitch>,
}

/// A record's setting of the switch of a declared action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnSwitch {
    pub action: Arc<str>,
    pub user: UserNumber,
    pub toggle: Toggle<TagId>,
}

impl OwnSwitches {
    /// The settings of records, each of a user and an action once, in any order.
    pub fn new(mut all: Vec<OwnSwitch>) -> Self {
        all.sort_by(|one, other| (&one.action, one.user).cmp(&(&other.action, other.user)));
        Self { all }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The settings for an action, in the order of users. Costs a binary search.
    pub fn of_action(&self, action: &str) -> &[OwnSwitch] {
        let from = self.all.partition_point(|it| &*it.action < action);
        let rest = self.all.get(from..).unwrap_or_default();
        let count = rest.partition_point(|it| &*it.action == action);
        rest.get(..count).unwrap_or_default()
    }

    /// The setting of a user's record. Costs a binary search.
    pub fn get(&self, user: UserNumber, action: &str) -> Option<&Toggle<TagId>> {
        let key = (action, user);
        let at = self.all.binary_search_by(|it| (&*it.action, it.user).cmp(&key)).ok()?;
        self.all.get(at).map(|it| &it.toggle)
    }

    /// The settings of a user's record, in the order of actions. Costs a look at each setting.
    pub fn of_user(&self, user: UserNumber) -> impl Iterator<Item = &OwnSwitch> {
        self.all.iter().filter(move |it| it.user == user)
    }

    /// All settings, in order.
    pub fn iter(&self) -> impl Iterator<Item = &OwnSwitch> {
        self.all.iter()
    }

    /// The conditions of all settings.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition<TagId>> {
        self.all.iter().filter_map(|it| match &it.toggle {
            Toggle::When(condition) => Some(condition),
            Toggle::Always(_) => None,
        })
    }

    pub(super) fn memory(&self) -> usize {
        self.all.len() * size_of::<OwnSwitch>()
    }
}
