//! Commands on groups, but for `put_group`.

use serde_json::Value;

use super::{
    CommandError, CommandOutcome, Declarable, Hint, PlanError, RefusalReason, authorize,
    draft::{Draft, escaped},
    membership::{
        check_group_and_user, check_not_banned, check_not_last_required, membership_label,
        not_member_error, super_admin_error,
    },
    planned::PlanResult,
    put_user::put_values,
    rules::check_length,
};
use crate::{
    facts::{GroupRecord, Id, Member, Nullable, PermissionKey},
    request::{Action, Reason, Request, Role},
};

/// The limits of metadata fields, in bytes: of the text of a string, or else of the JSON.
const LONGEST_FIELDS: [(&str, usize); 3] =
    [("group_name", 100), ("description", 1000), ("group_image_url_square", 2048)];
const LONGEST_FIELD: usize = 8192;

/// The matrix of groups that have no super admins.
const WITHOUT_SUPER_ADMINS: &str = "dm";

/// The matrix of groups that administrators may run from outside. Plain members manage nothing in
/// them, so that they need no super admin until they have had one.
const RUN_FROM_OUTSIDE: &str = "admins_only";

pub(super) fn delete<E>(draft: &mut Draft<'_, E>, group: &Id) -> PlanResult<E> {
    draft
        .check_undeclared(&Declarable::Group(group), &format!("the group `{}`", escaped(group)))?;
    draft.check_group(group)?;
    *draft.group(group)? = GroupRecord::default();
    Ok(CommandOutcome::default())
}

pub(super) fn add_member<E>(draft: &mut Draft<'_, E>, group: &Id, member: &Id) -> PlanResult<E> {
    check_group_and_user(draft, group, member)?;
    if draft.role(group, member)?.is_some() {
        return Ok(CommandOutcome::default());
    }
    check_not_banned(draft, group, member)?;
    if !draft.context.meets_requirement(group, member) {
        let problem = format!(
            "`{}` requires somebody in it whom it does not have, and `{}` is not one",
            escaped(group),
            escaped(member)
        );
        let error = CommandError::new(Reason::RequiredMemberMissing, problem);
        return Err(error.with_hint(Hint::AddRequiredMember).into());
    }
    check_member_limit(draft, group, 1)?;
    let by = draft.on_behalf.map(Id::to_string);
    insert_member(draft, group, member, by)
}

/// Adds a user to a group as their own decision: the command is on behalf of nobody else.
pub(super) fn join<E>(draft: &mut Draft<'_, E>, group: &Id, member: &Id) -> PlanResult<E> {
    check_group_and_user(draft, group, member)?;
    let request = Request::in_group(member, Action::Join, group);
    authorize::check_allowed(draft, member, Action::Join.as_str(), &request)?;
    if draft.role(group, member)?.is_some() {
        let problem = format!("`{}` is a member of `{}`", escaped(member), escaped(group));
        return Err(CommandError::new(Reason::AlreadyMember, problem).into());
    }
    check_not_banned(draft, group, member)?;
    check_member_limit(draft, group, 1)?;
    insert_member(draft, group, member, None)
}

fn insert_member<E>(
    draft: &mut Draft<'_, E>,
    group: &Id,
    member: &Id,
    by: Option<String>,
) -> PlanResult<E> {
    if draft.context.super_admin_count(group) == 0 && needs_super_admin(draft, group)? {
        return Err(no_super_admin_error(group).into());
    }
    let members = &mut draft.group(group)?.members;
    members.insert(member.to_string(), Member { by, ..Member::new(Role::Member) });
    Ok(CommandOutcome::default())
}

pub(super) fn remove_member<E>(draft: &mut Draft<'_, E>, group: &Id, member: &Id) -> PlanResult<E> {
    check_group_and_user(draft, group, member)?;
    match draft.role(group, member)? {
        None => return Err(not_member_error(group, member).into()),
        Some(Role::SuperAdmin) => return Err(super_admin_error(group, member).into()),
        Some(_) => check_not_last_required(draft, group, member)?,
    }
    draft.check_undeclared(&Declarable::Member(group, member), &membership_label(group, member))?;
    draft.group(group)?.members.remove(&**member);
    Ok(CommandOutcome::default())
}

/// Raises a member to a role, unless their role is as high already.
pub(super) fn promote<E>(
    draft: &mut Draft<'_, E>,
    group: &Id,
    member: &Id,
    role: Role,
) -> PlanResult<E> {
    check_group_and_user(draft, group, member)?;
    match draft.role(group, member)? {
        Some(now) if now >= role => {}
        Some(_) => set_role(draft, group, member, role)?,
        None => return Err(not_member_error(group, member).into()),
    }
    Ok(CommandOutcome::default())
}

