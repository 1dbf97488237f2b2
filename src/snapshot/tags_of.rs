use super::TagId;

/// The tags of a user, in order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TagsOf<'s> {
    /// As they stand beside his id.
    Few(&'s [u16]),
    Many(&'s [TagId]),
}

impl<'s> TagsOf<'s> {
    /// No tags.
    pub const NONE: Self = Self::Many(&[]);

    pub fn len(self) -> usize {
        match self {
            Self::Few(tags) => tags.len(),
            Self::Many(tags) => tags.len(),
        }
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub fn iter(self) -> impl Iterator<Item = TagId> + 's {
        let (few, many) = match self {
            Self::Few(tags) => (tags, &[][..]),
            Self::Many(tags) => (&[][..], tags),
        };
        few.iter().map(|&tag| TagId(u32::from(tag))).chain(many.iter().copied())
    }

    /// Whether one of them is as told; asks no further than to the first that is.
    #[inline]
    pub fn any(self, is: impl Fn(TagId) -> bool) -> bool {
        match self {
            Self::Few(tags) => tags.iter().any(|&tag| is(TagId(u32::from(tag)))),
            Self::Many(tags) => tags.iter().any(|&tag| is(tag)),
        }
    }

    /// Whether a tag is one of them. Costs a look at each: they are few.
    #[inline]
    pub fn contains(self, tag: TagId) -> bool {
        match self {
            Self::Few(tags) => tags.iter().any(|&known| u32::from(known) == tag.0),
            Self::Many(tags) => tags.contains(&tag),
        }
    }
}
