//! Facts of a group that the gate needs.

use crate::{
    gates::principal::Principal,
    request::Role,
    snapshot::{GroupView, Requirement, Selection, UserNumber, UserSet, View},
};

/// Whether a user is a super admin of a group.
pub(super) fn is_super_admin(group: Option<GroupView<'_>>, member: &Principal<'_>) -> bool {
    stored_role(group, member) == Some(Role::SuperAdmin)
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

/// Whether a group mutes a user.
#[inline]
pub(super) fn is_muted(group: Option<GroupView<'_>>, user: &Principal<'_>) -> bool {
    let restrictions = group.and_then(|group| group.restrictions);
    restrictions.zip(user.number).is_some_and(|(it, user)| it.mutes(user))
}

/// Whether a group bans a user.
#[inline]
pub(super) fn is_banned(group: Option<GroupView<'_>>, user: &Principal<'_>) -> bool {
    let restrictions = group.and_then(|group| group.restrictions);
    restrictions.zip(user.number).is_some_and(|(it, user)| it.bans(user))
}

/// The condition that someone in a group must meet, if there is one.
#[inline]
pub(super) fn requirement_of(group: Option<GroupView<'_>>) -> Option<&Requirement> {
    group?.restrictions?.requires()
}

/// Users as a selection.
pub(super) fn user_selection<'v>(users: impl Iterator<Item = UserNumber>) -> Selection<'v> {
    users.collect::<UserSet>().into()
}
