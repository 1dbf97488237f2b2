//! Lints: statements that have no effect, or that nobody can have meant.
//!
//! A file for what they are about. Those that are about the users there are run only where there are
//! users. Each can be silenced, for one statement by a comment (`allow: CODE`, at the end of a line of
//! it or in the lines right above), or for the whole policy by `lints: { allow: [CODE] }`.

mod bind;
mod conditions;
mod confusable;
mod implied;
mod ineffective;
mod matrices;
mod overridden;
mod protected;
mod suppressions;
mod unused;

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    request::Condition,
    snapshot::{TagId, View},
    source::{Sources, Span},
    syntax::ast::{self, Item},
};

use super::{Budget, BudgetExceededError, Diagram, Diagrams};
use suppressions::Suppressions;

/// Calls back with each record of a user.
pub type RecordVisitor<'w> = dyn Fn(&mut dyn FnMut(&ast::User<'_>)) + 'w;

/// Looks for all that there are lints for, in what was written and in the view that it compiled to
/// without an error. Warnings go to `problems`.
///
/// Costs set algebra and a small diagram for each condition, and a diagram for each pair of rules of
/// which one may imply the other; all within a fixed bound, past which it says what it left undecided.
///
/// Records need not be among the items; they are asked for only if there is something to be told of
/// one.
pub fn lint(
    items: &[Item<'_>],
    sources: &Sources,
    records: &RecordVisitor<'_>,
    view: &View,
    problems: &mut Diagnostics,
) {
    let rules = items.iter().filter_map(|item| match item {
        Item::Rule(rule) => LintedRule::resolve(rule, view),
        _ => None,
    });
    let mut lints = Linter {
        items,
        records,
        view,
        rules: rules.collect(),
        silence: Suppressions::collect(items, sources),
        effort: Budget::default(),
        diagrams: Diagrams::default(),
        is_undecided: false,
        is_budget_reported: false,
        problems,
    };
    conditions::lint(&mut lints);
    implied::lint(&mut lints);
    matrices::lint(&mut lints);
    overridden::lint(&mut lints);
    protected::lint(&mut lints);
    if !view.population.directory.is_empty() {
        ineffective::lint(&mut lints);
        unused::lint(&mut lints);
    }
    confusable::lint(&mut lints, sources);
    lints.report_unused();
}

struct Linter<'l, 's> {
    items: &'l [Item<'s>],
    records: &'l RecordVisitor<'l>,
    view: &'l View,
    /// In the order in which they are read.
    rules: Vec<LintedRule<'l, 's>>,
    silence: Suppressions<'l>,
    effort: Budget,
    /// For one question at a time.
    diagrams: Diagrams,
    /// Whether anything was left undecided.
    is_undecided: bool,
    /// Whether it was said that nothing is left of the effort.
    is_budget_reported: bool,
    problems: &'l mut Diagnostics,
}

/// A rule as it was written, and what it means.
struct LintedRule<'l, 's> {
    ast: &'l ast::Rule<'s>,
    condition: Condition<TagId>,
    /// In order.
    outcome: Vec<TagId>,
    /// What is known of it so far.
    satisfiability: Satisfiability,
}

/// How a condition turned out.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Satisfiability {
    Never,
    Always,
    /// Met by users with these tags, and not by all.
    Sometimes(ConditionExamples),
    NotDecided,
}

/// Tag sets that meet a condition, of tags that it names.
#[derive(Clone, PartialEq, Eq, Debug)]
struct ConditionExamples {
    few: Vec<TagId>,
    many: Vec<TagId>,
}

impl<'l, 's> LintedRule<'l, 's> {
    fn resolve(written: &'l ast::Rule<'s>, view: &View) -> Option<Self> {
        let condition = bind::condition(&written.condition, &view.tags)?;
        let names = written.outcome.value.iter();
        let mut outcome: Vec<TagId> = names.filter_map(|tag| view.tags.get(&tag.value)).collect();
        outcome.sort_unstable();
        outcome.dedup();
        Some(Self { ast: written, condition, outcome, satisfiability: Satisfiability::NotDecided })
    }

    fn name(&self) -> String {
        match &self.ast.name {
            Some(name) => format!("the rule `{}`", name.value.escape_debug()),
            None => "this rule".to_owned(),
        }
    }
}

impl Linter<'_, '_> {
    /// Reports what is wrong with a statement that stands at the span, unless it is silenced.
    fn warn(&mut self, statement: Span, diagnostic: Diagnostic) {
        if !self.silence.covers(diagnostic.code, statement, &diagnostic) {
            self.problems.push(diagnostic);
        }
    }

    /// Answers a question by diagrams of its own, if that takes no more work than it may.
    fn query<T>(
        &mut self,
        question: impl FnOnce(&mut Diagrams) -> Result<T, BudgetExceededError>,
    ) -> Result<T, BudgetExceededError> {
        self.diagrams.clear();
        self.effort.run(&mut self.diagrams, question)
    }

    /// How a condition turns out, of all tag sets.
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
        if self.effort.total == 0 {
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
    /// What silences nothing. Where something was left undecided, it might have been that.
    fn report_unused(&mut self) {
        if self.is_undecided {
            return;
        }
        let has_users = !self.view.population.directory.is_empty();
        for problem in self.silence.unused_diagnostics(has_users) {
            let span = problem.primary.as_ref().map(|label| label.span);
            if let Some(span) = span {
                self.warn(span, problem);
            }
        }
    }
}
