//! Rules that allow nothing that another rule does not allow.
//!
//! Most pairs are told apart without a diagram: a rule can imply another only if its outcome holds the
//! other's, and if it holds of the tag sets that were found for each rule.

use std::collections::HashMap;

use crate::{
    diagnostic::{Code, Diagnostic},
    request::Condition,
    snapshot::TagId,
};

use super::{Diagram, Diagrams, Lints, Rule, State, TooHard};

pub(super) fn lint(lints: &mut Lints<'_, '_>) {
    let rules = std::mem::take(&mut lints.rules);
    let samples = Samples::of(&rules);
    let signatures: Vec<Vec<u64>> =
        rules.iter().map(|rule| samples.holding(&rule.condition)).collect();
    let naming = naming(&rules);
    for (at, rule) in rules.iter().enumerate() {
        if !matches!(rule.state, State::Always | State::Sometimes(_)) {
            continue;
        }
        let rarest =
            rule.outcome.iter().filter_map(|tag| naming.get(tag)).min_by_key(|it| it.len());
        for &wider_at in rarest.into_iter().flatten() {
            let Some(wider) = rules.get(wider_at).filter(|_| wider_at != at) else { continue };
            let may_imply = matches!(wider.state, State::Always | State::Sometimes(_))
                && covers(&wider.outcome, &rule.outcome)
                && is_within(signatures.get(at), signatures.get(wider_at));
            if !may_imply {
                continue;
            }
            // Of two that say the same, the later is the one too many.
            let is_same = || {
                wider.outcome == rule.outcome
                    && is_within(signatures.get(wider_at), signatures.get(at))
            };
            let is_implied = match implies(lints, &rule.condition, &wider.condition) {
                Ok(true) if wider_at > at && is_same() => {
                    implies(lints, &wider.condition, &rule.condition).map(|same| !same)
                }
                other => other,
            };
            match is_implied {
                Ok(true) => {
                    let message = format!("{} allows nothing that another does not", rule.name());
                    let problem =
                        Diagnostic::warning(Code::ImpliedRule, rule.written.span, message)
                            .label("whoever meets its condition meets that of the other")
                            .also(wider.written.span, "this allows all of it and may allow more")
                            .hint("remove the rule, or make the other narrower");
                    lints.warn(rule.written.span, problem);
                    break;
                }
                Ok(false) => {}
                Err(TooHard) => {
                    let span = rule.written.span;
                    lints.not_decided(span, span, "whether another rule implies this one");
                    break;
                }
            }
        }
    }
    lints.rules = rules;
}

/// The rules that name each tag, by their places.
fn naming(rules: &[Rule<'_, '_>]) -> HashMap<TagId, Vec<usize>> {
    let mut naming: HashMap<TagId, Vec<usize>> = HashMap::new();
    for (at, rule) in rules.iter().enumerate() {
        for &tag in &rule.outcome {
            naming.entry(tag).or_default().push(at);
        }
    }
    naming
}

fn covers(wide: &[TagId], narrow: &[TagId]) -> bool {
    narrow.iter().all(|tag| wide.binary_search(tag).is_ok())
}

fn is_within(one: Option<&Vec<u64>>, other: Option<&Vec<u64>>) -> bool {
    one.into_iter().flatten().zip(other.into_iter().flatten()).all(|(one, other)| one & !other == 0)
}

fn implies(
    lints: &mut Lints<'_, '_>,
    one: &Condition<TagId>,
    other: &Condition<TagId>,
) -> Result<bool, TooHard> {
    let mut diagrams = Diagrams::default();
    lints.effort.ask(&mut diagrams, |diagrams| {
        let (one, other) = (diagrams.condition(one)?, diagrams.condition(other)?);
        let not = diagrams.not(other)?;
        Ok(diagrams.and(one, not)? == Diagram::NEVER)
    })
}

/// Tag sets, turned about: for each tag, those that have it, a bit for each.
struct Samples {
    having: HashMap<TagId, Vec<u64>>,
    words: usize,
}

/// How many tag sets are kept, at most.
const MOST: usize = 4_096;

impl Samples {
    /// For each rule, a tag set that meets its condition: with as few tags as it can be found with,
    /// and with all others added that none of its conditions names.
    fn of(rules: &[Rule<'_, '_>]) -> Self {
        let examples: Vec<(&[TagId], &Condition<TagId>)> = rules
            .iter()
            .filter_map(|rule| match &rule.state {
                State::Sometimes(tags) => Some((tags.as_slice(), &rule.condition)),
                _ => None,
            })
            .take(MOST / 2)
            .collect();
        let words = (2 * examples.len()).div_ceil(64).max(1);
        let mut tags: Vec<TagId> = Vec::new();
        for rule in rules {
            rule.condition.each_tag(&mut |tag| tags.push(*tag));
        }
        tags.sort_unstable();
        tags.dedup();
        let mut having: HashMap<TagId, Vec<u64>> =
            tags.iter().map(|&tag| (tag, vec![0; words])).collect();
        let mut put = |tag: TagId, at: usize| {
            let word = having.get_mut(&tag).and_then(|bits| bits.get_mut(at / 64));
            if let Some(word) = word {
                *word |= 1 << (at % 64);
            }
        };
        for (at, (example, condition)) in examples.iter().enumerate() {
            example.iter().for_each(|&tag| put(tag, 2 * at));
            let mut named: Vec<TagId> = Vec::new();
            condition.each_tag(&mut |tag| named.push(*tag));
            let others = tags.iter().filter(|tag| !named.contains(tag) || example.contains(tag));
            others.for_each(|&tag| put(tag, 2 * at + 1));
        }
        Self { having, words }
    }

    /// For which of the tag sets a condition holds.
    fn holding(&self, condition: &Condition<TagId>) -> Vec<u64> {
        let fold = |parts: &[Condition<TagId>], start: u64, both: fn(u64, u64) -> u64| {
            parts.iter().fold(vec![start; self.words], |mut all, part| {
                let part = self.holding(part);
                all.iter_mut().zip(part).for_each(|(bits, more)| *bits = both(*bits, more));
                all
            })
        };
        match condition {
            Condition::HasTag(tag) => {
                self.having.get(tag).cloned().unwrap_or_else(|| vec![0; self.words])
            }
            Condition::Not(inner) => self.holding(inner).into_iter().map(|bits| !bits).collect(),
            Condition::All(parts) => fold(parts, u64::MAX, |one, other| one & other),
            Condition::Any(parts) => fold(parts, 0, |one, other| one | other),
        }
    }
}
