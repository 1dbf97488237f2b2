//! Invariants: what must hold of everything that a policy allows.

use std::{collections::HashMap, fmt};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, suggest},
    request::{
        Action, ActionName, Condition, Conversation, DeclaredActions, RequestedAction, ResourceKind,
    },
    source::Span,
    syntax::ast::{self, Demand, Text},
};

use super::{descriptions, expression::resolve_expression, suggestions, tags::Vocabulary};

/// A property of everything that the policy allows between two different users.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invariant {
    pub name: Option<String>,
    pub description: Option<String>,
    pub demand: Demand,
    /// One that is done to a user; of `add_member`, to the `member`, with roles and the matrix open.
    pub action: RequestedAction,
    /// The name of the action.
    pub action_name: ActionName,
    pub from: Condition<String>,
    pub to: Condition<String>,
    pub scope: InvariantScope,
    /// Whether the conversation of the two is taken to exist; otherwise it is what the facts say, and new
    /// between users that there may be.
    pub is_existing: bool,
    /// Where a reader looks for it.
    pub span: Span,
}

/// The users for whom an invariant must hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvariantScope {
    /// Of those there are, and of all that there may be: of users with any tags, without a record of
    /// their own and with nothing between them.
    All,
    /// The users of the population.
    Population,
}

/// How each is written.
pub(super) const SCOPES: [(&str, InvariantScope); 2] =
    [("all", InvariantScope::All), ("population", InvariantScope::Population)];

/// The statement in the DSL's notation.
impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { demand, action_name: action, from, to, scope, is_existing, .. } = self;
        match demand {
            Demand::Every => write!(f, "every {from} reaches {to} by {action}")?,
            Demand::Never | Demand::Always => {
                write!(f, "{} {action}: {from} -> {to}", demand.as_str())?;
            }
        }
        match scope {
            InvariantScope::All => {}
            InvariantScope::Population => f.write_str(" scope population")?,
        }
        if *is_existing { f.write_str(" conversation existing") } else { Ok(()) }
    }
}

/// The invariants that are right, in the order of what they say.
pub(super) fn resolve(
    written: &[ast::Invariant<'_>],
    vocabulary: &Vocabulary,
    actions: &DeclaredActions<String>,
    problems: &mut Diagnostics,
) -> Vec<Invariant> {
    let mut seen: HashMap<String, Span> = HashMap::new();
    let mut invariants = Vec::new();
    for written in written {
        let name = written
            .name
            .as_ref()
            .and_then(|it| descriptions::check_name("an invariant's name", it, problems));
        let description = written.description.as_ref().and_then(|text| {
            descriptions::check_description("an invariant's description", text, problems)
        });
        let action = action(&written.action, actions, problems);
        let from: Option<Condition<String>> =
            resolve_expression(&written.from, vocabulary, problems);
        let to: Option<Condition<String>> = resolve_expression(&written.to, vocabulary, problems);
        let scope =
            written.scope.as_ref().map_or(Some(InvariantScope::All), |text| scope(text, problems));
        let is_existing =
            written.conversation.as_ref().map_or(Some(false), |text| existing(text, problems));
        let (demand, span) = (written.demand, written.span);
        let (Some(action), Some(from), Some(to), Some(scope), Some(is_existing)) =
            (action, from, to, scope, is_existing)
        else {
            continue;
        };
        let action_name = actions.name(action);
        let invariant = Invariant {
            name,
            description,
            demand,
            action,
            action_name,
            from,
            to,
            scope,
            is_existing,
            span,
        };
        // A name and the text of a demand are not distinguished: neither may occur twice.
        let (key, message) = match &invariant.name {
            Some(name) => {
                (format!("name {name}"), format!("two invariants have the name `{name}`"))
            }
            None => (invariant.to_string(), "this invariant repeats another".to_owned()),
        };
        if let Some(&first) = seen.get(&key) {
            problems.push(
                Diagnostic::error(Code::DuplicateInvariant, span, message)
                    .related(first, "first stated here")
                    .hint("rename or remove one of the two"),
            );
            continue;
        }
        seen.insert(key, span);
        invariants.push(invariant);
    }
    invariants.sort_by_cached_key(|invariant| (invariant.name.clone(), invariant.to_string()));
    invariants
}

fn action(
    written: &Text<'_>,
    actions: &DeclaredActions<String>,
    problems: &mut Diagnostics,
) -> Option<RequestedAction> {
    let takes_user = |it: &RequestedAction| {
        it.action.takes().contains(&ResourceKind::User) || it.action == Action::AddMember
    };
    let known = Action::ALL.iter().map(|&action| action.into()).chain(actions.requested());
    let known: Vec<ActionName> = known.filter(takes_user).map(|it| actions.name(it)).collect();
    let names = || known.iter().map(ActionName::as_str);
    let action = match actions.resolve(&written.value) {
        Ok(action) if takes_user(&action) => return Some(action),
        Ok(action) => action,
        Err(_) => {
            let word = written.value.escape_debug().to_string();
            problems.push(suggestions::unknown_word("action", &word, written.span, names()));
            return None;
        }
    };
    let message = format!("the target of `{}` is not a user", actions.name(action));
    problems.push(
        Diagnostic::error(Code::WrongType, written.span, message)
            .label("an invariant is about what one user may do to another")
            .hint(suggest("", names())),
    );
    None
}

fn scope(written: &Text<'_>, problems: &mut Diagnostics) -> Option<InvariantScope> {
    let found = SCOPES.iter().find(|(name, _)| written.value == *name).map(|&(_, scope)| scope);
    if found.is_none() {
        let word = written.value.escape_debug().to_string();
        let names = SCOPES.iter().map(|&(name, _)| name);
        problems.push(suggestions::unknown_word("scope", &word, written.span, names));
    }
    found
}

/// Whether the conversation is taken to exist, which is all that an invariant can say of it.
fn existing(text: &Text<'_>, problems: &mut Diagnostics) -> Option<bool> {
    let existing = Conversation::Existing.as_str();
    if text.value == existing {
        return Some(true);
    }
    let word = text.value.escape_debug().to_string();
    let problem =
        suggestions::unknown_word("conversation", &word, text.span, [existing].into_iter());
    problems.push(if text.value == Conversation::New.as_str() {
        problem
            .hint("leave it out: without it, the conversation is new where no fact says otherwise")
    } else {
        problem
    });
    None
}
