//! The tags by which two users can be in one team, by the patterns of both policies that select them.

use std::collections::HashMap;

use super::classes::UserClasses;
use crate::{
    request::TagPattern,
    snapshot::{TagId, View},
};

/// The number of patterns that are told apart.
pub(super) const MAX_PATTERNS: usize = 64;

/// The number of pairs of classes that are compared by each tag.
const MAX_CLASS_PAIRS: u64 = 1 << 31;

/// The tags that a pattern selects. A *mask* has a bit for each pattern.
#[derive(Debug)]
pub(super) struct SharedTags {
    /// The mask of each tag that a pattern selects.
    masks: HashMap<TagId, u64, foldhash::fast::RandomState>,
    /// A tag of each mask.
    examples: HashMap<u64, TagId>,
    /// The tags of each class that a pattern selects, in order, with their masks.
    of_class: Vec<Box<[(TagId, u64)]>>,
    /// A bit for each of these tags, by class; a bit stands for many tags.
    signatures: Vec<u64>,
}

impl SharedTags {
    /// Costs a look at each tag, and at those of each class.
    pub(super) fn of(view: &View, patterns: &[TagPattern], user_classes: &UserClasses<'_>) -> Self {
        let mut shared = Self {
            masks: HashMap::default(),
            examples: HashMap::new(),
            of_class: Vec::with_capacity(user_classes.classes.len()),
            signatures: Vec::with_capacity(user_classes.classes.len()),
        };
        for (tag, name) in view.tags.iter().filter(|_| !patterns.is_empty()) {
            let bits = patterns.iter().take(MAX_PATTERNS).enumerate();
            let mask = bits
                .filter(|(_, pattern)| pattern.matches(name))
                .fold(0, |mask, (at, _)| mask | 1 << at);
            if mask != 0 {
                shared.masks.insert(tag, mask);
                shared.examples.entry(mask).or_insert(tag);
            }
        }
        for class in &user_classes.classes {
            let tags = class.tags.iter().filter(|_| !shared.masks.is_empty());
            let tags = tags.filter_map(|tag| Some((tag, *shared.masks.get(&tag)?)));
            let tags: Box<[(TagId, u64)]> = tags.collect();
            shared.signatures.push(tags.iter().fold(0, |all, &(tag, _)| all | 1 << (tag.0 % 64)));
            shared.of_class.push(tags);
        }
        shared
    }

    /// Whether the users who have several of the tags are too different to be compared by each tag.
    pub(super) fn has_too_many_pairs(&self) -> bool {
        let mut by_tag: HashMap<TagId, u64> = HashMap::new();
        for tags in self.of_class.iter().filter(|tags| tags.len() > 1) {
            tags.iter().for_each(|&(tag, _)| *by_tag.entry(tag).or_default() += 1);
        }
        let pairs = by_tag.values().map(|&classes| classes.saturating_mul(classes));
        pairs.fold(0_u64, u64::saturating_add) > MAX_CLASS_PAIRS
    }

    pub(super) fn is_empty(&self) -> bool {
        self.masks.is_empty()
    }

    /// The tags that a pattern selects, with their masks.
    pub(super) fn iter(&self) -> impl Iterator<Item = (TagId, u64)> + '_ {
        self.masks.iter().map(|(&tag, &mask)| (tag, mask))
    }

    /// The tags of a class that a pattern selects, in order, with their masks.
    pub(super) fn of_class(&self, class: u32) -> &[(TagId, u64)] {
        self.of_class.get(class as usize).map_or(&[], |tags| tags)
    }

    /// The mask of all tags that users of two classes share, and the first of the tags.
    #[inline]
    pub(super) fn between(&self, one: u32, other: u32) -> Option<(TagId, u64)> {
        let signature = |class: u32| self.signatures.get(class as usize).copied().unwrap_or(0);
        if signature(one) & signature(other) == 0 {
            return None;
        }
        let mut theirs = self.of_class(other).iter().peekable();
        let mut shared = None;
        for &(tag, mask) in self.of_class(one) {
            while theirs.next_if(|(their, _)| *their < tag).is_some() {}
            if theirs.peek().is_some_and(|(their, _)| *their == tag) {
                let (_, all) = shared.get_or_insert((tag, 0));
                *all |= mask;
            }
        }
        shared
    }

    /// Tags that are shared by the patterns of a mask, and by no others.
    pub(super) fn tags_of_mask(&self, mask: u64) -> Vec<TagId> {
        let parts = self.examples.iter().filter(|(part, _)| **part & !mask == 0);
        parts.map(|(_, &tag)| tag).collect()
    }
}
