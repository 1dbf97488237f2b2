//! The `conversations` section.

use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{Conversation, Item, List},
        yaml::{
            cursor::{YamlCursor, YamlError},
            node::Node,
            values::ExpectedValue,
        },
    },
};

const CONVERSATIONS: ExpectedValue =
    ExpectedValue("a list of conversations", "write `- [alice, bob]` for each");
const CONVERSATION: ExpectedValue =
    ExpectedValue("a conversation, which is a list of two users", "write `[alice, bob]`");

pub(super) fn read<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.sequence(CONVERSATIONS)?.value().is_none() {
        return Ok(());
    }
    while cursor.has_next()? {
        let conversation = match cursor.node()? {
            Node::Sequence(opened) => {
                let (users, refused) = cursor.user_items(opened)?;
                if refused { None } else { pair(cursor, users) }
            }
            node => cursor.report_invalid(&node, CONVERSATION)?.value(),
        };
        items.extend(conversation.map(|it| Item::Conversation(Box::new(it))));
    }
    Ok(())
}

fn pair<'s>(cursor: &mut YamlCursor<'s, '_>, users: List<'s>) -> Option<Conversation<'s>> {
    let span = users.span;
    match <[_; 2]>::try_from(users.value) {
        Ok(users) => Some(Conversation { users }),
        Err(users) => {
            let found = users.len();
            let message = format!("a conversation is between two users, found {found}");
            let hint = "write `[alice, bob]`; more than two are a group";
            cursor.problems.push(Diagnostic::error(Code::WrongType, span, message).hint(hint));
            None
        }
    }
}
