use std::{collections::BTreeMap, sync::Arc};

use uuid::Uuid;

use super::{Basis, Changed, digest};
use crate::{
    facts::{self, Key, Record},
    policy,
    snapshot::{Population, Rule, RuleBook, RuleNumber, TagId, Tags, UserSet, View},
    source::{SourceId, Span},
};

/// The rules with the sets of users that they mean.
///
/// The reachers of a tag are taken from `previous` if it has the same population and the rules
/// that name the tag have the same conditions there.
pub(super) fn compile(
    rules: Vec<policy::Rule>,
    tags: &Tags,
    population: &Population,
    previous: Option<&View>,
) -> RuleBook {
    let texts: Vec<String> = rules.iter().map(|rule| rule.condition.to_string()).collect();
    let rules: Vec<Rule> = rules.into_iter().map(|rule| bind(rule, tags)).collect();
    let previous = previous.filter(|view| view.population.is_of_the_same(population));
    let known = previous.and_then(|view| Some((view.rules.as_deref()?, &*view.tags)));
    book(rules, &texts, tags, population, known)
}

/// Has the rules of a view follow those that are made over the API.
///
/// Costs a look at each rule, and set algebra for the tags of those that change.
pub(super) fn follow(view: &mut View, basis: &Basis, changes: &[Changed]) {
    // Without a section for them, rules refuse nothing, and none of them counts.
    let Some(known) = view.rules.clone() else { return };
    let mut rules: BTreeMap<Uuid, Rule> =
        known.rules.iter().map(|rule| (rule.id, rule.clone())).collect();
    for Changed { key, new, .. } in changes {
        let Key::Rule(id) = key else { continue };
        if basis.rule(*id).is_some() {
            continue;
        }
        rules.remove(id);
        if let Some(Record::Rule(record)) = new.as_deref()
            && let Some(rule) = of_record(*id, record)
        {
            let mut number = |name: &String| view.tag(name);
            rules.insert(*id, bind_with(rule, &mut number));
        }
    }
    let rules: Vec<Rule> = rules.into_values().collect();
    let name = |tag: &TagId| view.tags.name(*tag);
    let texts: Vec<String> =
        rules.iter().map(|rule| rule.condition.map(&mut |tag| name(tag)).to_string()).collect();
    let known = Some((&*known, &*view.tags));
    let book = book(rules, &texts, &view.tags, &view.population, known);
    view.rules = Some(Arc::new(book));
}

/// A rule as its record says it; `None` if it can't be read, so that it allows nothing.
pub(super) fn of_record(id: Uuid, record: &facts::Rule) -> Option<policy::Rule> {
    let mut outcome = record.outcome.clone();
    outcome.sort_unstable();
    outcome.dedup();
    Some(policy::Rule {
        id,
        name: record.name.clone(),
        description: record.description.clone(),
        condition: policy::condition(&record.condition).ok()?,
        outcome,
        place: Span::new(SourceId(u32::MAX), 0, 0),
    })
}

/// Rules in the order of their ids, with the canonical texts of their conditions. `known` are rules
/// over the same users, and the tags that they were numbered by.
fn book(
    rules: Vec<Rule>,
    texts: &[String],
    tags: &Tags,
    population: &Population,
    known: Option<(&RuleBook, &Tags)>,
) -> RuleBook {
    let mut naming: Vec<Vec<RuleNumber>> = vec![Vec::new(); tags.len()];
    for (number, rule) in (0..).map(RuleNumber).zip(&rules) {
        for tag in &rule.outcome {
            if let Some(numbers) = naming.get_mut(tag.index()) {
                numbers.push(number);
            }
        }
    }
    let conditions: Vec<[u8; 32]> = naming
        .iter()
        .map(|numbers| {
            let mut texts: Vec<&str> = numbers
                .iter()
                .filter_map(|number| texts.get(number.0 as usize))
                .map(String::as_str)
                .collect();
            texts.sort_unstable();
            texts.dedup();
            digest::conditions(&texts)
        })
        .collect();
    let taken: Vec<Option<UserSet>> = tags
        .iter()
        .zip(naming.iter().zip(&conditions))
        .map(|((_, name), (rules, conditions))| match known {
            _ if rules.is_empty() => Some(UserSet::default()),
            Some(known) => shared(known, name, conditions),
            None => None,
        })
        .collect();

    let mut gathered: Vec<UserSet> = vec![UserSet::default(); tags.len()];
    for rule in &rules {
        let is_new = |tag: &&TagId| matches!(taken.get(tag.index()), Some(None));
        if !rule.outcome.iter().any(|tag| is_new(&tag)) {
            continue;
        }
        let users = population.meeting(&rule.condition);
        for tag in rule.outcome.iter().filter(is_new) {
            if let Some(gathered) = gathered.get_mut(tag.index()) {
                gathered.insert_all(&users);
            }
        }
    }
    let count = population.directory.len();
    let reachers = taken
        .into_iter()
        .zip(gathered)
        .map(|(taken, gathered)| taken.unwrap_or_else(|| gathered.packed(count)))
        .collect();
    let mut mentions: Vec<Vec<RuleNumber>> = vec![Vec::new(); tags.len()];
    let mut of_untagged: Vec<TagId> = Vec::new();
    for (number, rule) in (0..).map(RuleNumber).zip(&rules) {
        rule.condition.each_tag(&mut |tag: &TagId| {
            if let Some(rules) = mentions.get_mut(tag.index())
                && rules.last() != Some(&number)
            {
                rules.push(number);
            }
        });
        if rule.condition.holds(&|_| false) {
            of_untagged.extend(&rule.outcome);
        }
    }
    of_untagged.sort_unstable();
    of_untagged.dedup();
    RuleBook { rules, naming, mentions, of_untagged, reachers, conditions }
}

/// The reachers of a tag as other rules have them, if they are the same here.
fn shared(
    (book, tags): (&RuleBook, &Tags),
    tag: &str,
    conditions: &[u8; 32],
) -> Option<UserSet> {
    let tag = tags.get(tag)?;
    (book.conditions.get(tag.index())? == conditions).then(|| book.reachers(tag).cloned())?
}

fn bind(rule: policy::Rule, tags: &Tags) -> Rule {
    // Every tag that a rule names was numbered; a number that no one has stands for no user.
    bind_with(rule, &mut |name: &String| tags.get(name).unwrap_or(TagId(u32::MAX)))
}

fn bind_with(rule: policy::Rule, number: &mut impl FnMut(&String) -> TagId) -> Rule {
    Rule {
        id: rule.id,
        name: rule.name,
        description: rule.description,
        condition: rule.condition.map(number),
        outcome: rule.outcome.iter().map(number).collect(),
    }
}
