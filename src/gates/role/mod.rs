mod detail;

use super::{Gate, Pair, Party, Scene, all_if, demands::Needs};
use crate::{
    request::{Action, GateName, Grant, GroupPermission, Reason, Role, Value},
    snapshot::{Group, Selection, TagId, UserSet, View},
};

/// Closed in a group for those who are not, or may not do, what the action takes there.
pub(super) struct RoleGate;

/// What a request needs in its group; nothing, where it is in none.
fn needs(scene: &Scene<'_>) -> Needs {
    if scene.is_in_group() { scene.demands.role } else { Needs::Nothing }
}

/// Whether the only super admin is meant.
fn is_last_super_admin(group: Option<&Group>, member: &Party<'_>) -> bool {
    let super_admins = group.map_or(&[][..], |group| &group.super_admins);
    matches!((super_admins, member.number), (&[last], Some(member)) if last == member)
}

fn is_super_admin(group: Option<&Group>, member: &Party<'_>) -> bool {
    let number = group.zip(member.number);
    number.is_some_and(|(group, number)| group.super_admins.binary_search(&number).is_ok())
}

/// Whether the group takes nobody any more.
fn is_full(view: &View, group: Option<&Group>) -> bool {
    let members = group.map_or(0, |group| group.members.len());
    view.settings.limits.group_members.is_some_and(|limit| members >= limit as usize)
}

/// Why a value of the matrix refuses a member of this role.
fn refusal(value: &Value<TagId>) -> Reason {
    match value {
        Value::Grant(Grant::AllowIfAdmin) => Reason::NeedsAdmin,
        Value::Grant(Grant::AllowIfSuperAdmin) => Reason::NeedsSuperAdmin,
        _ => Reason::DeniedByMatrix,
    }
}

fn value<'v>(view: &'v View, scene: &Scene<'_>, permission: GroupPermission) -> &'v Value<TagId> {
    let matrix = scene.matrix(view);
    let nothing = &Value::Grant(Grant::Unspecified);
    matrix.map_or(nothing, |matrix| matrix.value(permission, scene.field))
}

/// Why the subject may not do it to anyone.
fn refuses(view: &View, scene: &Scene<'_>, subject: &Party<'_>) -> Option<Reason> {
    let Some(role) = scene.role(view, subject) else { return Some(Reason::NotMember) };
    match needs(scene) {
        Needs::Nothing | Needs::Member | Needs::Leave => None,
        Needs::Permission(permission) => {
            let value = value(view, scene, permission);
            (!value.grants(role, &subject.has(view))).then(|| refusal(value))
        }
        Needs::SuperAdmin => (role != Role::SuperAdmin).then_some(Reason::NeedsSuperAdmin),
    }
}

/// Why a member may not leave.
fn keeps(view: &View, scene: &Scene<'_>, subject: &Party<'_>) -> Option<Reason> {
    let role = scene.role(view, subject);
    let is_alone = scene.group(view).is_some_and(|group| group.members.len() == 1);
    match role {
        None => Some(Reason::NotMember),
        Some(_) if is_alone => Some(Reason::LastMember),
        Some(Role::SuperAdmin) => Some(Reason::SuperAdminProtected),
        Some(_) => None,
    }
}

impl Gate for RoleGate {
    fn name(&self) -> GateName {
        GateName::Role
    }

    fn check(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> Option<Reason> {
        match needs(scene) {
            Needs::Nothing => return None,
            Needs::Leave => return keeps(view, scene, pair.subject),
            _ => {}
        }
        if scene.role(view, pair.subject).is_none() {
            return Some(Reason::NotMember);
        }
        let group = scene.group(view);
        let is_member = |is: fn(Option<&Group>, &Party<'_>) -> bool| {
            pair.other.is_some_and(|member| is(group, member))
        };
        if scene.action == Action::RemoveMember && is_member(is_super_admin) {
            return Some(Reason::SuperAdminProtected);
        }
        if let Some(reason) = refuses(view, scene, pair.subject) {
            return Some(reason);
        }
        match scene.action {
            Action::RemoveSuperAdmin if is_member(is_last_super_admin) => {
                Some(Reason::LastSuperAdmin)
            }
            Action::AddMember if is_full(view, group) => Some(Reason::GroupFull),
            _ => None,
        }
    }

    fn admits<'v>(&self, view: &'v View, scene: &Scene<'_>, subject: &Party<'_>) -> Selection<'v> {
        let group = scene.group(view);
        match needs(scene) {
            Needs::Nothing => return Selection::everybody(),
            Needs::Leave => return all_if(keeps(view, scene, subject).is_none()),
            _ if refuses(view, scene, subject).is_some() => return Selection::nobody(),
            _ => {}
        }
        let super_admins = group.map_or(&[][..], |group| &group.super_admins);
        match scene.action {
            Action::RemoveMember => all_but(super_admins),
            Action::RemoveSuperAdmin if super_admins.len() == 1 => all_but(super_admins),
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
        let members = || only(&group.members);
        let but_super_admins = || all_but(&group.super_admins);
        match needs {
            Needs::Nothing => Selection::everybody(),
            Needs::Member => members(),
            Needs::SuperAdmin => Selection::all([members(), only(&group.super_admins)]),
            Needs::Leave if group.members.len() == 1 => Selection::nobody(),
            Needs::Leave => Selection::all([members(), but_super_admins()]),
            Needs::Permission(permission) => {
                let granted = granted(view, group, value(view, scene, permission));
                Selection::all([members(), granted])
            }
        }
    }

    fn detail(&self, view: &View, scene: &Scene<'_>, pair: &Pair<'_, '_>) -> String {
        match needs(scene) {
            Needs::Nothing => format!("no role is needed for {} here", scene.action),
            needs => detail::detail(needs, view, scene, pair),
        }
    }
}

fn only<'v>(users: &[u32]) -> Selection<'v> {
    UserSet::from_sorted(users).into()
}

fn all_but<'v>(users: &[u32]) -> Selection<'v> {
    only(users).complement()
}

/// The users to whom a value grants, members or not. Recursion is as deep as the value, which the
/// parsers limit.
fn granted<'v>(view: &'v View, group: &Group, value: &Value<TagId>) -> Selection<'v> {
    match value {
        Value::Grant(Grant::Allow) => Selection::everybody(),
        Value::Grant(Grant::Deny | Grant::Unspecified) => Selection::nobody(),
        Value::Grant(Grant::AllowIfAdmin) => {
            Selection::any([only(&group.admins), only(&group.super_admins)])
        }
        Value::Grant(Grant::AllowIfSuperAdmin) => only(&group.super_admins),
        Value::HasTag(tag) => {
            view.population.members(*tag).map_or_else(Selection::nobody, Selection::from)
        }
        Value::Not(inner) => granted(view, group, inner).complement(),
        Value::All(parts) => Selection::all(parts.iter().map(|part| granted(view, group, part))),
        Value::Any(parts) => Selection::any(parts.iter().map(|part| granted(view, group, part))),
    }
}
