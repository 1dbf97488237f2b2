mod detail;
mod matrix;

use super::{Gate, Pair, Party, Scene, all_if, demands::Needs};
use crate::{
    request::{Action, GateName, Reason, Role, Statement},
    snapshot::{Group, Selection, UserSet, View},
};
use matrix::{cell, granted, refusal, takes_super_admin, value};

/// Closed in a group for those who are not, or may not do, what the action takes there.
pub(super) struct RoleGate;

/// What a request needs in its group; nothing, where it is in none.
#[inline]
fn needs(scene: &Scene<'_>) -> Needs {
    if scene.is_in_group() { scene.demands.role } else { Needs::Nothing }
}

fn is_super_admin(group: Option<Group<'_>>, member: &Party<'_>) -> bool {
    let role = group.zip(member.number).and_then(|(group, number)| group.role(number));
    role == Some(Role::SuperAdmin)
}

/// Whether the only super admin is meant.
fn is_last_super_admin(group: Option<Group<'_>>, member: &Party<'_>) -> bool {
    group.is_some_and(|group| group.super_admin_count == 1) && is_super_admin(group, member)
}

/// Whether the group takes nobody any more.
fn is_full(view: &View, group: Option<Group<'_>>) -> bool {
    let members = group.map_or(0, |group| group.members.len());
    view.settings.limits.group_members.is_some_and(|limit| members >= limit as usize)
}

/// Why someone of this role may not do it to anyone.
fn refuses(
    view: &View,
    scene: &Scene<'_>,
    needs: Needs,
    role: Role,
    subject: &Party<'_>,
) -> Option<Reason> {
    match needs {
        Needs::Nothing | Needs::Member | Needs::Leave => None,
        Needs::Permission(permission) => {
            let value = value(view, scene, permission);
            if !value.grants(role, &subject.has(view)) {
                return Some(refusal(value));
            }
            let is_hidden = takes_super_admin(view, scene, permission);
            (is_hidden && role != Role::SuperAdmin).then_some(Reason::NeedsSuperAdmin)
        }
        Needs::SuperAdmin => (role != Role::SuperAdmin).then_some(Reason::NeedsSuperAdmin),
    }
}

/// Whether it is a conversation of two, which nobody leaves.
fn is_of_two(view: &View, scene: &Scene<'_>) -> bool {
    scene.matrix(view).is_some_and(|matrix| matrix.is_of_two)
}

/// Why a member may not leave.
fn keeps(view: &View, scene: &Scene<'_>, role: Role, subject: &Party<'_>) -> Option<Reason> {
    if is_of_two(view, scene) {
        return Some(Reason::DeniedByMatrix);
    }
    let members = scene.group(view).map_or(&[][..], |group| group.members);
    if members.iter().all(|&member| Some(member) == subject.number) {
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
    fn check(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
        match needs(scene) {
            Needs::Nothing => None,
            needs => check(needs, view, scene, pair),
        }
    }

    fn admits<'v>(&self, view: &'v View, scene: &Scene<'_>, subject: &Party<'_>) -> Selection<'v> {
        let needs = needs(scene);
        if needs == Needs::Nothing {
            return Selection::everybody();
        }
        let group = scene.group(view);
        let Some(role) = scene.role(view, subject) else { return Selection::nobody() };
        if needs == Needs::Leave {
            return all_if(keeps(view, scene, role, subject).is_none());
        }
        if refuses(view, scene, needs, role, subject).is_some() {
            return Selection::nobody();
        }
        let super_admins = || users(group.into_iter().flat_map(Group::super_admins));
        let is_last = group.is_some_and(|group| group.super_admin_count == 1);
        match scene.action {
            Action::RemoveMember => super_admins().complement(),
            Action::RemoveSuperAdmin if is_last => super_admins().complement(),
            Action::AddMember => all_if(!is_full(view, group)),
            _ => Selection::everybody(),
        }
    }

    fn admitted<'v>(
        &self,
        view: &'v View,
        scene: &Scene<'_>,
        other: Option<&Party<'_>>,
    ) -> Selection<'v> {
        let needs = needs(scene);
        if needs == Needs::Nothing {
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
        let members: Selection<'_> = UserSet::from_sorted(group.members).into();
        match needs {
            Needs::Nothing | Needs::Member => members,
            Needs::SuperAdmin => users(group.super_admins()),
            Needs::Leave if group.members.len() <= 1 || is_of_two(view, scene) => {
                Selection::nobody()
            }
            Needs::Leave => Selection::all([members, users(group.super_admins()).complement()]),
            Needs::Permission(permission) => {
                let granted = granted(view, group, value(view, scene, permission));
                let mut parts = vec![members, granted];
                if takes_super_admin(view, scene, permission) {
                    parts.push(users(group.super_admins()));
                }
                Selection::all(parts)
            }
        }
    }

    fn asks(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Vec<Statement>> {
        let Needs::Permission(permission) = needs(scene) else {
            return (needs(scene) != Needs::Nothing).then(Vec::new);
        };
        let mut asked = Vec::new();
        let closed = self.check(view, scene, pair);
        if !matches!(closed, Some(Reason::NotMember | Reason::SuperAdminProtected)) {
            asked.extend(cell(view, scene, permission));
        }
        if scene.action == Action::AddMember && matches!(closed, None | Some(Reason::GroupFull)) {
            asked.push(Statement::GroupLimit);
        }
        Some(asked)
    }

    fn detail(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> String {
        match needs(scene) {
            Needs::Nothing => format!("no role is needed for {} here", scene.action),
            needs => detail::detail(needs, view, scene, pair),
        }
    }
}

fn check(needs: Needs, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
    let group = scene.group(view);
    let Some(role) = scene.role(view, pair.subject) else { return Some(Reason::NotMember) };
    if needs == Needs::Leave {
        return keeps(view, scene, role, pair.subject);
    }
    let is_member = |is: fn(Option<Group<'_>>, &Party<'_>) -> bool| {
        pair.other.is_some_and(|member| is(group, member))
    };
    if scene.action == Action::RemoveMember && is_member(is_super_admin) {
        return Some(Reason::SuperAdminProtected);
    }
    if let Some(reason) = refuses(view, scene, needs, role, pair.subject) {
        return Some(reason);
    }
    match scene.action {
        Action::RemoveSuperAdmin if is_member(is_last_super_admin) => Some(Reason::LastSuperAdmin),
        Action::AddMember if is_full(view, group) => Some(Reason::GroupFull),
        _ => None,
    }
}

fn users<'v>(users: impl Iterator<Item = u32>) -> Selection<'v> {
    users.collect::<UserSet>().into()
}
