//! The index of ends: what leaves a view, and at which moment.

use super::{TagId, UserNumber, chunked_list::ChunkedList};
use crate::request::{Moment, Relation};

/// The future ends of what is stated of users, in the order of time. An end takes 16 bytes; versions share chunks
/// of them.
#[derive(Clone, Default, Debug)]
pub struct EndIndex {
    ends: ChunkedList<PackedEnd, 512>,
}

/// The end of something that is stated of a user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScheduledEnd {
    pub at: Moment,
    pub user: UserNumber,
    pub of: EndOf,
}

/// What ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndOf {
    /// Something of the user's record, which says what.
    Record,
    /// Something of the record of a group, whose number stands in the place of the user.
    GroupRecord,
    Tag(TagId),
    Moderation,
    Edge(Relation, UserNumber),
    /// A mute that a file states, in the group whose number stands in for the user's.
    Mute(UserNumber),
    /// A ban from a group, likewise.
    GroupBan(UserNumber),
}

/// An end in the order of time: the moment in milliseconds, then the kind in the lowest bits; the user; and the other
/// user or the tag.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct PackedEnd {
    at_and_kind: u64,
    user: u32,
    other: u32,
}

const _: () = assert!(size_of::<PackedEnd>() == 16, "an end takes 16 bytes");

/// The bits of the kind: the milliseconds up to the year 9999 take 48 bits.
const KIND_BITS: u32 = 16;

/// The kinds before those of relations.
const RECORD: u64 = 0;
const TAG: u64 = 1;
const MODERATION: u64 = 2;
const GROUP_RECORD: u64 = 3;
const EDGE: u64 = 4;
const MUTE: u64 = 32;
const GROUP_BAN: u64 = 33;

impl EndIndex {
    /// Builds an index. Costs a sort.
    pub fn new(ends: impl IntoIterator<Item = ScheduledEnd>) -> Self {
        let mut packed: Vec<PackedEnd> = ends.into_iter().map(ScheduledEnd::pack).collect();
        packed.sort_unstable();
        packed.dedup();
        Self { ends: packed.into_iter().collect() }
    }

    /// The earliest end; `None` if there is none.
    pub fn next(&self) -> Option<Moment> {
        self.ends.iter().next().map(|end| end.unpack().at)
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All ends in the order of time.
    pub fn iter(&self) -> impl Iterator<Item = ScheduledEnd> + '_ {
        self.ends.iter().map(|end| end.unpack())
    }

    /// Adds an end. Costs a copy of a chunk.
    pub fn insert(&mut self, end: ScheduledEnd) {
        let end = end.pack();
        let before = |other: &PackedEnd| *other < end;
        if self.ends.first_from(before) != Some(&end) {
            self.ends.insert(end, before);
        }
    }

    /// Removes an end, if it is there. Costs a copy of a chunk.
    pub fn remove(&mut self, end: ScheduledEnd) {
        let end = end.pack();
        let before = |other: &PackedEnd| *other < end;
        if self.ends.first_from(before) == Some(&end) {
            self.ends.remove(before);
        }
    }

    /// The same ends without those of what groups do to users, and with others.
    #[must_use]
    pub fn with_group_ends(&self, others: Vec<ScheduledEnd>) -> Self {
        let is_of_group = |of| matches!(of, EndOf::Mute(_) | EndOf::GroupBan(_));
        Self::new(self.iter().filter(|end| !is_of_group(end.of)).chain(others))
    }

    /// Whether what a group does to a user ends.
    pub fn has_group_ends(&self) -> bool {
        self.iter().any(|end| matches!(end.of, EndOf::Mute(_) | EndOf::GroupBan(_)))
    }

    /// Takes out the ends up to a moment, in the order of time.
    pub fn take_due(&mut self, now: Moment) -> Vec<ScheduledEnd> {
        let due: Vec<ScheduledEnd> = self.iter().take_while(|end| end.at <= now).collect();
        self.ends.remove_first(due.len());
        due
    }

    pub(super) fn memory(&self) -> usize {
        self.ends.memory()
    }
}

impl ScheduledEnd {
    fn pack(self) -> PackedEnd {
        let (kind, other) = match self.of {
            EndOf::Record => (RECORD, 0),
            EndOf::GroupRecord => (GROUP_RECORD, 0),
            EndOf::Tag(TagId(tag)) => (TAG, tag),
            EndOf::Moderation => (MODERATION, 0),
            EndOf::Edge(relation, UserNumber(other)) => (EDGE + relation as u64, other),
            EndOf::Mute(UserNumber(user)) => (MUTE, user),
            EndOf::GroupBan(UserNumber(user)) => (GROUP_BAN, user),
        };
        let at_and_kind = self.at.millis() << KIND_BITS | kind;
        PackedEnd { at_and_kind, user: self.user.0, other }
    }
}

impl PackedEnd {
    fn unpack(self) -> ScheduledEnd {
        let kind = self.at_and_kind & ((1 << KIND_BITS) - 1);
        let of = match kind {
            TAG => EndOf::Tag(TagId(self.other)),
            MODERATION => EndOf::Moderation,
            GROUP_RECORD => EndOf::GroupRecord,
            MUTE => EndOf::Mute(UserNumber(self.other)),
            GROUP_BAN => EndOf::GroupBan(UserNumber(self.other)),
            kind => {
                let relation = kind.checked_sub(EDGE).and_then(|index| usize::try_from(index).ok());
                relation
                    .and_then(Relation::from_index)
                    .map_or(EndOf::Record, |relation| EndOf::Edge(relation, UserNumber(self.other)))
            }
        };
        let at = Moment::from_millis(self.at_and_kind >> KIND_BITS);
        ScheduledEnd { at, user: UserNumber(self.user), of }
    }
}
