//! The rules of a view, with the set of users that each tag can be reached by.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use uuid::Uuid;

use super::{declarations::Declarations, digest};
use crate::{
    facts::{self, Record, RecordChange, RecordKey},
    policy,
    request::{Outcome, RuleSource, Windows},
    snapshot::{
        CompiledRule, CompiledRuleSet, Population, RuleBook, RuleNumber, RuleTarget, RuleTargets,
        TagId, Tags, UserSet, View,
    },
};

/// Compiles the section `rules` to a rule book with the reachers of each tag.
///
/// The reachers of a tag are taken from `previous` if it has the same population and the rules
/// that name the tag have the same conditions there.
pub(super) fn compile(
    rules: Vec<policy::Rule>,
    users: &mut RuleUsers<'_>,
    previous: Option<&View>,
) -> RuleBook {
    let known = |view| View::rules_of(view, None);
    compile_book(rules, users, previous, known)
}

/// What the conditions of rules select users by.
pub(super) struct RuleUsers<'u> {
    pub(super) tags: &'u mut Tags,
    pub(super) population: &'u Population,
    pub(super) windows: &'u Windows,
}

/// Compiles the rule sets besides the section `rules`, as [`compile`] does it.
pub(super) fn compile_sets(
    sets: Vec<policy::RuleSet>,
    users: &mut RuleUsers<'_>,
    previous: Option<&View>,
) -> Arc<[CompiledRuleSet]> {
    let compiled = sets.into_iter().map(|set| {
        let known = |view| View::rules_of(view, Some(&set.name));
        let book = Arc::new(compile_book(set.rules, users, previous, known));
        CompiledRuleSet { name: set.name.clone(), asked: set.asked, actions: set.actions, book }
    });
    compiled.collect()
}

fn compile_book<'v>(
    mut rules: Vec<policy::Rule>,
    users: &mut RuleUsers<'_>,
    previous: Option<&'v View>,
    known: impl FnOnce(&'v View) -> Option<&'v RuleBook>,
) -> RuleBook {
    let RuleUsers { tags, population, windows } = users;
    // A rule of the API that names a window which is gone allows nothing.
    rules.retain_mut(|rule| resolve_windows(rule, windows));
    let texts: Vec<String> = if windows.is_empty() {
        rules.iter().map(|rule| rule.condition.to_string()).collect()
    } else {
        rules.iter().map(|rule| rule.condition.without_windows().to_string()).collect()
    };
    let mut number = |name: &String| tags.intern(name);
    let rules: Vec<Arc<CompiledRule>> =
        rules.into_iter().map(|rule| Arc::new(bind(rule, &mut number))).collect();
    let previous = previous.filter(|view| view.population.has_same_identity(population));
    let known = previous.and_then(|view| Some((known(view)?, &*view.tags)));
    build_rule_book(rules, &texts, tags, population, known, None)
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
        let new =
            new.and_then(|mut rule| resolve_windows(&mut rule, &view.windows).then_some(rule));
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
        let texts = rules
            .clone()
            .map(|rule| rule.condition.without_windows().map(&mut |tag| name(tag)).to_string());
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
    known_targets: Option<&RuleTargets>,
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
    let known_targets = known_targets.into_iter().flat_map(|targets| &targets.all);
    let known_targets: HashMap<*const CompiledRule, &RuleTarget> = known_targets
        .filter_map(|target| Some((Arc::as_ptr(target.rules.first()?), target)))
        .collect();
    let targets = RuleTargets::of(&rules, |rules| {
        let known = rules.first().and_then(|rule| known_targets.get(&Arc::as_ptr(rule)));
        if let Some(known) = known.filter(|known| are_same(&known.rules, rules)) {
            return known.reachers.clone();
        }
        let sets: Vec<_> =
            rules.iter().map(|rule| population.users_meeting(&rule.condition)).collect();
        UserSet::union(sets.iter().map(|users| &**users)).packed(count)
    });
    RuleBook::new(rules, naming, reachers, conditions, targets)
}

/// Whether both lists hold the very same rules.
fn are_same(one: &[Arc<CompiledRule>], other: &[Arc<CompiledRule>]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| Arc::ptr_eq(one, other))
}

/// Sets each window that a rule names; whether there are all of them.
fn resolve_windows(rule: &mut policy::Rule, windows: &Windows) -> bool {
    windows.resolve(&mut rule.condition)
        & windows.resolve(&mut rule.outcome)
        & windows.resolve(&mut rule.between)
}

/// The rules of a book once windows opened or closed; `None` if they are the same. The population is the same.
///
/// Costs a look at each rule, and set algebra for the conditions that are others at the moment of the windows.
pub(super) fn with_windows(
    book: &RuleBook,
    tags: &Tags,
    population: &Population,
    windows: &Windows,
) -> Option<RuleBook> {
    if !book.rules.iter().any(|rule| rule.differs_in(windows)) {
        return None;
    }
    let rules: Vec<Arc<CompiledRule>> = book
        .rules
        .iter()
        .map(|rule| {
            if !rule.differs_in(windows) {
                return Arc::clone(rule);
            }
            let mut rule = CompiledRule::clone(rule);
            windows.resolve(&mut rule);
            Arc::new(rule)
        })
        .collect();
    let name = |tag: &TagId| tags.name(*tag);
    let texts = rules
        .iter()
        .map(|rule| rule.condition.without_windows().map(&mut |tag| name(tag)).to_string());
    let texts: Vec<String> = texts.collect();
    Some(build_rule_book(rules, &texts, tags, population, Some((book, tags)), Some(&book.targets)))
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
