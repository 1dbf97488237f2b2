//! Entries by id, of which one that occurs twice is found.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::{HashTable, hash_table::Entry};

use crate::{
    source::Span,
    syntax::ast::{Item, Text},
};

/// The records of one mapping by their ids. Of a million only the hashes of the ids and their places
/// among the items are kept.
pub(super) struct UniqueEntries {
    seen: HashTable<(u64, usize)>,
    hasher: RandomState,
    id_of: IdOf,
}

/// The id of an item that is a record of the kind in question.
type IdOf = for<'i, 's> fn(&'i Item<'s>) -> Option<&'i Text<'s>>;

impl UniqueEntries {
    pub(super) fn new(id_of: IdOf) -> Self {
        Self { seen: HashTable::new(), hasher: RandomState::default(), id_of }
    }

    /// Takes note of the record of this id, which is to be the next item; where the id was given
    /// first, if it was given before.
    pub(super) fn add(&mut self, id: &Text<'_>, items: &[Item<'_>]) -> Option<Span> {
        let known = |at: usize| items.get(at).and_then(self.id_of);
        let hash = self.hasher.hash_one(&id.value);
        let is_same = |&(other, at): &(u64, usize)| {
            other == hash && known(at).is_some_and(|known| known.value == id.value)
        };
        match self.seen.entry(hash, is_same, |&(hash, _)| hash) {
            Entry::Occupied(first) => known(first.get().1).map(|first| first.span),
            Entry::Vacant(entry) => {
                entry.insert((hash, items.len()));
                None
            }
        }
    }
}
