//! Compiled rules, and for each tag the users who may reach those who have it.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use super::{TagId, UserNumber, UserSet, UserTags, WatchIndex, watch_index::WatchTags};
use crate::request::{ActionSet, Asked, Condition, Outcome, RelationCondition, RuleSource};

/// The number of a rule in a view, in the order of rule ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RuleNumber(pub u32);

/// A compiled rule, for explanations and for tags that a request brings along.
#[derive(Clone, Debug)]
pub struct CompiledRule {
    pub id: Uuid,
    pub name: Option<String>,
    pub description: Option<String>,
    pub condition: Condition<TagId>,
    /// The tags of a list are in the order of their names.
    pub outcome: Outcome<TagId>,
    /// The relation condition, read from the subject.
    pub between: Option<RelationCondition<TagId>>,
    /// The source over an API; `None` if a file declares the rule.
    pub source: Option<RuleSource>,
}

/// The compiled rules of a policy. A clone shares all but the list of sets.
#[derive(Clone, Default, Debug)]
pub struct RuleBook {
    /// The rules in the order of their ids.
    pub rules: Arc<Vec<Arc<CompiledRule>>>,
    /// For each tag of the view, the rules with the tag in their outcome, in order.
    pub rules_by_outcome: Arc<Vec<Vec<RuleNumber>>>,
    /// For each tag, the rules with the tag in their condition.
    pub rules_by_condition: Arc<Vec<Vec<RuleNumber>>>,
    /// The tags in the outcomes of rules that a user without tags satisfies, in order.
    pub open_to_untagged: Arc<[TagId]>,
    /// For each tag of the view, the users who may reach those who have it: those who meet the
    /// condition of at least one rule with the tag in its outcome.
    pub reachers: Vec<UserSet>,
    /// For each tag of the view, the digest of those conditions, for comparison with another
    /// policy's rules.
    pub condition_digests: Arc<Vec<[u8; 32]>>,
    /// What the other rules open: those whose outcome is a condition, or which have `between`.
    pub targets: Arc<RuleTargets>,
}

/// A rule set besides the section `rules`, compiled.
#[derive(Clone, Debug)]
pub struct CompiledRuleSet {
    pub name: String,
    pub asked: Asked,
    /// The actions that it concerns.
    pub actions: ActionSet,
    pub book: Arc<RuleBook>,
}

/// The rules whose effect is no list of tags alone, by what they open: rules with the same outcome and the
/// same `between` are one target.
#[derive(Clone, Default, Debug)]
pub struct RuleTargets {
    /// In the order in which rules open them first.
    pub all: Vec<RuleTarget>,
    /// The targets by the tags of the other user.
    index: WatchIndex,
}

/// What rules with one outcome and one `between` open.
#[derive(Clone, Debug)]
pub struct RuleTarget {
    pub outcome: Outcome<TagId>,
    pub between: Option<RelationCondition<TagId>>,
    /// The rules, in the order of their ids.
    pub rules: Vec<Arc<CompiledRule>>,
    /// The users who meet the condition of at least one of the rules.
    pub reachers: UserSet,
    /// Whether the conditions take less time to evaluate than a search in the set.
    is_simple: bool,
}

/// The size of conditions that take less time to evaluate than a search in a set of users.
const SIMPLE: usize = 6;

impl RuleBook {
    /// Builds the book from rules in the order of their ids, and by tag: the rules with the tag in
    /// their outcome, the users who may reach it, and the digest of the conditions. Costs a look at
    /// each rule.
    pub fn new(
        rules: Vec<Arc<CompiledRule>>,
        naming: Vec<Vec<RuleNumber>>,
        reachers: Vec<UserSet>,
        conditions: Vec<[u8; 32]>,
        targets: RuleTargets,
    ) -> Self {
        let mut book = Self {
            rules: Arc::default(),
            rules_by_outcome: Arc::new(naming),
            rules_by_condition: Arc::default(),
            open_to_untagged: Arc::default(),
            reachers,
            condition_digests: Arc::new(conditions),
            targets: Arc::new(targets),
        };
        let mentions = Arc::make_mut(&mut book.rules_by_condition);
        for (number, rule) in (0..).map(RuleNumber).zip(&rules) {
            rule.condition.for_each_tag(&mut |tag: &TagId| insert(mentions, *tag, number));
        }
        book.rules = Arc::new(rules);
        book.update_open_to_untagged();
        book
    }

    /// The rules that do more than list tags, as a book of their own. Costs a look at each rule.
    #[must_use]
    pub fn without_plain_rules(&self) -> Self {
        let rules = self.rules.iter().filter(|rule| !rule.is_plain()).cloned().collect();
        let mut book = Self::new(rules, Vec::new(), Vec::new(), Vec::new(), RuleTargets::default());
        book.targets = Arc::clone(&self.targets);
        book
    }

