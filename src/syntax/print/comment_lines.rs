//! Lines with their comments, in either notation.

use std::mem;

use crate::syntax::comments::{Comment, CommentMarker, PlacedComments};

/// Writes the comments above a line, and its white space. Of the comments beside it, more than one
/// go above it too.
pub(super) fn begin(
    into: &mut String,
    depth: usize,
    marker: CommentMarker,
    about: &mut PlacedComments,
    stands_apart: bool,
) {
    if about.head.len() > 1 {
        about.raise_head();
    }
    if about.beside.len() > 1 {
        about.raise_beside();
    }
    notes(into, depth, marker, &about.above, stands_apart);
    if about.apart || stands_apart && about.above.is_empty() {
        empty(into);
    }
    indent(into, depth);
}

/// Ends a line with the comment beside it.
pub(super) fn end(into: &mut String, marker: CommentMarker, beside: &[Comment]) {
    for note in beside {
        into.extend([" ", marker.as_str(), &note.text]);
    }
    into.push('\n');
}

/// Writes comments on lines of their own.
pub(super) fn notes(
    into: &mut String,
    depth: usize,
    marker: CommentMarker,
    notes: &[Comment],
    mut stands_apart: bool,
) {
    for note in notes {
        if mem::take(&mut stands_apart) || note.blank_above {
            empty(into);
        }
        indent(into, depth);
        into.extend([marker.as_str(), &note.text, "\n"]);
    }
}

/// Lets no empty line stand before what is the first in a block.
pub(super) fn first(notes: &mut PlacedComments) {
    match notes.above.first_mut() {
        Some(note) => note.blank_above = false,
        None => notes.apart = false,
    }
}

fn empty(into: &mut String) {
    if !into.is_empty() && !into.ends_with("\n\n") {
        into.push('\n');
    }
}

pub(super) fn indent(into: &mut String, depth: usize) {
    into.extend(std::iter::repeat_n(' ', depth));
}
