//! Lints about groups that require somebody in them whom they do not have.

use crate::{
    diagnostic::{Code, Diagnostic},
    request::NamesWindows as _,
    snapshot::GroupRestrictions,
    syntax::ast::Item,
};

use super::{Linter, users_meeting_sometimes};

pub(super) fn lint(linter: &mut Linter<'_, '_>) {
    let view = linter.view;
    for item in linter.items {
        let Item::Group(written) = item else { continue };
        let Some(requires) = &written.requires else { continue };
        let group = view.groups.number(&written.id.value).and_then(|it| view.groups.get(it));
        let restrictions = group.and_then(|group| group.restrictions);
        let requirement = restrictions.and_then(GroupRestrictions::requires);
        // Somebody may meet it at another time.
        let may_be_met = requirement.is_some_and(|it| {
            let users = users_meeting_sometimes(view, &it.condition);
            it.condition.names_windows()
                && group.is_some_and(|group| group.members().any(|user| users.contains(user)))
        });
        if requirement.is_some_and(|it| !it.is_met()) && !may_be_met {
            let message = format!(
                "nobody in the group `{}` meets what it requires",
                written.id.value.escape_debug()
            );
            let problem = Diagnostic::warning(Code::UnmetRequirement, requires.span, message)
                .label("nobody speaks in the group until somebody who meets this is in it")
                .hint("add a member who meets it, or remove the condition");
            linter.warn(written.id.span, problem);
        }
    }
}
