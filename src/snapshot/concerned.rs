//! The users and groups whose answers a change of a view may change.

use std::collections::BTreeSet;

/// The users and groups whose answers may differ between a view and the one served after it.
///
/// An answer is concerned if its subject, its resource or the member that it is about is one of the users, or its
/// resource is one of the groups. Beyond [`MAX_NAMES`](Self::MAX_NAMES) users or groups, all are.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Concerned {
    is_all: bool,
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
}

impl Concerned {
    /// The most users, and the most groups, that are named.
    pub const MAX_NAMES: usize = 1000;

    /// All users and groups.
    pub fn all() -> Self {
        Self { is_all: true, ..Self::default() }
    }

    pub fn is_all(&self) -> bool {
        self.is_all
    }

    /// Whether no answer differs.
    pub fn is_none(&self) -> bool {
        !self.is_all && self.users.is_empty() && self.groups.is_empty()
    }

    /// The users, in the order of their ids; none of them is named if all are concerned.
    pub fn users(&self) -> &BTreeSet<String> {
        &self.users
    }

    /// The groups, in the order of their ids; none of them is named if all are concerned.
    pub fn groups(&self) -> &BTreeSet<String> {
        &self.groups
    }

    pub fn add_user(&mut self, id: &str) {
        if !self.is_all && !self.users.contains(id) {
            self.users.insert(id.to_owned());
            self.bound();
        }
    }

    pub fn add_group(&mut self, id: &str) {
        if !self.is_all && !self.groups.contains(id) {
            self.groups.insert(id.to_owned());
            self.bound();
        }
    }

    /// Adds those whom another change concerns.
    pub fn merge(&mut self, other: Self) {
        if self.is_all || other.is_all {
            *self = Self::all();
        } else {
            self.users.extend(other.users);
            self.groups.extend(other.groups);
            self.bound();
        }
    }

    /// Names nobody where there are too many to name.
    fn bound(&mut self) {
        if self.users.len().max(self.groups.len()) > Self::MAX_NAMES {
            *self = Self::all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_all_are_concerned() {
        let mut concerned = Concerned::default();
        assert!(concerned.is_none());
        for user in 0..Concerned::MAX_NAMES {
            concerned.add_user(&user.to_string());
        }
        concerned.add_user("0");
        assert_eq!((concerned.users().len(), concerned.is_all()), (Concerned::MAX_NAMES, false));
        let mut other = Concerned::default();
        other.add_user("one more");
        concerned.merge(other);
        assert_eq!((concerned.users().len(), concerned.is_all()), (0, true));
        concerned.add_group("g");
        assert_eq!(concerned, Concerned::all());
    }
}
