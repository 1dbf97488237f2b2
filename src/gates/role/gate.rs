//! The gate `role` itself.

use super::{
    description,
    group::{is_direct_conversation, is_full, is_last_super_admin, is_super_admin, user_selection},
    matrix::{
        cell_statement, denial, granted_users, own_cell_statement, own_value, takes_super_admin,
        value,
    },
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
        sets::everybody_if,
    },
    request::{GateName, Reason, Role, StatementId},
    snapshot::{GroupView, Selection, UserSet, View},
};

/// The gate `role`: closed in a group for subjects who lack the role or the permission that the action
/// requires there.
pub(in crate::gates) struct RoleGate;

impl RoleGate {
    pub(in crate::gates) const DENIALS: &'static [DenialReason] = &[
        DenialReason::of_subject(Reason::NotMember),
        DenialReason::of_subject(Reason::NeedsAdmin),
        DenialReason::of_subject(Reason::NeedsSuperAdmin),
        DenialReason::of_nobody(Reason::DeniedByMatrix),
        // A super admin is protected from being removed by others, and from leaving.
        DenialReason::new(Reason::SuperAdminProtected, |_, pair| {
            Some(pair.other.unwrap_or(pair.subject).id)
        }),
        DenialReason::of_other(Reason::LastSuperAdmin),
        DenialReason::of_subject(Reason::LastMember),
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
            needs => check(needs, view, context, pair),
        }
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        let needs = requirement(context);
        if needs == RoleRequirement::Nothing {
            return Selection::everybody();
        }
        let group = context.group(view);
        let Some(role) = context.role(view, subject) else { return Selection::nobody() };
        if needs == RoleRequirement::Leave {
            return everybody_if(leave_denial(view, context, role, subject).is_none());
        }
        if permission_denial(view, context, needs, role, subject).is_some() {
            return Selection::nobody();
        }
        let super_admins = || user_selection(group.into_iter().flat_map(GroupView::super_admins));
        let is_last = group.is_some_and(|group| group.super_admin_count == 1);
        match context.requirements.group_guard {
            GroupGuard::SuperAdmins => super_admins().complement(),
            GroupGuard::LastSuperAdmin if is_last => super_admins().complement(),
            GroupGuard::Nothing | GroupGuard::LastSuperAdmin => Selection::everybody(),
            GroupGuard::Size => everybody_if(!is_full(view, group)),
        }
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        context: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        let needs = requirement(context);
        if needs == RoleRequirement::Nothing {
            return Selection::everybody();
        }
        let group = context.group(view);
        let Some(group) = group.filter(|_| guard_denial(view, context, other).is_none()) else {
            return Selection::nobody();
        };
        let members: Selection<'_> = UserSet::from_sorted(group.members()).into();
        let own = own_value(view, context).map(|value| granted_users(view, group, value));
        let admitted = match needs {
            RoleRequirement::Nothing | RoleRequirement::Member => members,
            RoleRequirement::SuperAdmin => user_selection(group.super_admins()),
            RoleRequirement::Leave
                if group.members().len() <= 1 || is_direct_conversation(view, context) =>
            {
                Selection::nobody()
            }
            RoleRequirement::Leave => {
                Selection::all([members, user_selection(group.super_admins()).complement()])
            }
            RoleRequirement::Permission(permission) => {
                let granted = granted_users(view, group, value(view, context, permission));
                let mut parts = vec![members, granted];
                if takes_super_admin(view, context, permission) {
                    parts.push(user_selection(group.super_admins()));
                }
                Selection::all(parts)
            }
        };
        Selection::all([admitted].into_iter().chain(own))
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
        if requirement(context) == RoleRequirement::Nothing {
            return None;
        }
        let mut consulted = Vec::new();
        let closed = self.check(view, context, pair);
        if !matches!(closed, Some(Reason::NotMember | Reason::SuperAdminProtected)) {
            if let RoleRequirement::Permission(permission) = requirement(context) {
                consulted.extend(cell_statement(view, context, permission));
            }
            consulted.extend(own_cell_statement(view, context));
        }
        let checks_size = context.requirements.group_guard == GroupGuard::Size;
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

fn check(
    needs: RoleRequirement,
    view: &View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> Option<Reason> {
    let Some(role) = context.role(view, pair.subject) else { return Some(Reason::NotMember) };
    if needs == RoleRequirement::Leave {
        return leave_denial(view, context, role, pair.subject);
    }
    let guard = || guard_denial(view, context, pair.other);
    let permission = || permission_denial(view, context, needs, role, pair.subject);
    if context.requirements.group_guard == GroupGuard::SuperAdmins {
        guard().or_else(permission)
    } else {
        permission().or_else(guard)
    }
}

/// The reason why the group itself closes the gate, whatever the subject's role.
fn guard_denial(
    view: &View,
    context: &GateContext<'_>,
    member: Option<&Principal<'_>>,
) -> Option<Reason> {
    let group = context.group(view);
    let is_member = |is: fn(Option<GroupView<'_>>, &Principal<'_>) -> bool| {
        member.is_some_and(|member| is(group, member))
    };
    match context.requirements.group_guard {
        GroupGuard::Nothing => None,
        GroupGuard::SuperAdmins => is_member(is_super_admin).then_some(Reason::SuperAdminProtected),
        GroupGuard::LastSuperAdmin => {
            is_member(is_last_super_admin).then_some(Reason::LastSuperAdmin)
        }
        GroupGuard::Size => is_full(view, group).then_some(Reason::GroupFull),
    }
}

/// The reason why a subject with this role may not do it to anyone.
fn permission_denial(
    view: &View,
    context: &GateContext<'_>,
    needs: RoleRequirement,
    role: Role,
    subject: &Principal<'_>,
) -> Option<Reason> {
    match needs {
        RoleRequirement::Nothing | RoleRequirement::Leave => None,
        RoleRequirement::Member => own_denial(view, context, role, subject),
        RoleRequirement::Permission(permission) => {
            let value = value(view, context, permission);
            if !value.grants(role, &subject.tag_predicate(view)) {
                return Some(denial(value));
            }
            let is_hidden = takes_super_admin(view, context, permission);
            let hidden = (is_hidden && role != Role::SuperAdmin).then_some(Reason::NeedsSuperAdmin);
            hidden.or_else(|| own_denial(view, context, role, subject))
        }
        RoleRequirement::SuperAdmin => own_denial(view, context, role, subject)
            .or((role != Role::SuperAdmin).then_some(Reason::NeedsSuperAdmin)),
    }
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

/// The reason why a member may not leave.
fn leave_denial(
    view: &View,
    context: &GateContext<'_>,
    role: Role,
    subject: &Principal<'_>,
) -> Option<Reason> {
    if is_direct_conversation(view, context) {
        return Some(Reason::DeniedByMatrix);
    }
    let closed = own_denial(view, context, role, subject);
    if closed.is_some() {
        return closed;
    }
    let mut members = context.group(view).into_iter().flat_map(GroupView::members);
    if members.all(|member| Some(member) == subject.number) {
        Some(Reason::LastMember)
    } else if role == Role::SuperAdmin {
        Some(Reason::SuperAdminProtected)
    } else {
        None
    }
}
