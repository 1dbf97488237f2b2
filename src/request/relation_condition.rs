//! Relation conditions: expressions over what is between two users, read from one of them.

use std::fmt;

use super::{
    Relation,
    condition::{EVERYONE, NOBODY, write_call, write_has_tag},
    during::{During, NamesWindows},
    ids::{TagForm, write_tag},
};

/// The word for users who share a group, in relation conditions.
pub const SHARES_GROUP: &str = "sharesGroup";

/// A condition on two users, read from one of them, the *owner*. `T` is a tag, as in
/// [`Condition`](super::Condition).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RelationCondition<T> {
    /// Any two users.
    Everyone,
    /// No two users.
    Nobody,
    /// The other user has the tag. Audiences alone have it.
    HasTag(T),
    /// One is in the other's list.
    Related(Relation, EdgeDirection),
    /// The two have a conversation.
    Conversation,
    /// Both have the same tag, and the pattern selects it.
    SharesTag(TagPattern),
    /// Both are members of the same group that the matrix governs; without a name, of any group that is no
    /// conversation of two (`dm`).
    SharesGroup(Option<String>),
    /// Any two users while the window is open, and else no two.
    During(During),
    Not(Box<Self>),
    /// Every one of the conditions holds; there is at least one.
    All(Vec<Self>),
    /// One or more of the conditions hold; there is at least one.
    Any(Vec<Self>),
}

/// The users whose list has the other one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EdgeDirection {
    /// The other is in the owner's list.
    Own,
    /// The owner is in the other's list.
    Inverse,
    /// Each is in the other's list.
    Mutual,
}

/// The relations that a relation condition may name.
pub const CONDITION_RELATIONS: [Relation; 4] =
    [Relation::Friend, Relation::Contact, Relation::Favorite, Relation::Pair];

/// A pattern of tags: one tag, or all that begin with what stands before a `*`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TagPattern(String);

impl TagPattern {
    /// A pattern from its text; the caller has checked it.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern selects the tag.
    pub fn matches(&self, tag: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) => tag.starts_with(start),
            None => tag == self.0,
        }
    }
}

impl fmt::Display for TagPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.strip_suffix('*') {
            Some(start) if TagForm::Flip.check(start).is_ok() => f.write_str(&self.0),
            Some("") => f.write_str("*"),
            _ => write_tag(f, &self.0),
        }
    }
}

impl<T> RelationCondition<T> {
    /// The same condition over other names of the tags.
    pub fn map<U>(&self, name: &mut impl FnMut(&T) -> U) -> RelationCondition<U> {
        match self {
            Self::Everyone => RelationCondition::Everyone,
            Self::Nobody => RelationCondition::Nobody,
            Self::HasTag(tag) => RelationCondition::HasTag(name(tag)),
            Self::Related(relation, direction) => RelationCondition::Related(*relation, *direction),
            Self::Conversation => RelationCondition::Conversation,
            Self::SharesTag(pattern) => RelationCondition::SharesTag(pattern.clone()),
            Self::SharesGroup(matrix) => RelationCondition::SharesGroup(matrix.clone()),
            Self::During(during) => RelationCondition::During(during.clone()),
            Self::Not(inner) => RelationCondition::Not(Box::new(inner.map(name))),
            Self::All(parts) => {
                RelationCondition::All(parts.iter().map(|part| part.map(name)).collect())
            }
            Self::Any(parts) => {
                RelationCondition::Any(parts.iter().map(|part| part.map(name)).collect())
            }
        }
    }

    /// Calls `visit` with each part that has no parts of its own, in order.
    pub fn for_each_atom<'c>(&'c self, visit: &mut impl FnMut(&'c Self)) {
        match self {
            Self::Not(inner) => inner.for_each_atom(visit),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.for_each_atom(visit));
            }
            Self::Everyone
            | Self::Nobody
            | Self::HasTag(_)
            | Self::Related(..)
            | Self::Conversation
            | Self::SharesTag(_)
            | Self::SharesGroup(_)
            | Self::During(_) => visit(self),
        }
    }

    /// Whether a part of the condition depends on the tie between the two users.
    pub fn reads_ties(&self) -> bool {
        let mut reads = false;
        self.for_each_atom(&mut |atom| {
            reads |= matches!(atom, Self::Related(..) | Self::Conversation);
        });
        reads
    }

    /// Whether a part of the condition depends on the groups that the two share.
    pub fn reads_groups(&self) -> bool {
        let mut reads = false;
        self.for_each_atom(&mut |atom| reads |= matches!(atom, Self::SharesGroup(_)));
        reads
    }
}

impl<T: Clone> RelationCondition<T> {
    /// The same condition at its moment: windows are `everyone` or `nobody`.
    #[must_use]
    pub fn without_windows(&self) -> Self {
        let all = |parts: &[Self]| parts.iter().map(Self::without_windows).collect();
        match self {
            Self::During(During { is_open: true, .. }) => Self::Everyone,
            Self::During(During { is_open: false, .. }) => Self::Nobody,
            Self::Not(inner) => Self::Not(Box::new(inner.without_windows())),
            Self::All(parts) => Self::All(all(parts)),
            Self::Any(parts) => Self::Any(all(parts)),
            atom => atom.clone(),
        }
    }
}

impl<T> NamesWindows for RelationCondition<T> {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        match self {
            Self::During(during) => visit(during),
            Self::Not(inner) => inner.for_each_window_mut(visit),
            Self::All(parts) | Self::Any(parts) => parts.for_each_window_mut(visit),
            Self::Everyone
            | Self::Nobody
            | Self::HasTag(_)
            | Self::Related(..)
            | Self::Conversation
            | Self::SharesTag(_)
            | Self::SharesGroup(_) => {}
        }
    }
}

/// The canonical text, in the grammar of policies.
impl<T: fmt::Display> fmt::Display for RelationCondition<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str(EVERYONE),
            Self::Nobody => f.write_str(NOBODY),
            Self::HasTag(tag) => write_has_tag(f, tag),
            Self::Related(relation, EdgeDirection::Own) => write!(f, "{relation}"),
            Self::Related(relation, EdgeDirection::Inverse) => write!(f, "inverse({relation})"),
            Self::Related(relation, EdgeDirection::Mutual) => write!(f, "mutual({relation})"),
            Self::Conversation => f.write_str("conversation"),
            Self::SharesTag(pattern) => write!(f, "sharesTag({pattern})"),
            Self::SharesGroup(None) => f.write_str(SHARES_GROUP),
            Self::SharesGroup(Some(matrix)) => {
                write!(f, "{SHARES_GROUP}(")?;
                write_tag(f, matrix)?;
                f.write_str(")")
            }
            Self::During(during) => during.fmt(f),
            Self::Not(inner) => write!(f, "not({inner})"),
            Self::All(parts) => write_call(f, "all", parts),
            Self::Any(parts) => write_call(f, "any", parts),
        }
    }
}
