//! The command `put_group`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CommandError, CommandOutcome, Declarable, FileLine, Hint, PlanError, RefusalReason,
    draft::{Draft, escaped},
    groups::{
        check_field, check_member_limit, needs_super_admin, no_super_admin_error, set_permission,
    },
    membership::membership_label,
    planned::PlanResult,
    put_user::{check_attribute, merge_values, put_values},
    restrictions,
};
use crate::{
    facts::{GroupFields, Id, Member, Patch},
    request::{Reason, Role},
};

type Members = BTreeMap<String, Member>;

pub(super) fn put<E>(draft: &mut Draft<'_, E>, id: &Id, fields: &GroupFields) -> PlanResult<E> {
    draft.group(id)?;
    let is_new = !draft.context.knows_group(id);
    if is_new {
        draft.group(id)?.created = true;
    } else if fields.new == Some(true) {
        let problem = format!("group `{}` exists already", escaped(id));
        let error = CommandError::new(RefusalReason::GroupExists, problem);
        return Err(error.with_hint(Hint::ChooseAnotherGroupId).into());
    }
    let before = draft.group(id)?.clone();
    put_matrix(draft, id, &fields.matrix)?;
    let maker = draft.on_behalf.filter(|_| is_new && fields.creator.is_keep());
    let creator = maker.map_or_else(|| fields.creator.clone(), |maker| Patch::Set(maker.clone()));
    put_creator(draft, id, &creator)?;
    put_members(draft, id, fields, &creator)?;
    restrictions::put(draft, id, fields)?;
    restrictions::check_entries(draft, id, &before)?;
    for (permission, value) in fields.permissions.iter().flatten() {
        set_permission(draft, id, permission, value.as_ref())?;
    }
    if let Some(metadata) = &fields.metadata {
        put_values(&mut draft.group(id)?.metadata, metadata, check_field)?;
    }
    if let Some(metadata) = &fields.merge_metadata {
        merge_values(&mut draft.group(id)?.metadata, metadata, check_field)?;
    }
    Ok(CommandOutcome::default())
}

fn put_matrix<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    matrix: &Patch<String>,
) -> Result<(), PlanError<E>> {
    if let Patch::Set(name) = matrix {
        draft.context.check_matrix(name)?;
        let called = format!("`matrix` of `{}`", escaped(id));
        if !draft.may_set(&Declarable::Matrix(id), &called, name)? {
            return Ok(());
        }
    }
    super::friends::apply_patch(&mut draft.group(id)?.matrix, matrix);
    Ok(())
}

fn put_creator<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    creator: &Patch<Id>,
) -> Result<(), PlanError<E>> {
    let Some(creator) = creator.replacement() else { return Ok(()) };
    if let Some(creator) = creator {
        draft.check_users_known(None, [creator])?;
        let called = format!("`creator` of `{}`", escaped(id));
        if !draft.may_set(&Declarable::Creator(id), &called, &**creator)? {
            return Ok(());
        }
    }
    draft.group(id)?.creator = creator.map(Id::to_string);
    Ok(())
}

/// Replaces the members of each role that is given; each member gets the highest role that they are
/// given or keep. The creator becomes super admin of a group that has none, if none are given.
fn put_members<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    fields: &GroupFields,
    creator: &Patch<Id>,
) -> Result<(), PlanError<E>> {
    let mut super_admins = fields.super_admins.clone();
    if let (None, Patch::Set(creator), 0) =
        (&super_admins, creator, draft.context.super_admin_count(id))
    {
        super_admins = Some(BTreeSet::from([creator.clone()]));
    }
    let by_role = [
        (Role::SuperAdmin, &super_admins),
        (Role::Admin, &fields.admins),
        (Role::Member, &fields.members),
    ];
    let before = draft.group(id)?.members.clone();
    let is_replaced =
        |role: Role| by_role.iter().any(|(given, ids)| *given == role && ids.is_some());
    let mut after: Members =
        before.iter().filter(|(_, was)| !is_replaced(was.role)).map(to_owned_member).collect();
    for (role, ids) in by_role {
        for user in ids.iter().flatten() {
            add(draft, id, &before, &mut after, (user, role))?;
        }
    }
    for user in fields.add_members.iter().flatten() {
        add(draft, id, &before, &mut after, (user, Role::Member))?;
    }
    for (user, role) in fields.roles.iter().flatten() {
        set_role(draft, id, &before, &mut after, (user, *role))?;
    }
    for (user, by) in fields.added_by.iter().flatten() {
        if let Some(member) = after.get_mut(&**user) {
            member.by = Some(by.to_string());
        }
    }
    for (user, attributes) in fields.member_attributes.iter().flatten() {
        if let Some(member) = after.get_mut(&**user) {
            merge_values(&mut member.attributes, attributes, check_attribute)?;
            continue;
        }
        let mut kept = BTreeMap::new();
        merge_values(&mut kept, attributes, check_attribute)?;
        // A member declared by a file has no record that could hold attributes.
        if !kept.is_empty() {
            draft.check_undeclared(&Declarable::Member(id, user), &membership_label(id, user))?;
        }
    }
    check_size(draft, id, &before, &after, !fields.matrix.is_keep())?;
    draft.group(id)?.members = after;
    Ok(())
}

