//! The fixed-size record of a user in the directory, one cache line long.

use smallvec::SmallVec;

use super::{TagId, UserState, append_arena::AppendArena, ties::AdjacencyRow, user_tags::UserTags};

/// The record of a user in one cache line, with all that a decision needs: the id, to confirm a
/// lookup, the tags, the state, and the place of the user's ties.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct DirectoryRecord {
    /// The parts of the user's [`AdjacencyRow`], which as a whole would take two bytes more: the
    /// signature of related users, and the start and length of the row.
    signature: u64,
    row_start: u32,
    row_len: u16,
    /// The tags; or, if they are spilled, the parts of their address in [`Overflow::tags`] and of
    /// their count.
    tags: [u16; TAGS],
    state: UserState,
    tag_count: u8,
    id_len: u8,
    /// The id, or its address in [`Overflow::ids`].
    id: [u8; ID],
}

/// The number of tags that a record holds, if their numbers are small.
const TAGS: usize = 5;

/// The length up to which an id is stored in the record: that of a UUID.
const ID: usize = 36;

/// The count of spilled tags.
const SPILLED: u8 = COUNT;

/// The bits of the count of tags.
const COUNT: u8 = 0x7f;

/// The bit beside the count of tags that marks a tombstone.
const TOMBSTONE: u8 = 0x80;

/// The tags and ids that are too large for records.
#[derive(Clone, Default, Debug)]
pub(super) struct Overflow {
    pub(super) tags: AppendArena<TagId>,
    pub(super) ids: AppendArena<u8>,
}

impl Default for DirectoryRecord {
    fn default() -> Self {
        Self {
            signature: 0,
            row_start: 0,
            row_len: 0,
            tags: [0; TAGS],
            state: UserState::ALL_OFF,
            tag_count: 0,
            id_len: 0,
            id: [0; ID],
        }
    }
}

impl DirectoryRecord {
    /// A record with these tags, for the users of a class.
    pub(super) fn with_tags(tags: &[TagId], overflow: &mut Overflow) -> Self {
        let mut record = Self::default();
        record.set_tags(tags, overflow);
        record
    }

    /// Replaces the tags, given in order.
    pub(super) fn set_tags(&mut self, tags: &[TagId], overflow: &mut Overflow) {
        let gone = self.tag_count & TOMBSTONE;
        let small: Option<SmallVec<[u16; TAGS]>> =
            tags.iter().map(|tag| u16::try_from(tag.0).ok()).collect();
        let places = self.tags.get_mut(..tags.len());
        if let (Some(places), Some(small)) = (places, small) {
            places.copy_from_slice(&small);
            self.tag_count = u8::try_from(tags.len()).unwrap_or(SPILLED) | gone;
            return;
        }
        let (address, count) = (overflow.tags.push(tags), tags.len() as u64);
        let part = |number: u64, at: u32| {
            u16::try_from(number >> (16 * at) & u64::from(u16::MAX)).unwrap_or(u16::MAX)
        };
        self.tags =
            [part(address, 0), part(address, 1), part(address, 2), part(count, 0), part(count, 1)];
        self.tag_count = SPILLED | gone;
    }

    /// The record with an id of at most 255 bytes.
    pub(super) fn with_id(mut self, id: &str, overflow: &mut Overflow) -> Self {
        self.id_len = u8::try_from(id.len()).unwrap_or(u8::MAX);
        if let Some(place) = self.id.get_mut(..id.len()) {
            place.copy_from_slice(id.as_bytes());
        } else if let Some(place) = self.id.first_chunk_mut() {
            *place = overflow.ids.push(id.as_bytes()).to_le_bytes();
        }
        self
    }

    /// The record with this row of ties.
    pub(super) fn with_row(mut self, row: AdjacencyRow) -> Self {
        self.set_row(row);
        self
    }

    pub(super) fn with_known(mut self, known: bool) -> Self {
        self.set_known(known);
        self
    }

    pub(super) fn set_row(&mut self, row: AdjacencyRow) {
        AdjacencyRow { signature: self.signature, start: self.row_start, len: self.row_len } = row;
    }

    /// Whether the user exists; otherwise the record is a tombstone that others are related to.
    #[inline]
    pub(super) fn is_known(&self) -> bool {
        self.tag_count & TOMBSTONE == 0
    }

    pub(super) fn set_known(&mut self, known: bool) {
        self.tag_count = self.tag_count & COUNT | if known { 0 } else { TOMBSTONE };
    }

    pub(super) fn set_state(&mut self, state: UserState) {
        self.state = state;
    }

    #[inline]
    pub(super) fn state(&self) -> UserState {
        self.state
    }

    #[inline]
    pub(super) fn row(&self) -> AdjacencyRow {
        AdjacencyRow { signature: self.signature, start: self.row_start, len: self.row_len }
    }

    #[inline]
    pub(super) fn id<'s>(&'s self, overflow: &'s Overflow) -> &'s [u8] {
        let len = usize::from(self.id_len);
        let id = self
            .id
            .get(..len)
            .or_else(|| overflow.ids.get(u64::from_le_bytes(*self.id.first_chunk()?), len));
        id.unwrap_or_default()
    }

    #[inline]
    pub(super) fn tags<'s>(&'s self, overflow: &'s Overflow) -> UserTags<'s> {
        let count = self.tag_count & COUNT;
        if count == SPILLED {
            let [low, middle, high, few, many] = self.tags.map(u64::from);
            let (address, count) = (low | middle << 16 | high << 32, few | many << 16);
            let count = usize::try_from(count).unwrap_or_default();
            UserTags::Spilled(overflow.tags.get(address, count).unwrap_or_default())
        } else {
            UserTags::Inline(self.tags.get(..usize::from(count)).unwrap_or_default())
        }
    }
}
