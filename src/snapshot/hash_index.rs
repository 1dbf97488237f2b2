//! A hash index from ids to numbers, of users or of groups.

use super::persistent_vec::PersistentVec;

/// A hash index with open addressing, at most two thirds full, so that a lookup is mostly one
/// access to memory. A part of the hash is stored beside each number, so that other ids are hardly
/// ever compared.
#[derive(Clone, Debug)]
pub(super) struct HashIndex {
    /// The low half of a hash above a number, or [`FREE`]; inverted, so that free slots are 0.
    slots: PersistentVec<u64, 512>,
    used: usize,
}

const FREE: u64 = u64::MAX;

impl HashIndex {
    /// Builds the index from the hash of each id, in the order of their numbers.
    pub(super) fn new(used: usize, hashes: impl Iterator<Item = u64>) -> Self {
        let len = (2 * used).max(1);
        let mut slots = vec![FREE; len];
        for (hash, number) in hashes.zip(0_u32..) {
            let (before, after) = slots.split_at_mut(first(hash, len));
            if let Some(slot) = after.iter_mut().chain(before).find(|slot| **slot == FREE) {
                *slot = hash << 32 | u64::from(number);
            }
        }
        Self { slots: slots.into_iter().map(|slot| !slot).collect(), used }
    }

    /// Whether one more entry would exceed the maximal load, so that the index must be rebuilt.
    pub(super) fn is_full(&self) -> bool {
        3 * (self.used + 1) > 2 * self.slots.len()
    }

    /// Inserts a number; the index must not be full.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        let len = self.slots.len();
        let start = first(hash, len);
        let free = (start..len).chain(0..start).find(|&at| self.slot(at) == FREE);
        if let Some(slot) = free.and_then(|at| self.slots.get_mut(at)) {
            *slot = !(hash << 32 | u64::from(number));
            self.used += 1;
        }
    }

    /// The slot where the search for a hash starts, to be fetched early.
    #[inline]
    pub(super) fn peek(&self, hash: u64) -> u64 {
        self.slot(first(hash, self.slots.len()))
    }

    /// The result of [`find`](Self::find), where `peeked` is what [`peek`](Self::peek) returned.
    #[inline]
    pub(super) fn find_from(
        &self,
        hash: u64,
        peeked: u64,
        is_the_one: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        #[expect(clippy::cast_possible_truncation, reason = "the low half is the number")]
        let number = peeked as u32;
        if peeked != FREE && peeked >> 32 == hash & 0xffff_ffff && is_the_one(number) {
            return Some(number);
        }
        self.find(hash, is_the_one)
    }

    /// The first number with this hash that satisfies the predicate.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_the_one: impl Fn(u32) -> bool) -> Option<u32> {
        let len = self.slots.len();
        let start = first(hash, len);
        if let Some(slots) = self.slots.as_built() {
            let (before, after) = slots.split_at(start.min(slots.len()));
            return search(after.iter().chain(before).map(|slot| !slot), hash, is_the_one);
        }
        let slots = (start..len).chain(0..start).map(|at| self.slot(at));
        search(slots, hash, is_the_one)
    }

    pub(super) fn memory(&self) -> usize {
        self.slots.memory()
    }

    #[inline]
    fn slot(&self, at: usize) -> u64 {
        self.slots.get(at).map_or(FREE, |slot| !slot)
    }
}

/// Searches slots up to the first free one.
#[inline]
fn search(
    slots: impl Iterator<Item = u64>,
    hash: u64,
    is_the_one: impl Fn(u32) -> bool,
) -> Option<u32> {
    for slot in slots {
        if slot == FREE {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the low half is the number")]
        let number = slot as u32;
        if slot >> 32 == hash & 0xffff_ffff && is_the_one(number) {
            return Some(number);
        }
    }
    None
}

/// The slot where the search for a hash starts, from its high half; below `len`.
#[inline]
fn first(hash: u64, len: usize) -> usize {
    let place = (u128::from(hash) * len as u128) >> 64;
    usize::try_from(place).unwrap_or(0)
}
