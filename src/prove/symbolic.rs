//! Whether an invariant holds of all users that there may be: of users with any tags, without a
//! record of their own and with nothing between them, so that every conversation is new.
//!
//! What one of two users must meet and what the other must meet are told by the tags of each alone,
//! and what joins them is a tag: so no diagram is of both, and each stays about as small as the
//! conditions that it is of.

use crate::{
    decide::{PairEvaluator, UserCondition},
    policy::Demand,
    request::Condition,
    snapshot::{CompiledRule, RuleBook, TagId},
};

use super::diagram::{Budget, BudgetExceededError, Diagram, Diagrams};

/// Users who would break an invariant.
#[derive(Clone, Debug)]
pub(super) struct Counterexample<'v> {
    /// The tags of the subject.
    pub subject: Vec<TagId>,
    /// The tags of the other; `None` where there is no one whom the subject could reach.
    pub other: Option<Vec<TagId>>,
    /// The rule that lets the one reach the other.
    pub rule: Option<&'v CompiledRule>,
}

/// A counterexample to an invariant; `None` if it holds of all possible users.
///
/// # Errors
/// If telling takes more work than is allowed.
pub(super) fn check<'v>(
    judge: &PairEvaluator<'v>,
    demand: Demand,
    from: &Condition<TagId>,
    to: &Condition<TagId>,
    effort: &mut Budget,
) -> Result<Option<Counterexample<'v>>, BudgetExceededError> {
    let one_sided = judge.one_sided();
    let mut diagrams = Diagrams::default();
    let mut case = effort.run(&mut diagrams, |diagrams| {
        let from = diagrams.condition(from)?;
        let to = diagrams.condition(to)?;
        let able = conjoin(diagrams, from, one_sided.unrelated_subjects())?;
        let open = conjoin(diagrams, to, one_sided.unrelated_others())?;
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
        Demand::Never => case.check_never(effort),
        Demand::Always => case.check_always(effort),
        Demand::Every => case.check_every(effort),
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
    /// Of `from`, those who may do it to someone as far as they alone matter.
    able: Diagram,
    /// Of `to`, those to whom someone may do it.
    open: Diagram,
    rules: Option<&'v RuleBook>,
}

/// How many ways to meet a condition are looked at one by one.
const MAX_PATHS: usize = 1_000;

type CounterexampleResult<'v> = Result<Option<Counterexample<'v>>, BudgetExceededError>;

impl<'v> SymbolicCheck<'v> {
    fn check_never(&mut self, effort: &mut Budget) -> CounterexampleResult<'v> {
        let Some(book) = self.rules else {
            return Ok(self.counterexample(self.able, self.open, None));
        };
        let reached = self.reached_by_tag(book, effort)?;
        for rule in book.rules.iter() {
            let Some(&(_, others)) = rule.outcome.iter().find_map(|tag| lookup(&reached, *tag))
            else {
                continue;
            };
            let able = self.able;
            let subjects = effort.run(&mut self.diagrams, |diagrams| {
                let condition = diagrams.condition(&rule.condition)?;
                diagrams.and(able, condition)
            })?;
            if let Some(found) = self.counterexample(subjects, others, Some(rule)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn check_always(&mut self, effort: &mut Budget) -> CounterexampleResult<'v> {
        let (from, to, able, open) = (self.from, self.to, self.able, self.open);
        let (unable, shut) = effort.run(&mut self.diagrams, |diagrams| {
            let (unable, shut) = (diagrams.not(able)?, diagrams.not(open)?);
            Ok((diagrams.and(from, unable)?, diagrams.and(to, shut)?))
        })?;
        let alone =
            self.counterexample(unable, to, None).or_else(|| self.counterexample(from, shut, None));
        let (None, Some(book)) = (&alone, self.rules) else { return Ok(alone) };
        // The fewer tags the other has, the fewer let him be reached: so of all that meet the
        // condition, those with the tags that it asks for and no others are the hardest to reach.
        for other in self.diagrams.paths(open, MAX_PATHS)? {
            let rules = book.rules_naming_any(other.iter().copied());
            let left = effort.run(&mut self.diagrams, |diagrams| {
                meeting_no_rule(diagrams, able, rules.iter().map(|(_, rule)| *rule))
            })?;
            if let Some(subject) = self.diagrams.example(left) {
                return Ok(Some(Counterexample { subject, other: Some(other), rule: None }));
            }
        }
        Ok(None)
    }

    fn check_every(&mut self, effort: &mut Budget) -> CounterexampleResult<'v> {
        let (from, able) = (self.from, self.able);
        let unable = effort.run(&mut self.diagrams, |diagrams| {
            let unable = diagrams.not(able)?;
            diagrams.and(from, unable)
        })?;
        let lost = |diagrams: &Diagrams, diagram| {
            let subject = diagrams.example(diagram)?;
            Some(Counterexample { subject, other: None, rule: None })
        };
        if let Some(found) = lost(&self.diagrams, unable) {
            return Ok(Some(found));
        }
        let left = match self.rules {
            None if self.open == Diagram::NEVER => able,
            None => Diagram::NEVER,
            Some(book) => {
                let reached = self.reached_by_tag(book, effort)?;
                let reaching =
                    book.rules.iter().map(|rule| &**rule).filter(|rule| {
                        rule.outcome.iter().any(|tag| lookup(&reached, *tag).is_some())
                    });
                effort
                    .run(&mut self.diagrams, |diagrams| meeting_no_rule(diagrams, able, reaching))?
            }
        };
        Ok(lost(&self.diagrams, left))
    }

    /// For each tag that rules let someone reach, those of `open` who have it, if there can be any;
    /// in the order of the tags.
    fn reached_by_tag(
        &mut self,
        book: &RuleBook,
        effort: &mut Budget,
    ) -> Result<Vec<(TagId, Diagram)>, BudgetExceededError> {
        let mut tags: Vec<TagId> = book.rules.iter().flat_map(|it| &it.outcome).copied().collect();
        tags.sort_unstable();
        tags.dedup();
        let mut reached = Vec::new();
        for tag in tags {
            let open = self.open;
            let having = effort.run(&mut self.diagrams, |diagrams| {
                let tag = diagrams.tag(tag)?;
                diagrams.and(open, tag)
            })?;
            if having != Diagram::NEVER {
                reached.push((tag, having));
            }
        }
        Ok(reached)
    }

    /// One who meets the one, and one who meets the other, if there are any.
    fn counterexample(
        &self,
        subject: Diagram,
        other: Diagram,
        rule: Option<&'v CompiledRule>,
    ) -> Option<Counterexample<'v>> {
        let subject = self.diagrams.example(subject)?;
        let other = self.diagrams.example(other)?;
        Some(Counterexample { subject, other: Some(other), rule })
    }
}

/// Of some users, those who meet the condition of none of the rules.
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
