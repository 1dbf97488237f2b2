//! Invariants over all possible users: users with any tags and without a record, in a conversation that
//! is new unless the invariant says that it exists.
//! Relations between them are free for `never`, and absent for the other demands.
//!
//! The conditions on each of two users depend on that user's tags alone, and the two are joined by a tag
//! of an outcome. So no diagram covers both users, and each stays about as small as its conditions.

use crate::{
    decide::{PairEvaluator, UserCondition},
    policy::Demand,
    request::Condition,
    snapshot::{CompiledRule, RuleBook, TagId, View},
};

use super::{
    diagram::{Budget, BudgetExceededError, Diagram, Diagrams},
    finding::Counterexample,
    pairwise,
};

/// A counterexample to an invariant; `None` if it holds for all possible users. `are_joined` is whether something
/// besides their ties, such as a window, holds for both users at once.
///
/// # Errors
/// Fails if the answer takes more work than the budget allows.
pub(super) fn check<'v>(
    view: &View,
    evaluator: &PairEvaluator<'v>,
    demand: Demand,
    (from, to): (&Condition<TagId>, &Condition<TagId>),
    are_joined: bool,
    budget: &mut Budget,
) -> Result<Option<Counterexample<'v>>, BudgetExceededError> {
    let one_sided = evaluator.one_sided();
    if are_joined || one_sided.is_pairwise() {
        return pairwise::check(view, evaluator, &one_sided, demand, from, to, budget);
    }
    let mut diagrams = Diagrams::default();
    let mut case = budget.run(&mut diagrams, |diagrams| {
        let from = diagrams.condition(from)?;
        let to = diagrams.condition(to)?;
        // For `never`, relations are free, so that one can stand in for what unrelated users must meet.
        let (able, open) = if demand == Demand::Never {
            let able = conjoin(diagrams, from, one_sided.related_subjects())?;
            (able, conjoin(diagrams, to, one_sided.related_others())?)
        } else {
            let able = conjoin(diagrams, from, one_sided.unrelated_subjects())?;
            (able, conjoin(diagrams, to, one_sided.unrelated_others())?)
        };
        Ok(SymbolicCheck {
            from,
            to,
            able,
            open,
            rules: one_sided.rules,
            diagrams: Diagrams::default(),
        })
    })?;
    case.diagrams = diagrams;
    match demand {
        Demand::Never => case.check_never(budget),
        Demand::Always => case.check_always(budget),
        Demand::Every => case.check_every(budget),
    }
}

fn conjoin<'c, 'v: 'c>(
    diagrams: &mut Diagrams,
    start: Diagram,
    conditions: impl Iterator<Item = &'c UserCondition<'v>>,
) -> Result<Diagram, BudgetExceededError> {
    conditions.into_iter().try_fold(start, |all, condition| {
        let toggle = diagrams.toggle(&condition.tags)?;
        diagrams.and(all, toggle)
    })
}

struct SymbolicCheck<'v> {
    diagrams: Diagrams,
    from: Diagram,
    to: Diagram,
    /// The users of `from` who meet the conditions on subjects.
    able: Diagram,
    /// The users of `to` who meet the conditions on others.
    open: Diagram,
    rules: Option<&'v RuleBook>,
}

/// The number of paths of a condition that are tried one by one, at most.
const MAX_PATHS: usize = 1_000;

type CounterexampleResult<'v> = Result<Option<Counterexample<'v>>, BudgetExceededError>;