/// Makes a member of this role a plain member.
pub(super) fn demote<E>(
    draft: &mut Draft<'_, E>,
    group: &Id,
    member: &Id,
    role: Role,
) -> PlanResult<E> {
    check_group_and_user(draft, group, member)?;
    match draft.role(group, member)? {
        None => return Err(not_member_error(group, member).into()),
        Some(now) if now != role => return Ok(CommandOutcome::default()),
        Some(_) => {}
    }
    if role == Role::SuperAdmin && draft.context.super_admin_count(group) <= 1 {
        let problem =
            format!("`{}` is the last super admin of `{}`", escaped(member), escaped(group));
        let error = CommandError::new(Reason::LastSuperAdmin, problem);
        return Err(error.with_hint(Hint::AddAnotherSuperAdmin).into());
    }
    set_role(draft, group, member, Role::Member)?;
    Ok(CommandOutcome::default())
}

fn set_role<E>(
    draft: &mut Draft<'_, E>,
    group: &Id,
    member: &Id,
    role: Role,
) -> Result<(), PlanError<E>> {
    draft.check_undeclared(&Declarable::Member(group, member), &membership_label(group, member))?;
    if let Some(member) = draft.group(group)?.members.get_mut(&**member) {
        member.role = role;
    }
    Ok(())
}

pub(super) fn update_metadata<E>(
    draft: &mut Draft<'_, E>,
    group: &Id,
    field: &str,
    value: &Value,
) -> PlanResult<E> {
    draft.check_group(group)?;
    let given = [(field.to_owned(), Some(value.clone()))].into();
    put_values(&mut draft.group(group)?.metadata, &given, check_field)?;
    Ok(CommandOutcome::default())
}

pub(super) fn update_permissions<E>(
    draft: &mut Draft<'_, E>,
    group: &Id,
    permission: &PermissionKey,
    Nullable(value): &Nullable<String>,
) -> PlanResult<E> {
    draft.check_group(group)?;
    set_permission(draft, group, permission, value.as_ref())?;
    Ok(CommandOutcome::default())
}

/// Sets a single permission, or removes it so that the matrix decides. A matrix that a file gives to a
/// group can't be overridden.
pub(super) fn set_permission<E>(
    draft: &mut Draft<'_, E>,
    group: &Id,
    permission: &PermissionKey,
    value: Option<&String>,
) -> Result<(), PlanError<E>> {
    let Some(value) = value else {
        draft.group(group)?.permissions.remove(&permission.to_string());
        return Ok(());
    };
    let value = draft.context.canonical_matrix_value(permission, value)?;
    draft.check_undeclared(
        &Declarable::Matrix(group),
        &format!("`matrix` of `{}`", escaped(group)),
    )?;
    draft.group(group)?.permissions.insert(permission.to_string(), value);
    Ok(())
}

/// Checks the length of a metadata field's value.
///
/// # Errors
/// `too_long` if it is too long.
pub(super) fn check_field(field: &str, value: &Value) -> Result<(), CommandError> {
    let most = LONGEST_FIELDS.iter().find(|(name, _)| *name == field);
    let length = value.as_str().map_or_else(|| value.to_string().len(), str::len);
    check_length(&escaped(field).to_string(), length, most.map_or(LONGEST_FIELD, |&(_, most)| most))
}

/// Checks the limit of a group's members.
///
/// # Errors
/// `group_full` if the group can't have that many more.
pub(super) fn check_member_limit<E>(
    draft: &Draft<'_, E>,
    group: &str,
    more: usize,
) -> Result<(), CommandError> {
    let limit = draft.context.settings().limits.group_members;
    let members = draft.context.member_count(group).saturating_add(more);
    let Some(limit) = limit.filter(|&limit| members > limit as usize) else { return Ok(()) };
    let problem = format!("`{}` can have at most {limit} members", escaped(group));
    Err(CommandError::new(Reason::GroupFull, problem).with_hint(Hint::RemoveMember))
}

/// Whether a group that has members must have a super admin. It need not if a file states the group,
/// if it is one of two users only, or if an administrator runs it from outside.
pub(super) fn needs_super_admin<E>(
    draft: &mut Draft<'_, E>,
    group: &str,
) -> Result<bool, PlanError<E>> {
    let is_from_outside = draft.on_behalf.is_none();
    let matrix = draft.group(group)?.matrix.as_deref();
    let is_without = matrix == Some(WITHOUT_SUPER_ADMINS)
        || (is_from_outside && matrix == Some(RUN_FROM_OUTSIDE));
    Ok(!is_without && !draft.is_declared(&Declarable::Group(group)))
}

pub(super) fn no_super_admin_error(group: &str) -> CommandError {
    let problem = format!("`{}` would have members and no super admin", escaped(group));
    CommandError::new(RefusalReason::NoSuperAdmin, problem)
        .with_hint(Hint::GiveSuperAdmins { or_matrix: RUN_FROM_OUTSIDE })
}
