mod description;
mod matrix;

use super::{
    Gate, GateContext, Principal, PrincipalPair, everybody_if, requirements::RoleRequirement,
};
use crate::{
    request::{Action, GateName, Reason, Role, StatementId},
    snapshot::{GroupView, Selection, UserNumber, UserSet, View},
};
use matrix::{cell_statement, denial, granted_users, takes_super_admin, value};

/// Closed in a group for those who are not, or may not do, what the action takes there.
pub(super) struct RoleGate;

/// What a request needs in its group; nothing, where it is in none.
#[inline]
fn requirement(scene: &GateContext<'_>) -> RoleRequirement {
    if scene.is_in_group() { scene.requirements.role } else { RoleRequirement::Nothing }
}

fn is_super_admin(group: Option<GroupView<'_>>, member: &Principal<'_>) -> bool {
    let role = group.zip(member.number).and_then(|(group, number)| group.role(number));
    role == Some(Role::SuperAdmin)
}

/// Whether the only super admin is meant.
fn is_last_super_admin(group: Option<GroupView<'_>>, member: &Principal<'_>) -> bool {
    group.is_some_and(|group| group.super_admin_count == 1) && is_super_admin(group, member)
}

/// Whether the group takes nobody any more.
fn is_full(view: &View, group: Option<GroupView<'_>>) -> bool {
    let members = group.map_or(0, |group| group.members().len());
    view.settings.limits.group_members.is_some_and(|limit| members >= limit as usize)
}

/// Why someone of this role may not do it to anyone.
fn permission_denial(
    view: &View,
    scene: &GateContext<'_>,
    needs: RoleRequirement,
    role: Role,
    subject: &Principal<'_>,
) -> Option<Reason> {
    match needs {
        RoleRequirement::Nothing | RoleRequirement::Member | RoleRequirement::Leave => None,
        RoleRequirement::Permission(permission) => {
            let value = value(view, scene, permission);
            if !value.grants(role, &subject.tag_predicate(view)) {
                return Some(denial(value));
            }
            let is_hidden = takes_super_admin(view, scene, permission);
            (is_hidden && role != Role::SuperAdmin).then_some(Reason::NeedsSuperAdmin)
        }
        RoleRequirement::SuperAdmin => {
            (role != Role::SuperAdmin).then_some(Reason::NeedsSuperAdmin)
        }
    }
}

/// Whether it is a conversation of two, which nobody leaves.
fn is_direct_conversation(view: &View, scene: &GateContext<'_>) -> bool {
    scene.matrix(view).is_some_and(|matrix| matrix.is_of_two)
}

/// Why a member may not leave.
fn leave_denial(
    view: &View,
    scene: &GateContext<'_>,
    role: Role,
    subject: &Principal<'_>,
) -> Option<Reason> {
    if is_direct_conversation(view, scene) {
        return Some(Reason::DeniedByMatrix);
    }
    let mut members = scene.group(view).into_iter().flat_map(GroupView::members);
    if members.all(|member| Some(member) == subject.number) {
        Some(Reason::LastMember)
    } else if role == Role::SuperAdmin {
        Some(Reason::SuperAdminProtected)
    } else {
        None
    }
}

impl Gate for RoleGate {
    fn name(&self) -> GateName {
        GateName::Role
    }