fn to_owned_member((id, member): (&String, &Member)) -> (String, Member) {
    (id.clone(), member.clone())
}

/// Gives a user a role, unless they have a higher one or a file states it.
fn add<E>(
    draft: &Draft<'_, E>,
    group: &Id,
    before: &Members,
    after: &mut Members,
    (user, role): (&Id, Role),
) -> Result<(), CommandError> {
    draft.check_users_known(None, [user])?;
    if let Some((has, place)) = declared_role(draft, group, user) {
        return if has >= role {
            Ok(())
        } else {
            Err(CommandError::declared_in_file(&membership_label(group, user), place))
        };
    }
    let member = member_entry(draft, before, after, (user, role));
    member.role = member.role.max(role);
    Ok(())
}

/// Sets or removes the role of a user, unless a file states it.
fn set_role<E>(
    draft: &Draft<'_, E>,
    group: &Id,
    before: &Members,
    after: &mut Members,
    (user, role): (&Id, Option<Role>),
) -> Result<(), CommandError> {
    draft.check_users_known(None, [user])?;
    if let Some((has, place)) = declared_role(draft, group, user) {
        return if role == Some(has) {
            Ok(())
        } else {
            Err(CommandError::declared_in_file(&membership_label(group, user), place))
        };
    }
    match role {
        Some(role) => member_entry(draft, before, after, (user, role)).role = role,
        None => drop(after.remove(&**user)),
    }
    Ok(())
}

/// The role that a file states for a user in a group, and where.
fn declared_role<E>(draft: &Draft<'_, E>, group: &Id, user: &Id) -> Option<(Role, FileLine)> {
    let declared = draft.context.declaration(&Declarable::Member(group, user))?;
    let has = declared.value.as_str().and_then(|role| role.parse().ok());
    Some((has.unwrap_or(Role::Member), declared.place))
}

/// The member as they were before, or a new one.
fn member_entry<'m, E>(
    draft: &Draft<'_, E>,
    before: &Members,
    after: &'m mut Members,
    (user, role): (&Id, Role),
) -> &'m mut Member {
    after.entry(user.to_string()).or_insert_with(|| match before.get(&**user) {
        Some(was) => Member { role, ..was.clone() },
        None => Member { by: draft.on_behalf.map(Id::to_string), ..Member::new(role) },
    })
}

/// Checks the size of a group, and that one with members has a super admin. The latter is required
/// if members are added, or if the matrix changes, before which the group may have needed none.
///
/// # Errors
/// `group_full`, `last_super_admin` or `no_super_admin`.
fn check_size<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    before: &Members,
    after: &Members,
    matrix_changes: bool,
) -> Result<(), PlanError<E>> {
    // Members who are declared by a file or are not known don't count.
    let count = |members: &Members, counts: &dyn Fn(Role) -> bool| {
        let is_ours = |user: &str| {
            draft.context.knows_user(user) && !draft.is_declared(&Declarable::Member(id, user))
        };
        members.iter().filter(|(user, member)| is_ours(user) && counts(member.role)).count()
    };
    let is_super = |role| role == Role::SuperAdmin;
    let (members, were) = (count(after, &|_| true), count(before, &|_| true));
    let (super_admins, were_super) = (count(after, &is_super), count(before, &is_super));
    if members > were {
        check_member_limit(draft, id, members - were)?;
    }
    let all = |now: usize, before: usize, world: usize| world.saturating_sub(before) + now;
    let had_super_admins = draft.context.super_admin_count(id);
    let all_members = all(members, were, draft.context.member_count(id));
    if all_members == 0 || all(super_admins, were_super, had_super_admins) > 0 {
        return Ok(());
    }
    if had_super_admins > 0 {
        let problem = format!("`{}` would lose its last super admin", escaped(id));
        let error = CommandError::new(Reason::LastSuperAdmin, problem);
        return Err(error.with_hint(Hint::NameAnotherSuperAdmin).into());
    }
    if (members > were || matrix_changes) && needs_super_admin(draft, id)? {
        return Err(no_super_admin_error(id).into());
    }
    Ok(())
}
