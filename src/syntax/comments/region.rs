//! Regions: stretches of a text that are one thing, with their comments.

use std::{mem, ops::Range};

use super::{Comment, PlacedComments, line_index::LinePosition};
use crate::source::Span;

/// A stretch of a text that is one thing, and what it is made of.
#[derive(Clone, Default, Debug)]
pub(in crate::syntax) struct Region {
    pub(super) range: Range<usize>,
    /// The key that it begins with, if it has one.
    pub(super) name: Range<usize>,
    /// Where its children stand; comments elsewhere in it are in the middle of it.
    pub(super) body: Range<usize>,
    /// At which column it begins.
    pub(super) column: usize,
    /// Whether its children stand by indentation, so that the column of a comment says whether it
    /// is one of them.
    pub(super) indented: bool,
    /// In their order.
    pub(super) children: Vec<Self>,
    pub(in crate::syntax) comments: PlacedComments,
}

/// A comment as it was found.
pub(super) struct ScannedComment<'t> {
    pub(super) start: usize,
    /// The text behind the marker.
    pub(super) text: &'t str,
}

// === impl Part ===

impl Region {
    /// The child that holds a place.
    fn holding(&mut self, at: usize) -> Option<&mut Self> {
        let after = self.children.partition_point(|child| child.range.end <= at);
        self.children.get_mut(after).filter(|child| child.range.contains(&at))
    }

    /// Puts a comment where it belongs.
    pub(super) fn place(&mut self, found: &ScannedComment<'_>, line: &LinePosition) {
        if let Some(child) = self.holding(found.start) {
            return child.place(found, line);
        }
        let note = Comment::new(found.text, line.blank_above);
        if !self.body.contains(&found.start) {
            return self.comments.head.push(note);
        }
        // A description may stand above the line that its block begins on.
        let begins_here = self.body.start >= line.start;
        let next = self.children.partition_point(|child| child.range.start <= found.start);
        let (past, coming) = self.children.split_at_mut(next);
        match (past.last_mut(), coming.first_mut()) {
            (Some(last), _) if !line.is_first && last.range.end >= line.start => {
                last.put_beside(note);
            }
            (Some(last), coming)
                if line.is_first
                    && last.reaches(line.column)
                    && coming.as_ref().is_none_or(|next| next.column < line.column) =>
            {
                last.put_below(note, line.column);
            }
            (None, _) if !line.is_first && begins_here => self.comments.head.push(note),
            (_, Some(coming)) => coming.comments.above.push(note),
            (_, None) => self.comments.below.push(note),
        }
    }

    /// Puts a comment beside the innermost part that ends where this one does.
    fn put_beside(&mut self, note: Comment) {
        let end = self.range.end;
        match self.children.last_mut() {
            Some(last) if last.range.end == end => last.put_beside(note),
            _ => self.comments.beside.push(note),
        }
    }

    /// Whether a comment after it that begins at this column is still of it.
    fn reaches(&self, column: usize) -> bool {
        self.indented && self.children.first().is_some_and(|child| child.column <= column)
    }

    /// Puts such a comment at the end of the innermost part that it is of.
    fn put_below(&mut self, note: Comment, column: usize) {
        match self.children.last_mut() {
            Some(last) if last.reaches(column) => last.put_below(note, column),
            _ => self.comments.below.push(note),
        }
    }

    /// Takes the child that holds a place, with its comments and all that is in it; what was taken
    /// before, or is not there, has none.
    pub(in crate::syntax) fn take(&mut self, at: Span) -> Self {
        self.holding(at.start()).map(Self::take_contents).unwrap_or_default()
    }

    /// Takes all that is in it, and leaves it where it is.
    pub(super) fn take_contents(&mut self) -> Self {
        let (range, name, body) = (self.range.clone(), self.name.clone(), self.body.clone());
        mem::replace(self, Self { range, name, body, ..Self::default() })
    }

    /// Moves to itself the comments of children that nobody took.
    pub(in crate::syntax) fn gather(&mut self) {
        for child in mem::take(&mut self.children) {
            self.comments.head.extend(child.into_comments());
        }
    }

    /// Whether there are no comments in it.
    pub(in crate::syntax) fn is_bare(&self) -> bool {
        self.comments.is_empty() && self.children.iter().all(Self::is_bare)
    }

    /// All comments in it, in their order.
    pub(in crate::syntax) fn into_comments(self) -> Vec<Comment> {
        let mut notes = Vec::new();
        self.collect(&mut notes);
        notes
    }

    fn collect(self, into: &mut Vec<Comment>) {
        let PlacedComments { above, apart: _, head, beside, below } = self.comments;
        into.extend(above);
        into.extend(head);
        self.children.into_iter().for_each(|child| child.collect(into));
        into.extend(below);
        into.extend(beside);
    }
}