    #[inline]
    fn check(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Reason> {
        match requirement(scene) {
            RoleRequirement::Nothing => None,
            needs => check(needs, view, scene, pair),
        }
    }

    fn admitted_others<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        subject: &Principal<'_>,
    ) -> Selection<'v> {
        let needs = requirement(scene);
        if needs == RoleRequirement::Nothing {
            return Selection::everybody();
        }
        let group = scene.group(view);
        let Some(role) = scene.role(view, subject) else { return Selection::nobody() };
        if needs == RoleRequirement::Leave {
            return everybody_if(leave_denial(view, scene, role, subject).is_none());
        }
        if permission_denial(view, scene, needs, role, subject).is_some() {
            return Selection::nobody();
        }
        let super_admins = || user_selection(group.into_iter().flat_map(GroupView::super_admins));
        let is_last = group.is_some_and(|group| group.super_admin_count == 1);
        match scene.action {
            Action::RemoveMember => super_admins().complement(),
            Action::RemoveSuperAdmin if is_last => super_admins().complement(),
            Action::AddMember => everybody_if(!is_full(view, group)),
            _ => Selection::everybody(),
        }
    }

    fn admitted_subjects<'v>(
        &self,
        view: &'v View,
        scene: &GateContext<'_>,
        other: Option<&Principal<'_>>,
    ) -> Selection<'v> {
        let needs = requirement(scene);
        if needs == RoleRequirement::Nothing {
            return Selection::everybody();
        }
        let group = scene.group(view);
        let closed = match (scene.action, other) {
            (Action::RemoveMember, Some(member)) => is_super_admin(group, member),
            (Action::RemoveSuperAdmin, Some(member)) => is_last_super_admin(group, member),
            (Action::AddMember, _) => is_full(view, group),
            _ => false,
        };
        let Some(group) = group.filter(|_| !closed) else { return Selection::nobody() };
        let members: Selection<'_> = UserSet::from_sorted(group.members()).into();
        match needs {
            RoleRequirement::Nothing | RoleRequirement::Member => members,
            RoleRequirement::SuperAdmin => user_selection(group.super_admins()),
            RoleRequirement::Leave
                if group.members().len() <= 1 || is_direct_conversation(view, scene) =>
            {
                Selection::nobody()
            }
            RoleRequirement::Leave => {
                Selection::all([members, user_selection(group.super_admins()).complement()])
            }
            RoleRequirement::Permission(permission) => {
                let granted = granted_users(view, group, value(view, scene, permission));
                let mut parts = vec![members, granted];
                if takes_super_admin(view, scene, permission) {
                    parts.push(user_selection(group.super_admins()));
                }
                Selection::all(parts)
            }
        }
    }

    fn consulted(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> Option<Vec<StatementId>> {
        let RoleRequirement::Permission(permission) = requirement(scene) else {
            return (requirement(scene) != RoleRequirement::Nothing).then(Vec::new);
        };
        let mut asked = Vec::new();
        let closed = self.check(view, scene, pair);
        if !matches!(closed, Some(Reason::NotMember | Reason::SuperAdminProtected)) {
            asked.extend(cell_statement(view, scene, permission));
        }
        if scene.action == Action::AddMember && matches!(closed, None | Some(Reason::GroupFull)) {
            asked.push(StatementId::GroupLimit);
        }
        Some(asked)
    }

    fn describe(
        &self,
        view: &View,
        scene: &GateContext<'_>,
        pair: &PrincipalPair<'_, '_>,
    ) -> String {
        match requirement(scene) {
            RoleRequirement::Nothing => format!("no role is needed for {} here", scene.action),
            needs => description::describe(needs, view, scene, pair),
        }
    }
}

fn check(
    needs: RoleRequirement,
    view: &View,
    scene: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
) -> Option<Reason> {
    let group = scene.group(view);
    let Some(role) = scene.role(view, pair.subject) else { return Some(Reason::NotMember) };
    if needs == RoleRequirement::Leave {
        return leave_denial(view, scene, role, pair.subject);
    }
    let is_member = |is: fn(Option<GroupView<'_>>, &Principal<'_>) -> bool| {
        pair.other.is_some_and(|member| is(group, member))
    };
    if scene.action == Action::RemoveMember && is_member(is_super_admin) {
        return Some(Reason::SuperAdminProtected);
    }
    if let Some(reason) = permission_denial(view, scene, needs, role, pair.subject) {
        return Some(reason);
    }
    match scene.action {
        Action::RemoveSuperAdmin if is_member(is_last_super_admin) => Some(Reason::LastSuperAdmin),
        Action::AddMember if is_full(view, group) => Some(Reason::GroupFull),
        _ => None,
    }
}

fn user_selection<'v>(users: impl Iterator<Item = UserNumber>) -> Selection<'v> {
    users.collect::<UserSet>().into()
}
