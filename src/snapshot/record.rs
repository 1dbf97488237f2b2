use super::{Standing, TagId, tags_of::TagsOf, ties::Row};

/// What a decision needs of a user, in one cache line: his id, which tells that he is the one who
/// was looked for, his tags, where he stands, and where what is between him and others is kept.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Record {
    /// Which users may have to do with him, and where the row of those who do begins and how long
    /// it is; the parts of a [`Row`], which as a whole would take two bytes more.
    signature: u64,
    row_start: u32,
    row_len: u16,
    /// His tags, or the halves of where they start in [`Overflow::tags`] and of how many they are.
    tags: [u16; TAGS],
    standing: Standing,
    tag_count: u8,
    id_len: u8,
    /// His id, or where it starts in [`Overflow::ids`].
    id: [u8; ID],
}

/// How many tags a record holds, if their numbers are small.
const TAGS: usize = 5;

/// How long an id may be to stand in a record: a UUID does.
const ID: usize = 36;

/// The count of tags that stand elsewhere.
const ELSEWHERE: u8 = u8::MAX;

/// What is too large for records.
#[derive(Clone, Default, Debug)]
pub(super) struct Overflow {
    pub(super) tags: Vec<TagId>,
    pub(super) ids: String,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            signature: 0,
            row_start: 0,
            row_len: 0,
            tags: [0; TAGS],
            standing: Standing::BARE,
            tag_count: 0,
            id_len: 0,
            id: [0; ID],
        }
    }
}

impl Record {
    /// What the users of a class have in common: their tags.
    pub(super) fn of_class(tags: &[TagId], overflow: &mut Overflow) -> Self {
        let mut record = Self::default();
        let small: Option<Vec<u16>> =
            tags.iter().map(|tag| u16::try_from(tag.0).ok()).collect::<Option<_>>();
        let places = record.tags.get_mut(..tags.len());
        if let (Some(places), Some(small)) = (places, small) {
            places.copy_from_slice(&small);
            record.tag_count = u8::try_from(tags.len()).unwrap_or(ELSEWHERE);
            return record;
        }
        let half = |number: usize, which: usize| {
            let bytes = u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
            let [a, b, c, d] = bytes;
            u16::from_le_bytes(if which == 0 { [a, b] } else { [c, d] })
        };
        let (start, count) = (overflow.tags.len(), tags.len());
        let [first, second, third, fourth, ..] = &mut record.tags;
        (*first, *second) = (half(start, 0), half(start, 1));
        (*third, *fourth) = (half(count, 0), half(count, 1));
        record.tag_count = ELSEWHERE;
        overflow.tags.extend_from_slice(tags);
        record
    }

    /// A user of this class. An id has at most 255 bytes.
    pub(super) fn with_id(mut self, id: &str, overflow: &mut Overflow) -> Self {
        self.id_len = u8::try_from(id.len()).unwrap_or(u8::MAX);
        if let Some(place) = self.id.get_mut(..id.len()) {
            place.copy_from_slice(id.as_bytes());
        } else if let Some(place) = self.id.first_chunk_mut() {
            *place = (overflow.ids.len() as u64).to_le_bytes();
            overflow.ids.push_str(id);
        }
        self
    }

    /// A user who has to do with those of this row.
    pub(super) fn with_row(mut self, row: Row) -> Self {
        Row { signature: self.signature, start: self.row_start, len: self.row_len } = row;
        self
    }

    pub(super) fn set_standing(&mut self, standing: Standing) {
        self.standing = standing;
    }

    #[inline]
    pub(super) fn standing(&self) -> Standing {
        self.standing
    }

    #[inline]
    pub(super) fn row(&self) -> Row {
        Row { signature: self.signature, start: self.row_start, len: self.row_len }
    }

    #[inline]
    pub(super) fn id<'s>(&'s self, overflow: &'s Overflow) -> &'s [u8] {
        let len = usize::from(self.id_len);
        let id = self.id.get(..len).or_else(|| {
            let start = usize::try_from(u64::from_le_bytes(*self.id.first_chunk()?)).ok()?;
            overflow.ids.as_bytes().get(start..start + len)
        });
        id.unwrap_or_default()
    }

    #[inline]
    pub(super) fn tags<'s>(&'s self, overflow: &'s Overflow) -> TagsOf<'s> {
        if self.tag_count == ELSEWHERE {
            let [a, b, c, d, ..] = self.tags.map(usize::from);
            let (start, count) = (a | b << 16, c | d << 16);
            TagsOf::Many(overflow.tags.get(start..start + count).unwrap_or_default())
        } else {
            TagsOf::Few(self.tags.get(..usize::from(self.tag_count)).unwrap_or_default())
        }
    }
}
