use crate::{
    policy,
    snapshot::{Population, Rule, RuleBook, RuleNumber, TagId, Tags, UserSet, View},
};

use super::digest;

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
        .map(|((_, name), (rules, conditions))| match previous {
            _ if rules.is_empty() => Some(UserSet::default()),
            Some(previous) => shared(previous, population, name, conditions),
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

/// The reachers of a tag as the previous view holds them, if they are the same here.
fn shared(
    previous: &View,
    population: &Population,
    tag: &str,
    conditions: &[u8; 32],
) -> Option<UserSet> {
    if !previous.population.is_of_the_same(population) {
        return None;
    }
    let tag = previous.tags.get(tag)?;
    let book = previous.rules.as_ref()?;
    (book.conditions.get(tag.index())? == conditions).then(|| book.reachers(tag).cloned())?
}

fn bind(rule: policy::Rule, tags: &Tags) -> Rule {
    // Every tag that a rule names was numbered; a number that no one has stands for no user.
    let mut number = |name: &String| tags.get(name).unwrap_or(TagId(u32::MAX));
    Rule {
        id: rule.id,
        name: rule.name,
        description: rule.description,
        condition: rule.condition.map(&mut number),
        outcome: rule.outcome.iter().map(number).collect(),
    }
}
