use super::{
    Done, Failure, Outcome, Reason, Refusal, Stated,
    draft::{Draft, shown},
};
use crate::{
    facts::{Bond, Id},
    request::Relation,
};

pub(super) fn block<E>(draft: &mut Draft<'_, E>, from: &Id, to: &Id) -> Done<E> {
    draft.pair(from, to)?;
    if draft.has_edge(from, Relation::Block, to)? {
        return Ok(Outcome::default());
    }
    room_for_blocks(draft, from, 1)?;
    let since = draft.world.now();
    draft.user(from)?.blocked.insert(to.to_string(), since);
    if draft.world.settings().blocks_end_friendship {
        end_friendship(draft, from, to)?;
    }
    Ok(Outcome::default())
}

pub(super) fn unblock<E>(draft: &mut Draft<'_, E>, from: &Id, to: &Id) -> Done<E> {
    draft.pair(from, to)?;
    edge_not_stated(draft, from, Relation::Block, to)?;
    draft.user(from)?.blocked.remove(&**to);
    Ok(Outcome::default())
}

pub(super) fn relate<E>(draft: &mut Draft<'_, E>, kind: Bond, from: &Id, to: &Id) -> Done<E> {
    draft.pair(from, to)?;
    if !draft.has_edge(from, relation(kind), to)? {
        let user = draft.user(from)?;
        let edges = match kind {
            Bond::Contact => &mut user.contacts,
            Bond::Favorite => &mut user.favorites,
            Bond::Pair => &mut user.paired,
        };
        edges.insert(to.to_string());
    }
    Ok(Outcome::default())
}

pub(super) fn unrelate<E>(draft: &mut Draft<'_, E>, kind: Bond, from: &Id, to: &Id) -> Done<E> {
    draft.pair(from, to)?;
    edge_not_stated(draft, from, relation(kind), to)?;
    if kind == Bond::Contact {
        // A favorite is a contact: who is no contact any more is no favorite.
        edge_not_stated(draft, from, Relation::Favorite, to)?;
    }
    let user = draft.user(from)?;
    match kind {
        Bond::Contact => {
            user.contacts.remove(&**to);
            user.favorites.remove(&**to);
        }
        Bond::Favorite => drop(user.favorites.remove(&**to)),
        Bond::Pair => drop(user.paired.remove(&**to)),
    }
    Ok(Outcome::default())
}

const fn relation(kind: Bond) -> Relation {
    match kind {
        Bond::Contact => Relation::Contact,
        Bond::Favorite => Relation::Favorite,
        Bond::Pair => Relation::Pair,
    }
}

/// # Errors
/// `stated_by_file` if a file states the edge.
pub(super) fn edge_not_stated<E>(
    draft: &Draft<'_, E>,
    from: &str,
    relation: Relation,
    to: &str,
) -> Result<(), Refusal> {
    let called = format!("`{}` of `{}` with `{}`", relation, shown(from), shown(to));
    draft.not_stated(&Stated::Edge(from, relation, to), &called)
}

/// # Errors
/// `block_list_full` if the user can't block that many more.
pub(super) fn room_for_blocks<E>(
    draft: &Draft<'_, E>,
    user: &str,
    more: usize,
) -> Result<(), Refusal> {
    let limit = draft.world.settings().limits.blocked;
    let blocked = draft.world.blocked(user).saturating_add(more);
    let Some(limit) = limit.filter(|&limit| blocked > limit as usize) else { return Ok(()) };
    let message =
        format!("`{}` can block at most {limit} users; unblock someone first", shown(user));
    Err(Refusal::full(Reason::BlockListFull, user, message))
}

/// Takes each of the two from the friend list and the requests of the other. A friendship that a file
/// states is not written to: it counts as ended while the block stands.
pub(super) fn end_friendship<E>(
    draft: &mut Draft<'_, E>,
    one: &str,
    other: &str,
) -> Result<(), Failure<E>> {
    for (from, to) in [(one, other), (other, one)] {
        let user = draft.user(from)?;
        user.friends.remove(to);
        user.requests.remove(to);
    }
    Ok(())
}
