//! The rules of a view, with the set of users that each tag can be reached by.

use std::{collections::BTreeSet, sync::Arc};

use uuid::Uuid;

use super::{declarations::Declarations, digest};
use crate::{
    facts::{self, Record, RecordChange, RecordKey},
    policy,
    request::{Outcome, RuleSource},
    snapshot::{
        CompiledRule, CompiledRuleSet, Population, RuleBook, RuleNumber, RuleTargets, TagId, Tags,
        UserSet, View,
    },
};

/// Compiles the section `rules` to a rule book with the reachers of each tag.
///
/// The reachers of a tag are taken from `previous` if it has the same population and the rules
/// that name the tag have the same conditions there.
pub(super) fn compile(
    rules: Vec<policy::Rule>,
    tags: &mut Tags,
    population: &Population,
    previous: Option<&View>,
) -> RuleBook {
    let known = |view| View::rules_of(view, None);
    compile_book(rules, tags, population, previous, known)
}

/// Compiles the rule sets besides the section `rules`, as [`compile`] does it.
pub(super) fn compile_sets(
    sets: Vec<policy::RuleSet>,
    tags: &mut Tags,
    population: &Population,
    previous: Option<&View>,
) -> Arc<[CompiledRuleSet]> {
    let compiled = sets.into_iter().map(|set| {
        let known = |view| View::rules_of(view, Some(&set.name));
        let book = Arc::new(compile_book(set.rules, tags, population, previous, known));
        CompiledRuleSet { name: set.name.clone(), asked: set.asked, actions: set.actions, book }
    });
    compiled.collect()
}

fn compile_book<'v>(
    rules: Vec<policy::Rule>,
    tags: &mut Tags,
    population: &Population,
    previous: Option<&'v View>,
    known: impl FnOnce(&'v View) -> Option<&'v RuleBook>,
) -> RuleBook {
    let texts: Vec<String> = rules.iter().map(|rule| rule.condition.to_string()).collect();
    let mut number = |name: &String| tags.intern(name);
    let rules: Vec<Arc<CompiledRule>> =
        rules.into_iter().map(|rule| Arc::new(bind(rule, &mut number))).collect();
    let previous = previous.filter(|view| view.population.has_same_identity(population));
    let known = previous.and_then(|view| Some((known(view)?, &*view.tags)));
    build_rule_book(rules, &texts, tags, population, known)
}

/// Applies changes of the API's rules to the rules of a view.
///
/// Costs a pass over the numbers of rules, and set algebra for the tags of those that change.
pub(super) fn apply_rule_changes(
    view: &mut View,
    declarations: &Declarations,
    changes: &[RecordChange],
) {
    // Without a section for rules, no rule counts.
    let Some(book) = view.rules.take() else { return };
    let mut book = Arc::unwrap_or_clone(book);
    let mut concerned: BTreeSet<TagId> = BTreeSet::new();
    for RecordChange { key, new, .. } in changes {
        let RecordKey::Rule(id) = key else { continue };
        if declarations.rule_place(*id).is_some() {
            continue;
        }
        let new = match new.as_deref() {
            Some(Record::Rule(record)) => rule_from_record(*id, record),
            _ => None,
        };
        let new = new.map(|rule| Arc::new(bind(rule, &mut |name: &String| view.intern_tag(name))));
        if let Some(old) = book.put(*id, new.as_ref()) {
            concerned.extend(old.listed_tags());
        }
        concerned.extend(new.iter().flat_map(|rule| rule.listed_tags()));
    }
    let count = view.population.directory.len();
    let name = |tag: &TagId| view.tags.name(*tag);
    for tag in concerned {
        let rules = book.rules_naming(tag).iter().filter_map(|&number| book.rule(number));
        let texts = rules.clone().map(|rule| rule.condition.map(&mut |tag| name(tag)).to_string());
        let conditions = conditions_digest(texts.collect());
        let sets: Vec<_> =
            rules.map(|rule| view.population.users_meeting(&rule.condition)).collect();
        let users = UserSet::union(sets.iter().map(|users| &**users)).packed_if_few(count);
        book.set_reachers(tag, users, conditions);
    }
    view.rules = Some(Arc::new(book));
}

