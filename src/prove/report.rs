//! What an author is told of an invariant that does not hold.

use crate::{
    decide::PairEvaluator,
    diagnostic::{Code, Diagnostic},
    policy::{Demand, Invariant},
    request::Action,
    snapshot::{CompiledRule, TagId, UserNumber, View},
};

use super::{BudgetExceededError, exhaustive::Breach, symbolic::Counterexample};

pub(super) struct InvariantReport<'t, 'v> {
    pub(super) invariant: &'t Invariant,
    pub(super) view: &'v View,
    pub(super) judge: &'t PairEvaluator<'v>,
}

/// What was found of all possible users; `None` if that was not asked.
type SymbolicResult<'v> = Option<Result<Option<Counterexample<'v>>, BudgetExceededError>>;

impl InvariantReport<'_, '_> {
    /// What there is to say; `None` if the invariant holds.
    pub(super) fn render(
        &self,
        breach: Option<&Breach>,
        found: SymbolicResult<'_>,
    ) -> Option<Diagnostic> {
        match (breach, found) {
            (Some(breach), found) => Some(self.render_breach(breach, found)),
            (None, Some(Ok(Some(example)))) => Some(self.render_counterexample(&example)),
            (None, Some(Err(BudgetExceededError))) => Some(self.render_undecided()),
            (None, Some(Ok(None)) | None) => None,
        }
    }

    fn title(&self) -> String {
        match &self.invariant.name {
            Some(name) => format!("the invariant `{}`", name.escape_debug()),
            None => "this invariant".to_owned(),
        }
    }

    fn broken(&self) -> Diagnostic {
        let message = format!("{} is broken: {}", self.title(), self.invariant);
        Diagnostic::error(Code::BrokenInvariant, self.invariant.span, message)
    }

    fn render_undecided(&self) -> Diagnostic {
        let message = format!("{} can't be shown to hold", self.title());
        Diagnostic::error(Code::NotDecided, self.invariant.span, message)
            .label("not decided: whether it holds for all possible users takes too long to compute")
            .hint(
                "it holds for the existing users; simplify the conditions, or limit it to these \
                 with `scope: population`",
            )
    }

    fn render_breach(&self, breach: &Breach, found: SymbolicResult<'_>) -> Diagnostic {
        let (label, why) = match breach {
            Breach::Pairs(pairs, count) => (self.pairs(pairs, *count), self.why(pairs)),
            Breach::Isolated(users, count) => (self.isolated(users, *count), None),
        };
        let beyond = match found {
            Some(Ok(Some(example))) => {
                Some(format!("of all possible users, {}", self.example(&example)))
            }
            Some(Ok(None)) => {
                Some("without records and relations, no user could break it".to_owned())
            }
            Some(Err(BudgetExceededError)) | None => None,
        };
        let problem = self.broken().label(label);
        let hints: Vec<String> = why.into_iter().chain(beyond).collect();
        if hints.is_empty() { problem } else { problem.hint(hints.join("; ")) }
    }

    fn render_counterexample(&self, example: &Counterexample<'_>) -> Diagnostic {
        let rule = match example.rule {
            Some(rule) => format!("allowed by the rule {}; ", name(rule)),
            None => String::new(),
        };
        self.broken().label(self.example(example)).hint(format!(
            "{rule}no existing user breaks it; `scope: population` limits it to existing users"
        ))
    }

