//! The tags of one user, in either of their stored forms.

use super::TagId;

/// The tags of a user, in order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UserTags<'s> {
    /// The tags in the user's record.
    Inline(&'s [u16]),
    Spilled(&'s [TagId]),
}

impl<'s> UserTags<'s> {
    /// The empty list of tags.
    pub const NONE: Self = Self::Spilled(&[]);

    pub fn len(self) -> usize {
        match self {
            Self::Inline(tags) => tags.len(),
            Self::Spilled(tags) => tags.len(),
        }
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub fn iter(self) -> impl Iterator<Item = TagId> + 's {
        let (few, many) = match self {
            Self::Inline(tags) => (tags, &[][..]),
            Self::Spilled(tags) => (&[][..], tags),
        };
        few.iter().map(|&tag| TagId(u32::from(tag))).chain(many.iter().copied())
    }

    /// Whether at least one tag satisfies the predicate; stops at the first.
    #[inline]
    pub fn any(self, is: impl Fn(TagId) -> bool) -> bool {
        match self {
            Self::Inline(tags) => tags.iter().any(|&tag| is(TagId(u32::from(tag)))),
            Self::Spilled(tags) => tags.iter().any(|&tag| is(tag)),
        }
    }

    /// Whether the user has the tag. Costs a look at each tag: they are few.
    #[inline]
    pub fn contains(self, tag: TagId) -> bool {
        match self {
            Self::Inline(tags) => tags.iter().any(|&known| u32::from(known) == tag.0),
            Self::Spilled(tags) => tags.contains(&tag),
        }
    }
}
