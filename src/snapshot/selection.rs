//! Selections of users: a set, or the complement of one.

use std::borrow::Cow;

use super::{UserNumber, UserSet};

/// A selection of users: a set, or all users but a set, so that "everyone but" costs no more than
/// naming the few.
#[derive(Clone, Debug)]
pub enum Selection<'s> {
    Only(Cow<'s, UserSet>),
    AllBut(Cow<'s, UserSet>),
}

impl<'s> From<&'s UserSet> for Selection<'s> {
    fn from(users: &'s UserSet) -> Self {
        Self::Only(Cow::Borrowed(users))
    }
}

impl From<UserSet> for Selection<'_> {
    fn from(users: UserSet) -> Self {
        Self::Only(Cow::Owned(users))
    }
}

impl<'s> Selection<'s> {
    pub fn nobody() -> Self {
        UserSet::default().into()
    }

    pub fn everybody() -> Self {
        Self::nobody().complement()
    }

    /// The same selection, by reference.
    pub fn borrowed(&self) -> Selection<'_> {
        match self {
            Self::Only(users) => Selection::Only(Cow::Borrowed(users)),
            Self::AllBut(users) => Selection::AllBut(Cow::Borrowed(users)),
        }
    }

    /// The memory that the selection takes in bytes, approximately.
    pub fn memory(&self) -> usize {
        match self {
            Self::Only(users) | Self::AllBut(users) => users.memory(),
        }
    }

    /// Adds or removes users, given in order and each once; `below` is the number of users.
    pub(super) fn apply_changes(&mut self, changes: &[(UserNumber, bool)], below: u32) {
        match self {
            Self::Only(users) => users.to_mut().apply_changes(changes, below),
            Self::AllBut(users) => {
                let turned: Vec<_> = changes.iter().map(|&(user, is_in)| (user, !is_in)).collect();
                users.to_mut().apply_changes(&turned, below);
            }
        }
    }

    /// The complement. Costs nothing.
    #[must_use]
    pub fn complement(self) -> Self {
        match self {
            Self::Only(users) => Self::AllBut(users),
            Self::AllBut(users) => Self::Only(users),
        }
    }

    /// The intersection of the parts; everybody if there are no parts.
    ///
    /// Costs a pass over each part at most.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let (mut only, mut all_but) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                Self::Only(users) => only.push(users),
                Self::AllBut(users) => all_but.push(users),
            }
        }
        let refused = match single_or_combined(all_but, |sets| UserSet::union(sets)) {
            None if only.is_empty() => return Self::everybody(),
            None => Cow::Owned(UserSet::default()),
            Some(refused) => refused,
        };
        match single_or_combined(only, |sets| UserSet::intersection(sets)) {
            None => Self::AllBut(refused),
            Some(only) if refused.is_empty() => Self::Only(only),
            Some(only) => Self::Only(Cow::Owned(only.minus(&refused))),
        }
    }

    /// The union of the parts; nobody if there are no parts.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::all(parts.into_iter().map(Self::complement)).complement()
    }

    /// Whether a user is selected.
    pub fn contains(&self, user: UserNumber) -> bool {
        match self {
            Self::Only(users) => users.contains(user),
            Self::AllBut(users) => !users.contains(user),
        }
    }

    /// The selected users of `everyone`. Costs nothing for a selection that is a set.
    pub fn within(self, everyone: &UserSet) -> Cow<'s, UserSet> {
        match self {
            Self::Only(users) => users,
            Self::AllBut(users) => Cow::Owned(everyone.minus(&users)),
        }
    }
}

/// The only set as it is, or several sets combined; `None` without sets.
fn single_or_combined(
    mut sets: Vec<Cow<'_, UserSet>>,
    combine: impl FnOnce(&mut dyn Iterator<Item = &UserSet>) -> UserSet,
) -> Option<Cow<'_, UserSet>> {
    if sets.len() > 1 {
        return Some(Cow::Owned(combine(&mut sets.iter().map(|set| &**set))));
    }
    sets.pop()
}
