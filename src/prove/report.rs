//! Diagnostics of invariants that do not hold.

use std::sync::Arc;

use crate::{
    decide::PairEvaluator,
    diagnostic::{Code, Diagnostic},
    policy::{Demand, Invariant},
    request::{Action, ActionName},
    snapshot::{CompiledRule, TagId, UserNumber, View},
};

use super::{
    BudgetExceededError,
    finding::{Breach, Counterexample},
};

pub(super) struct InvariantReport<'t, 'v> {
    pub(super) invariant: &'t Invariant,
    pub(super) view: &'v View,
    pub(super) evaluator: &'t PairEvaluator<'v>,
}

/// The result for all possible users; `None` if the invariant is about existing users alone.
pub(super) type SymbolicResult<'v> =
    Option<Result<Option<Counterexample<'v>>, BudgetExceededError>>;

impl InvariantReport<'_, '_> {
    /// The diagnostic of the invariant; `None` if it holds.
    ///
    /// It holds for the existing users.
    pub(super) fn render(&self, found: SymbolicResult<'_>) -> Option<Diagnostic> {
        match found {
            Some(Ok(Some(example))) => Some(self.render_counterexample(&example)),
            Some(Err(BudgetExceededError)) => Some(self.render_undecided()),
            Some(Ok(None)) | None => None,
        }
    }

