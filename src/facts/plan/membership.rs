//! The checks of who is a member of a group that several commands share, and their errors.

use super::{
    CommandError, Declarable, Hint, PlanError,
    draft::{Draft, escaped},
};
use crate::{facts::Id, request::Reason};

pub(super) fn check_group_and_user<E>(
    draft: &mut Draft<'_, E>,
    group: &Id,
    member: &Id,
) -> Result<(), PlanError<E>> {
    draft.check_group(group)?;
    draft.check_other(member)
}

/// Checks that a group does not ban a user.
///
/// # Errors
/// `banned_from_group` if it does.
pub(super) fn check_not_banned<E>(
    draft: &mut Draft<'_, E>,
    group: &str,
    user: &str,
) -> Result<(), PlanError<E>> {
    let is_banned = draft.is_declared(&Declarable::GroupBan(group, user))
        || draft.group(group)?.banned.contains_key(user);
    if is_banned { Err(banned_error(group, user).into()) } else { Ok(()) }
}

/// Checks that a member may go.
///
/// # Errors
/// `last_required_member` if they are the only one whom the group requires.
pub(super) fn check_not_last_required<E>(
    draft: &Draft<'_, E>,
    group: &str,
    member: &str,
) -> Result<(), CommandError> {
    if !draft.context.is_last_required(group, member) {
        return Ok(());
    }
    let problem =
        format!("`{}` is the last one in `{}` whom it requires", escaped(member), escaped(group));
    let error = CommandError::new(Reason::LastRequiredMember, problem);
    Err(error.with_hint(Hint::AddRequiredMember))
}

/// The name of a membership in messages.
pub(super) fn membership_label(group: &str, member: &str) -> String {
    format!("the membership of `{}` in `{}`", escaped(member), escaped(group))
}

pub(super) fn not_member_error(group: &str, member: &str) -> CommandError {
    let problem = format!("`{}` is not a member of `{}`", escaped(member), escaped(group));
    CommandError::new(Reason::NotMember, problem).with_hint(Hint::AddMember)
}

pub(super) fn super_admin_error(group: &str, member: &str) -> CommandError {
    let problem = format!("`{}` is a super admin of `{}`", escaped(member), escaped(group));
    CommandError::new(Reason::SuperAdminProtected, problem).with_hint(Hint::DemoteSuperAdmin)
}

pub(super) fn banned_error(group: &str, user: &str) -> CommandError {
    let problem = format!("`{}` bans `{}`", escaped(group), escaped(user));
    CommandError::new(Reason::BannedFromGroup, problem)
}
