//! The directory of users: ids, tags, states and the places of their ties, by number and by id.

use std::{collections::HashSet, hash::BuildHasher, sync::Arc};

use foldhash::fast::RandomState;

use super::{
    TagId, UserNumber, UserSet, UserState,
    chunked_list::ChunkedList,
    hash_index::HashIndex,
    persistent_vec::PersistentVec,
    record::{DirectoryRecord, Overflow},
    ties::AdjacencyRow,
    user_tags::UserTags,
};

/// The directory of all users: ids, tags and states.
///
/// A user's number is their place in the order of ids, or for users who are added later, the next
/// free number. The number of a removed user is kept as a tombstone, since other users may still be
/// related to it. Users with the same tags are of one class. A clone shares all unchanged parts.
#[derive(Clone, Debug)]
pub struct Directory {
    records: PersistentVec<DirectoryRecord, 64>,
    overflow: Arc<Overflow>,
    by_id: HashIndex,
    hasher: RandomState,
    /// The number of distinct tag sets of the users; `None` once that may have changed.
    classes: Option<usize>,
    /// The number of bytes of all ids.
    id_bytes: usize,
    /// The numbers below this are in the order of ids.
    ordered: UserNumber,
    /// The other numbers, in the order of their ids.
    later: ChunkedList<UserNumber, 4096>,
}

/// A started lookup of an id.
#[derive(Clone, Copy, Debug)]
pub struct PendingLookup {
    hash: u64,
    peeked: u64,
}

/// A user from whom a directory is built.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryEntry<'e> {
    pub id: &'e str,
    /// The index of the user's class; `None` for a user without tags.
    pub class: Option<usize>,
    /// Whether the user exists; otherwise it is a tombstone that others are related to.
    pub is_known: bool,
}

