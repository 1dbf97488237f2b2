//! Lints: statements that have no effect, or that nobody can have meant.
//!
//! A file for what they are about. Those that are about the users there are run only where there are
//! users. Each can be silenced, for one statement by a comment (`allow: CODE`, at the end of a line of
//! it or in the lines right above), or for the whole policy by `lints: { allow: [CODE] }`.

mod bind;
mod conditions;
mod confusable;
mod implied;
mod matrices;
mod names;
mod overridden;
mod population;
mod protected;
mod silence;

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    request::Condition,
    snapshot::{TagId, View},
    source::{Sources, Span},
    syntax::ast::{self, Item},
};

use super::{Diagram, Diagrams, Effort, TooHard};
use silence::Silence;

/// Calls back with each record of a user.
pub type Records<'w> = dyn Fn(&mut dyn FnMut(&ast::User<'_>)) + 'w;

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
    records: &Records<'_>,
    view: &View,
    problems: &mut Diagnostics,
) {
    let rules = items.iter().filter_map(|item| match item {
        Item::Rule(rule) => Rule::of(rule, view),
        _ => None,
    });
    let mut lints = Lints {
        items,
        records,
        view,
        rules: rules.collect(),
        silence: Silence::of(items, sources),
        effort: Effort::default(),
        diagrams: Diagrams::default(),
        is_undecided: false,
        is_spent: false,
        problems,
    };
    conditions::lint(&mut lints);
    implied::lint(&mut lints);
    matrices::lint(&mut lints);
    overridden::lint(&mut lints);
    protected::lint(&mut lints);
    if !view.population.directory.is_empty() {
        population::lint(&mut lints);
        names::lint(&mut lints);
    }
    confusable::lint(&mut lints, sources);
    lints.tell_unused();
}

struct Lints<'l, 's> {
    items: &'l [Item<'s>],
    records: &'l Records<'l>,
    view: &'l View,
    /// In the order in which they are read.
    rules: Vec<Rule<'l, 's>>,
    silence: Silence<'l>,
    effort: Effort,
    /// For one question at a time.
    diagrams: Diagrams,
    /// Whether anything was left undecided.
    is_undecided: bool,
    /// Whether it was said that nothing is left of the effort.
    is_spent: bool,
    problems: &'l mut Diagnostics,
}

/// A rule as it was written, and what it means.
struct Rule<'l, 's> {
    written: &'l ast::Rule<'s>,
    condition: Condition<TagId>,
    /// In order.
    outcome: Vec<TagId>,
    /// What is known of it so far.
    state: State,
}

/// How a condition turned out.
#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Never,
    Always,
    /// Met by users with these tags, and not by all.
    Sometimes(Example),
    NotDecided,
}

/// Tag sets that meet a condition, of tags that it names.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Example {
    few: Vec<TagId>,
    many: Vec<TagId>,
}

impl<'l, 's> Rule<'l, 's> {
    fn of(written: &'l ast::Rule<'s>, view: &View) -> Option<Self> {
        let condition = bind::condition(&written.condition, &view.tags)?;
        let names = written.outcome.value.iter();
        let mut outcome: Vec<TagId> = names.filter_map(|tag| view.tags.get(&tag.value)).collect();
        outcome.sort_unstable();
        outcome.dedup();
        Some(Self { written, condition, outcome, state: State::NotDecided })
    }

    fn name(&self) -> String {
        match &self.written.name {
            Some(name) => format!("the rule `{}`", name.value.escape_debug()),
            None => "this rule".to_owned(),
        }
    }
}

impl Lints<'_, '_> {
    /// Reports what is wrong with a statement that stands at the span, unless it is silenced.
    fn warn(&mut self, statement: Span, diagnostic: Diagnostic) {
        if !self.silence.covers(diagnostic.code, statement, &diagnostic) {
            self.problems.push(diagnostic);
        }
    }

    /// Answers a question by diagrams of its own, if that takes no more work than it may.
    fn ask<T>(
        &mut self,
        question: impl FnOnce(&mut Diagrams) -> Result<T, TooHard>,
    ) -> Result<T, TooHard> {
        self.diagrams.clear();
        self.effort.ask(&mut self.diagrams, question)
    }

    /// How a condition turns out, of all tag sets.
    fn state(&mut self, condition: &Condition<TagId>) -> State {
        let found = self.ask(|diagrams| diagrams.condition(condition));
        let diagrams = &self.diagrams;
        match found {
            Ok(Diagram::NEVER) => State::Never,
            Ok(Diagram::ALWAYS) => State::Always,
            Ok(diagram) => State::Sometimes(Example {
                few: diagrams.example(diagram).unwrap_or_default(),
                many: diagrams.large_example(diagram).unwrap_or_default(),
            }),
            Err(TooHard) => State::NotDecided,
        }
    }

    fn not_decided(&mut self, statement: Span, span: Span, what: &str) {
        self.is_undecided = true;
        let mut message = format!("not decided: {what} takes too long to tell");
        if self.effort.total == 0 {
            if self.is_spent {
                return;
            }
            self.is_spent = true;
            message.push_str(", and so does what comes after it");
        }
        let problem = Diagnostic::warning(Code::NotDecided, span, message)
            .hint("simplify the condition, or split it");
        self.warn(statement, problem);
    }
    /// What silences nothing. Where something was left undecided, it might have been that.
    fn tell_unused(&mut self) {
        if self.is_undecided {
            return;
        }
        let has_users = !self.view.population.directory.is_empty();
        for problem in self.silence.unused(has_users) {
            let span = problem.primary.as_ref().map(|label| label.span);
            if let Some(span) = span {
                self.warn(span, problem);
            }
        }
    }
}
