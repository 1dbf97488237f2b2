//! Friends and the lists into which a user sorts them.

use serde_json::Value;

use super::{
    CommandError, CommandOutcome, Hint, PlanError, RefusalReason,
    draft::{Draft, escaped},
    planned::PlanResult,
    relations::check_edge_undeclared,
    rules::check_length,
};
use crate::{
    facts::{Friend, FriendFields, Id, Patch, UserRecord},
    request::{Reason, Relation},
};

/// The limits of a friend's fields, in bytes.
const LONGEST_REMARK: usize = 96;
const LONGEST_WORDING: usize = 256;
const LONGEST_CUSTOM: usize = 500;
const LONGEST_LIST: usize = 30;

/// The optional prefixes of a source's keyword, and of a custom field's.
const SOURCE: &str = "AddSource_Type_";
const CUSTOM: &str = "Tag_SNS_Custom_";

/// The greatest length of a keyword, in letters.
const LONGEST_KEYWORD: usize = 8;

pub(super) fn delete<E>(draft: &mut Draft<'_, E>, from: &Id, to: &Id, both: bool) -> PlanResult<E> {
    draft.check_pair(from, to)?;
    let there = draft.has_edge(from, Relation::Friend, to)?;
    let back = both && draft.has_edge(to, Relation::Friend, from)?;
    if !there && !back {
        return Err(not_friends_error(from, to).into());
    }
    check_edge_undeclared(draft, from, Relation::Friend, to)?;
    draft.user(from)?.friends.remove(&**to);
    if both {
        check_edge_undeclared(draft, to, Relation::Friend, from)?;
        draft.user(to)?.friends.remove(&**from);
    }
    Ok(CommandOutcome::default())
}

pub(super) fn update<E>(
    draft: &mut Draft<'_, E>,
    from: &Id,
    to: &Id,
    fields: &FriendFields,
) -> PlanResult<E> {
    draft.check_pair(from, to)?;
    if !draft.has_edge(from, Relation::Friend, to)? {
        return Err(not_friends_error(from, to).into());
    }
    // A friend declared only by a file gets an entry in the record, for the fields that files don't have.
    let old = draft.user(from)?.friends.get(&**to).cloned().unwrap_or_default();
    let new = apply_friend_fields(old.clone(), fields)?;
    if new != old {
        insert_friend(draft, from, to, new)?;
    }
    Ok(CommandOutcome::default())
}

pub(super) fn add_list<E>(draft: &mut Draft<'_, E>, user: &Id, list: &str) -> PlanResult<E> {
    draft.check_subject(user)?;
    create_lists(draft, user, [list])?;
    Ok(CommandOutcome::default())
}

pub(super) fn delete_list<E>(draft: &mut Draft<'_, E>, user: &Id, list: &str) -> PlanResult<E> {
    draft.check_subject(user)?;
    let user = draft.user(user)?;
    user.friend_lists.retain(|other| other != list);
    remove_unknown_lists(user);
    Ok(CommandOutcome::default())
}

/// Removes friends from lists that don't exist.
pub(super) fn remove_unknown_lists(user: &mut UserRecord) {
    let UserRecord { friends, friend_lists, .. } = user;
    for friend in friends.values_mut() {
        friend.lists.retain(|list| friend_lists.contains(list));
    }
}

/// Adds a friend to a user's record, and creates the lists that the friend is in.
pub(super) fn insert_friend<E>(
    draft: &mut Draft<'_, E>,
    user: &str,
    to: &str,
    friend: Friend,
) -> Result<(), PlanError<E>> {
    create_lists(draft, user, friend.lists.iter().map(String::as_str))?;
    draft.user(user)?.friends.insert(to.to_owned(), friend);
    Ok(())
}

/// Creates the lists that a user does not have.
pub(super) fn create_lists<'l, E>(
    draft: &mut Draft<'_, E>,
    id: &str,
    lists: impl IntoIterator<Item = &'l str>,
) -> Result<(), PlanError<E>> {
    let limit = draft.context.settings().limits.friend_lists;
    let user = draft.user(id)?;
    for list in lists {
        check_list(list)?;
        if user.friend_lists.iter().any(|other| other == list) {
            continue;
        }
        if let Some(limit) = limit.filter(|&limit| user.friend_lists.len() >= limit as usize) {
            let problem = format!("`{}` can have at most {limit} friend lists", escaped(id));
            let error = CommandError::new(RefusalReason::FriendListsFull, problem);
            return Err(error.with_hint(Hint::DeleteFriendList).of_list_of(id).into());
        }
        user.friend_lists.push(list.to_owned());
    }
    Ok(())
}

