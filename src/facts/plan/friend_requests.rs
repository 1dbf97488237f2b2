//! Friend requests and their answers: how two users become friends.

use super::{
    CommandError, Declarable, FriendState, Hint, PlanError, RefusalReason, UserField,
    draft::{Draft, escaped},
    friends::{apply_friend_fields, check_friend_limit, insert_friend},
    planned::PlanResult,
};
use crate::{
    facts::{Friend, FriendFields, Id, PendingRequest},
    request::{Approval, BlockMode, Reason, Relation},
};

/// Options of a friendship to be created.
pub(super) struct FriendshipOptions<'c> {
    /// Whether both users get each other as a friend, or only the sender of the request.
    pub(super) both: bool,
    /// Whether approval is skipped.
    pub(super) approved: bool,
    /// Whether blocks are ignored as well, and being friends already is not an error.
    pub(super) force: bool,
    pub(super) fields: &'c FriendFields,
}

pub(super) fn befriend<E>(
    draft: &mut Draft<'_, E>,
    from: &Id,
    to: &Id,
    wish: &FriendshipOptions<'_>,
) -> PlanResult<E> {
    draft.check_pair(from, to)?;
    let now = draft.context.now();
    if !wish.force {
        check_not_blocked(draft, from, to)?;
        if draft.has_edge(from, Relation::Friend, to)? {
            let message = format!("`{}` is a friend of `{}` already", escaped(to), escaped(from));
            return Err(CommandError::new(Reason::AlreadyFriends, message).into());
        }
    }
    let approval =
        if wish.force || wish.approved { Approval::AllowAny } else { approval(draft, to)? };
    if approval == Approval::DenyAny {
        let message = format!("`{}` accepts no friend requests", escaped(to));
        return Err(CommandError::new(Reason::RequestsRefused, message).into());
    }
    check_not_ended(draft, from, to, wish.both)?;
    check_friend_limits(draft, from, to, wish.both)?;
    if approval == Approval::NeedConfirm {
        let waiting = draft.user(to)?.requests.get(&**from).map_or(now, |request| request.since);
        let friend = apply_friend_fields(Friend::default(), wish.fields)?;
        let request = PendingRequest { since: waiting, both: wish.both, friend };
        draft.user(to)?.requests.insert(from.to_string(), request);
        return Ok(FriendState::Pending.into());
    }
    let old = draft.user(from)?.friends.get(&**to).cloned();
    let friend = apply_friend_fields(
        old.unwrap_or(Friend { since: now, ..Friend::default() }),
        wish.fields,
    )?;
    make_friends(draft, from, to, friend, wish.both)?;
    Ok(FriendState::Accepted.into())
}

pub(super) fn accept<E>(draft: &mut Draft<'_, E>, from: &Id, to: &Id) -> PlanResult<E> {
    draft.check_pair(to, from)?;
    let request = take_request(draft, from, to)?;
    check_not_blocked(draft, from, to)?;
    check_not_ended(draft, from, to, request.both)?;
    check_friend_limits(draft, from, to, request.both)?;
    let friend = Friend { since: draft.context.now(), ..request.friend };
    make_friends(draft, from, to, friend, request.both)?;
    Ok(FriendState::Accepted.into())
}

pub(super) fn refuse<E>(draft: &mut Draft<'_, E>, from: &Id, to: &Id) -> PlanResult<E> {
    draft.check_pair(to, from)?;
    take_request(draft, from, to)?;
    Ok(FriendState::Refused.into())
}

/// Removes the pending request of one user to another.
fn take_request<E>(
    draft: &mut Draft<'_, E>,
    from: &str,
    to: &str,
) -> Result<PendingRequest, PlanError<E>> {
    draft.user(to)?.requests.remove(from).ok_or_else(|| {
        let message =
            format!("no friend request of `{}` to `{}` is pending", escaped(from), escaped(to));
        CommandError::new(RefusalReason::NoRequest, message).into()
    })
}

