//! Conditions: the expressions over tags that select users in a policy.

use std::fmt;

use super::{
    during::{During, NamesWindows},
    ids::write_tag,
};

/// A condition on the tags of a user. `T` is a tag: its name, or its number in a compiled policy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Condition<T> {
    /// All users.
    Everyone,
    /// No user.
    Nobody,
    /// The users who have the tag.
    HasTag(T),
    /// All users while the window is open, and else no user.
    During(During),
    /// The users who don't meet the condition, relative to all known users when it is compiled.
    Not(Box<Self>),
    /// The users who meet every one of the conditions; there is at least one.
    All(Vec<Self>),
    /// The users who meet one or more of the conditions; there is at least one.
    Any(Vec<Self>),
}

/// The word of the condition that all users meet.
pub const EVERYONE: &str = "everyone";

/// The word of the condition that no user meets.
pub const NOBODY: &str = "nobody";

impl<T> Condition<T> {
    /// The condition that a word means by itself; `None` if there is no such condition.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            EVERYONE => Some(Self::Everyone),
            NOBODY => Some(Self::Nobody),
            _ => None,
        }
    }

    /// Whether a user meets the condition; `has` tells whether the user has a tag. Costs a visit of
    /// each part at most.
    pub fn holds(&self, has: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::Everyone => true,
            Self::Nobody => false,
            Self::HasTag(tag) => has(tag),
            Self::During(during) => during.is_open,
            Self::Not(inner) => !inner.holds(has),
            Self::All(parts) => parts.iter().all(|part| part.holds(has)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(has)),
        }
    }

    /// The same condition over other names of the tags.
    pub fn map<U>(&self, name: &mut impl FnMut(&T) -> U) -> Condition<U> {
        match self {
            Self::Everyone => Condition::Everyone,
            Self::Nobody => Condition::Nobody,
            Self::HasTag(tag) => Condition::HasTag(name(tag)),
            Self::During(during) => Condition::During(during.clone()),
            Self::Not(inner) => Condition::Not(Box::new(inner.map(name))),
            Self::All(parts) => Condition::All(parts.iter().map(|part| part.map(name)).collect()),
            Self::Any(parts) => Condition::Any(parts.iter().map(|part| part.map(name)).collect()),
        }
    }

    /// Calls `visit` with each tag that the condition names, in order, as often as it is named.
    pub fn for_each_tag<'c>(&'c self, visit: &mut impl FnMut(&'c T)) {
        match self {
            Self::Everyone | Self::Nobody | Self::During(_) => {}
            Self::HasTag(tag) => visit(tag),
            Self::Not(inner) => inner.for_each_tag(visit),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.for_each_tag(visit));
            }
        }
    }
}

impl<T: Clone> Condition<T> {
    /// The same condition at its moment: windows are `everyone` or `nobody`.
    #[must_use]
    pub fn without_windows(&self) -> Self {
        match self {
            Self::During(During { is_open: true, .. }) => Self::Everyone,
            Self::During(During { is_open: false, .. }) => Self::Nobody,
            Self::Everyone | Self::Nobody | Self::HasTag(_) => self.clone(),
            Self::Not(inner) => Self::Not(Box::new(inner.without_windows())),
            Self::All(parts) => Self::All(parts.iter().map(Self::without_windows).collect()),
            Self::Any(parts) => Self::Any(parts.iter().map(Self::without_windows).collect()),
        }
    }
}

impl<T> NamesWindows for Condition<T> {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        match self {
            Self::During(during) => visit(during),
            Self::Everyone | Self::Nobody | Self::HasTag(_) => {}
            Self::Not(inner) => inner.for_each_window_mut(visit),
            Self::All(parts) | Self::Any(parts) => parts.for_each_window_mut(visit),
        }
    }
}

/// The canonical text, in the grammar of policies.
impl<T: fmt::Display> fmt::Display for Condition<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str(EVERYONE),
            Self::Nobody => f.write_str(NOBODY),
            Self::HasTag(tag) => write_has_tag(f, tag),
            Self::During(during) => during.fmt(f),
            Self::Not(inner) => write!(f, "not({inner})"),
            Self::All(parts) => write_call(f, "all", parts),
            Self::Any(parts) => write_call(f, "any", parts),
        }
    }
}

pub(super) fn write_has_tag(f: &mut fmt::Formatter<'_>, tag: &impl fmt::Display) -> fmt::Result {
    f.write_str("hasTag(")?;
    write_tag(f, tag)?;
    f.write_str(")")
}

pub(super) fn write_call(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    parts: &[impl fmt::Display],
) -> fmt::Result {
    write!(f, "{name}(")?;
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{part}")?;
    }
    f.write_str(")")
}
