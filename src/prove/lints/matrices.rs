//! Matrices by which a member makes himself more than he is.

use crate::{
    diagnostic::{Code, Diagnostic},
    request::{Grant, GroupPermission, Role, Value},
    snapshot::TagId,
    source::Span,
    syntax::ast::{Expr, Item, Matrix, PermissionValue},
};

use super::{Diagram, Diagrams, Lints, TooHard, bind, conditions::never};

pub(super) fn lint(lints: &mut Lints<'_, '_>) {
    for item in lints.items {
        if let Item::Matrix(matrix) = item {
            promotion(lints, matrix);
            for permission in &matrix.permissions {
                match &permission.value {
                    PermissionValue::One(value) => nobody(lints, permission.key.span, value),
                    PermissionValue::ByField(fields) => {
                        fields.iter().for_each(|field| nobody(lints, field.key.span, &field.value));
                    }
                }
            }
        }
    }
}

/// What a member may do to himself: become an admin by `add_admin`, or change the matrix by
/// `update_permissions` and then take whatever he wants. An admin who may change the matrix has made
/// himself all but a super admin; nothing else makes more of anyone.
fn promotion(lints: &mut Lints<'_, '_>, matrix: &Matrix<'_>) {
    let value = |permission: GroupPermission| {
        let entry = matrix.permissions.iter().find(|it| it.key.value == permission.as_str())?;
        let PermissionValue::One(expr) = &entry.value else { return None };
        Some((entry.key.span, expr.span, bind::value(expr, &lints.view.tags)?))
    };
    let add = value(GroupPermission::AddAdmin);
    let update = value(GroupPermission::UpdatePermissions);
    if let Some((key, span, value)) = &add
        && let Some(tags) = by_member(lints, *key, *span, value)
    {
        let then = update
            .as_ref()
            .is_some_and(|(key, span, update)| reaches_on(lints, *key, *span, value, update));
        let more = if then { ", and then change who has which permission" } else { "" };
        let message = format!(
            "the matrix `{}` lets a member make himself an admin{more}",
            matrix.name.value.escape_debug()
        );
        report(lints, *key, *span, message, &tags);
    }
    if let Some((key, span, value)) = &update
        && let Some(tags) = by_member(lints, *key, *span, value)
    {
        let message = format!(
            "the matrix `{}` lets a member give himself every permission",
            matrix.name.value.escape_debug()
        );
        report(lints, *key, *span, message, &tags);
    }
}

fn report(lints: &mut Lints<'_, '_>, key: Span, span: Span, message: String, tags: &[TagId]) {
    let mut names: Vec<&str> = tags.iter().map(|&tag| lints.view.tags.name(tag)).collect();
    names.sort_unstable();
    let label = match names.as_slice() {
        [] => "a plain member without tags has it".to_owned(),
        names => format!("a plain member with the tags [{}] has it", names.join(", ")),
    };
    let problem = Diagnostic::warning(Code::SelfPromotion, span, message)
        .label(label)
        .hint("ask for a role too: `all(allow_if_admin, ...)`");
    lints.warn(key, problem);
}

/// The tags of a plain member who has a permission, if one can have it. Of a bare `allow` the author
/// is told elsewhere.
fn by_member(
    lints: &mut Lints<'_, '_>,
    key: Span,
    span: Span,
    value: &Value<TagId>,
) -> Option<Vec<TagId>> {
    if *value == Value::Grant(Grant::Allow) {
        return None;
    }
    let found = lints.ask(|diagrams| granted(diagrams, value, Role::Member));
    let Ok(diagram) = found else {
        lints.not_decided(key, span, "whether a plain member can have this permission");
        return None;
    };
    lints.diagrams.example(diagram)
}

/// Whether someone who made himself an admin can have another permission as an admin.
fn reaches_on(
    lints: &mut Lints<'_, '_>,
    key: Span,
    span: Span,
    first: &Value<TagId>,
    then: &Value<TagId>,
) -> bool {
    let both = lints.ask(|diagrams| {
        let first = granted(diagrams, first, Role::Member)?;
        let then = granted(diagrams, then, Role::Admin)?;
        diagrams.and(first, then)
    });
    if both.is_err() {
        lints.not_decided(key, span, "whether a member who made himself an admin has it");
    }
    both.is_ok_and(|both| both != Diagram::NEVER)
}

/// A combination that nobody can meet, where `deny` would say so.
fn nobody(lints: &mut Lints<'_, '_>, key: Span, expr: &Expr<'_>) {
    let Some(value) = bind::value(expr, &lints.view.tags) else { return };
    if matches!(value, Value::Grant(_)) {
        return;
    }
    let all = lints.ask(|diagrams| {
        Role::ALL.iter().try_fold(Diagram::NEVER, |any, &role| {
            let granted = granted(diagrams, &value, role)?;
            diagrams.or(any, granted)
        })
    });
    match all {
        Ok(Diagram::NEVER) => lints.warn(key, never(expr.span)),
        Ok(_) => {}
        Err(TooHard) => {
            lints.not_decided(key, expr.span, "whether anyone can have this permission");
        }
    }
}

/// Which members of a role have a permission, by their tags.
fn granted(diagrams: &mut Diagrams, value: &Value<TagId>, role: Role) -> Result<Diagram, TooHard> {
    match value {
        Value::Grant(grant) if grant.grants(role) => Ok(Diagram::ALWAYS),
        Value::Grant(_) => Ok(Diagram::NEVER),
        Value::HasTag(tag) => diagrams.tag(*tag),
        Value::Not(inner) => {
            let inner = granted(diagrams, inner, role)?;
            diagrams.not(inner)
        }
        Value::All(parts) => parts.iter().try_fold(Diagram::ALWAYS, |all, part| {
            let part = granted(diagrams, part, role)?;
            diagrams.and(all, part)
        }),
        Value::Any(parts) => parts.iter().try_fold(Diagram::NEVER, |any, part| {
            let part = granted(diagrams, part, role)?;
            diagrams.or(any, part)
        }),
    }
}
