//! A small open-addressing hash set of user numbers.

use std::sync::Arc;

/// A small hash set of users with open addressing, at most half full: a lookup is about one access
/// to memory, whatever the size.
#[derive(Clone, Debug)]
pub(super) struct ProbeSet {
    slots: Arc<[u32]>,
}

const FREE: u32 = u32::MAX;

impl ProbeSet {
    /// The number of bytes of a table of this many users.
    pub(super) fn bytes(count: u64) -> u64 {
        8 * count
    }

    pub(super) fn new(users: impl Iterator<Item = u32>, count: u64) -> Self {
        let len = usize::try_from(2 * count).unwrap_or(usize::MAX).max(1);
        let mut slots = vec![FREE; len];
        for user in users {
            let (before, after) = slots.split_at_mut(first(user, len));
            if let Some(slot) = after.iter_mut().chain(before).find(|slot| **slot == FREE) {
                *slot = user;
            }
        }
        Self { slots: slots.into() }
    }

    #[inline]
    pub(super) fn contains(&self, user: u32) -> bool {
        let (before, after) = self.slots.split_at(first(user, self.slots.len()));
        after.iter().chain(before).find(|&&slot| slot == user || slot == FREE) == Some(&user)
    }

    /// The members, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.slots.iter().copied().filter(|&slot| slot != FREE)
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.slots)
    }
}

/// The slot where the search for a user starts, below `len`.
#[inline]
fn first(user: u32, len: usize) -> usize {
    let hash = u64::from(user.wrapping_mul(0x9e37_79b9));
    usize::try_from((hash * len as u64) >> 32).unwrap_or(0)
}
