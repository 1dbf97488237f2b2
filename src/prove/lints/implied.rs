//! Rules that allow nothing that another rule does not allow.
//!
//! Most pairs are told apart without a diagram: a rule can imply another only if its outcome holds the
//! other's, and if it holds of the tag sets that were found for the other.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::{
    diagnostic::{Code, Diagnostic},
    request::Condition,
    snapshot::TagId,
};

use super::{Diagram, Example, Lints, Rule, State, TooHard};

pub(super) fn lint(lints: &mut Lints<'_, '_>) {
    let rules = std::mem::take(&mut lints.rules);
    let naming = naming(&rules);
    let first: Vec<Samples> =
        rules.chunks(Samples::RULES).take(KEPT).map(|chunk| Samples::of(chunk)).collect();
    let rows: Vec<Vec<u64>> = rules
        .iter()
        .map(|rule| first.iter().map(|samples| samples.holding(&rule.condition)).collect())
        .collect();
    for (at, rule) in rules.iter().enumerate().filter(|(_, rule)| is_decided(rule)) {
        let seen = |other: usize| {
            let (Some(one), Some(other)) = (rows.get(at), rows.get(other)) else { return false };
            one.iter().zip(other).all(|(one, other)| one & !other == 0)
        };
        // That of a rule whose samples are not asked of all.
        let own = (at >= KEPT * Samples::RULES).then(|| Samples::of(std::slice::from_ref(rule)));
        let holds = |other: usize| {
            let own = own.as_ref().zip(rules.get(other));
            own.is_none_or(|(own, wide)| {
                own.holding(&wide.condition) & Samples::FIRST == Samples::FIRST
            })
        };
        let wider = wider(&rules, &naming, at, seen).filter(|&other| holds(other));
        look(lints, &rules, at, rule, wider);
    }
    lints.rules = rules;
}

/// Of how many chunks of rules the samples are asked of all pairs; of the others, only of those pairs
/// that the samples are of.
const KEPT: usize = 64;

fn is_decided(rule: &Rule<'_, '_>) -> bool {
    matches!(rule.state, State::Always | State::Sometimes(_))
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

/// The rules that may imply one, by what is seen at a glance.
fn wider<'r>(
    rules: &'r [Rule<'_, '_>],
    naming: &'r HashMap<TagId, Vec<usize>>,
    at: usize,
    holds: impl Fn(usize) -> bool + 'r,
) -> impl Iterator<Item = usize> + 'r {
    let outcome = rules.get(at).map(|rule| rule.outcome.as_slice()).unwrap_or_default();
    let rarest = outcome.iter().filter_map(|tag| naming.get(tag)).min_by_key(|it| it.len());
    let covers = move |wide: &Rule<'_, '_>| {
        is_decided(wide) && outcome.iter().all(|tag| wide.outcome.binary_search(tag).is_ok())
    };
    rarest
        .into_iter()
        .flatten()
        .copied()
        .filter(move |&other| holds(other) && other != at && rules.get(other).is_some_and(covers))
}

/// Tells if one of the others implies a rule.
fn look(
    lints: &mut Lints<'_, '_>,
    rules: &[Rule<'_, '_>],
    at: usize,
    rule: &Rule<'_, '_>,
    wider: impl Iterator<Item = usize>,
) {
    let mut is_too_hard = false;
    for other in wider {
        let Some(wide) = rules.get(other) else { continue };
        let implied = match implies(lints, &rule.condition, &wide.condition) {
            // Of two that say the same, the later is the one too many.
            Ok(true) if other > at && wide.outcome == rule.outcome => {
                implies(lints, &wide.condition, &rule.condition).map(|same| !same)
            }
            other => other,
        };
        match implied {
            Ok(true) => {
                let message = format!("{} allows nothing that another does not", rule.name());
                let problem = Diagnostic::warning(Code::ImpliedRule, rule.written.span, message)
                    .label("whoever meets its condition meets that of the other")
                    .also(wide.written.span, "this allows all of it and may allow more")
                    .hint("remove the rule, or make the other narrower");
                lints.warn(rule.written.span, problem);
                return;
            }
            Ok(false) => {}
            Err(TooHard) => is_too_hard = true,
        }
        if is_too_hard && lints.effort.total == 0 {
            break;
        }
    }
    if is_too_hard {
        let span = rule.written.span;
        lints.not_decided(span, span, "whether another rule implies this one");
    }
}

fn implies(
    lints: &mut Lints<'_, '_>,
    one: &Condition<TagId>,
    other: &Condition<TagId>,
) -> Result<bool, TooHard> {
    if one == other {
        return Ok(true);
    }
    lints.ask(|diagrams| {
        let (one, other) = (diagrams.condition(one)?, diagrams.condition(other)?);
        Ok(diagrams.minus(one, other)? == Diagram::NEVER)
    })
}

/// Tag sets that meet the conditions of a few rules, turned about: for each tag, those that have it,
/// a bit for each.
struct Samples {
    /// Of the tags that the conditions name.
    having: HashMap<TagId, u64, RandomState>,
}

impl Samples {
    /// Of how many rules.
    const RULES: usize = 16;

    /// The bits of the first rule: four for each.
    const FIRST: u64 = 0b1111;

    /// The bits of tags that no condition names.
    const ADDED: u64 = 0xaaaa_aaaa_aaaa_aaaa;

    /// For each rule, two tag sets that meet its condition, with as few tags as they can be found with
    /// and with as many; each as it is, and with all others added that the condition does not name.
    fn of(rules: &[Rule<'_, '_>]) -> Self {
        let mut having: HashMap<TagId, u64, RandomState> = HashMap::default();
        for (place, rule) in rules.iter().enumerate() {
            let State::Sometimes(Example { few, many }) = &rule.state else { continue };
            let place = 4 * place;
            rule.condition.each_tag(&mut |tag| {
                *having.entry(*tag).or_insert(Self::ADDED) &= !(Self::FIRST << place);
            });
            for (tags, both) in [(few, 0b0011), (many, 0b1100)] {
                for tag in tags {
                    *having.entry(*tag).or_insert(Self::ADDED) |= both << place;
                }
            }
        }
        Self { having }
    }

    /// For which of the tag sets a condition holds.
    fn holding(&self, condition: &Condition<TagId>) -> u64 {
        match condition {
            Condition::HasTag(tag) => self.having.get(tag).copied().unwrap_or(Self::ADDED),
            Condition::Not(inner) => !self.holding(inner),
            Condition::All(parts) => parts.iter().fold(u64::MAX, |all, it| all & self.holding(it)),
            Condition::Any(parts) => parts.iter().fold(0, |any, it| any | self.holding(it)),
        }
    }
}
