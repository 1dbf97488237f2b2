//! Lints: warnings about statements that have no effect or are most likely mistakes.
//!
//! Each file is about one kind of statement. Lints about existing users run only where there are users.
//! Each lint can be suppressed: for one statement by a comment (`allow: CODE`, at the end of one of its
//! lines or in the lines right above), or for the whole policy by `lints: { allow: [CODE] }`.

mod bind;
mod conditions;
mod confusable;
mod declared;
mod groups;
mod implied;
mod ineffective;
mod matrices;
mod overridden;
mod pair_statements;
mod protected;
mod suppressions;
mod unused;

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    request::Condition,
    snapshot::{TagId, UserSet, View},
    source::{Sources, Span},
    syntax::ast::{self, Item},
};

use super::{Budget, BudgetExceededError, Diagram, Diagrams, windows::users_meeting_sometimes};
use suppressions::Suppressions;

/// A function that calls back with each record of a user.
pub type RecordVisitor<'w> = dyn Fn(&mut dyn FnMut(&ast::User<'_>)) + 'w;

/// Runs all lints on the statements of a policy and on the view that it compiled to without an error.
/// Warnings go to `problems`.
///
/// Costs set algebra and a small diagram for each condition, and a diagram for each pair of rules of
/// which one may imply the other; all within a fixed budget, past which it reports what it left
/// undecided.
///
/// Records need not be among the items; they are visited only if there is something to report about one.
pub fn lint(
    items: &[Item<'_>],
    sources: &Sources,
    records: &RecordVisitor<'_>,
    view: &View,
    problems: &mut Diagnostics,
) {
    let rules = items.iter().flat_map(|item| {
        let (set, rules) = match item {
            Item::Rule(rule) => (None, std::slice::from_ref(&**rule)),
            Item::RuleSet(set) => (Some(&*set.name.value), &set.rules[..]),
            _ => (None, &[][..]),
        };
        rules.iter().filter_map(move |rule| LintedRule::resolve(rule, set, view))
    });
    let mut linter = Linter {
        items,
        records,
        view,
        rules: rules.collect(),
        suppressions: Suppressions::collect(items, sources),
        budget: Budget::default(),
        diagrams: Diagrams::default(),
        is_undecided: false,
        is_budget_reported: false,
        problems,
    };
    conditions::lint(&mut linter);
    implied::lint(&mut linter);
    pair_statements::lint(&mut linter);
    declared::lint(&mut linter);
    matrices::lint(&mut linter);
    overridden::lint(&mut linter);
    protected::lint(&mut linter);
    unused::check_windows(&mut linter);
    if !view.population.directory.is_empty() {
        ineffective::lint(&mut linter);
        pair_statements::lint_users(&mut linter);
        groups::lint(&mut linter);
        unused::lint(&mut linter);
    }
    confusable::lint(&mut linter, sources);
    linter.report_unused();
}

struct Linter<'l, 's> {
    items: &'l [Item<'s>],
    records: &'l RecordVisitor<'l>,
    view: &'l View,
    /// The rules in the order in which they are read.
    rules: Vec<LintedRule<'l, 's>>,
    suppressions: Suppressions<'l>,
    budget: Budget,
    /// The diagrams of one question at a time.
    diagrams: Diagrams,
    /// Whether any question was left undecided.
    is_undecided: bool,
    /// Whether it was reported that the budget is exhausted.
    is_budget_reported: bool,
    problems: &'l mut Diagnostics,
}

/// A rule of the syntax tree with its meaning.
struct LintedRule<'l, 's> {
    ast: &'l ast::Rule<'s>,
    /// The rule set; `None` for the section `rules`.
    set: Option<&'l str>,
    condition: Condition<TagId>,
    /// The tags of the outcome, in order; empty where the rule does not only list tags.
    outcome: Vec<TagId>,
    /// The condition of the outcome, where it is no list of tags.
    reached: Option<Condition<TagId>>,
    /// The knowledge so far about the users who meet the condition.
    satisfiability: Satisfiability,
}

/// Whether a condition can be met.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Satisfiability {
    Never,
    Always,
    /// Met by users with these tags, and not by every user.
    Sometimes(ConditionExamples),
    NotDecided,
}

