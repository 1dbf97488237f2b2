use uuid::Uuid;

use super::{TagId, UserSet};
use crate::request::Condition;

/// The number of a rule in a view, in the order of rule ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RuleNumber(pub u32);

/// A rule as it is told in explanations, and asked of tags that a request brings along.
#[derive(Clone, Debug)]
pub struct Rule {
    pub id: Uuid,
    pub name: Option<String>,
    pub description: Option<String>,
    pub condition: Condition<TagId>,
    /// In the order of the tags' names.
    pub outcome: Vec<TagId>,
}

/// All that the rules say.
#[derive(Clone, Default, Debug)]
pub struct RuleBook {
    /// In the order of their ids.
    pub rules: Vec<Rule>,
    /// For each tag of the view, the rules whose outcome names it, in order.
    pub naming: Vec<Vec<RuleNumber>>,
    /// For each tag, the rules whose condition names it.
    pub mentions: Vec<Vec<RuleNumber>>,
    /// The tags whose users someone without tags may reach, in order.
    pub of_untagged: Vec<TagId>,
    /// For each tag of the view, who may reach the users who have it: those who meet the condition
    /// of at least one rule that names it.
    pub reachers: Vec<UserSet>,
    /// For each tag of the view, the digest of those conditions, to tell whether another policy's
    /// rules say the same of it.
    pub conditions: Vec<[u8; 32]>,
}

impl RuleBook {
    pub fn rule(&self, number: RuleNumber) -> Option<&Rule> {
        self.rules.get(number.0 as usize)
    }

    /// The users who may reach those who have the tag.
    #[inline]
    pub fn reachers(&self, tag: TagId) -> Option<&UserSet> {
        self.reachers.get(tag.index())
    }

    /// The rules whose outcome names the tag.
    pub fn naming(&self, tag: TagId) -> &[RuleNumber] {
        self.naming.get(tag.index()).map_or(&[], Vec::as_slice)
    }

    /// The rules whose outcome names one of the tags, in order.
    pub fn naming_any(&self, tags: impl Iterator<Item = TagId>) -> Vec<(RuleNumber, &Rule)> {
        let mut numbers: Vec<_> = tags.flat_map(|tag| self.naming(tag)).copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().filter_map(|number| Some((number, self.rule(number)?))).collect()
    }

    pub(super) fn memory(&self) -> usize {
        let sets: usize = self.reachers.iter().map(|users| users.memory() + 32).sum();
        let rules: usize = self.rules.iter().map(Rule::memory).sum();
        let naming: usize = self.naming.iter().map(|rules| 24 + 4 * rules.len()).sum();
        sets + rules + naming
    }
}

impl Rule {
    fn memory(&self) -> usize {
        let mut parts = self.outcome.len();
        self.condition.each_tag(&mut |_| parts += 1);
        let texts = self.name.as_ref().map_or(0, String::len)
            + self.description.as_ref().map_or(0, String::len);
        size_of::<Self>() + texts + parts * size_of::<Condition<TagId>>()
    }
}
