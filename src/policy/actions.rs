//! The actions that statements between two users name.

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, suggest},
    request::{Action, ActionSet},
    syntax::ast::{List, Text},
};

use super::suggestions;

/// The actions of a list: all that reach another user where there is none. `None`, with the reasons in
/// `problems`, if one can't be named there, or none is.
pub(super) fn concerned_actions(
    written: Option<&List<'_>>,
    problems: &mut Diagnostics,
) -> Option<ActionSet> {
    let Some(list) = written else { return Some(ActionSet::REACHING) };
    if list.value.is_empty() {
        problems.push(
            Diagnostic::error(Code::EmptyActions, list.span, "the list of actions is empty")
                .label("the statement would concern nothing")
                .hint("name the actions, or leave `actions` out for all that reach another user"),
        );
        return None;
    }
    let actions: Vec<_> = list.value.iter().map(|text| action(text, problems)).collect();
    actions.into_iter().collect()
}

/// An action that statements between two users can concern.
pub(super) fn action(written: &Text<'_>, problems: &mut Diagnostics) -> Option<Action> {
    let names = || ActionSet::BETWEEN_USERS.iter().map(Action::as_str);
    let action: Action = suggestions::parse_word("action", written, names(), problems)?;
    if ActionSet::BETWEEN_USERS.contains(action) {
        return Some(action);
    }
    let message = format!("`{action}` reaches no other user");
    problems.push(
        Diagnostic::error(Code::UnfitAction, written.span, message).hint(suggest("", names())),
    );
    None
}