impl<'v> SymbolicCheck<'v> {
    fn check_never(&mut self, budget: &mut Budget) -> CounterexampleResult<'v> {
        let Some(book) = self.rules else {
            return Ok(self.counterexample(self.able, self.open, None));
        };
        let reached = self.reached_by_tag(book, budget)?;
        for rule in book.rules.iter() {
            let Some(&(_, others)) =
                rule.listed_tags().iter().find_map(|tag| lookup(&reached, *tag))
            else {
                continue;
            };
            let able = self.able;
            let subjects = budget.run(&mut self.diagrams, |diagrams| {
                let condition = diagrams.condition(&rule.condition)?;
                diagrams.and(able, condition)
            })?;
            if let Some(found) = self.counterexample(subjects, others, Some(rule)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn check_always(&mut self, budget: &mut Budget) -> CounterexampleResult<'v> {
        let (from, to, able, open) = (self.from, self.to, self.able, self.open);
        let (unable, shut) = budget.run(&mut self.diagrams, |diagrams| {
            let (unable, shut) = (diagrams.not(able)?, diagrams.not(open)?);
            Ok((diagrams.and(from, unable)?, diagrams.and(to, shut)?))
        })?;
        let alone =
            self.counterexample(unable, to, None).or_else(|| self.counterexample(from, shut, None));
        let (None, Some(book)) = (&alone, self.rules) else { return Ok(alone) };
        // The fewer tags the other user has, the fewer rules reach them: so of all users who meet the
        // condition, those with the tags that it requires and no others are the hardest to reach.
        for other in self.diagrams.paths(open, MAX_PATHS)? {
            let rules = book.rules_naming_any(other.iter().copied());
            let left = budget.run(&mut self.diagrams, |diagrams| {
                meeting_no_rule(diagrams, able, rules.iter().map(|(_, rule)| *rule))
            })?;
            if let Some(subject) = self.diagrams.example(left) {
                return Ok(Some(Counterexample {
                    subject,
                    other: Some(other),
                    rule: None,
                    between: Vec::new(),
                    windows: Vec::new(),
                }));
            }
        }
        Ok(None)
    }

    fn check_every(&mut self, budget: &mut Budget) -> CounterexampleResult<'v> {
        let (from, able) = (self.from, self.able);
        let unable = budget.run(&mut self.diagrams, |diagrams| {
            let unable = diagrams.not(able)?;
            diagrams.and(from, unable)
        })?;
        let lost = |diagrams: &Diagrams, diagram| {
            let subject = diagrams.example(diagram)?;
            Some(Counterexample {
                subject,
                other: None,
                rule: None,
                between: Vec::new(),
                windows: Vec::new(),
            })
        };
        if let Some(found) = lost(&self.diagrams, unable) {
            return Ok(Some(found));
        }
        let left = match self.rules {
            None if self.open == Diagram::NEVER => able,
            None => Diagram::NEVER,
            Some(book) => {
                let reached = self.reached_by_tag(book, budget)?;
                let reaching = book.rules.iter().map(|rule| &**rule).filter(|rule| {
                    rule.listed_tags().iter().any(|tag| lookup(&reached, *tag).is_some())
                });
                budget
                    .run(&mut self.diagrams, |diagrams| meeting_no_rule(diagrams, able, reaching))?
            }
        };
        Ok(lost(&self.diagrams, left))
    }

    /// For each tag in an outcome of a rule the users of `open` who have it, if there can be any; in the
    /// order of the tags.
    fn reached_by_tag(
        &mut self,
        book: &RuleBook,
        budget: &mut Budget,
    ) -> Result<Vec<(TagId, Diagram)>, BudgetExceededError> {
        let mut tags: Vec<TagId> =
            book.rules.iter().flat_map(|it| it.listed_tags()).copied().collect();
        tags.sort_unstable();
        tags.dedup();
        let mut reached = Vec::new();
        for tag in tags {
            let open = self.open;
            let having = budget.run(&mut self.diagrams, |diagrams| {
                let tag = diagrams.tag(tag)?;
                diagrams.and(open, tag)
            })?;
            if having != Diagram::NEVER {
                reached.push((tag, having));
            }
        }
        Ok(reached)
    }

    /// A counterexample of a user of each diagram, if both can have one.
    fn counterexample(
        &self,
        subject: Diagram,
        other: Diagram,
        rule: Option<&'v CompiledRule>,
    ) -> Option<Counterexample<'v>> {
        let subject = self.diagrams.example(subject)?;
        let other = self.diagrams.example(other)?;
        Some(Counterexample {
            subject,
            other: Some(other),
            rule,
            between: Vec::new(),
            windows: Vec::new(),
        })
    }
}

/// The users of a diagram who meet the condition of no rule.
fn meeting_no_rule<'r>(
    diagrams: &mut Diagrams,
    start: Diagram,
    rules: impl Iterator<Item = &'r CompiledRule>,
) -> Result<Diagram, BudgetExceededError> {
    let mut left = start;
    for rule in rules {
        if left == Diagram::NEVER {
            break;
        }
        let condition = diagrams.condition(&rule.condition)?;
        let refused = diagrams.not(condition)?;
        left = diagrams.and(left, refused)?;
    }
    Ok(left)
}

fn lookup(reached: &[(TagId, Diagram)], tag: TagId) -> Option<&(TagId, Diagram)> {
    let at = reached.binary_search_by_key(&tag, |&(known, _)| known).ok()?;
    reached.get(at)
}
