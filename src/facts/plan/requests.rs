//! How two users become friends.

use super::{
    Done, Failure, FriendState, Reason, Refusal, Stated, UserField,
    draft::{Draft, shown},
    friends::{keep, patched, room_for_friends},
};
use crate::{
    facts::{Friend, FriendFields, Id, Request},
    request::{Approval, BlockMode, Relation},
};

/// How someone is to become a friend.
pub(super) struct Wish<'c> {
    /// Whether both are to have each other in their lists, or only the one who asks.
    pub(super) both: bool,
    /// Whether approval is passed over.
    pub(super) approved: bool,
    /// Whether blocks are passed over as well, and it is nothing wrong if they are friends already.
    pub(super) force: bool,
    pub(super) fields: &'c FriendFields,
}

pub(super) fn befriend<E>(
    draft: &mut Draft<'_, E>,
    from: &Id,
    to: &Id,
    wish: &Wish<'_>,
) -> Done<E> {
    draft.pair(from, to)?;
    let now = draft.world.now();
    if !wish.force {
        not_blocked(draft, from, to)?;
        if draft.has_edge(from, Relation::Friend, to)? {
            let message = format!("`{}` is a friend of `{}` already", shown(to), shown(from));
            return Err(Refusal::new(Reason::AlreadyFriends, message).into());
        }
    }
    let approval =
        if wish.force || wish.approved { Approval::AllowAny } else { approval(draft, to)? };
    if approval == Approval::DenyAny {
        let message = format!("`{}` takes no friend requests", shown(to));
        return Err(Refusal::new(Reason::RequestsRefused, message).into());
    }
    not_ended(draft, from, to, wish.both)?;
    check_room(draft, from, to, wish.both)?;
    if approval == Approval::NeedConfirm {
        let waiting = draft.user(to)?.requests.get(&**from).map_or(now, |request| request.since);
        let friend = patched(Friend::default(), wish.fields)?;
        let request = Request { since: waiting, both: wish.both, friend };
        draft.user(to)?.requests.insert(from.to_string(), request);
        return Ok(FriendState::Pending.into());
    }
    let old = draft.user(from)?.friends.get(&**to).cloned();
    let friend = patched(old.unwrap_or(Friend { since: now, ..Friend::default() }), wish.fields)?;
    make_friends(draft, from, to, friend, wish.both)?;
    Ok(FriendState::Accepted.into())
}

pub(super) fn accept<E>(draft: &mut Draft<'_, E>, from: &Id, to: &Id) -> Done<E> {
    draft.pair(to, from)?;
    let request = take_request(draft, from, to)?;
    not_blocked(draft, from, to)?;
    not_ended(draft, from, to, request.both)?;
    check_room(draft, from, to, request.both)?;
    let friend = Friend { since: draft.world.now(), ..request.friend };
    make_friends(draft, from, to, friend, request.both)?;
    Ok(FriendState::Accepted.into())
}

pub(super) fn refuse<E>(draft: &mut Draft<'_, E>, from: &Id, to: &Id) -> Done<E> {
    draft.pair(to, from)?;
    take_request(draft, from, to)?;
    Ok(FriendState::Refused.into())
}

/// Takes away the request of one user to another.
fn take_request<E>(draft: &mut Draft<'_, E>, from: &str, to: &str) -> Result<Request, Failure<E>> {
    draft.user(to)?.requests.remove(from).ok_or_else(|| {
        let message = format!("no friend request of `{}` waits for `{}`", shown(from), shown(to));
        Refusal::new(Reason::NoRequest, message).into()
    })
}

/// Puts each into the list of the other, or the second into that of the first, and takes away the
/// requests that this answers.
fn make_friends<E>(
    draft: &mut Draft<'_, E>,
    from: &str,
    to: &str,
    friend: Friend,
    both: bool,
) -> Result<(), Failure<E>> {
    let since = friend.since;
    if draft.user(from)?.friends.get(to) != Some(&friend)
        && !is_plain_and_stated(draft, from, to, &friend)
    {
        keep(draft, from, to, friend)?;
    }
    draft.user(to)?.requests.remove(from);
    if both {
        if !draft.has_edge(to, Relation::Friend, from)? {
            keep(draft, to, from, Friend { since, ..Friend::default() })?;
        }
        draft.user(from)?.requests.remove(to);
    }
    Ok(())
}

/// Whether a file says all of it already.
fn is_plain_and_stated<E>(draft: &Draft<'_, E>, from: &str, to: &str, friend: &Friend) -> bool {
    *friend == Friend { since: friend.since, ..Friend::default() }
        && draft.is_stated(&Stated::Edge(from, Relation::Friend, to))
}

/// # Errors
/// `friend_list_full` if a list that is to grow can't.
fn check_room<E>(
    draft: &mut Draft<'_, E>,
    from: &str,
    to: &str,
    both: bool,
) -> Result<(), Failure<E>> {
    let back = if both { Some((to, from)) } else { None };
    for (user, other) in [(from, to)].into_iter().chain(back) {
        if !draft.has_edge(user, Relation::Friend, other)? {
            room_for_friends(draft, user, 1)?;
        }
    }
    Ok(())
}

/// # Errors
/// If a file states that they are friends and a block ends that: only its end makes them friends again.
fn not_ended<E>(
    draft: &mut Draft<'_, E>,
    from: &str,
    to: &str,
    both: bool,
) -> Result<(), Failure<E>> {
    let is_stated = |draft: &Draft<'_, E>, from: &str, to: &str| {
        draft.is_stated(&Stated::Edge(from, Relation::Friend, to))
    };
    if !(is_stated(draft, from, to) || both && is_stated(draft, to, from)) {
        return Ok(());
    }
    let Some(by) = draft.ended_by(from, to)? else { return Ok(()) };
    let (reason, blocked) =
        if by == from { (Reason::BlockedBySubject, to) } else { (Reason::BlockedByResource, from) };
    let message = format!(
        "`{}` blocks `{}`, and a file states that they are friends: end the block to make them so \
         again",
        shown(by),
        shown(blocked)
    );
    Err(Refusal::new(reason, message).into())
}

/// # Errors
/// If blocks keep one from becoming a friend of the other.
fn not_blocked<E>(draft: &mut Draft<'_, E>, from: &str, to: &str) -> Result<(), Failure<E>> {
    let mode = draft.world.settings().blocks;
    let refused = |reason, one: &str, other: &str| {
        let message = format!("`{}` blocks `{}`", shown(one), shown(other));
        Err(Refusal::new(reason, message).into())
    };
    if mode != BlockMode::Off && draft.has_edge(to, Relation::Block, from)? {
        return refused(Reason::BlockedByResource, to, from);
    }
    if mode == BlockMode::TwoWay && draft.has_edge(from, Relation::Block, to)? {
        return refused(Reason::BlockedBySubject, from, to);
    }
    Ok(())
}

/// Who may become a user's friend, by files, records or the policy's default.
fn approval<E>(draft: &mut Draft<'_, E>, user: &str) -> Result<Approval, Failure<E>> {
    let stated = draft.world.stated(&Stated::UserField(user, UserField::Approval));
    let stated = stated.and_then(|stated| stated.value.as_str()?.parse().ok());
    let recorded = draft.user(user)?.approval;
    Ok(stated.or(recorded).unwrap_or(draft.world.settings().approval))
}
