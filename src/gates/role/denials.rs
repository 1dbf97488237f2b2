//! The reasons why the gate is closed for a pair, in their order.

use super::{
    group::{is_banned, is_full, is_muted, is_super_admin, requirement_of, stored_role},
    matrix::{denial, own_value, takes_super_admin, value},
};
use crate::{
    gates::{
        context::GateContext,
        principal::Principal,
        requirements::{GroupGuard, RoleRequirement},
    },
    request::{Grant, GrantCondition, GroupPermission, Reason, Role},
    snapshot::{GroupView, Requirement, View},
};

/// The cell of the group's matrix that is evaluated.
pub(super) fn permission_of(needs: RoleRequirement) -> Option<GroupPermission> {
    match needs {
        RoleRequirement::Nothing | RoleRequirement::Member | RoleRequirement::SuperAdmin => None,
        RoleRequirement::Permission(permission) => Some(permission),
        RoleRequirement::Join => Some(GroupPermission::Join),
        RoleRequirement::Leave => Some(GroupPermission::Leave),
    }
}

/// The reason why the gate is closed.
pub(super) fn check(
    needs: RoleRequirement,
    view: &View,
    context: &GateContext<'_>,
    subject: &Principal<'_>,
    other: Option<&Principal<'_>>,
) -> Option<Reason> {
    let role = context.role(view, subject);
    standing_denial(needs, role)
        .or_else(|| membership_denial(view, context, role, subject, other))
        .or_else(|| permission_denial(needs, view, context, role, subject))
        .or_else(|| group_denial(needs, view, context, role, subject, other))
}

/// The reason why a subject with this role, or without one, does not come into question.
pub(super) fn standing_denial(needs: RoleRequirement, role: Option<Role>) -> Option<Reason> {
    match (needs, role) {
        (RoleRequirement::Join, Some(_)) => Some(Reason::AlreadyMember),
        (RoleRequirement::Join, None) | (_, Some(_)) => None,
        (_, None) => Some(Reason::NotMember),
    }
}

/// The reason why the group's lists of users close the gate, before the matrix is evaluated.
pub(super) fn membership_denial(
    view: &View,
    context: &GateContext<'_>,
    role: Option<Role>,
    subject: &Principal<'_>,
    other: Option<&Principal<'_>>,
) -> Option<Reason> {
    let needs = context.requirements;
    let group = context.group(view);
    let guard = needs.group_guard;
    if comer(context, subject, other).is_some_and(|comer| is_banned(group, comer)) {
        return Some(Reason::BannedFromGroup);
    }
    if needs.is_speech && is_muted(group, subject) {
        return Some(Reason::Muted);
    }
    let other = other?;
    if needs.requires_member && stored_role(group, other).is_none() {
        Some(Reason::NotMember)
    } else if guard.protects_super_admins() && is_super_admin(group, other) {
        Some(Reason::SuperAdminProtected)
    } else if guard.protects_admins()
        && role != Some(Role::SuperAdmin)
        && stored_role(group, other) == Some(Role::Admin)
    {
        Some(Reason::NeedsSuperAdmin)
    } else {
        None
    }
}

/// The reason why the group's matrix denies it to a subject, with any other user. Who joins has no role,
/// and is denied what depends on one.
pub(super) fn permission_denial(
    needs: RoleRequirement,
    view: &View,
    context: &GateContext<'_>,
    role: Option<Role>,
    subject: &Principal<'_>,
) -> Option<Reason> {
    let role = role.unwrap_or(Role::Member);
    let own = || own_denial(view, context, role, subject);
    let Some(permission) = permission_of(needs) else {
        let lacks = needs == RoleRequirement::SuperAdmin && role != Role::SuperAdmin;
        return own().or(lacks.then_some(Reason::NeedsSuperAdmin));
    };
    let value = value(view, context, permission);
    if !value.grants(role, &subject.tag_predicate(view)) {
        let is_closed = *value == GrantCondition::Grant(Grant::Deny);
        let is_invite_only = needs == RoleRequirement::Join && is_closed;
        return Some(if is_invite_only { Reason::InviteOnly } else { denial(value) });
    }
    let is_hidden = takes_super_admin(view, context, permission);
    let hidden = (is_hidden && role != Role::SuperAdmin).then_some(Reason::NeedsSuperAdmin);
    hidden.or_else(own)
}

/// The reason why the cell of a declared action closes the gate to a subject with this role.
#[inline]
fn own_denial(
    view: &View,
    context: &GateContext<'_>,
    role: Role,
    subject: &Principal<'_>,
) -> Option<Reason> {
    let value = own_value(view, context)?;
    (!value.grants(role, &subject.tag_predicate(view))).then(|| denial(value))
}

/// The reason why the group as it is closes the gate, after the matrix was evaluated.
fn group_denial(
    needs: RoleRequirement,
    view: &View,
    context: &GateContext<'_>,
    role: Option<Role>,
    subject: &Principal<'_>,
    other: Option<&Principal<'_>>,
) -> Option<Reason> {
    if needs == RoleRequirement::Leave {
        return leave_denial(view, context, role, subject);
    }
    let group = context.group(view);
    let guard = context.requirements.group_guard;
    let is_last_super_admin = |other| {
        group.is_some_and(|group| group.super_admin_count == 1) && is_super_admin(group, other)
    };
    if guard == GroupGuard::LastSuperAdmin && other.is_some_and(is_last_super_admin) {
        return Some(Reason::LastSuperAdmin);
    }
    if let Some(requirement) = requirement_of(group) {
        if guard.removes() && other.is_some_and(|other| is_last_required(requirement, other)) {
            return Some(Reason::LastRequiredMember);
        }
        let is_refused =
            comer(context, subject, other).is_some_and(|comer| !admits(view, requirement, comer));
        if is_refused || context.requirements.is_speech && !requirement.is_met() {
            return Some(Reason::RequiredMemberMissing);
        }
    }
    let is_full = guard == GroupGuard::Entry && is_full(view, group);
    is_full.then_some(Reason::GroupFull)
}

/// The reason why a member to whom the matrix grants it may not leave.
fn leave_denial(
    view: &View,
    context: &GateContext<'_>,
    role: Option<Role>,
    subject: &Principal<'_>,
) -> Option<Reason> {
    let group = context.group(view);
    let mut members = group.into_iter().flat_map(GroupView::members);
    if members.all(|member| Some(member) == subject.number) {
        Some(Reason::LastMember)
    } else if requirement_of(group).is_some_and(|it| is_last_required(it, subject)) {
        Some(Reason::LastRequiredMember)
    } else {
        (role == Some(Role::SuperAdmin)).then_some(Reason::SuperAdminProtected)
    }
}

/// Who comes to the group: the subject who joins, or the `member` who is added.
fn comer<'p, 'r>(
    context: &GateContext<'_>,
    subject: &'p Principal<'r>,
    other: Option<&'p Principal<'r>>,
) -> Option<&'p Principal<'r>> {
    match context.requirements.role {
        RoleRequirement::Join => Some(subject),
        _ => other.filter(|_| context.requirements.group_guard == GroupGuard::Entry),
    }
}

/// Whether a user is the only member who meets the condition that someone in the group must meet.
pub(super) fn is_last_required(requirement: &Requirement, user: &Principal<'_>) -> bool {
    user.number.is_some() && requirement.only_qualified() == user.number
}

/// Whether a user may come to a group with this requirement: anyone, if somebody there meets it.
pub(super) fn admits(view: &View, requirement: &Requirement, comer: &Principal<'_>) -> bool {
    requirement.is_met() || requirement.condition.holds(&comer.tag_predicate(view))
}
