//! The numbers and names of a view's tags.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// The number of a tag in a view.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TagId(pub u32);

impl TagId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The tags of a view: first those that users have, in order; then those that only rules or
/// declarations name, in order. So the numbers of users' tags don't depend on the rules.
#[derive(Clone, Default, Debug)]
pub struct Tags {
    pub(super) names: Vec<Box<str>>,
    pub(super) by_name: HashMap<Box<str>, TagId, RandomState>,
}

impl FromIterator<Box<str>> for Tags {
    /// Numbers the names in the order of the iterator; each name occurs once.
    fn from_iter<I: IntoIterator<Item = Box<str>>>(names: I) -> Self {
        let names: Vec<Box<str>> = names.into_iter().collect();
        let by_name = names.iter().cloned().zip((0..).map(TagId)).collect();
        Self { names, by_name }
    }
}

impl Tags {
    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub fn name(&self, tag: TagId) -> &str {
        self.names.get(tag.index()).map_or("", |name| name)
    }

    /// The number of a tag; `None` if neither a user nor the policy names it, so that no user has
    /// it and no rule depends on it.
    pub fn get(&self, name: &str) -> Option<TagId> {
        self.by_name.get(name).copied()
    }

    /// The number of a tag, assigned if the tag has none.
    pub fn intern(&mut self, name: &str) -> TagId {
        self.get(name).unwrap_or_else(|| {
            let tag = self.vacant();
            self.names.push(name.into());
            self.by_name.insert(name.into(), tag);
            tag
        })
    }

    /// The next number: until a tag gets it, that of a tag that no user has.
    pub fn vacant(&self) -> TagId {
        TagId(u32::try_from(self.names.len()).unwrap_or(u32::MAX))
    }

    pub fn iter(&self) -> impl Iterator<Item = (TagId, &str)> {
        (0..).map(TagId).zip(self.names.iter().map(|name| &**name))
    }

    /// All tags in the order of their names.
    pub fn sorted(&self) -> Vec<(TagId, &str)> {
        let mut tags: Vec<_> = self.iter().collect();
        tags.sort_unstable_by_key(|&(_, name)| name);
        tags
    }

    pub(super) fn memory(&self) -> usize {
        self.names.iter().map(|name| 2 * name.len() + 48).sum()
    }
}
