//! Terms: until when something is in force, why it was stated and by whom.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::request::{Moderation, UserList};

/// Milliseconds since 1970 in UTC.
pub type UnixMillis = u64;

/// The terms of a moderation state or of an element of a list.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// The moment at which it ends; `None` if it does not end by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The user on whose behalf it was stated, or the name of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A moderation state that another one with an end replaces for a while.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplacedState {
    pub state: Moderation,
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    pub terms: Terms,
}

/// The terms of the elements of a user's lists, by list and by element; those without any are left out.
pub type ListTerms = BTreeMap<UserList, BTreeMap<String, Terms>>;

impl Terms {
    pub const fn is_empty(&self) -> bool {
        self.until.is_none() && self.reason.is_none() && self.by.is_none()
    }

    /// Whether it has ended at a moment: its end is not in force any more.
    pub fn has_ended(&self, now: UnixMillis) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}