impl Directory {
    /// Builds a directory of users in the order of their ids, each once, with the tags of each
    /// class, in order, and the row of ties of each user.
    pub(super) fn new<'e>(
        users: impl Iterator<Item = DirectoryEntry<'e>>,
        classes: &[Vec<TagId>],
        rows: &[AdjacencyRow],
    ) -> Self {
        let mut overflow = Overflow::default();
        let heads: Vec<DirectoryRecord> =
            classes.iter().map(|tags| DirectoryRecord::with_tags(tags, &mut overflow)).collect();
        let mut is_used = vec![false; classes.len()];
        let records: PersistentVec<DirectoryRecord, 64> = users
            .zip(rows)
            .map(|(user, &row)| {
                let class = user.class.filter(|_| user.is_known);
                if let Some(used) = class.and_then(|class| is_used.get_mut(class)) {
                    *used = true;
                }
                let head = user.class.and_then(|class| heads.get(class));
                let head = head.copied().unwrap_or_default();
                head.with_id(user.id, &mut overflow).with_row(row).with_known(user.is_known)
            })
            .collect();
        let hasher = RandomState::default();
        let by_id = HashIndex::new(
            records.len(),
            records.iter().map(|record| hasher.hash_one(record.id(&overflow))),
        );
        let id_bytes = records.iter().map(|record| record.id(&overflow).len()).sum();
        let ordered = UserNumber::from_index(records.len());
        let classes = Some(is_used.into_iter().filter(|&used| used).count());
        let later = ChunkedList::default();
        let overflow = Arc::new(overflow);
        Self { records, overflow, by_id, hasher, classes, id_bytes, ordered, later }
    }

    /// The number of assigned numbers; all user numbers are below it.
    pub fn len(&self) -> u32 {
        u32::try_from(self.records.len()).unwrap_or(u32::MAX)
    }

    /// All assigned numbers, in order.
    pub fn numbers(&self) -> impl ExactSizeIterator<Item = UserNumber> + use<> {
        UserNumber::first(self.len())
    }

    pub fn is_empty(&self) -> bool {
        self.records.len() == 0
    }

    /// The number of distinct tag sets of the users, the empty set included. Costs a pass over the
    /// users if any was added, removed or retagged since the directory was built.
    pub fn tag_set_count(&self) -> usize {
        self.classes.unwrap_or_else(|| {
            let known = self.records.iter().filter(|record| record.is_known());
            let sets: HashSet<UserTags<'_>, RandomState> =
                known.map(|record| record.tags(&self.overflow)).collect();
            sets.len()
        })
    }

    /// The number of bytes of all ids.
    pub fn id_bytes(&self) -> usize {
        self.id_bytes
    }

    /// The number of a user; `None` if there is no user with this id. Costs a hash and a
    /// comparison: two accesses to memory, the second of which fetches the user's tags as well.
    #[inline]
    pub fn number(&self, id: &str) -> Option<UserNumber> {
        self.resolve(id, self.prefetch(id))
    }

    /// The number of an id, even if it is a tombstone.
    pub fn number_or_tombstone(&self, id: &str) -> Option<UserNumber> {
        let hash = self.hasher.hash_one(id.as_bytes());
        let is_it = |number| self.bytes(UserNumber(number)) == id.as_bytes();
        self.by_id.find(hash, is_it).map(UserNumber)
    }

    /// Whether the number is that of an existing user.
    #[inline]
    pub fn is_known(&self, user: UserNumber) -> bool {
        self.records.get(user.index()).is_some_and(DirectoryRecord::is_known)
    }

    /// Starts a lookup and prefetches its index slot, so that two lookups overlap their cache misses.
    #[inline]
    pub fn prefetch(&self, id: &str) -> PendingLookup {
        let hash = self.hasher.hash_one(id.as_bytes());
        PendingLookup { hash, peeked: self.by_id.peek(hash) }
    }

    /// Completes a lookup that was [started](Self::prefetch) for the same id; the result is that of
    /// [`number`](Self::number).
    #[inline]
    pub fn resolve(&self, id: &str, begun: PendingLookup) -> Option<UserNumber> {
        let PendingLookup { hash, peeked } = begun;
        let is_it = |number| self.bytes(UserNumber(number)) == id.as_bytes();
        let found = self.by_id.find_from(hash, peeked, is_it).map(UserNumber);
        found.filter(|&user| self.is_known(user))
    }

    /// The id of a user; empty if the number is not assigned.
    #[inline]
    pub fn id(&self, user: UserNumber) -> &str {
        str::from_utf8(self.bytes(user)).unwrap_or_default()
    }

    /// The tags of a user, in order.
    #[inline]
    pub fn tags(&self, user: UserNumber) -> UserTags<'_> {
        let record = self.records.get(user.index());
        record.map_or(UserTags::NONE, |record| record.tags(&self.overflow))
    }

    /// Stores the state of a user. Costs the copy of a page if it is shared.
    pub(super) fn set_state(&mut self, user: UserNumber, state: UserState) {
        if self.state(user) != state
            && let Some(record) = self.records.get_mut(user.index())
        {
            record.set_state(state);
        }
    }

    pub(super) fn set_row(&mut self, user: UserNumber, row: AdjacencyRow) {
        if let Some(record) = self.records.get_mut(user.index()) {
            record.set_row(row);
        }
    }

    pub(super) fn set_known(&mut self, user: UserNumber, known: bool) {
        self.classes = None;
        if let Some(record) = self.records.get_mut(user.index()) {
            record.set_known(known);
        }
    }

    /// Replaces the tags of a user, given in order.
    pub(super) fn set_tags(&mut self, user: UserNumber, tags: &[TagId]) {
        self.classes = None;
        if let Some(record) = self.records.get_mut(user.index()) {
            record.set_tags(tags, Arc::make_mut(&mut self.overflow));
        }
    }

    /// Assigns the next number to a tombstone with this state; an id has at most 255 bytes. Costs
    /// an insertion into the appended numbers, and now and then a rebuild of the index.
    pub(super) fn add(&mut self, id: &str, state: UserState) -> UserNumber {
        let number = UserNumber(self.len());
        let mut record = DirectoryRecord::default().with_id(id, Arc::make_mut(&mut self.overflow));
        record.set_known(false);
        record.set_state(state);
        self.records.push(record);
        self.id_bytes += id.len();
        if self.by_id.is_full() {
            let hash = |record: &DirectoryRecord| self.hasher.hash_one(record.id(&self.overflow));
            self.by_id = HashIndex::new(self.records.len(), self.records.iter().map(hash));
        } else {
            self.by_id.insert(self.hasher.hash_one(id.as_bytes()), number.0);
        }
        let Self { later, records, overflow, .. } = self;
        let bytes =
            |user: UserNumber| records.get(user.index()).map_or(&[][..], |it| it.id(overflow));
        later.insert(number, |&other| bytes(other) < id.as_bytes());
        number
    }

    /// The number of users that were appended after the directory was built.
    pub fn appended_count(&self) -> usize {
        self.later.len()
    }

    /// The stored state of a user.
    #[inline]
    pub fn state(&self, user: UserNumber) -> UserState {
        self.records.get(user.index()).map_or(UserState::ALL_OFF, DirectoryRecord::state)
    }

    /// The row of a user's ties.
    #[inline]
    pub(super) fn row(&self, user: UserNumber) -> AdjacencyRow {
        self.records.get(user.index()).map_or_else(AdjacencyRow::default, DirectoryRecord::row)
    }

    /// The users of a set in the order of their ids, from the first id after `after`, whether or
    /// not that id exists. Costs nothing for those before it, and a look at each appended user.
    pub fn iter_by_id<'d>(
        &'d self,
        users: &'d UserSet,
        after: Option<&str>,
    ) -> impl Iterator<Item = UserNumber> + use<'d> {
        let from = after.map_or(UserNumber(0), |id| self.first_after(id));
        let later =
            self.later.iter_from(&|&user: &UserNumber| after.is_some_and(|id| self.id(user) <= id));
        let mut later = later.copied().filter(|&user| users.contains(user)).peekable();
        let first = users.iter_from(from).take_while(|&user| user < self.ordered);
        let mut first = first.peekable();
        std::iter::from_fn(move || match (first.peek(), later.peek()) {
            (Some(&one), Some(&other)) if self.bytes(other) < self.bytes(one) => later.next(),
            (Some(_), _) => first.next(),
            (None, _) => later.next(),
        })
    }

    /// The first of the ordered numbers whose id comes after this one.
    fn first_after(&self, id: &str) -> UserNumber {
        let mut range = 0..self.ordered.0;
        while range.start < range.end {
            let middle = range.start + (range.end - range.start) / 2;
            if self.bytes(UserNumber(middle)) <= id.as_bytes() {
                range.start = middle + 1;
            } else {
                range.end = middle;
            }
        }
        UserNumber(range.start)
    }

    pub(super) fn memory(&self) -> usize {
        self.records.memory()
            + self.overflow.tags.memory()
            + self.overflow.ids.memory()
            + self.by_id.memory()
            + self.later.memory()
    }

    #[inline]
    fn bytes(&self, user: UserNumber) -> &[u8] {
        self.records.get(user.index()).map_or(&[], |record| record.id(&self.overflow))
    }
}