/// Adds each user to the other's friends, or only the second to the first's, and removes the pending
/// requests that this answers.
fn make_friends<E>(
    draft: &mut Draft<'_, E>,
    from: &str,
    to: &str,
    friend: Friend,
    both: bool,
) -> Result<(), PlanError<E>> {
    let (since, until) = (friend.since, friend.until);
    if draft.user(from)?.friends.get(to) != Some(&friend)
        && !is_fully_declared(draft, from, to, &friend)
    {
        insert_friend(draft, from, to, friend)?;
    }
    draft.user(to)?.requests.remove(from);
    if both {
        if !draft.has_edge(to, Relation::Friend, from)? {
            insert_friend(draft, to, from, Friend { since, until, ..Friend::default() })?;
        }
        draft.user(from)?.requests.remove(to);
    }
    Ok(())
}

/// Whether a file states all that the friend holds.
fn is_fully_declared<E>(draft: &Draft<'_, E>, from: &str, to: &str, friend: &Friend) -> bool {
    *friend == Friend { since: friend.since, ..Friend::default() }
        && draft.is_declared(&Declarable::Edge(from, Relation::Friend, to))
}

/// Checks the limits of the friend lists that grow.
///
/// # Errors
/// `friend_list_full` if one is full.
fn check_friend_limits<E>(
    draft: &mut Draft<'_, E>,
    from: &str,
    to: &str,
    both: bool,
) -> Result<(), PlanError<E>> {
    let back = if both { Some((to, from)) } else { None };
    for (user, other) in [(from, to)].into_iter().chain(back) {
        if !draft.has_edge(user, Relation::Friend, other)? {
            check_friend_limit(draft, user, 1)?;
        }
    }
    Ok(())
}

/// Checks that no block suspends a friendship that a file states: only the end of the block restores it.
///
/// # Errors
/// `blocked_by_subject` or `blocked_by_resource` if one does.
fn check_not_ended<E>(
    draft: &mut Draft<'_, E>,
    from: &str,
    to: &str,
    both: bool,
) -> Result<(), PlanError<E>> {
    let is_stated = |draft: &Draft<'_, E>, from: &str, to: &str| {
        draft.is_declared(&Declarable::Edge(from, Relation::Friend, to))
    };
    if !(is_stated(draft, from, to) || both && is_stated(draft, to, from)) {
        return Ok(());
    }
    let Some(by) = draft.ending_blocker(from, to)? else { return Ok(()) };
    let (reason, blocked) =
        if by == from { (Reason::BlockedBySubject, to) } else { (Reason::BlockedByResource, from) };
    let message = format!(
        "`{}` blocks `{}`, which suspends the friendship that a policy file states",
        escaped(by),
        escaped(blocked)
    );
    Err(CommandError::new(reason, message).with_hint(Hint::EndBlock).into())
}

/// Checks that no block prevents the friendship.
///
/// # Errors
/// `blocked_by_subject` or `blocked_by_resource` if one does.
fn check_not_blocked<E>(
    draft: &mut Draft<'_, E>,
    from: &str,
    to: &str,
) -> Result<(), PlanError<E>> {
    let mode = draft.context.settings().blocks;
    let refused = |reason, one: &str, other: &str| {
        let message = format!("`{}` blocks `{}`", escaped(one), escaped(other));
        Err(CommandError::new(reason, message).into())
    };
    if mode != BlockMode::Off && draft.has_edge(to, Relation::Block, from)? {
        return refused(Reason::BlockedByResource, to, from);
    }
    if mode == BlockMode::TwoWay && draft.has_edge(from, Relation::Block, to)? {
        return refused(Reason::BlockedBySubject, from, to);
    }
    Ok(())
}

/// The user's approval, by files, records or the policy's default.
fn approval<E>(draft: &mut Draft<'_, E>, user: &str) -> Result<Approval, PlanError<E>> {
    let declared = draft.context.declaration(&Declarable::UserField(user, UserField::Approval));
    let declared = declared.and_then(|declared| declared.value.as_str()?.parse().ok());
    let recorded = draft.user(user)?.approval;
    Ok(declared.or(recorded).unwrap_or(draft.context.settings().approval))
}
