//! Commands on conversations.

use super::{
    CommandOutcome, Declarable,
    draft::{Draft, check_distinct, escaped},
    planned::PlanResult,
};
use crate::facts::{ConversationRecord, RecordKey, UnixMillis, UserPair};

pub(super) fn open<E>(
    draft: &mut Draft<'_, E>,
    users: &UserPair,
    since: Option<UnixMillis>,
) -> PlanResult<E> {
    let UserPair(one, other) = users;
    check_users(draft, users)?;
    let key = RecordKey::conversation(one, other);
    let is_open = draft.has_conversation(&key)?;
    if !is_open && !draft.is_declared(&Declarable::Conversation(one, other)) {
        let since = since.unwrap_or_else(|| draft.context.now());
        draft.set_conversation(key, Some(ConversationRecord { since }))?;
    }
    Ok(CommandOutcome::default())
}

pub(super) fn close<E>(draft: &mut Draft<'_, E>, users: &UserPair) -> PlanResult<E> {
    let UserPair(one, other) = users;
    check_users(draft, users)?;
    let called = format!("the conversation of `{}` and `{}`", escaped(one), escaped(other));
    draft.check_undeclared(&Declarable::Conversation(one, other), &called)?;
    draft.set_conversation(RecordKey::conversation(one, other), None)?;
    Ok(CommandOutcome::default())
}

fn check_users<E>(
    draft: &Draft<'_, E>,
    UserPair(one, other): &UserPair,
) -> Result<(), super::CommandError> {
    draft.check_users_known(None, [one, other])?;
    check_distinct(one, other)
}
