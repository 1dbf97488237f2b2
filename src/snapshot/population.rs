use std::borrow::Cow;

use super::{Directory, Selection, TagId, UserSet};
use crate::request::Condition;

/// Who there is: users, their tags, and the users of each tag.
#[derive(Debug)]
pub struct Population {
    pub directory: Directory,
    /// For each tag that users have, those who have it.
    pub members: Vec<UserSet>,
    pub everyone: UserSet,
    /// What the population was read from, to tell whether it would be read the same again.
    pub key: [u8; 32],
    /// What it says, whatever it was read from.
    pub digest: [u8; 32],
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
        self.directory.memory() + self.members.iter().map(UserSet::memory).sum::<usize>()
    }
}
