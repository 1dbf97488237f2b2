//! Commands by which a group mutes and bans users, and what `put_group` says of these and of who must be in it.

use std::collections::BTreeMap;

use super::{
    CommandOutcome, Declarable, PlanError,
    draft::{Draft, escaped},
    membership::{
        banned_error, check_group_and_user, check_not_banned, check_not_last_required,
        membership_label, not_member_error, super_admin_error,
    },
    planned::PlanResult,
};
use crate::{
    facts::{ByUser, GroupFields, GroupRecord, GroupRestriction, Id, Patch, Terms, UnixMillis},
    request::Role,
};

type Restrictions = BTreeMap<String, GroupRestriction>;

/// One of the two lists of a group.
#[derive(Clone, Copy)]
enum List {
    Muted,
    Banned,
}

impl List {
    fn of(self, group: &mut GroupRecord) -> &mut Restrictions {
        match self {
            Self::Muted => &mut group.muted,
            Self::Banned => &mut group.banned,
        }
    }

    fn declarable<'a>(self, group: &'a str, user: &'a str) -> Declarable<'a> {
        match self {
            Self::Muted => Declarable::GroupMute(group, user),
            Self::Banned => Declarable::GroupBan(group, user),
        }
    }

    /// The name of an entry in messages.
    fn label(self, group: &str, user: &str) -> String {
        let noun = match self {
            Self::Muted => "mute",
            Self::Banned => "ban",
        };
        format!("the {noun} of `{}` in `{}`", escaped(user), escaped(group))
    }
}

pub(super) fn mute<E>(draft: &mut Draft<'_, E>, group: &Id, member: &Id) -> PlanResult<E> {
    check_group_and_user(draft, group, member)?;
    match draft.role(group, member)? {
        None => return Err(not_member_error(group, member).into()),
        Some(Role::SuperAdmin) => return Err(super_admin_error(group, member).into()),
        Some(Role::Member | Role::Admin) => {}
    }
    add(draft, List::Muted, group, member)
}

pub(super) fn unmute<E>(draft: &mut Draft<'_, E>, group: &Id, member: &Id) -> PlanResult<E> {
    check_group_and_user(draft, group, member)?;
    if draft.role(group, member)?.is_none() {
        return Err(not_member_error(group, member).into());
    }
    remove(draft, List::Muted, group, member)
}

/// Bans a user from a group, and removes them if they are a member.
pub(super) fn ban<E>(draft: &mut Draft<'_, E>, group: &Id, member: &Id) -> PlanResult<E> {
    check_group_and_user(draft, group, member)?;
    match draft.role(group, member)? {
        None => {}
        Some(Role::SuperAdmin) => return Err(super_admin_error(group, member).into()),
        Some(Role::Member | Role::Admin) => {
            check_not_last_required(draft, group, member)?;
            let label = membership_label(group, member);
            draft.check_undeclared(&Declarable::Member(group, member), &label)?;
            draft.group(group)?.members.remove(&**member);
        }
    }
    add(draft, List::Banned, group, member)
}

pub(super) fn unban<E>(draft: &mut Draft<'_, E>, group: &Id, member: &Id) -> PlanResult<E> {
    check_group_and_user(draft, group, member)?;
    remove(draft, List::Banned, group, member)
}

/// Adds a user to a list, unless they are in it already.
fn add<E>(draft: &mut Draft<'_, E>, list: List, group: &Id, user: &Id) -> PlanResult<E> {
    if !draft.is_declared(&list.declarable(group, user)) {
        let since = draft.context.now();
        let mut terms = draft.terms.clone();
        if !terms.is_empty() {
            terms.by = Some(draft.sender.author(draft.on_behalf).to_owned());
        }
        let all = list.of(draft.group(group)?);
        let new = GroupRestriction { since, ..GroupRestriction::default() };
        all.entry(user.to_string()).or_insert(new).terms = terms;
    }
    Ok(CommandOutcome::default())
}

/// Takes a user off a list.
fn remove<E>(draft: &mut Draft<'_, E>, list: List, group: &Id, user: &Id) -> PlanResult<E> {
    draft.check_undeclared(&list.declarable(group, user), &list.label(group, user))?;
    list.of(draft.group(group)?).remove(&**user);
    Ok(CommandOutcome::default())
}

/// Replaces the lists that are given, and the condition. Who is declared by a file stays so, and is in no record.
pub(super) fn put<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    fields: &GroupFields,
) -> Result<(), PlanError<E>> {
    let lists = [
        (List::Muted, &fields.muted, &fields.terms.muted),
        (List::Banned, &fields.banned, &fields.terms.banned),
    ];
    for (list, given, terms) in lists {
        if let Some(ByUser(given)) = given {
            replace(draft, list, id, given, terms)?;
        }
    }
    for (user, &is_muted) in fields.mutes.iter().flatten() {
        draft.check_users_known(None, [user])?;
        if is_muted {
            add(draft, List::Muted, id, user)?;
        } else {
            remove(draft, List::Muted, id, user)?;
        }
    }
    put_requirement(draft, id, &fields.requires)
}

fn replace<E>(
    draft: &mut Draft<'_, E>,
    list: List,
    group: &Id,
    given: &BTreeMap<Id, Option<UnixMillis>>,
    terms: &BTreeMap<String, Terms>,
) -> Result<(), PlanError<E>> {
    draft.check_users_known(None, given.keys())?;
    let now = draft.context.now();
    let old = std::mem::take(list.of(draft.group(group)?));
    let mut new = Restrictions::new();
    for (user, since) in given {
        if !draft.is_declared(&list.declarable(group, user)) {
            let since = since.or_else(|| old.get(&**user).map(|it| it.since)).unwrap_or(now);
            let terms = terms.get(&**user).cloned().unwrap_or_default();
            new.insert(user.to_string(), GroupRestriction { since, terms });
        }
    }
    *list.of(draft.group(group)?) = new;
    Ok(())
}

fn put_requirement<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    requires: &Patch<String>,
) -> Result<(), PlanError<E>> {
    let mut requires = requires.clone();
    if let Patch::Set(text) = &requires {
        let canonical = draft.context.canonical_condition(text)?;
        let called = format!("`requires` of `{}`", escaped(id));
        if !draft.may_set(&Declarable::Requirement(id), &called, &canonical)? {
            return Ok(());
        }
        requires = Patch::Set(canonical);
    }
    super::friends::apply_patch(&mut draft.group(id)?.requires, &requires);
    Ok(())
}

/// Checks that a group bans nobody who comes to it, and nobody who is in it.
///
/// # Errors
/// `banned_from_group`, or `stated_by_file` if a file has a banned user in the group.
pub(super) fn check_entries<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    before: &GroupRecord,
) -> Result<(), PlanError<E>> {
    let after = draft.group(id)?.clone();
    let newly_banned = |user: &&String| !before.banned.contains_key(*user);
    for user in after.banned.keys().filter(newly_banned) {
        draft.check_undeclared(&Declarable::Member(id, user), &membership_label(id, user))?;
        if after.members.contains_key(user) {
            return Err(banned_error(id, user).into());
        }
    }
    let newly_in = |user: &&String| !before.members.contains_key(*user);
    for user in after.members.keys().filter(newly_in) {
        check_not_banned(draft, id, user)?;
    }
    Ok(())
}