/// Checks the limit of a user's friends.
///
/// # Errors
/// `friend_list_full` if the user can't have that many more.
pub(super) fn check_friend_limit<E>(
    draft: &Draft<'_, E>,
    user: &str,
    more: usize,
) -> Result<(), CommandError> {
    let limit = draft.context.settings().limits.friends;
    let friends = draft.context.friend_count(user).saturating_add(more);
    let Some(limit) = limit.filter(|&limit| friends > limit as usize) else { return Ok(()) };
    let problem = format!("`{}` can have at most {limit} friends", escaped(user));
    let error = CommandError::new(Reason::FriendListFull, problem);
    Err(error.with_hint(Hint::DeleteFriend).of_list_of(user))
}

impl FriendFields {
    /// Checks the fields by themselves, independent of the friend.
    ///
    /// # Errors
    /// If one of them is too long or does not have the right form.
    pub fn check(&self) -> Result<(), CommandError> {
        apply_friend_fields(Friend::default(), self).map(drop)
    }
}

/// A friend after a change of fields.
///
/// # Errors
/// If one of them is too long or does not have the right form.
pub(super) fn apply_friend_fields(
    mut friend: Friend,
    fields: &FriendFields,
) -> Result<Friend, CommandError> {
    let FriendFields { remark, lists, add_lists, source, wording, custom, since, until } = fields;
    if let Patch::Set(text) = remark {
        check_length("a remark", text.len(), LONGEST_REMARK)?;
    }
    if let Patch::Set(text) = wording {
        check_length("a wording", text.len(), LONGEST_WORDING)?;
    }
    if let Patch::Set(text) = source {
        check_keyword("a source", text, SOURCE)?;
    }
    apply_patch(&mut friend.remark, remark);
    apply_patch(&mut friend.wording, wording);
    apply_patch(&mut friend.source, source);
    if let Some(lists) = lists.replacement() {
        friend.lists = lists.cloned().unwrap_or_default();
    }
    friend.lists.extend(add_lists.iter().flatten().cloned());
    friend.lists.iter().try_for_each(|list| check_list(list))?;
    match custom {
        Patch::Keep => {}
        Patch::Remove => friend.custom.clear(),
        Patch::Set(entries) => {
            for (name, value) in entries {
                check_keyword("a custom field", name, CUSTOM)?;
                check_custom(name, value.as_ref())?;
                match value {
                    Some(value) => drop(friend.custom.insert(name.clone(), value.clone())),
                    None => drop(friend.custom.remove(name)),
                }
            }
        }
    }
    friend.since = since.unwrap_or(friend.since);
    if let Some(until) = until.replacement() {
        friend.until = until.map(|until| until.millis());
    }
    Ok(friend)
}

/// Applies a patch to an optional value.
pub(super) fn apply_patch<T: Clone>(slot: &mut Option<T>, patch: &Patch<T>) {
    if let Some(value) = patch.replacement() {
        *slot = value.cloned();
    }
}

fn check_list(name: &str) -> Result<(), CommandError> {
    if name.is_empty() {
        return Err(CommandError::new(
            RefusalReason::Invalid,
            "the name of a friend list can't be empty",
        ));
    }
    check_length("the name of a friend list", name.len(), LONGEST_LIST)
}

/// A keyword is 1 to 8 letters, after the prefix or without it.
fn check_keyword(what: &str, text: &str, prefix: &str) -> Result<(), CommandError> {
    let keyword = text.strip_prefix(prefix).unwrap_or(text);
    let is_one = !keyword.is_empty() && keyword.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_one && keyword.len() <= LONGEST_KEYWORD {
        return Ok(());
    }
    let message = format!(
        "{what} is named by 1 to {LONGEST_KEYWORD} letters, after `{prefix}` or without it, not `{}`",
        escaped(text)
    );
    let reason = if is_one { RefusalReason::TooLong } else { RefusalReason::Invalid };
    Err(CommandError::new(reason, message))
}

fn check_custom(name: &str, value: Option<&Value>) -> Result<(), CommandError> {
    match value {
        None => Ok(()),
        Some(Value::String(text)) => check_length("a custom field", text.len(), LONGEST_CUSTOM),
        Some(_) => {
            let message = format!("the custom field `{}` must be a string", escaped(name));
            Err(CommandError::new(RefusalReason::Invalid, message))
        }
    }
}

fn not_friends_error(from: &str, to: &str) -> CommandError {
    let message = format!("`{}` is not in the friend list of `{}`", escaped(to), escaped(from));
    CommandError::new(RefusalReason::NotFriends, message)
}
