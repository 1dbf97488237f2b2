//! Statements of the DSL as lines: each on one line if that fits, else as a block.

use super::{
    WIDTH, comment_lines,
    doc::{Doc, line},
};
use crate::syntax::comments::{CommentMarker, PlacedComments};

pub(super) const MARKER: CommentMarker = CommentMarker::Slashes;

/// A statement, or a field of one.
#[derive(Debug, Default)]
pub(super) struct PrintedStatement {
    pub(super) comments: PlacedComments,
    pub(super) description: Option<String>,
    /// The text before its value or block.
    pub(super) head: String,
    pub(super) value: StatementBody,
    /// The group of statements that it belongs to, without an empty line between.
    pub(super) kind: StatementKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum StatementKind {
    /// Few, of many sections.
    #[default]
    Setting,
    Tags,
    Rules,
    Rule,
    Matrix,
    User,
    Group,
    Conversation,
    Invariant,
}

#[derive(Debug, Default)]
pub(super) enum StatementBody {
    #[default]
    None,
    /// After a colon.
    Doc(Doc),
    Block(Vec<PrintedStatement>),
}

impl PrintedStatement {
    /// Whether an empty line separates it from the statement before it: decided for both by their
    /// kind and whether they are of several lines.
    pub(super) fn stands_apart(
        &self,
        about: (StatementKind, bool),
        previous: (StatementKind, bool),
    ) -> bool {
        let explained = self.description.is_some()
            || self.kind == StatementKind::Rule && !self.comments.above.is_empty();
        explained || about.1 || about != previous
    }

    /// Whether comments stand within it, so that it needs lines of its own.
    fn has_comments(&self) -> bool {
        match &self.value {
            StatementBody::Block(fields) => {
                !self.comments.below.is_empty()
                    || fields.iter().any(|field| !field.comments.is_empty() || field.has_comments())
            }
            StatementBody::None | StatementBody::Doc(_) => false,
        }
    }

    /// On one line, without comments.
    fn flat(&self) -> String {
        match &self.value {
            StatementBody::None => format!("{};", self.head),
            StatementBody::Doc(doc) => format!("{}: {};", self.head, doc.flat()),
            StatementBody::Block(fields) if fields.is_empty() => format!("{} {{}}", self.head),
            StatementBody::Block(fields) => {
                let fields: Vec<_> = fields.iter().map(Self::flat).collect();
                format!("{} {{ {} }}", self.head, fields.join(" "))
            }
        }
    }

    /// As one line, if it is one; the comments that have no place then go above it.
    pub(super) fn fitting(&mut self, indent: usize) -> Option<String> {
        let flat = if self.has_comments() { None } else { Some(self.flat()) };
        let flat = flat.filter(|flat| indent + flat.chars().count() <= WIDTH);
        if flat.is_some() || !matches!(self.value, StatementBody::Block(_)) {
            self.comments.raise_head();
            self.comments.raise_below();
        }
        flat
    }

    pub(super) fn write(
        mut self,
        into: &mut String,
        indent: usize,
        flat: Option<String>,
        stands_apart: bool,
    ) {
        comment_lines::begin(into, indent, MARKER, &mut self.comments, stands_apart);
        for line in self.description.iter().flat_map(|text| text.split('\n')) {
            let space = if line.is_empty() { "" } else { " " };
            // Of two carriage returns at the end, a reader drops one.
            let ending = if line.ends_with('\r') { "\r" } else { "" };
            into.extend(["///", space, line, ending, "\n"]);
        }
        match (flat, self.value) {
            (Some(flat), _) => into.push_str(&flat),
            (None, StatementBody::None) => into.extend([&self.head, ";"]),
            (None, StatementBody::Doc(doc)) => write_value(into, indent, &self.head, &doc),
            (None, StatementBody::Block(fields)) => {
                into.extend([&self.head, " {"]);
                comment_lines::end(into, MARKER, &self.comments.head);
                let mut is_first = true;
                for mut field in fields {
                    let flat = field.fitting(indent + 2);
                    if std::mem::take(&mut is_first) {
                        comment_lines::first(&mut field.comments);
                    }
                    field.write(into, indent + 2, flat, false);
                }
                comment_lines::notes(into, indent + 2, MARKER, &self.comments.below, false);
                comment_lines::indent(into, indent);
                into.push('}');
            }
        }
        comment_lines::end(into, MARKER, &self.comments.beside);
    }
}

/// A value that is too long for one line: a rule on the next line if it fits there, anything else
/// broken at its brackets.
fn write_value(into: &mut String, indent: usize, head: &str, doc: &Doc) {
    into.extend([head, ":"]);
    if let Doc::Rule(_) | Doc::Chain(_) = doc {
        let indent = indent + 2;
        line(into, indent);
        let flat = doc.flat();
        if indent + flat.chars().count() < WIDTH {
            into.push_str(&flat);
        } else {
            doc.write_broken(into, indent, indent);
        }
    } else {
        into.push(' ');
        doc.write_broken(into, indent, indent + head.chars().count() + 2);
    }
    into.push(';');
}
