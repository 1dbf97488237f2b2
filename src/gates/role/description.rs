//! The words in which the gate explains itself.

use super::{
    group::{is_direct_conversation, stored_role},
    matrix::{own_value, takes_super_admin, value},
};
use crate::{
    gates::{
        context::GateContext,
        pair::PrincipalPair,
        requirements::{GroupGuard, RoleRequirement},
    },
    request::{GrantCondition, GroupPermission, Role},
    snapshot::{GroupView, View},
};

/// A description of what the gate looked at: the roles of the two users, the matrix, and what was counted
/// in the group.
pub(super) fn describe(
    needs: RoleRequirement,
    view: &View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> String {
    let group = context.group(view);
    let role = context.role(view, pair.subject);
    let mut said = vec![format!(
        "{} is {} of `{}`",
        pair.subject.quoted_id(),
        with_article(role),
        context.group_id
    )];
    if let RoleRequirement::Permission(permission) = needs {
        said.push(describe_permission(permission, view, context));
        if takes_super_admin(view, context, permission) {
            said.push("a field that begins with `_` requires a super admin as well".to_owned());
        }
        if context.matrix(view).is_some_and(|_| names_tags(value(view, context, permission))) {
            said.push(format!("their tags are {}", pair.subject.render_tags(view)));
        }
    }
    if let (Some(own), Some(value)) = (context.own_declaration(view), own_value(view, context)) {
        let value = value.map(&mut |&tag| view.tags.name(tag));
        said.push(format!("{} of the matrix is {value}", own.name));
    }
    if needs == RoleRequirement::Leave && is_direct_conversation(view, context) {
        said.push("nobody leaves a conversation of two".to_owned());
    }
    if let Some(member) = pair.other {
        let role = stored_role(group, member);
        said.push(format!("{} is {}", member.quoted_id(), with_article(role)));
    }
    if let Some(group) = group {
        said.extend(describe_counts(view, context, group));
    }
    said.join("; ")
}

fn describe_permission(
    permission: GroupPermission,
    view: &View,
    context: &GateContext<'_>,
) -> String {
    let value = value(view, context, permission).map(&mut |&tag| view.tags.name(tag));
    let matrix = context.matrix(view).map_or("", |matrix| &matrix.name);
    match context.field.filter(|_| permission.takes_field()) {
        Some(field) => format!("{permission}.{field} of matrix `{matrix}` is {value}"),
        None => format!("{permission} of matrix `{matrix}` is {value}"),
    }
}

fn names_tags<T>(value: &GrantCondition<T>) -> bool {
    let mut found = false;
    value.for_each_tag(&mut |_| found = true);
    found
}

fn describe_counts(view: &View, context: &GateContext<'_>, group: GroupView<'_>) -> Option<String> {
    let members = group.members().len();
    match context.requirements.group_guard {
        GroupGuard::Size => Some(match view.settings.limits.group_members {
            Some(limit) => format!("the group has {members} of at most {limit} members"),
            None => "the size of groups is not limited".to_owned(),
        }),
        GroupGuard::LastSuperAdmin => {
            Some(format!("super admins of the group: {}", group.super_admin_count))
        }
        GroupGuard::Nothing | GroupGuard::SuperAdmins => {
            let leaves = context.requirements.role == RoleRequirement::Leave;
            leaves.then(|| format!("members of the group: {members}"))
        }
    }
}

fn with_article(role: Option<Role>) -> &'static str {
    match role {
        None => "not a member",
        Some(Role::Member) => "a member",
        Some(Role::Admin) => "an admin",
        Some(Role::SuperAdmin) => "a super admin",
    }
}
