//! Lints about matrices by which members promote themselves.

use crate::{
    diagnostic::{Code, Diagnostic},
    request::{Grant, GrantCondition, GroupPermission, Role},
    snapshot::TagId,
    source::Span,
    syntax::ast::{Expr, Item, Matrix, PermissionValue},
};

use super::{BudgetExceededError, Diagram, Diagrams, Linter, bind, conditions::never_holds};

pub(super) fn lint(linter: &mut Linter<'_, '_>) {
    for item in linter.items {
        if let Item::Matrix(matrix) = item {
            report_self_promotion(linter, matrix);
            for permission in &matrix.permissions {
                match &permission.value {
                    PermissionValue::One(value) => {
                        report_if_never_granted(linter, permission.key.span, value);
                    }
                    PermissionValue::ByField(fields) => {
                        fields.iter().for_each(|field| {
                            report_if_never_granted(linter, field.key.span, &field.value);
                        });
                    }
                }
            }
        }
    }
}

/// Reports how members can promote themselves: to admins by `add_admin`, or by `update_permissions`,
/// after which they can take any permission. No other permission lets anyone gain more.
fn report_self_promotion(linter: &mut Linter<'_, '_>, matrix: &Matrix<'_>) {
    let value = |permission: GroupPermission| {
        let entry = matrix.permissions.iter().find(|it| it.key.value == permission.as_str())?;
        let PermissionValue::One(expr) = &entry.value else { return None };
        Some((entry.key.span, expr.span, bind::value(expr, &linter.view.tags)?))
    };
    let add = value(GroupPermission::AddAdmin);
    let update = value(GroupPermission::UpdatePermissions);
    if let Some((key, span, value)) = &add
        && let Some(tags) = plain_member_tags(linter, *key, *span, value)
    {
        let then = update.as_ref().is_some_and(|(key, span, update)| {
            promoted_admin_has(linter, *key, *span, value, update)
        });
        let more = if then { ", and then change who has which permission" } else { "" };
        let message = format!(
            "the matrix `{}` lets a member make themselves an admin{more}",
            matrix.name.value.escape_debug()
        );
        report(linter, *key, *span, message, &tags);
    }
    if let Some((key, span, value)) = &update
        && let Some(tags) = plain_member_tags(linter, *key, *span, value)
    {
        let message = format!(
            "the matrix `{}` lets a member give themselves every permission",
            matrix.name.value.escape_debug()
        );
        report(linter, *key, *span, message, &tags);
    }
}

fn report(linter: &mut Linter<'_, '_>, key: Span, span: Span, message: String, tags: &[TagId]) {
    let mut names: Vec<&str> = tags.iter().map(|&tag| linter.view.tags.name(tag)).collect();
    names.sort_unstable();
    let label = match names.as_slice() {
        [] => "a plain member without tags has it".to_owned(),
        names => format!("a plain member with the tags [{}] has it", names.join(", ")),
    };
    let problem = Diagnostic::warning(Code::SelfPromotion, span, message)
        .label(label)
        .hint("ask for a role too: `all(allow_if_admin, ...)`");
    linter.warn(key, problem);
}

/// The tags of a plain member who has a permission, if one can have it; a bare `allow` is intended, and
/// so it is left out.
fn plain_member_tags(
    linter: &mut Linter<'_, '_>,
    key: Span,
    span: Span,
    value: &GrantCondition<TagId>,
) -> Option<Vec<TagId>> {
    if *value == GrantCondition::Grant(Grant::Allow) {
        return None;
    }
    let found = linter.query(|diagrams| granted(diagrams, value, Role::Member));
    let Ok(diagram) = found else {
        linter.report_undecided(key, span, "whether a plain member can have this permission");
        return None;
    };
    linter.diagrams.example(diagram)
}

/// Whether a member who became an admin by the first permission can have the second as an admin.
fn promoted_admin_has(
    linter: &mut Linter<'_, '_>,
    key: Span,
    span: Span,
    first: &GrantCondition<TagId>,
    then: &GrantCondition<TagId>,
) -> bool {
    let both = linter.query(|diagrams| {
        let first = granted(diagrams, first, Role::Member)?;
        let then = granted(diagrams, then, Role::Admin)?;
        diagrams.and(first, then)
    });
    if both.is_err() {
        linter.report_undecided(key, span, "whether a member who made themselves an admin has it");
    }
    both.is_ok_and(|both| both != Diagram::NEVER)
}

/// Reports a combination that nobody can meet, where `deny` would say the same.
fn report_if_never_granted(linter: &mut Linter<'_, '_>, key: Span, expr: &Expr<'_>) {
    let Some(value) = bind::value(expr, &linter.view.tags) else { return };
    if matches!(value, GrantCondition::Grant(_)) {
        return;
    }
    let all = linter.query(|diagrams| {
        Role::ALL.iter().try_fold(Diagram::NEVER, |any, &role| {
            let granted = granted(diagrams, &value, role)?;
            diagrams.or(any, granted)
        })
    });
    match all {
        Ok(Diagram::NEVER) => linter.warn(key, never_holds(expr.span)),
        Ok(_) => {}
        Err(BudgetExceededError) => {
            linter.report_undecided(key, expr.span, "whether anyone can have this permission");
        }
    }
}

/// The members with a role who have a permission, by their tags.
fn granted(
    diagrams: &mut Diagrams,
    value: &GrantCondition<TagId>,
    role: Role,
) -> Result<Diagram, BudgetExceededError> {
    match value {
        GrantCondition::Grant(grant) if grant.grants(role) => Ok(Diagram::ALWAYS),
        GrantCondition::Grant(_) => Ok(Diagram::NEVER),
        GrantCondition::HasTag(tag) => diagrams.tag(*tag),
        GrantCondition::During(during) => diagrams.window(&during.window),
        GrantCondition::Not(inner) => {
            let inner = granted(diagrams, inner, role)?;
            diagrams.not(inner)
        }
        GrantCondition::All(parts) => parts.iter().try_fold(Diagram::ALWAYS, |all, part| {
            let part = granted(diagrams, part, role)?;
            diagrams.and(all, part)
        }),
        GrantCondition::Any(parts) => parts.iter().try_fold(Diagram::NEVER, |any, part| {
            let part = granted(diagrams, part, role)?;
            diagrams.or(any, part)
        }),
    }
}
