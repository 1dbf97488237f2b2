//! The permissions that a group's matrix grants.

use std::sync::Arc;

use super::group::user_selection;
use crate::{
    gates::context::GateContext,
    request::{During, Grant, GrantCondition, GroupPermission, Reason, StatementId},
    snapshot::{GroupView, Selection, TagId, View},
};

/// The condition under which the group's matrix grants a permission; never met where there is no matrix.
#[inline]
pub(super) fn value<'v>(
    view: &'v View,
    context: &GateContext<'_>,
    permission: GroupPermission,
) -> &'v GrantCondition<TagId> {
    let nobody = &GrantCondition::Grant(Grant::Unspecified);
    context.matrix(view).map_or(nobody, |matrix| matrix.grant_condition(permission, context.field))
}

/// Whether a permission requires a super admin besides its condition: for a field of the metadata that
/// begins with `_` and that the matrix does not name.
#[inline]
pub(super) fn takes_super_admin(
    view: &View,
    context: &GateContext<'_>,
    permission: GroupPermission,
) -> bool {
    let matrix = context.matrix(view);
    matrix.is_some_and(|matrix| matrix.requires_super_admin(permission, context.field))
}

/// The condition of the requested action in the group's matrix, if it is a declared one that the matrix states.
#[inline]
pub(super) fn own_value<'v>(
    view: &'v View,
    context: &GateContext<'_>,
) -> Option<&'v GrantCondition<TagId>> {
    let own = context.own_declaration(view)?;
    context.matrix(view)?.declared_condition(&own.name)
}

/// The statement of the matrix about the requested action, if it is a declared one.
pub(super) fn own_cell_statement(view: &View, context: &GateContext<'_>) -> Option<StatementId> {
    own_value(view, context)?;
    let (matrix, own) = (context.matrix(view)?, context.own_declaration(view)?);
    Some(StatementId::OwnCell { matrix: matrix.name.clone(), action: Arc::clone(&own.name) })
}

/// The statement of the matrix about a permission; `None` where there is no matrix.
pub(super) fn cell_statement(
    view: &View,
    context: &GateContext<'_>,
    permission: GroupPermission,
) -> Option<StatementId> {
    let matrix = context.matrix(view)?;
    let by_field = matrix.metadata.as_ref().filter(|_| permission.takes_field());
    let field = by_field.zip(context.field).map(|(fields, field)| {
        let is_named = fields.named.iter().any(|(name, _)| name == field);
        if is_named { field.to_owned() } else { "*".to_owned() }
    });
    Some(StatementId::Cell { matrix: matrix.name.clone(), permission, field })
}

/// The reason why a member is denied who does not meet a condition.
pub(super) fn denial(value: &GrantCondition<TagId>) -> Reason {
    match value {
        GrantCondition::Grant(Grant::AllowIfAdmin) => Reason::NeedsAdmin,
        GrantCondition::Grant(Grant::AllowIfSuperAdmin) => Reason::NeedsSuperAdmin,
        GrantCondition::Grant(Grant::Allow | Grant::Deny | Grant::Unspecified)
        | GrantCondition::HasTag(_)
        | GrantCondition::During(_)
        | GrantCondition::Not(_)
        | GrantCondition::All(_)
        | GrantCondition::Any(_) => Reason::DeniedByMatrix,
    }
}

/// The users who meet a condition, members or not. Recursion is as deep as the condition, which the
/// parsers limit.
pub(super) fn granted_users<'v>(
    view: &'v View,
    group: Option<GroupView<'_>>,
    value: &GrantCondition<TagId>,
) -> Selection<'v> {
    match value {
        GrantCondition::Grant(Grant::Allow)
        | GrantCondition::During(During { is_open: true, .. }) => Selection::everybody(),
        GrantCondition::Grant(Grant::Deny | Grant::Unspecified)
        | GrantCondition::During(During { is_open: false, .. }) => Selection::nobody(),
        GrantCondition::Grant(Grant::AllowIfAdmin) => {
            let (admins, super_admins) = (GroupView::admins, GroupView::super_admins);
            let groups = || group.into_iter();
            user_selection(groups().flat_map(admins).chain(groups().flat_map(super_admins)))
        }
        GrantCondition::Grant(Grant::AllowIfSuperAdmin) => {
            user_selection(group.into_iter().flat_map(GroupView::super_admins))
        }
        GrantCondition::HasTag(tag) => {
            view.population.members(*tag).map_or_else(Selection::nobody, Selection::from)
        }
        GrantCondition::Not(inner) => granted_users(view, group, inner).complement(),
        GrantCondition::All(parts) => {
            Selection::all(parts.iter().map(|part| granted_users(view, group, part)))
        }
        GrantCondition::Any(parts) => {
            Selection::any(parts.iter().map(|part| granted_users(view, group, part)))
        }
    }
}
