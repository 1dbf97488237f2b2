//! The numbers of users in a view.

/// The number of a user in a view: their place in the order of ids, or the next free number for a
/// user who is added later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UserNumber(pub u32);

impl UserNumber {
    /// The index of the user in a list by number.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The number of the user at an index of a list by number. A view has less than 2^32 users.
    pub fn from_index(index: usize) -> Self {
        debug_assert!(u32::try_from(index).is_ok(), "a view has less than 2^32 users");
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The first numbers, in order.
    pub fn first(count: u32) -> impl ExactSizeIterator<Item = Self> + DoubleEndedIterator + Clone {
        (0..count).map(Self)
    }
}
