//! Commands on contacts, favorites, pairs and blocks.

use std::collections::BTreeSet;

use super::{
    CommandError, CommandOutcome, Declarable, Hint, PlanError, RefusalReason,
    draft::{Draft, escaped},
    planned::PlanResult,
};
use crate::{
    facts::{Id, Terms, UnilateralRelation, UserRecord},
    request::{Relation, UserList},
};

pub(super) fn block<E>(draft: &mut Draft<'_, E>, from: &Id, to: &Id) -> PlanResult<E> {
    draft.check_pair(from, to)?;
    if draft.is_declared(&Declarable::Edge(from, Relation::Block, to)) {
        return Ok(CommandOutcome::default());
    }
    let mut terms = draft.terms.clone();
    if !terms.is_empty() {
        terms.by = Some(draft.sender.author(draft.on_behalf).to_owned());
    }
    if draft.has_edge(from, Relation::Block, to)? {
        draft.user(from)?.set_terms(UserList::Blocked, to, terms);
        return Ok(CommandOutcome::default());
    }
    check_block_limit(draft, from, 1)?;
    let since = draft.context.now();
    let user = draft.user(from)?;
    user.blocked.insert(to.to_string(), since);
    user.set_terms(UserList::Blocked, to, terms);
    if draft.context.settings().blocks_end_friendship {
        end_friendship(draft, from, to)?;
    }
    Ok(CommandOutcome::default())
}

pub(super) fn unblock<E>(draft: &mut Draft<'_, E>, from: &Id, to: &Id) -> PlanResult<E> {
    draft.check_pair(from, to)?;
    check_edge_undeclared(draft, from, Relation::Block, to)?;
    draft.user(from)?.blocked.remove(&**to);
    Ok(CommandOutcome::default())
}

pub(super) fn relate<E>(
    draft: &mut Draft<'_, E>,
    kind: UnilateralRelation,
    from: &Id,
    to: &Id,
) -> PlanResult<E> {
    draft.check_pair(from, to)?;
    if !draft.is_declared(&Declarable::Edge(from, relation(kind), to)) {
        let terms = Terms { until: draft.terms.until, ..Terms::default() };
        let user = draft.user(from)?;
        unilateral_edges(user, kind).insert(to.to_string());
        user.set_terms(list(kind), to, terms);
    }
    Ok(CommandOutcome::default())
}

pub(super) fn unrelate<E>(
    draft: &mut Draft<'_, E>,
    kind: UnilateralRelation,
    from: &Id,
    to: &Id,
) -> PlanResult<E> {
    draft.check_pair(from, to)?;
    check_edge_undeclared(draft, from, relation(kind), to)?;
    if kind == UnilateralRelation::Contact {
        // A favorite is a contact, so that a removed contact is no favorite either.
        check_edge_undeclared(draft, from, Relation::Favorite, to)?;
    }
    let user = draft.user(from)?;
    unilateral_edges(user, kind).remove(&**to);
    if kind == UnilateralRelation::Contact {
        user.favorites.remove(&**to);
    }
    Ok(CommandOutcome::default())
}

/// The related users of a record.
pub(super) fn unilateral_edges(
    user: &mut UserRecord,
    kind: UnilateralRelation,
) -> &mut BTreeSet<String> {
    match kind {
        UnilateralRelation::Contact => &mut user.contacts,
        UnilateralRelation::Favorite => &mut user.favorites,
        UnilateralRelation::Pair => &mut user.paired,
    }
}

/// The list of the relation of this kind.
const fn list(kind: UnilateralRelation) -> UserList {
    match kind {
        UnilateralRelation::Contact => UserList::Contacts,
        UnilateralRelation::Favorite => UserList::Favorites,
        UnilateralRelation::Pair => UserList::Paired,
    }
}

/// The relation of this kind.
pub(super) const fn relation(kind: UnilateralRelation) -> Relation {
    match kind {
        UnilateralRelation::Contact => Relation::Contact,
        UnilateralRelation::Favorite => Relation::Favorite,
        UnilateralRelation::Pair => Relation::Pair,
    }
}

/// Checks that no file states a relation.
///
/// # Errors
/// `stated_by_file` if one does.
pub(super) fn check_edge_undeclared<E>(
    draft: &Draft<'_, E>,
    from: &str,
    relation: Relation,
    to: &str,
) -> Result<(), CommandError> {
    let called = format!("`{}` of `{}` with `{}`", relation, escaped(from), escaped(to));
    draft.check_undeclared(&Declarable::Edge(from, relation, to), &called)
}

/// Checks the limit of the user's block list.
///
/// # Errors
/// `block_list_full` if the user can't block that many more.
pub(super) fn check_block_limit<E>(
    draft: &Draft<'_, E>,
    user: &str,
    more: usize,
) -> Result<(), CommandError> {
    let limit = draft.context.settings().limits.blocked;
    let blocked = draft.context.blocked_count(user).saturating_add(more);
    let Some(limit) = limit.filter(|&limit| blocked > limit as usize) else { return Ok(()) };
    let problem = format!("`{}` can block at most {limit} users", escaped(user));
    let error = CommandError::new(RefusalReason::BlockListFull, problem);
    Err(error.with_hint(Hint::UnblockUser).of_list_of(user))
}

/// Removes each of two users from the other's friends and friend requests. A friendship that a file
/// states is not written to: it is suspended while the block lasts.
pub(super) fn end_friendship<E>(
    draft: &mut Draft<'_, E>,
    one: &str,
    other: &str,
) -> Result<(), PlanError<E>> {
    for (from, to) in [(one, other), (other, one)] {
        let user = draft.user(from)?;
        user.friends.remove(to);
        user.requests.remove(to);
    }
    Ok(())
}
