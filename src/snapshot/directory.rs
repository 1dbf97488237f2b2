use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// All users' ids, in order; a user's number is his place in it.
#[derive(Clone, Debug)]
pub struct Directory {
    text: Box<str>,
    /// Where each id ends in `text`.
    ends: Box<[u64]>,
    by_id: HashTable<u32>,
    hasher: RandomState,
}

impl Directory {
    /// Ids in order, each once.
    pub fn new<'i>(ids: impl Iterator<Item = &'i str> + Clone) -> Self {
        let bytes = ids.clone().map(str::len).sum();
        let count = ids.clone().count();
        let mut text = String::with_capacity(bytes);
        let mut ends = Vec::with_capacity(count);
        for id in ids {
            text.push_str(id);
            ends.push(text.len() as u64);
        }
        let mut directory = Self {
            text: text.into_boxed_str(),
            ends: ends.into_boxed_slice(),
            by_id: HashTable::with_capacity(count),
            hasher: RandomState::default(),
        };
        let mut by_id = std::mem::take(&mut directory.by_id);
        for user in 0..directory.len() {
            by_id.insert_unique(directory.hash(directory.id(user)), user, |&other| {
                directory.hash(directory.id(other))
            });
        }
        directory.by_id = by_id;
        directory
    }

    /// How many users there are; their numbers are below it.
    pub fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The number of a user; `None` if there is none of this id. Costs one hash and a comparison.
    #[inline]
    pub fn number(&self, id: &str) -> Option<u32> {
        self.by_id.find(self.hash(id), |&user| self.id(user) == id).copied()
    }

    /// The id of a user; empty for a number that is no user's.
    #[inline]
    pub fn id(&self, user: u32) -> &str {
        let at = user as usize;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |&e| e);
        let Some(&end) = self.ends.get(at) else { return "" };
        let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else {
            return "";
        };
        self.text.get(start..end).unwrap_or_default()
    }

    /// The number of the first user whose id comes after this one in the order of ids, whether or
    /// not there is a user of this id.
    pub fn after(&self, id: &str) -> u32 {
        let mut range = 0..self.len();
        while range.start < range.end {
            let middle = range.start + (range.end - range.start) / 2;
            if self.id(middle) <= id {
                range.start = middle + 1;
            } else {
                range.end = middle;
            }
        }
        range.start
    }

    pub(super) fn memory(&self) -> usize {
        self.text.len() + self.ends.len() * 8 + self.by_id.allocation_size()
    }

    #[inline]
    fn hash(&self, id: &str) -> u64 {
        self.hasher.hash_one(id)
    }
}
