//! A file of the DSL: its items as statements in their order, with the comments between them.

use super::{comment_lines, dsl::MARKER, statement::statement};
use crate::syntax::{
    ast::Item,
    comments::{Comment, CommentMarker, CommentedItem, PlacedComments},
};

/// Writes the pieces as a file, and the comments at its end.
pub(super) fn write(
    pieces: Vec<CommentedItem<'_, '_>>,
    end: Vec<Comment>,
    from: CommentMarker,
) -> String {
    // In YAML a key says that there are rules; here each rule does.
    let has_rules =
        |piece: &CommentedItem<'_, '_>| matches!(piece, CommentedItem::Item(Item::Rule(_), _));
    let is_said = from == CommentMarker::Hash && pieces.iter().any(has_rules);
    let mut text = String::new();
    let mut waiting = PlacedComments::default();
    let mut previous = None;
    for piece in pieces {
        let (mut notes, is_over) = match piece {
            CommentedItem::Item(item, part) if !(is_said && matches!(item, Item::Rules(_))) => {
                let mut statement = statement(item, part, from);
                statement.comments.precede(waiting.above.drain(..));
                statement.comments.apart |= std::mem::take(&mut waiting.apart);
                let flat = statement.fitting(0);
                let about = (statement.kind, flat.is_none());
                let stands_apart =
                    previous.is_some_and(|previous| statement.stands_apart(about, previous));
                previous = Some(about);
                statement.write(&mut text, 0, flat, stands_apart);
                continue;
            }
            CommentedItem::Item(_, mut part) => {
                part.gather();
                (part.comments, false)
            }
            // The DSL has no such sections: their comments go to the entry that comes next.
            CommentedItem::Header(_, notes) => (notes, false),
            CommentedItem::Footer(_, notes) => (notes, true),
        };
        notes.raise();
        waiting.above.append(&mut notes.above);
        waiting.apart |= (is_over || notes.apart) && !waiting.above.is_empty();
    }
    let stands_apart = !text.is_empty();
    waiting.above.extend(end);
    comment_lines::notes(&mut text, 0, MARKER, &waiting.above, stands_apart);
    text
}
