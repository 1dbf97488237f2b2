//! Commands on the tags and moderation of users, and their deletion.

use std::collections::BTreeSet;

use super::{
    CommandError, CommandOutcome, Declarable, Hint, PlanError, References, RefusalReason,
    UserField,
    draft::{Draft, escaped},
    planned::PlanResult,
};
use crate::{
    facts::{Id, RecordKey, TagName, Terms, UserRecord},
    request::{Moderation, Reason, Role, UserList},
};

pub(super) fn add_tags<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    tags: &BTreeSet<TagName>,
) -> PlanResult<E> {
    draft.check_subject(id)?;
    tags.iter().try_for_each(|tag| draft.context.check_tag(tag))?;
    let terms = Terms { until: draft.terms.until, ..Terms::default() };
    let mut now = draft.user(id)?.tags.clone().unwrap_or_default();
    now.extend(tags.iter().map(TagName::to_string));
    let is_there = |declared: &BTreeSet<String>| tags.iter().all(|tag| declared.contains(&**tag));
    let outcome = set_tags(draft, id, now, is_there)?;
    if !draft.is_declared(&Declarable::UserField(id, UserField::Tags)) {
        let user = draft.user(id)?;
        tags.iter().for_each(|tag| user.set_terms(UserList::Tags, tag, terms.clone()));
    }
    Ok(outcome)
}

pub(super) fn remove_tags<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    tags: &BTreeSet<TagName>,
) -> PlanResult<E> {
    draft.check_subject(id)?;
    let mut now = draft.user(id)?.tags.clone().unwrap_or_default();
    now.retain(|tag| tags.iter().all(|gone| **gone != **tag));
    let is_gone = |declared: &BTreeSet<String>| tags.iter().all(|tag| !declared.contains(&**tag));
    set_tags(draft, id, now, is_gone)
}

/// Sets the tags of a user. If a file states them, `is_satisfied` checks whether they already are as
/// requested.
fn set_tags<E>(
    draft: &mut Draft<'_, E>,
    id: &Id,
    tags: BTreeSet<String>,
    is_satisfied: impl Fn(&BTreeSet<String>) -> bool,
) -> PlanResult<E> {
    if let Some(declared) = draft.context.declaration(&Declarable::UserField(id, UserField::Tags)) {
        let texts = declared.value.as_array().into_iter().flatten();
        let declared_tags = texts.filter_map(|tag| tag.as_str().map(str::to_owned)).collect();
        if !is_satisfied(&declared_tags) {
            return Err(CommandError::declared_in_file(
                &field_label(UserField::Tags, id),
                declared.place,
            )
            .into());
        }
    } else {
        draft.set_tags(id, tags)?;
    }
    Ok(CommandOutcome::default())
}

/// Bans, silences, shadows or reactivates. A banned user is neither silenced nor shadowed, since that would let them
/// in.
pub(super) fn moderate<E>(draft: &mut Draft<'_, E>, id: &Id, to: Moderation) -> PlanResult<E> {
    draft.check_subject(id)?;
    let field = UserField::Moderation;
    let declared = draft.context.declaration(&Declarable::UserField(id, field));
    let now = match &declared {
        Some(declared) => declared.value.as_str().and_then(|state| state.parse().ok()),
        None => draft.user(id)?.moderation,
    };
    let now = now.unwrap_or(Moderation::None);
    let author = draft.sender.author(draft.on_behalf).to_owned();
    let terms = Terms { by: Some(author), ..draft.terms.clone() };
    if to == Moderation::None {
        draft.user(id)?.replaced_moderation.clear();
    }
    let is_weaker =
        now == Moderation::Banned && matches!(to, Moderation::Silenced | Moderation::Shadowed);
    let is_same = declared.is_some() || {
        let before = draft.user(id)?.moderation_terms.as_deref().cloned().unwrap_or_default();
        before.until == terms.until && (terms.reason.is_none() || before.reason == terms.reason)
    };
    if now == to && (is_same || to == Moderation::None) || is_weaker {
        return Ok(CommandOutcome::default());
    }
    if let Some(declared) = declared {
        return Err(CommandError::declared_in_file(&field_label(field, id), declared.place).into());
    }
    let terms = if to == Moderation::None { Terms::default() } else { terms };
    draft.user(id)?.moderate(to, terms);
    Ok(CommandOutcome::default())
}

/// The name of a user's field in messages.
pub(super) fn field_label(field: UserField, user: &str) -> String {
    let user = escaped(user);
    match field {
        UserField::Tags => format!("`tags` of `{user}`"),
        UserField::Peers => format!("`peers` of `{user}`"),
        UserField::Switch(switch) => format!("`permissions.{switch}` of `{user}`"),
        UserField::Moderation => format!("`moderation` of `{user}`"),
        UserField::Approval => format!("`approval` of `{user}`"),
        UserField::Accepts => format!("`accepts` of `{user}`"),
    }
}

/// Deletes the user and all references to them in records.
pub(super) fn delete<E>(draft: &mut Draft<'_, E>, id: &Id, only_unused: bool) -> PlanResult<E> {
    draft.check_undeclared(&Declarable::User(id), &format!("the user `{}`", escaped(id)))?;
    draft.check_subject(id)?;
    let around = draft.context.references(id);
    if only_unused && !(around == References::default() && draft.user(id)?.is_unused()) {
        let problem = format!("`{}` is in use: more than attributes is known of them", escaped(id));
        return Err(CommandError::new(RefusalReason::InUse, problem).into());
    }
    for group in &around.groups {
        leave_group(draft, group, id)?;
    }
    for other in around.users.iter().filter(|other| ***other != **id) {
        remove_references(draft.user(other)?, id);
    }
    for other in &around.conversations {
        draft.set_conversation(RecordKey::conversation(id, other), None)?;
    }
    *draft.user(id)? = UserRecord::default();
    Ok(CommandOutcome::default())
}

fn remove_references(user: &mut UserRecord, id: &str) {
    user.contacts.remove(id);
    user.favorites.remove(id);
    user.paired.remove(id);
    user.blocked.remove(id);
    user.friends.remove(id);
    user.requests.remove(id);
}

/// Removes the user from a group.
///
/// # Errors
/// `last_super_admin` if they are the last one of a group that has other members.
fn leave_group<E>(draft: &mut Draft<'_, E>, group: &str, id: &str) -> Result<(), PlanError<E>> {
    let is_last = draft.role(group, id)? == Some(Role::SuperAdmin)
        && draft.context.super_admin_count(group) == 1
        && draft.context.member_count(group) > 1;
    if is_last {
        let problem = format!("`{}` is the last super admin of `{}`", escaped(id), escaped(group));
        let error = CommandError::new(Reason::LastSuperAdmin, problem);
        return Err(error.with_hint(Hint::AddAnotherSuperAdminOrDeleteGroup).into());
    }
    let record = draft.group(group)?;
    record.members.remove(id);
    record.muted.remove(id);
    record.banned.remove(id);
    if record.creator.as_deref() == Some(id) {
        record.creator = None;
    }
    for member in record.members.values_mut().filter(|member| member.by.as_deref() == Some(id)) {
        member.by = None;
    }
    Ok(())
}
