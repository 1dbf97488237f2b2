use super::{
    Done, Outcome, Stated,
    draft::{Draft, not_oneself, shown},
};
use crate::facts::{Conversation, Key, Since, Two};

pub(super) fn open<E>(draft: &mut Draft<'_, E>, users: &Two, since: Option<Since>) -> Done<E> {
    let Two(one, other) = users;
    both_known(draft, users)?;
    let key = Key::conversation(one, other);
    let is_open = draft.has_conversation(&key)?;
    if !is_open && !draft.is_stated(&Stated::Conversation(one, other)) {
        let since = since.unwrap_or_else(|| draft.world.now());
        draft.set_conversation(key, Some(Conversation { since }))?;
    }
    Ok(Outcome::default())
}

pub(super) fn close<E>(draft: &mut Draft<'_, E>, users: &Two) -> Done<E> {
    let Two(one, other) = users;
    both_known(draft, users)?;
    let called = format!("the conversation of `{}` and `{}`", shown(one), shown(other));
    draft.not_stated(&Stated::Conversation(one, other), &called)?;
    draft.set_conversation(Key::conversation(one, other), None)?;
    Ok(Outcome::default())
}

fn both_known<E>(draft: &Draft<'_, E>, Two(one, other): &Two) -> Result<(), super::Refusal> {
    draft.all_known(None, [one, other])?;
    not_oneself(one, other)
}