    /// Adds, replaces or removes the rule with this id, and returns the previous one. The caller
    /// must then [set the reachers](Self::set_reachers) of the tags in both outcomes.
    ///
    /// Costs a pass over the numbers of rules.
    pub fn put(&mut self, id: Uuid, new: Option<&Arc<CompiledRule>>) -> Option<Arc<CompiledRule>> {
        let at = self.rules.binary_search_by_key(&id, |rule| rule.id);
        let (rules, naming) =
            (Arc::make_mut(&mut self.rules), Arc::make_mut(&mut self.rules_by_outcome));
        let mentions = Arc::make_mut(&mut self.rules_by_condition);
        let (Ok(place) | Err(place)) = at;
        let number = RuleNumber(u32::try_from(place).unwrap_or(u32::MAX));
        let old = at.ok().and_then(|at| rules.get(at)).cloned();
        if let Some(old) = &old {
            old.listed_tags().iter().for_each(|&tag| remove(naming, tag, number));
            old.condition.for_each_tag(&mut |&tag| remove(mentions, tag, number));
        }
        match (&old, new) {
            (None, None) => return None,
            (None, Some(rule)) => {
                renumber(naming, mentions, |it| if it >= number { it.0 + 1 } else { it.0 });
                rules.insert(place, Arc::clone(rule));
            }
            (Some(_), None) => {
                renumber(naming, mentions, |it| if it > number { it.0 - 1 } else { it.0 });
                rules.remove(place);
            }
            (Some(_), Some(rule)) => {
                if let Some(place) = rules.get_mut(place) {
                    *place = Arc::clone(rule);
                }
            }
        }
        if let Some(rule) = new {
            rule.listed_tags().iter().for_each(|&tag| insert(naming, tag, number));
            rule.condition.for_each_tag(&mut |&tag| insert(mentions, tag, number));
        }
        self.update_open_to_untagged();
        old
    }

    /// Sets the users who may reach those with a tag, and the digest of the conditions.
    pub fn set_reachers(&mut self, tag: TagId, users: UserSet, conditions: [u8; 32]) {
        let all = Arc::make_mut(&mut self.condition_digests);
        if all.len() <= tag.index() {
            all.resize(tag.index() + 1, [0; 32]);
        }
        if self.reachers.len() <= tag.index() {
            self.reachers.resize(tag.index() + 1, UserSet::default());
        }
        if let (Some(place), Some(of)) =
            (self.reachers.get_mut(tag.index()), all.get_mut(tag.index()))
        {
            (*place, *of) = (users, conditions);
        }
    }

    fn update_open_to_untagged(&mut self) {
        let open = self.rules.iter().filter(|rule| rule.condition.holds(&|_| false));
        let mut tags: Vec<TagId> = open.flat_map(|rule| rule.listed_tags()).copied().collect();
        tags.sort_unstable();
        tags.dedup();
        self.open_to_untagged = tags.into();
    }

    pub fn rule(&self, number: RuleNumber) -> Option<&CompiledRule> {
        self.rules.get(number.0 as usize).map(|rule| &**rule)
    }

    /// The users who may reach those with the tag.
    #[inline]
    pub fn reachers(&self, tag: TagId) -> Option<&UserSet> {
        self.reachers.get(tag.index())
    }

    /// The rules with the tag in their outcome.
    pub fn rules_naming(&self, tag: TagId) -> &[RuleNumber] {
        self.rules_by_outcome.get(tag.index()).map_or(&[], Vec::as_slice)
    }

    /// The rules with at least one of the tags in their outcome, in order.
    pub fn rules_naming_any(
        &self,
        tags: impl Iterator<Item = TagId>,
    ) -> Vec<(RuleNumber, &CompiledRule)> {
        let mut numbers: Vec<_> = tags.flat_map(|tag| self.rules_naming(tag)).copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().filter_map(|number| Some((number, self.rule(number)?))).collect()
    }

    pub(super) fn memory(&self) -> usize {
        let sets: usize = self.reachers.iter().map(|users| users.memory() + 32).sum();
        let rules: usize = self.rules.iter().map(|rule| rule.memory()).sum();
        let naming: usize = self.rules_by_outcome.iter().map(|rules| 24 + 4 * rules.len()).sum();
        sets + rules + naming + self.targets.memory()
    }
}

