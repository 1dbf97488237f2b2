//! An index of conditions by the tags that a user must have to meet them.

use super::{TagId, UserTags};
use crate::request::{Condition, During, Outcome};

/// An index of conditions: for a user's tags, the few conditions that the user may meet.
///
/// A condition is *watched* by tags of which each user who meets it has at least one; one that a user
/// without tags may meet is watched by none, and always among the candidates.
#[derive(Clone, Default, Debug)]
pub struct WatchIndex {
    /// The watched conditions by tag, in order.
    watched: Vec<(TagId, u32)>,
    /// The conditions that no tag watches.
    unwatched: Vec<u32>,
}

impl WatchIndex {
    /// The index of conditions, which are numbered in order.
    pub fn of<'c>(conditions: impl Iterator<Item = WatchTags<'c>>) -> Self {
        let mut index = Self::default();
        for (number, tags) in (0..).zip(conditions) {
            match tags.collect() {
                Some(tags) => index.watched.extend(tags.into_iter().map(|tag| (tag, number))),
                None => index.unwatched.push(number),
            }
        }
        index.watched.sort_unstable();
        index.watched.dedup();
        index
    }

    /// Whether a condition that a user with these tags may meet passes a test. Costs a search for each tag,
    /// and the test of each candidate.
    #[inline]
    pub fn any_candidate(&self, tags: UserTags<'_>, test: impl Fn(usize) -> bool) -> bool {
        if self.unwatched.iter().any(|&number| test(number as usize)) {
            return true;
        }
        if self.watched.is_empty() {
            return false;
        }
        tags.any(|tag| {
            let from = self.watched.partition_point(|&(watched, _)| watched < tag);
            let rest = self.watched.get(from..).unwrap_or_default();
            let mut here = rest.iter().take_while(|&&(watched, _)| watched == tag);
            here.any(|&(_, number)| test(number as usize))
        })
    }

    pub(super) fn memory(&self) -> usize {
        self.watched.len() * size_of::<(TagId, u32)>() + self.unwatched.len() * size_of::<u32>()
    }
}

/// What watches a condition on one user.
#[derive(Clone, Copy, Debug)]
pub enum WatchTags<'c> {
    Outcome(&'c Outcome<TagId>),
    Condition(&'c Condition<TagId>),
}

impl WatchTags<'_> {
    /// The tags; `None` if a user without any of them may meet the condition.
    fn collect(self) -> Option<Vec<TagId>> {
        match self {
            Self::Outcome(Outcome::Tags(tags)) => Some(tags.clone()),
            Self::Outcome(Outcome::Condition(condition)) | Self::Condition(condition) => {
                watch_tags(condition)
            }
        }
    }
}

fn watch_tags(condition: &Condition<TagId>) -> Option<Vec<TagId>> {
    match condition {
        Condition::Nobody | Condition::During(During { is_open: false, .. }) => Some(Vec::new()),
        Condition::HasTag(tag) => Some(vec![*tag]),
        Condition::Everyone
        | Condition::During(During { is_open: true, .. })
        | Condition::Not(_) => None,
        Condition::All(parts) => parts.iter().filter_map(watch_tags).min_by_key(Vec::len),
        Condition::Any(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(watch_tags).collect();
            Some(parts?.concat())
        }
    }
}
