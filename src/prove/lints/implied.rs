//! Lints about rules that allow nothing that another rule does not allow.
//!
//! Most pairs are excluded without a diagram: a rule can be implied by another only if the other's
//! outcome includes its own, and if the other's condition holds for tag sets that meet its own.

use std::{
    cell::{Cell, OnceCell},
    collections::HashMap,
};

use crate::{
    diagnostic::{Code, Diagnostic},
    request::Condition,
    snapshot::TagId,
};

use super::{BudgetExceededError, ConditionExamples, Diagram, LintedRule, Linter, Satisfiability};

pub(super) fn lint(linter: &mut Linter<'_, '_>) {
    let rules = std::mem::take(&mut linter.rules);
    let naming = rules_by_tag(&rules);
    let tags = linter.view.tags.len();
    let mut parts = 1;
    rules.iter().for_each(|rule| rule.condition.for_each_tag(&mut |_| parts += 1));
    let kept = (SAMPLE_PARTS / parts).clamp(1, 64);
    let columns_left = Cell::new(EXTRA_SAMPLE_PARTS / parts);
    let first: Vec<Samples> = rules
        .chunks(Samples::RULES)
        .take(kept)
        .map(|chunk| Samples::from_rules(chunk, tags))
        .collect();
    let rows: Vec<Vec<u64>> = rules
        .iter()
        .map(|rule| first.iter().map(|samples| samples.holding(&rule.condition)).collect())
        .collect();
    for (number, chunk) in rules.chunks(Samples::RULES).enumerate() {
        let from = number * Samples::RULES;
        let passed = Cell::new(0_usize);
        let column: OnceCell<Vec<u64>> = OnceCell::new();
        let is_worth_it =
            || number >= kept && passed.replace(passed.get() + 1) == EXTRA_SAMPLE_PAIRS;
        for (place, rule) in chunk.iter().enumerate().filter(|(_, rule)| is_decided(rule)) {
            let at = from + place;
            // Of the samples of a rule that names windows, some need not meet its condition.
            let holds = |bits: &Vec<u64>, other: usize| {
                let own = bits.get(at).copied().unwrap_or_default() & Samples::mask(place);
                bits.get(other).is_some_and(|bits| own & !bits == 0)
            };
            let seen = |other: usize| {
                if column.get().is_some_and(|bits| !holds(bits, other)) {
                    return false;
                }
                let rows = rows.get(at).zip(rows.get(other));
                if !rows.is_some_and(|(one, other)| is_subset(one, other)) {
                    return false;
                }
                if is_worth_it() && columns_left.get() > 0 {
                    columns_left.set(columns_left.get() - 1);
                    let samples = Samples::from_rules(chunk, tags);
                    let columns = rules.iter().map(|rule| samples.holding(&rule.condition));
                    return holds(column.get_or_init(|| columns.collect()), other);
                }
                true
            };
            report_if_implied(
                linter,
                &rules,
                at,
                rule,
                implying_candidates(&rules, &naming, at, seen),
            );
        }
    }
    linter.rules = rules;
}

/// The number of parts of conditions that may be evaluated for the samples that exclude pairs first.
const SAMPLE_PARTS: usize = 10_000_000;

/// The number of parts of conditions that may be evaluated for further samples, where the first ones
/// leave many pairs of a few rules.
const EXTRA_SAMPLE_PARTS: usize = 80_000_000;

/// The number of pairs left from which on further samples are worth their cost.
const EXTRA_SAMPLE_PAIRS: usize = 100;

fn is_subset(one: &[u64], other: &[u64]) -> bool {
    one.iter().zip(other).all(|(one, other)| one & !other == 0)
}

fn is_decided(rule: &LintedRule<'_, '_>) -> bool {
    matches!(rule.satisfiability, Satisfiability::Always | Satisfiability::Sometimes(_))
}

/// The positions of the rules that name each tag in their outcome.
fn rules_by_tag(rules: &[LintedRule<'_, '_>]) -> HashMap<TagId, Vec<usize>> {
    let mut naming: HashMap<TagId, Vec<usize>> = HashMap::new();
    for (at, rule) in rules.iter().enumerate() {
        for &tag in &rule.outcome {
            naming.entry(tag).or_default().push(at);
        }
    }
    naming
}

/// The positions of the rules that name the rarest tag of a rule's outcome.
fn rarest<'n>(
    rules: &[LintedRule<'_, '_>],
    naming: &'n HashMap<TagId, Vec<usize>>,
    at: usize,
) -> &'n [usize] {
    let outcome = rules.get(at).map(|rule| rule.outcome.as_slice()).unwrap_or_default();
    let lists = outcome.iter().filter_map(|tag| naming.get(tag));
    lists.min_by_key(|list| list.len()).map(Vec::as_slice).unwrap_or_default()
}

