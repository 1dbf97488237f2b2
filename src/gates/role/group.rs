//! Facts of a group that the gate needs.

use crate::{
    gates::{context::GateContext, principal::Principal},
    request::Role,
    snapshot::{GroupView, Selection, UserNumber, UserSet, View},
};

/// Whether a user is a super admin of a group.
pub(super) fn is_super_admin(group: Option<GroupView<'_>>, member: &Principal<'_>) -> bool {
    stored_role(group, member) == Some(Role::SuperAdmin)
}

/// Whether a user is the only super admin of a group.
pub(super) fn is_last_super_admin(group: Option<GroupView<'_>>, member: &Principal<'_>) -> bool {
    group.is_some_and(|group| group.super_admin_count == 1) && is_super_admin(group, member)
}

/// The role of a user in a group, whatever the request says.
pub(super) fn stored_role(group: Option<GroupView<'_>>, member: &Principal<'_>) -> Option<Role> {
    group?.role(member.number?)
}

/// Whether a group has as many members as the policy allows.
pub(super) fn is_full(view: &View, group: Option<GroupView<'_>>) -> bool {
    let members = group.map_or(0, |group| group.members().len());
    view.settings.limits.group_members.is_some_and(|limit| members >= limit as usize)
}

/// Whether the group is a conversation of two, which nobody leaves.
pub(super) fn is_direct_conversation(view: &View, context: &GateContext<'_>) -> bool {
    context.matrix(view).is_some_and(|matrix| matrix.is_of_two)
}

/// Users as a selection.
pub(super) fn user_selection<'v>(users: impl Iterator<Item = UserNumber>) -> Selection<'v> {
    users.collect::<UserSet>().into()
}
