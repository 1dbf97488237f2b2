//! The words in which the gate explains itself.

use super::{
    denials::permission_of,
    group::{is_banned, is_muted, requirement_of, stored_role},
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
    if is_muted(group, pair.subject) && context.requirements.is_speech {
        said.push("the group mutes them".to_owned());
    }
    if let Some(permission) = permission_of(needs) {
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
    if let Some(member) = pair.other {
        let role = stored_role(group, member);
        said.push(format!("{} is {}", member.quoted_id(), with_article(role)));
    }
    let comer = pair.other.unwrap_or(pair.subject);
    if context.requirements.group_guard == GroupGuard::Entry && is_banned(group, comer) {
        said.push(format!("the group bans {}", comer.quoted_id()));
    }
    said.extend(describe_requirement(needs, view, context, group));
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

/// The condition that someone in the group must meet, and how many do, where that matters.
fn describe_requirement(
    needs: RoleRequirement,
    view: &View,
    context: &GateContext<'_>,
    group: Option<GroupView<'_>>,
) -> Option<String> {
    let requirement = requirement_of(group)?;
    let guard = context.requirements.group_guard;
    let is_relevant = context.requirements.is_speech
        || guard == GroupGuard::Entry
        || guard.removes()
        || needs == RoleRequirement::Leave;
    let condition = requirement.condition.map(&mut |&tag| view.tags.name(tag));
    let count = requirement.qualified().len();
    is_relevant.then(|| format!("the group requires {condition}, which {count} in it meet"))
}

fn describe_counts(view: &View, context: &GateContext<'_>, group: GroupView<'_>) -> Option<String> {
    let members = group.members().len();
    match context.requirements.group_guard {
        GroupGuard::Entry => Some(match view.settings.limits.group_members {
            Some(limit) => format!("the group has {members} of at most {limit} members"),
            None => "the size of groups is not limited".to_owned(),
        }),
        GroupGuard::LastSuperAdmin => {
            Some(format!("super admins of the group: {}", group.super_admin_count))
        }
        GroupGuard::Nothing | GroupGuard::Removal | GroupGuard::Ban | GroupGuard::Mute => {
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
