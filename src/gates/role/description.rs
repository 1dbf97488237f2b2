use super::{
    is_direct_conversation,
    matrix::{takes_super_admin, value},
};
use crate::{
    gates::{GateContext, Principal, PrincipalPair, requirements::RoleRequirement},
    request::{Action, GrantCondition, GroupPermission, Role},
    snapshot::{GroupView, View},
};

/// What the gate looked at: what the two are in the group, what the matrix says, and what else of
/// the group was counted.
pub(super) fn describe(
    needs: RoleRequirement,
    view: &View,
    scene: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> String {
    let group = scene.group(view);
    let role = scene.role(view, pair.subject);
    let mut said = vec![format!(
        "{} is {} of `{}`",
        pair.subject.quoted_id(),
        with_article(role),
        scene.group_id
    )];
    if let RoleRequirement::Permission(permission) = needs {
        said.push(describe_permission(permission, view, scene));
        if takes_super_admin(view, scene, permission) {
            said.push("a field that begins with `_` takes a super admin besides".to_owned());
        }
        if scene.matrix(view).is_some_and(|_| names_tags(value(view, scene, permission))) {
            said.push(format!("his tags are {}", pair.subject.render_tags(view)));
        }
    }
    if needs == RoleRequirement::Leave && is_direct_conversation(view, scene) {
        said.push("nobody leaves a conversation of two".to_owned());
    }
    if let Some(member) = pair.other {
        let role = role_of(group, member);
        said.push(format!("{} is {}", member.quoted_id(), with_article(role)));
    }
    if let Some(group) = group {
        said.extend(describe_counts(view, scene, group));
    }
    said.join("; ")
}

fn describe_permission(
    permission: GroupPermission,
    view: &View,
    scene: &GateContext<'_>,
) -> String {
    let value = value(view, scene, permission).map(&mut |&tag| view.tags.name(tag));
    let matrix = scene.matrix(view).map_or("", |matrix| &matrix.name);
    match (permission, scene.field) {
        (GroupPermission::UpdateMetadata, Some(field)) => {
            format!("{permission}.{field} of matrix `{matrix}` is {value}")
        }
        _ => format!("{permission} of matrix `{matrix}` is {value}"),
    }
}

fn names_tags<T>(value: &GrantCondition<T>) -> bool {
    let mut found = false;
    value.for_each_tag(&mut |_| found = true);
    found
}

fn describe_counts(view: &View, scene: &GateContext<'_>, group: GroupView<'_>) -> Option<String> {
    let members = group.members().len();
    match (scene.action, view.settings.limits.group_members) {
        (Action::AddMember, Some(limit)) => {
            Some(format!("the group has {members} of at most {limit} members"))
        }
        (Action::AddMember, None) => Some("the size of groups is not limited".to_owned()),
        (Action::Leave, _) => Some(format!("members of the group: {members}")),
        (Action::RemoveSuperAdmin, _) => {
            Some(format!("super admins of the group: {}", group.super_admin_count))
        }
        _ => None,
    }
}

fn role_of(group: Option<GroupView<'_>>, member: &Principal<'_>) -> Option<Role> {
    group?.role(member.number?)
}

fn with_article(role: Option<Role>) -> &'static str {
    match role {
        None => "no member",
        Some(Role::Member) => "a member",
        Some(Role::Admin) => "an admin",
        Some(Role::SuperAdmin) => "a super admin",
    }
}
