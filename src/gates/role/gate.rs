//! The gate `role` itself.

use super::{
    admitted::{admitted_others, admitted_subjects},
    denials::{check, membership_denial, permission_of, standing_denial},
    description,
    matrix::{cell_statement, own_cell_statement},
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
    request::{GateName, Reason, StatementId},
    snapshot::{Selection, View},
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