impl RuleTargets {
    /// The targets of rules in the order of their ids; `reachers` gives the users who meet one of some
    /// rules' conditions. Rules that list tags, without `between`, are passed over.
    pub fn of(
        rules: &[Arc<CompiledRule>],
        reachers: impl Fn(&[Arc<CompiledRule>]) -> UserSet,
    ) -> Self {
        let mut numbers: HashMap<(&Outcome<TagId>, Option<&RelationCondition<TagId>>), usize> =
            HashMap::new();
        let mut grouped: Vec<Vec<Arc<CompiledRule>>> = Vec::new();
        for rule in rules.iter().filter(|rule| !rule.is_plain()) {
            let key = (&rule.outcome, rule.between.as_ref());
            let number = *numbers.entry(key).or_insert(grouped.len());
            if number == grouped.len() {
                grouped.push(Vec::new());
            }
            grouped.get_mut(number).into_iter().for_each(|rules| rules.push(Arc::clone(rule)));
        }
        let all: Vec<RuleTarget> = grouped
            .into_iter()
            .filter_map(|rules| {
                let first = rules.first()?;
                Some(RuleTarget {
                    outcome: first.outcome.clone(),
                    between: first.between.clone(),
                    reachers: reachers(&rules),
                    is_simple: rules.iter().map(|rule| size(&rule.condition)).sum::<usize>()
                        <= SIMPLE,
                    rules,
                })
            })
            .collect();
        let index = WatchIndex::of(all.iter().map(|target| WatchTags::Outcome(&target.outcome)));
        Self { all, index }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether a target that a user with these tags may be in passes a test. Costs a search for each tag,
    /// and the test of each candidate.
    #[inline]
    pub fn any_candidate(&self, tags: UserTags<'_>, test: impl Fn(&RuleTarget) -> bool) -> bool {
        self.index.any_candidate(tags, |number| self.all.get(number).is_some_and(&test))
    }

    fn memory(&self) -> usize {
        let targets = self.all.iter().map(|it| size_of::<RuleTarget>() + it.reachers.memory());
        targets.sum::<usize>() + self.index.memory()
    }
}

/// The number of parts of a condition.
fn size(condition: &Condition<TagId>) -> usize {
    match condition {
        Condition::Everyone | Condition::Nobody | Condition::HasTag(_) | Condition::During(_) => 1,
        Condition::Not(inner) => 1 + size(inner),
        Condition::All(parts) | Condition::Any(parts) => 1 + parts.iter().map(size).sum::<usize>(),
    }
}

impl RuleTarget {
    /// Whether a known user with these tags meets the condition of at least one of the rules.
    #[inline]
    pub fn is_reached_by(&self, user: UserNumber, has: &impl Fn(&TagId) -> bool) -> bool {
        if self.is_simple { self.is_reacher(has) } else { self.reachers.contains(user) }
    }

    /// Whether a user meets the condition of at least one of the rules; `has` tells whether the user has a
    /// tag.
    pub fn is_reacher(&self, has: &impl Fn(&TagId) -> bool) -> bool {
        self.rules.iter().any(|rule| rule.condition.holds(has))
    }
}

impl CompiledRule {
    /// Whether the rule only lists tags: then it is among the reachers of each, and in no target.
    pub fn is_plain(&self) -> bool {
        self.between.is_none() && matches!(self.outcome, Outcome::Tags(_))
    }

    /// The tags whose reachers the rule adds to.
    pub fn listed_tags(&self) -> &[TagId] {
        if self.between.is_none() { self.outcome.tags() } else { &[] }
    }

    fn memory(&self) -> usize {
        let mut parts = 0;
        self.outcome.for_each_tag(&mut |_| parts += 1);
        self.condition.for_each_tag(&mut |_| parts += 1);
        let texts = self.name.as_ref().map_or(0, String::len)
            + self.description.as_ref().map_or(0, String::len);
        size_of::<Self>() + texts + parts * size_of::<Condition<TagId>>()
    }
}

fn insert(all: &mut Vec<Vec<RuleNumber>>, tag: TagId, number: RuleNumber) {
    if all.len() <= tag.index() {
        all.resize(tag.index() + 1, Vec::new());
    }
    if let Some(numbers) = all.get_mut(tag.index())
        && let Err(at) = numbers.binary_search(&number)
    {
        numbers.insert(at, number);
    }
}

fn remove(all: &mut [Vec<RuleNumber>], tag: TagId, number: RuleNumber) {
    if let Some(numbers) = all.get_mut(tag.index())
        && let Ok(at) = numbers.binary_search(&number)
    {
        numbers.remove(at);
    }
}

fn renumber(
    naming: &mut [Vec<RuleNumber>],
    mentions: &mut [Vec<RuleNumber>],
    to: impl Fn(RuleNumber) -> u32,
) {
    for number in naming.iter_mut().chain(mentions).flatten() {
        number.0 = to(*number);
    }
}
