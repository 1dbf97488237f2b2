//! The answers of the gate as sets.

use super::{
    denials::{admits, check, is_last_required, permission_denial, permission_of, standing_denial},
    group::{is_banned, is_full, is_super_admin, requirement_of, stored_role, user_selection},
    matrix::{granted_users, own_value, takes_super_admin, value},
};
use crate::{
    gates::{
        context::GateContext,
        principal::Principal,
        requirements::{GroupGuard, RoleRequirement},
        sets::everybody_if,
    },
    request::Role,
    snapshot::{GroupRestrictions, GroupView, Requirement, Selection, UserSet, View},
};

/// The users on whom the gate lets a subject act.
pub(super) fn admitted_others<'v>(
    needs: RoleRequirement,
    view: &'v View,
    context: &GateContext<'_>,
    subject: &Principal<'_>,
) -> Selection<'v> {
    let group = context.group(view);
    let role = context.role(view, subject);
    let is_barred = standing_denial(needs, role).is_some()
        || permission_denial(needs, view, context, role, subject).is_some();
    if is_barred {
        return Selection::nobody();
    }
    if !context.action.takes_member() {
        return everybody_if(check(needs, view, context, subject, None).is_none());
    }
    let super_admins = || user_selection(group.into_iter().flat_map(GroupView::super_admins));
    let admins = || user_selection(group.into_iter().flat_map(GroupView::admins));
    let guard = context.requirements.group_guard;
    let mut parts = Vec::new();
    if context.requirements.requires_member {
        parts.push(members(group));
    }
    if guard.protects_super_admins() {
        parts.push(super_admins().complement());
    }
    if guard.protects_admins() && role != Some(Role::SuperAdmin) {
        parts.push(admins().complement());
    }
    match guard {
        GroupGuard::Entry => parts.extend(comers(view, group)),
        GroupGuard::LastSuperAdmin if group.is_some_and(|it| it.super_admin_count == 1) => {
            parts.push(super_admins().complement());
        }
        GroupGuard::Removal | GroupGuard::Ban => parts.extend(last_required(group)),
        GroupGuard::Nothing | GroupGuard::Mute | GroupGuard::LastSuperAdmin => {}
    }
    Selection::all(parts)
}

/// The subjects whom the gate lets act on another user, if there is one.
pub(super) fn admitted_subjects<'v>(
    needs: RoleRequirement,
    view: &'v View,
    context: &GateContext<'_>,
    other: Option<&Principal<'_>>,
) -> Selection<'v> {
    let group = context.group(view);
    let requirement = requirement_of(group);
    let is_silent = context.requirements.is_speech && requirement.is_some_and(|it| !it.is_met());
    let is_closed = context.requirements.group_guard == GroupGuard::Entry && is_full(view, group);
    if is_silent
        || is_closed
        || other.is_some_and(|other| is_other_barred(view, context, group, other))
    {
        return Selection::nobody();
    }
    let super_admins = || user_selection(group.into_iter().flat_map(GroupView::super_admins));
    let mut parts = Vec::new();
    match needs {
        RoleRequirement::Nothing => {}
        RoleRequirement::Join => {
            parts.push(members(group).complement());
            parts.extend(comers(view, group));
        }
        RoleRequirement::Leave => {
            let is_last = group.is_none_or(|group| group.members().len() <= 1);
            parts.extend([everybody_if(!is_last), members(group), super_admins().complement()]);
            parts.extend(last_required(group));
        }
        RoleRequirement::SuperAdmin => parts.push(super_admins()),
        RoleRequirement::Member | RoleRequirement::Permission(_) => parts.push(members(group)),
    }
    if let Some(permission) = permission_of(needs) {
        parts.push(granted_users(view, group, value(view, context, permission)));
        if takes_super_admin(view, context, permission) {
            parts.push(super_admins());
        }
    }
    parts.extend(own_value(view, context).map(|value| granted_users(view, group, value)));
    let is_admin = |other: &Principal<'_>| stored_role(group, other) == Some(Role::Admin);
    if context.requirements.group_guard.protects_admins() && other.is_some_and(is_admin) {
        parts.push(super_admins());
    }
    if let Some(restrictions) = restrictions(group).filter(|_| context.requirements.is_speech) {
        parts.push(Selection::from(UserSet::from_sorted(restrictions.muted())).complement());
    }
    Selection::all(parts)
}

/// Whether nobody may do it to a user.
fn is_other_barred(
    view: &View,
    context: &GateContext<'_>,
    group: Option<GroupView<'_>>,
    other: &Principal<'_>,
) -> bool {
    let guard = context.requirements.group_guard;
    let requirement = requirement_of(group);
    let is_in_the_way = match guard {
        GroupGuard::Nothing | GroupGuard::Mute => false,
        GroupGuard::Removal | GroupGuard::Ban => {
            requirement.is_some_and(|it| is_last_required(it, other))
        }
        GroupGuard::LastSuperAdmin => {
            is_super_admin(group, other) && group.is_some_and(|it| it.super_admin_count == 1)
        }
        GroupGuard::Entry => {
            is_banned(group, other) || requirement.is_some_and(|it| !admits(view, it, other))
        }
    };
    is_in_the_way
        || context.requirements.requires_member && stored_role(group, other).is_none()
        || guard.protects_super_admins() && is_super_admin(group, other)
}

/// The conditions on who is added to a group, or joins it: all must hold.
fn comers<'v>(view: &'v View, group: Option<GroupView<'v>>) -> Vec<Selection<'v>> {
    let mut parts = vec![everybody_if(!is_full(view, group))];
    if let Some(restrictions) = restrictions(group) {
        parts.push(Selection::from(UserSet::from_sorted(restrictions.banned())).complement());
    }
    if let Some(requirement) = requirement_of(group).filter(|it| !it.is_met()) {
        parts.push(view.population.selection(&requirement.condition));
    }
    parts
}

/// Everybody but the last member whom the group requires, if one is.
fn last_required<'v>(group: Option<GroupView<'_>>) -> Option<Selection<'v>> {
    let last = requirement_of(group).and_then(Requirement::only_qualified)?;
    Some(user_selection([last].into_iter()).complement())
}

fn members<'v>(group: Option<GroupView<'_>>) -> Selection<'v> {
    let members = group.map(|group| UserSet::from_sorted(group.members()));
    members.unwrap_or_default().into()
}

fn restrictions(group: Option<GroupView<'_>>) -> Option<&GroupRestrictions> {
    group.and_then(|group| group.restrictions)
}