/// The positions of the rules that may imply a rule, by their outcomes and by samples.
fn implying_candidates<'r>(
    rules: &'r [LintedRule<'_, '_>],
    naming: &'r HashMap<TagId, Vec<usize>>,
    at: usize,
    holds: impl Fn(usize) -> bool + 'r,
) -> impl Iterator<Item = usize> + 'r {
    let outcome = rules.get(at).map(|rule| rule.outcome.as_slice()).unwrap_or_default();
    let covers = move |wide: &LintedRule<'_, '_>| {
        let rule = rules.get(at);
        rule.is_some_and(|rule| rule.set == wide.set)
            && is_decided(wide)
            && outcome.iter().all(|tag| wide.outcome.binary_search(tag).is_ok())
    };
    rarest(rules, naming, at)
        .iter()
        .copied()
        .filter(move |&other| other != at && holds(other) && rules.get(other).is_some_and(covers))
}

/// Reports a rule that one of the candidates implies.
fn report_if_implied(
    linter: &mut Linter<'_, '_>,
    rules: &[LintedRule<'_, '_>],
    at: usize,
    rule: &LintedRule<'_, '_>,
    wider: impl Iterator<Item = usize>,
) {
    let mut is_too_hard = false;
    for other in wider {
        let Some(wide) = rules.get(other) else { continue };
        let implied = match implies(linter, &rule.condition, &wide.condition) {
            // Of two equivalent rules, the later one is superfluous.
            Ok(true) if other > at && wide.outcome == rule.outcome => {
                implies(linter, &wide.condition, &rule.condition).map(|same| !same)
            }
            other => other,
        };
        match implied {
            Ok(true) => {
                let message = format!("{} is implied by another rule", rule.name());
                let problem = Diagnostic::warning(Code::ImpliedRule, rule.ast.span, message)
                    .label("every user who meets this condition meets that of the other rule")
                    .related(wide.ast.span, "this rule allows at least as much")
                    .hint("remove the rule, or narrow the other");
                linter.warn(rule.ast.span, problem);
                return;
            }
            Ok(false) => {}
            Err(BudgetExceededError) => is_too_hard = true,
        }
        if is_too_hard && linter.budget.total == 0 {
            break;
        }
    }
    if is_too_hard {
        let span = rule.ast.span;
        linter.report_undecided(span, span, "whether another rule implies this one");
    }
}

fn implies(
    linter: &mut Linter<'_, '_>,
    one: &Condition<TagId>,
    other: &Condition<TagId>,
) -> Result<bool, BudgetExceededError> {
    if one == other {
        return Ok(true);
    }
    linter.query(|diagrams| {
        let (one, other) = (diagrams.condition(one)?, diagrams.condition(other)?);
        Ok(diagrams.difference(one, other)? == Diagram::NEVER)
    })
}

/// Tag sets that meet the conditions of a few rules, transposed: for each tag a bit for each set that has
/// it.
struct Samples {
    /// By the number of the tag.
    having: Vec<u64>,
}

impl Samples {
    /// The number of rules.
    const RULES: usize = 16;

    /// The four bits of one rule.
    fn mask(place: usize) -> u64 {
        0b1111 << (4 * place)
    }

    /// Four samples for each rule: a small and a large tag set that meet its condition, each as it is
    /// and with all tags added that the condition does not name. Costs a look at each tag, and at each
    /// part of the conditions.
    fn from_rules(rules: &[LintedRule<'_, '_>], tags: usize) -> Self {
        const ADDED: u64 = 0xaaaa_aaaa_aaaa_aaaa;
        let mut having = vec![ADDED; tags];
        let mut change = |tag: &TagId, change: &dyn Fn(u64) -> u64| {
            if let Some(bits) = having.get_mut(tag.index()) {
                *bits = change(*bits);
            }
        };
        for (place, rule) in rules.iter().enumerate() {
            let Satisfiability::Sometimes(ConditionExamples { few, many }) = &rule.satisfiability
            else {
                continue;
            };
            rule.condition.for_each_tag(&mut |tag| change(tag, &|bits| bits & !Self::mask(place)));
            for (tags, both) in [(few, 0b0011), (many, 0b1100)] {
                tags.iter().for_each(|tag| change(tag, &|bits| bits | both << (4 * place)));
            }
        }
        Self { having }
    }

    /// The samples in which a window is open: some, whatever its state at the moment of the view.
    fn open_windows(name: &str) -> u64 {
        let spread = name.bytes().fold(0_u32, |sum, byte| sum.rotate_left(3) ^ u32::from(byte));
        0x3333_cccc_3333_cccc_u64.rotate_left(spread % 64)
    }

    /// The samples for which a condition holds, as bits.
    fn holding(&self, condition: &Condition<TagId>) -> u64 {
        match condition {
            Condition::Everyone => u64::MAX,
            Condition::Nobody => 0,
            Condition::During(during) => Self::open_windows(&during.window),
            Condition::HasTag(tag) => self.having.get(tag.index()).copied().unwrap_or(0),
            Condition::Not(inner) => !self.holding(inner),
            Condition::All(parts) => parts.iter().fold(u64::MAX, |all, it| all & self.holding(it)),
            Condition::Any(parts) => parts.iter().fold(0, |any, it| any | self.holding(it)),
        }
    }
}
