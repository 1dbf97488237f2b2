//! The actions of a policy's own, and the actions that statements between two users name.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, suggest},
    request::{
        Action, ActionKey, ActionName, ActionSet, DeclaredAction, DeclaredActions, Switch, TagForm,
    },
    source::Span,
    syntax::ast::{ActionDeclaration, List, Text},
};

use super::suggestions::{self, unknown_word};

/// Names that no policy may give to an action though no action has them: those of switches, and of actions on
/// groups that policies can't name yet.
const RESERVED: [&str; 7] = [
    Switch::Outgoing.as_str(),
    Switch::Incoming.as_str(),
    "join",
    "mute_member",
    "unmute_member",
    "ban_member",
    "unban_member",
];

/// The actions that a policy declares. Nothing is said of them yet but what they are like.
pub(super) fn declare(
    written: &[ActionDeclaration<'_>],
    problems: &mut Diagnostics,
) -> DeclaredActions<String> {
    let mut places: BTreeMap<&str, Span> = BTreeMap::new();
    let mut likes = Vec::new();
    for declaration in written {
        let (name, like) = (&declaration.name, like(&declaration.like, problems));
        let shown = name.value.escape_debug();
        if let Err(error) = TagForm::Any.check(&name.value) {
            let message = format!("an action's name has the form of a tag: {error}");
            problems.push(Diagnostic::error(Code::InvalidTag, name.span, message));
            continue;
        }
        if name.value.parse::<Action>().is_ok() || RESERVED.contains(&&*name.value) {
            let message = format!("`{shown}` has a meaning of its own");
            problems.push(
                Diagnostic::error(Code::ReservedAction, name.span, message)
                    .hint("give the action another name"),
            );
            continue;
        }
        if let Some(&first) = places.get(&*name.value) {
            let message = format!("the action `{shown}` is declared twice");
            problems.push(
                Diagnostic::error(Code::DuplicateAction, name.span, message)
                    .related(first, "first declared here")
                    .hint("rename or remove one of the two"),
            );
            continue;
        }
        places.insert(&name.value, name.span);
        if places.len() == DeclaredAction::MOST + 1 {
            let message = format!("a policy declares at most {} actions", DeclaredAction::MOST);
            problems.push(
                Diagnostic::error(Code::TooManyActions, name.span, message)
                    .hint("remove those that say nothing of their own"),
            );
        }
        // One that is like nothing is known by its name, so that only its own mistake is reported.
        likes.push((name.value.clone().into_owned(), like.unwrap_or(Action::SendMessage)));
    }
    DeclaredActions::new(likes)
}

fn like(written: &Text<'_>, problems: &mut Diagnostics) -> Option<Action> {
    let known = Action::ALL.iter().map(|action| action.as_str());
    suggestions::parse_word("built-in action", written, known, problems)
}

/// The actions of a list: all that reach another user where there is none. `None`, with the reasons in
/// `problems`, if one can't be named there, or none is.
pub(super) fn concerned_actions(
    written: Option<&List<'_>>,
    declared: &DeclaredActions<String>,
    problems: &mut Diagnostics,
) -> Option<ActionSet> {
    let Some(list) = written else { return Some(nameable(declared, ActionSet::REACHING)) };
    if list.value.is_empty() {
        problems.push(
            Diagnostic::error(Code::EmptyActions, list.span, "the list of actions is empty")
                .label("the statement would concern nothing")
                .hint("name the actions, or leave `actions` out for all that reach another user"),
        );
        return None;
    }
    let actions: Vec<_> = list.value.iter().map(|text| action(text, declared, problems)).collect();
    actions.into_iter().collect()
}

/// Some built-in actions, and the declared ones that are like them.
fn nameable(declared: &DeclaredActions<String>, built_in: ActionSet) -> ActionSet {
    let like_these = declared.requested().filter(|it| built_in.contains(it.action));
    like_these.fold(built_in, |set, it| set.with_key(it.key()))
}

/// An action that statements between two users can concern.
pub(super) fn action(
    written: &Text<'_>,
    declared: &DeclaredActions<String>,
    problems: &mut Diagnostics,
) -> Option<ActionKey> {
    let nameable = nameable(declared, ActionSet::BETWEEN_USERS);
    let names: Vec<_> = nameable.iter().map(|action| declared.name(action)).collect();
    let names = || names.iter().map(ActionName::as_str);
    let Ok(requested) = declared.resolve(&written.value) else {
        let word = written.value.escape_debug().to_string();
        problems.push(unknown_word("action", &word, written.span, names()));
        return None;
    };
    if ActionSet::BETWEEN_USERS.contains(requested.action) {
        return Some(requested.key());
    }
    let message = format!("`{}` reaches no other user", written.value);
    problems.push(
        Diagnostic::error(Code::UnfitAction, written.span, message).hint(suggest("", names())),
    );
    None
}
