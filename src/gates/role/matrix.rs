//! What a group's matrix says.

use super::users;
use crate::{
    gates::Scene,
    request::{Grant, GroupPermission, Reason, Statement, Value},
    snapshot::{Group, Selection, TagId, View},
};

/// Who has a permission here; nobody, where there is no matrix.
#[inline]
pub(super) fn value<'v>(
    view: &'v View,
    scene: &Scene<'_>,
    permission: GroupPermission,
) -> &'v Value<TagId> {
    let nobody = &Value::Grant(Grant::Unspecified);
    scene.matrix(view).map_or(nobody, |matrix| matrix.value(permission, scene.field))
}

/// Whether it takes a super admin besides what the value says: for a field of the metadata that begins
/// with `_` and is not named.
#[inline]
pub(super) fn takes_super_admin(
    view: &View,
    scene: &Scene<'_>,
    permission: GroupPermission,
) -> bool {
    let matrix = scene.matrix(view);
    matrix.is_some_and(|matrix| matrix.takes_super_admin(permission, scene.field))
}

/// Where a matrix says it; `None` where there is none.
pub(super) fn cell(
    view: &View,
    scene: &Scene<'_>,
    permission: GroupPermission,
) -> Option<Statement> {
    let matrix = scene.matrix(view)?;
    let field = match (permission, &matrix.metadata, scene.field) {
        (GroupPermission::UpdateMetadata, Some(fields), Some(field)) => {
            let is_named = fields.named.iter().any(|(name, _)| name == field);
            Some(if is_named { field.to_owned() } else { "*".to_owned() })
        }
        _ => None,
    };
    Some(Statement::Cell { matrix: matrix.name.clone(), permission, field })
}

/// Why a value refuses a member.
pub(super) fn refusal(value: &Value<TagId>) -> Reason {
    match value {
        Value::Grant(Grant::AllowIfAdmin) => Reason::NeedsAdmin,
        Value::Grant(Grant::AllowIfSuperAdmin) => Reason::NeedsSuperAdmin,
        _ => Reason::DeniedByMatrix,
    }
}

/// The users to whom a value grants, members or not. Recursion is as deep as the value, which the
/// parsers limit.
pub(super) fn granted<'v>(view: &'v View, group: Group<'_>, value: &Value<TagId>) -> Selection<'v> {
    match value {
        Value::Grant(Grant::Allow) => Selection::everybody(),
        Value::Grant(Grant::Deny | Grant::Unspecified) => Selection::nobody(),
        Value::Grant(Grant::AllowIfAdmin) => users(group.admins().chain(group.super_admins())),
        Value::Grant(Grant::AllowIfSuperAdmin) => users(group.super_admins()),
        Value::HasTag(tag) => {
            view.population.members(*tag).map_or_else(Selection::nobody, Selection::from)
        }
        Value::Not(inner) => granted(view, group, inner).complement(),
        Value::All(parts) => Selection::all(parts.iter().map(|part| granted(view, group, part))),
        Value::Any(parts) => Selection::any(parts.iter().map(|part| granted(view, group, part))),
    }
}