/// The rule of a record; `None` if it can't be parsed, so that it allows nothing.
pub(super) fn rule_from_record(id: Uuid, record: &facts::RuleRecord) -> Option<policy::Rule> {
    let mut outcome = record.outcome.clone();
    outcome.sort_unstable();
    outcome.dedup();
    Some(policy::Rule {
        id,
        name: record.name.clone(),
        description: record.description.clone(),
        condition: policy::parse_condition(&record.condition).ok()?,
        outcome: Outcome::Tags(outcome),
        between: None,
        place: None,
        wording: Some(RuleSource {
            condition: record.condition.clone(),
            outcome: record.outcome.clone(),
        }),
    })
}

/// Builds a rule book from rules in the order of their ids, with the canonical texts of their
/// conditions. `known` are rules over the same users, and the tags that they are numbered by.
fn build_rule_book(
    rules: Vec<Arc<CompiledRule>>,
    texts: &[String],
    tags: &Tags,
    population: &Population,
    known: Option<(&RuleBook, &Tags)>,
) -> RuleBook {
    let mut naming: Vec<Vec<RuleNumber>> = vec![Vec::new(); tags.len()];
    for (number, rule) in (0..).map(RuleNumber).zip(&rules) {
        for tag in rule.listed_tags() {
            if let Some(numbers) = naming.get_mut(tag.index()) {
                numbers.push(number);
            }
        }
    }
    let conditions: Vec<[u8; 32]> = naming
        .iter()
        .map(|numbers| {
            let texts = numbers.iter().filter_map(|number| texts.get(number.0 as usize));
            conditions_digest(texts.map(String::as_str).collect())
        })
        .collect();
    let taken: Vec<Option<UserSet>> = tags
        .iter()
        .zip(naming.iter().zip(&conditions))
        .map(|((_, name), (rules, conditions))| match known {
            _ if rules.is_empty() => Some(UserSet::default()),
            Some(known) => shared_reachers(known, name, conditions)
                .map(|it| it.repacked(population.directory.len())),
            None => None,
        })
        .collect();

    let mut gathered: Vec<UserSet> = vec![UserSet::default(); tags.len()];
    for rule in &rules {
        let is_new = |tag: &&TagId| matches!(taken.get(tag.index()), Some(None));
        if !rule.listed_tags().iter().any(|tag| is_new(&tag)) {
            continue;
        }
        let users = population.users_meeting(&rule.condition);
        for tag in rule.listed_tags().iter().filter(is_new) {
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
    let targets = RuleTargets::of(&rules, |rules| {
        let sets: Vec<_> =
            rules.iter().map(|rule| population.users_meeting(&rule.condition)).collect();
        UserSet::union(sets.iter().map(|users| &**users)).packed(count)
    });
    RuleBook::new(rules, naming, reachers, conditions, targets)
}

/// The digest of a set of conditions, given as texts.
fn conditions_digest(mut texts: Vec<impl AsRef<str> + Ord>) -> [u8; 32] {
    texts.sort_unstable();
    texts.dedup();
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    digest::conditions(&texts)
}

/// The reachers of a tag in another rule book, if its conditions are the same.
fn shared_reachers(
    (book, tags): (&RuleBook, &Tags),
    tag: &str,
    conditions: &[u8; 32],
) -> Option<UserSet> {
    let tag = tags.get(tag)?;
    (book.condition_digests.get(tag.index())? == conditions).then(|| book.reachers(tag).cloned())?
}

fn bind(rule: policy::Rule, number: &mut impl FnMut(&String) -> TagId) -> CompiledRule {
    CompiledRule {
        id: rule.id,
        name: rule.name,
        description: rule.description,
        condition: rule.condition.map(number),
        outcome: rule.outcome.map(number),
        between: rule.between.map(|between| between.map(number)),
        source: rule.wording,
    }
}
