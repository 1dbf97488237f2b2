/// From the hash of an id to the users who may have it: open addressing, at most half full, so that
/// a look-up is one access to memory. A part of the hash stands beside each user, so that hardly
/// ever another user's id is compared.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// The low half of a hash above a user's number, or [`FREE`].
    slots: Box<[u64]>,
}

const FREE: u64 = u64::MAX;

impl Index {
    /// The hash of each user's id, in the order of their numbers.
    pub(super) fn new(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let len = (2 * hashes.len()).max(1);
        let mut slots = vec![FREE; len];
        for (hash, user) in hashes.zip(0_u32..) {
            let (before, after) = slots.split_at_mut(first(hash, len));
            if let Some(slot) = after.iter_mut().chain(before).find(|slot| **slot == FREE) {
                *slot = hash << 32 | u64::from(user);
            }
        }
        Self { slots: slots.into_boxed_slice() }
    }

    /// What stands where the search for a hash begins: fetched early, it need not be waited for.
    #[inline]
    pub(super) fn peek(&self, hash: u64) -> u64 {
        self.slots.get(first(hash, self.slots.len())).copied().unwrap_or(FREE)
    }

    /// As [`find`](Self::find), where `peeked` is what [`peek`](Self::peek) gave.
    #[inline]
    pub(super) fn find_from(
        &self,
        hash: u64,
        peeked: u64,
        is_the_one: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        #[expect(clippy::cast_possible_truncation, reason = "the low half is the number")]
        let user = peeked as u32;
        if peeked != FREE && peeked >> 32 == hash & 0xffff_ffff && is_the_one(user) {
            return Some(user);
        }
        self.find(hash, is_the_one)
    }

    /// The first user with this hash who is the one.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_the_one: impl Fn(u32) -> bool) -> Option<u32> {
        let (before, after) = self.slots.split_at(first(hash, self.slots.len()));
        for &slot in after.iter().chain(before) {
            if slot == FREE {
                return None;
            }
            #[expect(clippy::cast_possible_truncation, reason = "the low half is the number")]
            let user = slot as u32;
            if slot >> 32 == hash & 0xffff_ffff && is_the_one(user) {
                return Some(user);
            }
        }
        None
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.slots)
    }
}

/// Where the search starts, told by the high half of a hash: below `len`.
#[inline]
fn first(hash: u64, len: usize) -> usize {
    let place = (u128::from(hash) * len as u128) >> 64;
    usize::try_from(place).unwrap_or(0)
}
