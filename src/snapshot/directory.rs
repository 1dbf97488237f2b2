use std::{hash::BuildHasher, sync::Arc};

use foldhash::fast::RandomState;

use super::{
    Standing, Standings, TagId, Ties,
    index::Index,
    record::{Overflow, Record},
    tags_of::TagsOf,
    ties::Row,
};

/// All users: their ids, in order, their tags, and where they stand. A user's number is his place in
/// that order.
///
/// Users with the same tags are of one class. A clone has records of its own and shares the rest.
#[derive(Clone, Debug)]
pub struct Directory {
    records: Box<[Record]>,
    overflow: Arc<Overflow>,
    by_id: Arc<Index>,
    hasher: RandomState,
    classes: usize,
    /// The bytes of all ids.
    id_bytes: usize,
}

/// A look-up of an id that was begun.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    hash: u64,
    peeked: u64,
}

/// One user, as a directory is built from him.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'e> {
    pub id: &'e str,
    /// Which of the classes he is of.
    pub class: usize,
}

impl Directory {
    /// Users in the order of their ids, each once; the tags of each class, in order; and what is
    /// between the users.
    pub fn new<'e>(
        users: impl Iterator<Item = Entry<'e>>,
        classes: &[Vec<TagId>],
        ties: &Ties,
    ) -> Self {
        let mut overflow = Overflow::default();
        let heads: Vec<Record> =
            classes.iter().map(|tags| Record::of_class(tags, &mut overflow)).collect();
        let records: Box<[Record]> = users
            .zip(0_u32..)
            .map(|(user, number)| {
                let head = heads.get(user.class).copied().unwrap_or_default();
                head.with_id(user.id, &mut overflow).with_row(ties.row(number))
            })
            .collect();
        let hasher = RandomState::default();
        let by_id = Index::new(records.iter().map(|record| hasher.hash_one(record.id(&overflow))));
        let id_bytes = records.iter().map(|record| record.id(&overflow).len()).sum();
        let (overflow, by_id) = (Arc::new(overflow), Arc::new(by_id));
        Self { records, overflow, by_id, hasher, classes: classes.len(), id_bytes }
    }

    /// How many users there are; their numbers are below it.
    pub fn len(&self) -> u32 {
        u32::try_from(self.records.len()).unwrap_or(u32::MAX)
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many distinct tag sets the users have, the empty one counted.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many bytes the text of all ids has.
    pub fn id_bytes(&self) -> usize {
        self.id_bytes
    }

    /// The number of a user; `None` if there is none of this id. Costs one hash and a comparison:
    /// two accesses to memory, after the second of which his tags are at hand.
    #[inline]
    pub fn number(&self, id: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(id.as_bytes());
        self.by_id.find(hash, |user| self.bytes(user) == id.as_bytes())
    }

    /// Begins to look a user up. Two that are begun before either is [found](Self::found) wait for
    /// memory together.
    #[inline]
    pub fn begin(&self, id: &str) -> Begun {
        let hash = self.hasher.hash_one(id.as_bytes());
        Begun { hash, peeked: self.by_id.peek(hash) }
    }

    /// As [`number`](Self::number), where `begun` is of the same id.
    #[inline]
    pub fn found(&self, id: &str, begun: Begun) -> Option<u32> {
        let Begun { hash, peeked } = begun;
        self.by_id.find_from(hash, peeked, |user| self.bytes(user) == id.as_bytes())
    }

    /// The id of a user; empty for a number that is no user's.
    #[inline]
    pub fn id(&self, user: u32) -> &str {
        str::from_utf8(self.bytes(user)).unwrap_or_default()
    }

    /// The tags of a user, in order.
    #[inline]
    pub fn tags(&self, user: u32) -> TagsOf<'_> {
        let record = self.records.get(user as usize);
        record.map_or(TagsOf::NONE, |record| record.tags(&self.overflow))
    }

    /// Notes where each user stands.
    pub(super) fn note(&mut self, standings: &Standings) {
        for (user, record) in (0..).zip(&mut self.records) {
            record.set_standing(standings.of(user));
        }
    }

    /// Where a user stands, as it was noted.
    #[inline]
    pub fn standing(&self, user: u32) -> Standing {
        self.records.get(user as usize).map_or(Standing::BARE, Record::standing)
    }

    /// Where what is between a user and others stands.
    #[inline]
    pub(super) fn row(&self, user: u32) -> Row {
        self.records.get(user as usize).map_or_else(Row::default, Record::row)
    }

    /// The number of the first user whose id comes after this one in the order of ids, whether or
    /// not there is a user of this id.
    pub fn after(&self, id: &str) -> u32 {
        let mut range = 0..self.len();
        while range.start < range.end {
            let middle = range.start + (range.end - range.start) / 2;
            if self.bytes(middle) <= id.as_bytes() {
                range.start = middle + 1;
            } else {
                range.end = middle;
            }
        }
        range.start
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.records)
            + size_of::<TagId>() * self.overflow.tags.len()
            + self.overflow.ids.len()
            + self.by_id.memory()
    }

    #[inline]
    fn bytes(&self, user: u32) -> &[u8] {
        self.records.get(user as usize).map_or(&[], |record| record.id(&self.overflow))
    }
}