    /// `may`, or `may not` where it is demanded.
    fn verb(&self) -> &'static str {
        if self.invariant.demand == Demand::Never { "may" } else { "may not" }
    }

    fn pairs(&self, pairs: &[(UserNumber, UserNumber)], count: u64) -> String {
        let number =
            if count == 1 { "1 pair breaks".to_owned() } else { format!("{count} pairs break") };
        let mut told = pairs.iter().map(|&(one, other)| (self.id(one), self.id(other)));
        let first = told.next().map_or_else(String::new, |(one, other)| {
            format!(": {one} {} {}", self.verb(), action_phrase(self.invariant.action, &other))
        });
        let others: Vec<String> = told.map(|(one, other)| format!("{one} to {other}")).collect();
        let also = if others.is_empty() { "" } else { "; also " };
        let more = if count > pairs.len() as u64 { ", ..." } else { "" };
        format!("{number} it{first}{also}{}{more}", others.join(", "))
    }

    /// Why the first of the pairs is allowed or refused.
    fn why(&self, pairs: &[(UserNumber, UserNumber)]) -> Option<String> {
        let &(one, other) = pairs.first()?;
        if self.invariant.demand != Demand::Never {
            let reason = self.judge.explain(one, Some(other)).decision.reason;
            return Some(format!("{} is refused with `{reason}`", self.id(one)));
        }
        let rules = self.judge.opening_rules(one, other);
        let names: Vec<String> = rules.iter().map(|rule| name(rule)).collect();
        match names.as_slice() {
            [] => None,
            [rule] => Some(format!("allowed by the rule {rule}")),
            rules => Some(format!("allowed by the rules {}", rules.join(", "))),
        }
    }

    fn isolated(&self, users: &[UserNumber], count: u64) -> String {
        let Invariant { action, to, .. } = self.invariant;
        let ids: Vec<String> = users.iter().map(|&user| self.id(user)).collect();
        let more = if count > users.len() as u64 { ", ..." } else { "" };
        let (users, break_it) = if count == 1 { ("user", "breaks") } else { ("users", "break") };
        let whom = format!("nobody who meets {to}");
        format!(
            "{count} {users} {break_it} it, who may {}: {}{more}",
            action_phrase(*action, &whom),
            ids.join(", ")
        )
    }

    fn example(&self, example: &Counterexample<'_>) -> String {
        let Invariant { action, to, .. } = self.invariant;
        let subject = self.tags(&example.subject);
        let verb = self.verb();
        if let Some(other) = &example.other {
            let whom = format!("one who has {}", self.tags(other));
            format!("a user with {subject} {verb} {}", action_phrase(*action, &whom))
        } else {
            let whom = format!("nobody who meets {to}");
            format!("a user with {subject} may {}", action_phrase(*action, &whom))
        }
    }

    /// Tags in brackets, in the order of their names.
    fn tags(&self, tags: &[TagId]) -> String {
        let mut names: Vec<&str> = tags.iter().map(|&tag| self.view.tags.name(tag)).collect();
        names.sort_unstable();
        match names.as_slice() {
            [] => "no tags".to_owned(),
            names => format!("the tags [{}]", names.join(", ")),
        }
    }

    fn id(&self, user: UserNumber) -> String {
        format!("`{}`", self.view.population.directory.id(user).escape_debug())
    }
}

/// What someone may do to whom, after `may`.
fn action_phrase(action: Action, whom: &str) -> String {
    match action {
        Action::Read => format!("read what comes from {whom}"),
        Action::ViewProfile => format!("view the profile of {whom}"),
        Action::Post => format!("post to {whom}"),
        Action::Comment => format!("comment on {whom}"),
        Action::React => format!("react to {whom}"),
        Action::StartChat => format!("start a chat with {whom}"),
        Action::SendMessage => format!("send a message to {whom}"),
        Action::VoiceCall => format!("start a voice call with {whom}"),
        Action::VideoCall => format!("start a video call with {whom}"),
        Action::FriendRequest => format!("send a friend request to {whom}"),
        Action::Block | Action::Unblock | Action::Ban | Action::Silence | Action::Reactivate => {
            format!("{action} {whom}")
        }
        // None of them is done to a user.
        other => format!("{other}: {whom}"),
    }
}

fn name(rule: &CompiledRule) -> String {
    match &rule.name {
        Some(name) => format!("`{}`", name.escape_debug()),
        None => rule.id.to_string(),
    }
}