/// Tag sets that meet a condition, of the tags that it names.
#[derive(Clone, PartialEq, Eq, Debug)]
struct ConditionExamples {
    few: Vec<TagId>,
    many: Vec<TagId>,
}

impl<'l, 's> LintedRule<'l, 's> {
    fn resolve(written: &'l ast::Rule<'s>, set: Option<&'l str>, view: &View) -> Option<Self> {
        let condition = bind::condition(&written.condition, &view.tags)?;
        let names = written.outcome.iter().flat_map(ast::Outcome::tags);
        let mut outcome: Vec<TagId> = names.filter_map(|tag| view.tags.get(&tag.value)).collect();
        outcome.sort_unstable();
        outcome.dedup();
        let mut reached = match &written.outcome {
            Some(ast::Outcome::Tags(_)) => None,
            Some(ast::Outcome::Condition(expr)) => Some(bind::condition(expr, &view.tags)?),
            None => Some(Condition::Everyone),
        };
        if written.between.is_some() && reached.is_none() {
            let tags = outcome.drain(..).map(Condition::HasTag);
            reached = Some(Condition::Any(tags.collect()));
        }
        let satisfiability = Satisfiability::NotDecided;
        Some(Self { ast: written, set, condition, outcome, reached, satisfiability })
    }

    /// The existing users whom the outcome selects.
    fn reached_users(&self, view: &View) -> UserSet {
        let population = &view.population;
        match &self.reached {
            Some(condition) => users_meeting_sometimes(view, condition),
            None => UserSet::union(self.outcome.iter().filter_map(|tag| population.members(*tag))),
        }
    }

    fn name(&self) -> String {
        match &self.ast.name {
            Some(name) => format!("the rule `{}`", name.value.escape_debug()),
            None => "this rule".to_owned(),
        }
    }
}

impl Linter<'_, '_> {
    /// Reports a problem of the statement at a span, unless it is suppressed.
    fn warn(&mut self, statement: Span, diagnostic: Diagnostic) {
        if !self.suppressions.covers(diagnostic.code, statement, &diagnostic) {
            self.problems.push(diagnostic);
        }
    }

    /// Answers a question with empty diagrams, within the budget.
    fn query<T>(
        &mut self,
        question: impl FnOnce(&mut Diagrams) -> Result<T, BudgetExceededError>,
    ) -> Result<T, BudgetExceededError> {
        self.diagrams.clear();
        self.budget.run(&mut self.diagrams, question)
    }

    /// Whether a condition can be met by any tag set, or is met by all.
    fn satisfiability(&mut self, condition: &Condition<TagId>) -> Satisfiability {
        let found = self.query(|diagrams| diagrams.condition(condition));
        let diagrams = &self.diagrams;
        match found {
            Ok(Diagram::NEVER) => Satisfiability::Never,
            Ok(Diagram::ALWAYS) => Satisfiability::Always,
            Ok(diagram) => Satisfiability::Sometimes(ConditionExamples {
                few: diagrams.example(diagram).unwrap_or_default(),
                many: diagrams.large_example(diagram).unwrap_or_default(),
            }),
            Err(BudgetExceededError) => Satisfiability::NotDecided,
        }
    }

    fn report_undecided(&mut self, statement: Span, span: Span, what: &str) {
        self.is_undecided = true;
        let mut message = format!("not decided: {what} takes too long to compute");
        if self.budget.total == 0 {
            if self.is_budget_reported {
                return;
            }
            self.is_budget_reported = true;
            message.push_str(", and so does the check of what comes after it");
        }
        let problem = Diagnostic::warning(Code::NotDecided, span, message)
            .hint("simplify the condition, or split it");
        self.warn(statement, problem);
    }

    /// Reports suppressions without effect; none if something was left undecided, as it might have been
    /// what they suppress.
    fn report_unused(&mut self) {
        if self.is_undecided {
            return;
        }
        let has_users = !self.view.population.directory.is_empty();
        for problem in self.suppressions.unused_diagnostics(has_users) {
            let span = problem.primary.as_ref().map(|label| label.span);
            if let Some(span) = span {
                self.warn(span, problem);
            }
        }
    }
}
