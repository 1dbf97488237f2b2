use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::TagId;

/// All users: their ids, in order, and their tags. A user's number is his place in that order.
///
/// Users with the same tags are of one class.
#[derive(Clone, Debug)]
pub struct Directory {
    text: Box<str>,
    records: Box<[Record]>,
    /// The tags of the classes that have more than a record holds.
    spilled: Box<[TagId]>,
    by_id: HashTable<u32>,
    hasher: RandomState,
    classes: usize,
}

/// What a decision needs of a user, in half a cache line: comparing the id, which finds him, has
/// brought his tags along.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Record {
    /// Where his id starts in the text (the low 48 bits), how long it is (8 bits), and how many
    /// tags he has (8 bits), or [`SPILLED`].
    packed: u64,
    /// His tags; if they are spilled, where they start there, and how many they are.
    tags: [TagId; INLINE],
}

const INLINE: usize = 6;
const SPILLED: u64 = 0xff;

/// One user, as a directory is built from him.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'e> {
    pub id: &'e str,
    /// Which of the classes he is of.
    pub class: usize,
}

impl Directory {
    /// Users in the order of their ids, each once; and the tags of each class, in order.
    pub fn new<'e>(users: impl Iterator<Item = Entry<'e>> + Clone, classes: &[Vec<TagId>]) -> Self {
        let mut spilled = Vec::new();
        let heads: Vec<Record> =
            classes.iter().map(|tags| Record::of_class(tags, &mut spilled)).collect();
        let mut text = String::with_capacity(users.clone().map(|user| user.id.len()).sum());
        let mut records = Vec::with_capacity(users.clone().count());
        for user in users {
            let head = heads.get(user.class).copied().unwrap_or_default();
            records.push(head.at(text.len(), user.id.len()));
            text.push_str(user.id);
        }
        let mut directory = Self {
            text: text.into_boxed_str(),
            by_id: HashTable::with_capacity(records.len()),
            records: records.into_boxed_slice(),
            spilled: spilled.into_boxed_slice(),
            hasher: RandomState::default(),
            classes: classes.len(),
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
        u32::try_from(self.records.len()).unwrap_or(u32::MAX)
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many distinct tag sets the users have, the empty one counted.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The number of a user; `None` if there is none of this id. Costs one hash and a comparison.
    #[inline]
    pub fn number(&self, id: &str) -> Option<u32> {
        self.by_id.find(self.hash(id), |&user| self.id(user) == id).copied()
    }

    /// The id of a user; empty for a number that is no user's.
    #[inline]
    pub fn id(&self, user: u32) -> &str {
        let Some(record) = self.records.get(user as usize) else { return "" };
        let (start, len) = record.place();
        self.text.get(start..start + len).unwrap_or_default()
    }

    /// The tags of a user, in order.
    #[inline]
    pub fn tags(&self, user: u32) -> &[TagId] {
        let Some(record) = self.records.get(user as usize) else { return &[] };
        match record.packed >> 56 {
            SPILLED => {
                let [start, count, ..] = record.tags;
                self.spilled.get(start.index()..start.index() + count.index()).unwrap_or_default()
            }
            count => record.tags.get(..usize::try_from(count).unwrap_or(0)).unwrap_or_default(),
        }
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
        self.text.len()
            + size_of_val(&*self.records)
            + size_of_val(&*self.spilled)
            + self.by_id.allocation_size()
    }

    #[inline]
    fn hash(&self, id: &str) -> u64 {
        self.hasher.hash_one(id)
    }
}

impl Default for Record {
    fn default() -> Self {
        Self { packed: 0, tags: [TagId(0); INLINE] }
    }
}

impl Record {
    /// What the users of a class have in common.
    fn of_class(tags: &[TagId], spilled: &mut Vec<TagId>) -> Self {
        let mut record = Self::default();
        if let Some(slots) = record.tags.get_mut(..tags.len()) {
            slots.copy_from_slice(tags);
            record.packed = (tags.len() as u64) << 56;
        } else {
            let number = |n: usize| TagId(u32::try_from(n).unwrap_or(u32::MAX));
            let [start, count, ..] = &mut record.tags;
            (*start, *count) = (number(spilled.len()), number(tags.len()));
            record.packed = SPILLED << 56;
            spilled.extend_from_slice(tags);
        }
        record
    }

    /// A user of this class whose id starts there. An id has at most 255 bytes.
    fn at(self, start: usize, len: usize) -> Self {
        Self {
            packed: self.packed | (len as u64 & 0xff) << 48 | start as u64 & 0xffff_ffff_ffff,
            ..self
        }
    }

    #[inline]
    fn place(&self) -> (usize, usize) {
        let start = self.packed & 0xffff_ffff_ffff;
        let len = self.packed >> 48 & 0xff;
        (usize::try_from(start).unwrap_or(usize::MAX), usize::try_from(len).unwrap_or(0))
    }
}
