use std::borrow::Cow;

use super::{Directory, Selection, TagId, UserSet};
use crate::request::Condition;

/// Who there is: users, their tags, and the users of each tag.
#[derive(Debug)]
pub struct Population {
    pub directory: Directory,
    pub classes: Classes,
    /// For each tag that users have, those who have it.
    pub members: Vec<UserSet>,
    pub everyone: UserSet,
    /// What the population was read from, to tell whether it would be read the same again.
    pub key: [u8; 32],
    /// What it says, whatever it was read from.
    pub digest: [u8; 32],
}

/// The users' tags. Users with the same tags are of one class.
#[derive(Clone, Default, Debug)]
pub struct Classes {
    /// For each user, where his class's tags are in `tags`, and how many there are.
    of_user: Vec<Slot>,
    tags: Vec<TagId>,
    count: usize,
}

#[derive(Clone, Copy, Default, Debug)]
struct Slot {
    start: u32,
    len: u32,
}

impl Classes {
    /// `sets` are the distinct tag sets, each in order; `of_user` tells which one each user has.
    pub fn new<'s>(
        sets: impl Iterator<Item = &'s [TagId]>,
        of_user: impl Iterator<Item = usize>,
    ) -> Self {
        let mut tags = Vec::new();
        let slots: Vec<Slot> = sets
            .map(|set| {
                let start = u32::try_from(tags.len()).unwrap_or(u32::MAX);
                tags.extend_from_slice(set);
                Slot { start, len: u32::try_from(set.len()).unwrap_or(0) }
            })
            .collect();
        let of_user = of_user.map(|set| slots.get(set).copied().unwrap_or_default()).collect();
        Self { of_user, tags, count: slots.len() }
    }

    /// The tags of a user, in order.
    #[inline]
    pub fn tags(&self, user: u32) -> &[TagId] {
        let Some(slot) = self.of_user.get(user as usize) else { return &[] };
        let start = slot.start as usize;
        self.tags.get(start..start + slot.len as usize).unwrap_or_default()
    }

    /// How many distinct tag sets the users have, the empty one counted.
    pub fn count(&self) -> usize {
        self.count
    }
}

impl Population {
    /// The users who have a tag.
    pub fn members(&self, tag: TagId) -> Option<&UserSet> {
        self.members.get(tag.index())
    }

    /// The users who meet a condition: set algebra over the users of each tag, `not` being relative
    /// to all known users. Recursion is as deep as the condition, which the parsers limit.
    pub fn meeting(&self, condition: &Condition<TagId>) -> Cow<'_, UserSet> {
        self.selection(condition).of(&self.everyone)
    }

    fn selection(&self, condition: &Condition<TagId>) -> Selection<'_> {
        match condition {
            Condition::HasTag(tag) => {
                self.members(*tag).map_or_else(Selection::nobody, Selection::from)
            }
            Condition::Not(inner) => self.selection(inner).complement(),
            Condition::All(parts) => Selection::all(parts.iter().map(|part| self.selection(part))),
            Condition::Any(parts) => Selection::any(parts.iter().map(|part| self.selection(part))),
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.directory.memory()
            + self.classes.of_user.len() * size_of::<Slot>()
            + self.classes.tags.len() * size_of::<TagId>()
            + self.members.iter().map(UserSet::memory).sum::<usize>()
    }
}
