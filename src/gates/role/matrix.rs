//! What a group's matrix says.

use super::user_selection;
use crate::{
    gates::GateContext,
    request::{Grant, GrantCondition, GroupPermission, Reason, StatementId},
    snapshot::{GroupView, Selection, TagId, View},
};

/// Who has a permission here; nobody, where there is no matrix.
#[inline]
pub(super) fn value<'v>(
    view: &'v View,
    scene: &GateContext<'_>,
    permission: GroupPermission,
) -> &'v GrantCondition<TagId> {
    let nobody = &GrantCondition::Grant(Grant::Unspecified);
    scene.matrix(view).map_or(nobody, |matrix| matrix.grant_condition(permission, scene.field))
}

/// Whether it takes a super admin besides what the value says: for a field of the metadata that begins
/// with `_` and is not named.
#[inline]
pub(super) fn takes_super_admin(
    view: &View,
    scene: &GateContext<'_>,
    permission: GroupPermission,
) -> bool {
    let matrix = scene.matrix(view);
    matrix.is_some_and(|matrix| matrix.requires_super_admin(permission, scene.field))
}

/// Where a matrix says it; `None` where there is none.
pub(super) fn cell_statement(
    view: &View,
    scene: &GateContext<'_>,
    permission: GroupPermission,
) -> Option<StatementId> {
    let matrix = scene.matrix(view)?;
    let field = match (permission, &matrix.metadata, scene.field) {
        (GroupPermission::UpdateMetadata, Some(fields), Some(field)) => {
            let is_named = fields.named.iter().any(|(name, _)| name == field);
            Some(if is_named { field.to_owned() } else { "*".to_owned() })
        }
        _ => None,
    };
    Some(StatementId::Cell { matrix: matrix.name.clone(), permission, field })
}

/// Why a value refuses a member.
pub(super) fn denial(value: &GrantCondition<TagId>) -> Reason {
    match value {
        GrantCondition::Grant(Grant::AllowIfAdmin) => Reason::NeedsAdmin,
        GrantCondition::Grant(Grant::AllowIfSuperAdmin) => Reason::NeedsSuperAdmin,
        _ => Reason::DeniedByMatrix,
    }
}

/// The users to whom a value grants, members or not. Recursion is as deep as the value, which the
/// parsers limit.
pub(super) fn granted_users<'v>(
    view: &'v View,
    group: GroupView<'_>,
    value: &GrantCondition<TagId>,
) -> Selection<'v> {
    match value {
        GrantCondition::Grant(Grant::Allow) => Selection::everybody(),
        GrantCondition::Grant(Grant::Deny | Grant::Unspecified) => Selection::nobody(),
        GrantCondition::Grant(Grant::AllowIfAdmin) => {
            user_selection(group.admins().chain(group.super_admins()))
        }
        GrantCondition::Grant(Grant::AllowIfSuperAdmin) => user_selection(group.super_admins()),
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
