//! The lint about declared actions of which nothing is said.

use super::Linter;
use crate::{
    diagnostic::{Code, Diagnostic},
    request::AudienceSlot,
    syntax::ast::{Item, SettingsSection},
};

pub(super) fn lint(linter: &mut Linter<'_, '_>) {
    check_plain_actions(linter);
}

/// Reports declared actions that are decided as those that they are like, whatever is asked: no statement and
/// no record names them.
fn check_plain_actions(linter: &mut Linter<'_, '_>) {
    for item in linter.items {
        let Item::Action(action) = item else { continue };
        let name = &action.name;
        if linter.items.iter().any(|item| names(item, &name.value))
            || is_in_records(linter, &name.value)
        {
            continue;
        }
        let (shown, like) = (name.value.escape_debug(), action.like.value.escape_debug());
        let message = format!("nothing is said of the action `{shown}`");
        let problem = Diagnostic::warning(Code::PlainAction, name.span, message)
            .label(format!("it is decided as `{like}` is"))
            .hint(format!(
                "give it a switch, a block mode, an audience, a rule set, a barrier or a cell, or ask for `{like}`"
            ));
        linter.warn(name.span, problem);
    }
}

/// Whether a statement of the policy says something of an action.
fn names(item: &Item<'_>, action: &str) -> bool {
    match item {
        Item::Settings(section) => {
            matches!(section.section, SettingsSection::Permissions | SettingsSection::Blocks)
                && section.entries.iter().any(|entry| entry.key.value == action)
        }
        Item::Accepts(accepts) => accepts.action.value == action,
        Item::Matrix(matrix) => matrix.permissions.iter().any(|cell| cell.key.value == action),
        Item::RuleSet(set) => {
            set.actions.iter().flat_map(|list| &list.value).any(|it| it.value == action)
        }
        Item::Barrier(barrier) => {
            barrier.actions.iter().flat_map(|list| &list.value).any(|it| it.value == action)
        }
        Item::Invariant(invariant) => invariant.action.value == action,
        Item::Tags(_)
        | Item::ProtectedTags(_)
        | Item::Rules(_)
        | Item::Rule(_)
        | Item::Audience(_)
        | Item::Action(_)
        | Item::Window(_)
        | Item::Word(_)
        | Item::Peers(_)
        | Item::User(_)
        | Item::Group(_)
        | Item::Conversation(_)
        | Item::Lints(_) => false,
    }
}

/// Whether a user's record says something of an action.
fn is_in_records(linter: &Linter<'_, '_>, action: &str) -> bool {
    let population = &linter.view.population;
    population.own_switches.of_action(action).next().is_some()
        || population.own_audiences.iter().any(|it| match &it.slot {
            AudienceSlot::Action(name) => name.as_str() == action,
            AudienceSlot::Peers => false,
        })
}