    /// The diagnostic of an invariant that holds for the existing users now, where windows may be in too many other
    /// states.
    pub(super) fn render_too_many_windows(&self) -> Diagnostic {
        let message = format!("{} can't be shown to hold at all times", self.title());
        Diagnostic::error(Code::NotDecided, self.invariant.span, message)
            .label("not decided: the windows may be open and closed in more ways than are tried")
            .hint("it holds for the existing users now; let fewer windows stand in conditions")
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

    /// The diagnostic of an invariant that existing users break in these states of the windows.
    pub(super) fn render_breach(
        &self,
        breach: &Breach,
        found: Option<&Result<Option<Counterexample<'_>>, BudgetExceededError>>,
        windows: &[(Arc<str>, bool)],
    ) -> Diagnostic {
        let (label, why) = match breach {
            Breach::Pairs(pairs, count) => (self.pairs(pairs, *count), self.why(pairs)),
            Breach::Isolated(users, count) => (self.isolated(users, *count), None),
        };
        let label = format!("{label}{}", while_windows(windows));
        let beyond = match found {
            Some(Ok(Some(example))) => {
                Some(format!("of all possible users, {}", self.example(example)))
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

    /// The verb of a breach: `may`, or `may not` where the invariant demands that users may.
    fn verb(&self) -> &'static str {
        if self.invariant.demand == Demand::Never { "may" } else { "may not" }
    }

    fn pairs(&self, pairs: &[(UserNumber, UserNumber)], count: u64) -> String {
        let number =
            if count == 1 { "1 pair breaks".to_owned() } else { format!("{count} pairs break") };
        let mut pairs_by_id = pairs.iter().map(|&(one, other)| (self.id(one), self.id(other)));
        let first = pairs_by_id.next().map_or_else(String::new, |(one, other)| {
            format!(": {one} {} {}", self.verb(), action_phrase(self.invariant, &other))
        });
        let others: Vec<String> =
            pairs_by_id.map(|(one, other)| format!("{one} to {other}")).collect();
        let also = if others.is_empty() { "" } else { "; also " };
        let more = if count > pairs.len() as u64 { ", ..." } else { "" };
        format!("{number} it{first}{also}{}{more}", others.join(", "))
    }

    /// The reason why the first of the pairs is allowed or denied.
    fn why(&self, pairs: &[(UserNumber, UserNumber)]) -> Option<String> {
        let &(one, other) = pairs.first()?;
        if self.invariant.demand != Demand::Never {
            let reason = self.evaluator.explain(one, Some(other)).decision.reason;
            return Some(format!("{} is refused with `{reason}`", self.id(one)));
        }
        let rules = self.evaluator.opening_rules(one, other);
        let names: Vec<String> = rules.iter().map(|rule| name(rule)).collect();
        match names.as_slice() {
            [] => None,
            [rule] => Some(format!("allowed by the rule {rule}")),
            rules => Some(format!("allowed by the rules {}", rules.join(", "))),
        }
    }

    fn isolated(&self, users: &[UserNumber], count: u64) -> String {
        let to = &self.invariant.to;
        let ids: Vec<String> = users.iter().map(|&user| self.id(user)).collect();
        let more = if count > users.len() as u64 { ", ..." } else { "" };
        let (users, break_it) = if count == 1 { ("user", "breaks") } else { ("users", "break") };
        let user = format!("nobody who meets {to}");
        format!(
            "{count} {users} {break_it} it, who may {}: {}{more}",
            action_phrase(self.invariant, &user),
            ids.join(", ")
        )
    }

    fn example(&self, example: &Counterexample<'_>) -> String {
        let to = &self.invariant.to;
        let subject = self.tags(&example.subject);
        let verb = self.verb();
        if let Some(other) = &example.other {
            let user = format!("a user with {}", self.tags(other));
            let between = if example.between.is_empty() {
                String::new()
            } else {
                format!(", where between the two is {}", example.between.join(" and "))
            };
            format!(
                "a user with {subject} {verb} {}{between}{}",
                action_phrase(self.invariant, &user),
                while_windows(&example.windows)
            )
        } else {
            let user = format!("nobody who meets {to}");
            format!(
                "a user with {subject} may {}{}",
                action_phrase(self.invariant, &user),
                while_windows(&example.windows)
            )
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

/// The states of windows in words; nothing without any.
fn while_windows(windows: &[(Arc<str>, bool)]) -> String {
    let states: Vec<String> = windows
        .iter()
        .map(|(name, is_open)| format!("`{name}` is {}", if *is_open { "open" } else { "closed" }))
        .collect();
    if states.is_empty() { String::new() } else { format!(", while {}", states.join(" and ")) }
}

/// An action on a user in words, after `may`.
fn action_phrase(invariant: &Invariant, user: &str) -> String {
    let action = match &invariant.action_name {
        ActionName::BuiltIn(action) => *action,
        ActionName::Declared(name) => return format!("do `{name}` to {user}"),
    };
    match action {
        Action::Read => format!("read what comes from {user}"),
        Action::ViewProfile => format!("view the profile of {user}"),
        Action::Post => format!("post to {user}"),
        Action::Comment => format!("comment on {user}"),
        Action::React => format!("react to {user}"),
        Action::StartChat => format!("start a chat with {user}"),
        Action::SendMessage => format!("send a message to {user}"),
        Action::VoiceCall => format!("start a voice call with {user}"),
        Action::VideoCall => format!("start a video call with {user}"),
        Action::FriendRequest => format!("send a friend request to {user}"),
        Action::AddMember => format!("add {user} to a group"),
        Action::Block
        | Action::Unblock
        | Action::Ban
        | Action::Silence
        | Action::Shadow
        | Action::Reactivate => format!("{action} {user}"),
        // The resource of these is not a user, so that no invariant is about them.
        Action::SignIn
        | Action::ListUsers
        | Action::CreateGroup
        | Action::RemoveMember
        | Action::UpdateMetadata
        | Action::AddAdmin
        | Action::RemoveAdmin
        | Action::UpdatePermissions
        | Action::AddSuperAdmin
        | Action::RemoveSuperAdmin
        | Action::Join
        | Action::MuteMember
        | Action::UnmuteMember
        | Action::BanMember
        | Action::UnbanMember
        | Action::Leave => format!("{action}: {user}"),
    }
}

fn name(rule: &CompiledRule) -> String {
    match &rule.name {
        Some(name) => format!("`{}`", name.escape_debug()),
        None => rule.id.to_string(),
    }
}
