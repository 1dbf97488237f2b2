use super::TagId;

/// What a decision needs of a user, in one cache line: his id, which tells that he is the one who
/// was looked for, and his tags.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Record {
    /// His tags, or where they start in [`Overflow::tags`] and how many they are.
    tags: [TagId; TAGS],
    /// His id, or where it starts in [`Overflow::ids`].
    id: [u8; ID],
    id_len: u8,
    tag_count: u8,
}

/// How many tags a record holds.
const TAGS: usize = 6;

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
        Self { tags: [TagId(0); TAGS], id: [0; ID], id_len: 0, tag_count: 0 }
    }
}

impl Record {
    /// What the users of a class have in common: their tags.
    pub(super) fn of_class(tags: &[TagId], overflow: &mut Overflow) -> Self {
        let mut record = Self::default();
        if let Some(places) = record.tags.get_mut(..tags.len()) {
            places.copy_from_slice(tags);
            record.tag_count = u8::try_from(tags.len()).unwrap_or(ELSEWHERE);
        } else {
            let number = |n: usize| TagId(u32::try_from(n).unwrap_or(u32::MAX));
            let [start, count, ..] = &mut record.tags;
            (*start, *count) = (number(overflow.tags.len()), number(tags.len()));
            record.tag_count = ELSEWHERE;
            overflow.tags.extend_from_slice(tags);
        }
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
    pub(super) fn tags<'s>(&'s self, overflow: &'s Overflow) -> &'s [TagId] {
        let tags = if self.tag_count == ELSEWHERE {
            let [start, count, ..] = self.tags;
            overflow.tags.get(start.index()..start.index() + count.index())
        } else {
            self.tags.get(..usize::from(self.tag_count))
        };
        tags.unwrap_or_default()
    }
}
