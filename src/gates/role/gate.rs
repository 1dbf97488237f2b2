//! The gate `role` itself.

use super::{
    admitted::{admitted_others, admitted_subjects},
    description,
    group::{is_banned, is_full, is_muted, is_super_admin, requirement_of, stored_role},
    matrix::{cell_statement, denial, own_cell_statement, own_value, takes_super_admin, value},
};
use crate::{
    gates::{
        context::GateContext,
        denial::DenialReason,
        gate::{Gate, GateScope},
        one_sided::OneSided,
        pair::PrincipalPair,
        principal::Principal,
        requirements::{GroupGuard, RoleRequirement},
    },
    request::{GateName, Grant, GrantCondition, GroupPermission, Reason, Role, StatementId},
    snapshot::{Requirement, Selection, View},
};

/// The gate `role`: closed in a group for subjects who lack the role or the permission that the action
/// requires there.
pub(in crate::gates) struct RoleGate;

impl RoleGate {
    pub(in crate::gates) const DENIALS: &'static [DenialReason] = &[
        DenialReason::of_subject(Reason::AlreadyMember),
        // The subject comes first: of a `member`, it is said only if the subject is one.
        DenialReason::new(Reason::NotMember, |view, context, pair| {
            let other = pair.other.filter(|_| context.role(view, pair.subject).is_some());
            Some(other.unwrap_or(pair.subject).id)
        }),
        // Who is added or joins.
        DenialReason::new(Reason::BannedFromGroup, |_, _, pair| {
            Some(pair.other.unwrap_or(pair.subject).id)
        }),
        DenialReason::of_subject(Reason::Muted),
        DenialReason::of_subject(Reason::NeedsAdmin),
        DenialReason::of_subject(Reason::NeedsSuperAdmin),
        DenialReason::of_nobody(Reason::InviteOnly),
        DenialReason::of_nobody(Reason::DeniedByMatrix),
        // A super admin is protected from what others do to them, and from leaving.
        DenialReason::new(Reason::SuperAdminProtected, |_, _, pair| {
            Some(pair.other.unwrap_or(pair.subject).id)
        }),
        DenialReason::of_other(Reason::LastSuperAdmin),
        DenialReason::of_subject(Reason::LastMember),
        DenialReason::of_nobody(Reason::RequiredMemberMissing),
        DenialReason::new(Reason::LastRequiredMember, |_, _, pair| {
            Some(pair.other.unwrap_or(pair.subject).id)
        }),
        DenialReason::of_nobody(Reason::GroupFull),
    ];
}

/// The role that a request requires in its group; nothing outside of groups.
#[inline]
fn requirement(context: &GateContext<'_>) -> RoleRequirement {
    if context.is_in_group() { context.requirements.role } else { RoleRequirement::Nothing }
}

impl Gate for RoleGate {
    fn name(&self) -> GateName {
        GateName::Role
    }

    fn scope(&self) -> GateScope {
        GateScope::Request
    }

    fn denials(&self) -> &'static [DenialReason] {
        Self::DENIALS
    }

    #[inline]
    fn check(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        match requirement(context) {
            RoleRequirement::Nothing => None,
            needs => check(needs, view, context, pair.subject, pair.other),
        }
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        match requirement(context) {
            RoleRequirement::Nothing => Selection::everybody(),
            needs => admitted_others(needs, view, context, subject),
        }
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        match requirement(context) {
            RoleRequirement::Nothing => Selection::everybody(),
            needs => admitted_subjects(needs, view, context, other),
        }
    }

    fn one_sided<'v>(&self, _: &'v View, _: &GateContext<'_>) -> OneSided<'v> {
        OneSided::default()
    }

    fn consulted(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        let needs = requirement(context);
        if needs == RoleRequirement::Nothing {
            return None;
        }
        let role = context.role(view, pair.subject);
        let is_settled = standing_denial(needs, role).is_some()
            || membership_denial(view, context, role, pair.subject, pair.other).is_some();
        let mut consulted = Vec::new();
        if !is_settled {
            if let Some(permission) = permission_of(needs) {
                consulted.extend(cell_statement(view, context, permission));
            }
            consulted.extend(own_cell_statement(view, context));
        }
        let closed = self.check(view, context, pair);
        let checks_size = context.requirements.group_guard == GroupGuard::Entry;
        if checks_size && matches!(closed, None | Some(Reason::GroupFull)) {
            consulted.push(StatementId::GroupLimit);
        }
        Some(consulted)
    }

    fn describe(
        &self,
        view: &View,
        context: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        match requirement(context) {
            RoleRequirement::Nothing => {
                format!("no role is needed for {} here", context.requested_name(view))
            }
            needs => description::describe(needs, view, context, pair),
        }
    }
}

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
fn membership_denial(
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

/// The reason why the group's matrix denies it to a subject, whomever it is done to. Who joins has no role,
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
    let mut members = group.into_iter().flat_map(|group| group.members());
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
