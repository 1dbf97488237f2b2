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
    RuleSet,
    Barrier,
    Audience,
    Accepts,
    Action,
    Window,
}

#[derive(Debug, Default)]
pub(super) enum StatementBody {
    #[default]
    None,
    /// After a colon.
    Doc(Doc),
    Block(Vec<PrintedStatement>),
    /// After a colon, and a block after it.
    DocBlock(Doc, Vec<PrintedStatement>),
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

    /// Whether comments or descriptions stand within it, so that it needs lines of its own.
    fn has_comments(&self) -> bool {
        match &self.value {
            StatementBody::Block(fields) | StatementBody::DocBlock(_, fields) => {
                let has_own = |it: &Self| it.description.is_some() || !it.comments.is_empty();
                !self.comments.below.is_empty()
                    || fields.iter().any(|field| has_own(field) || field.has_comments())
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
            StatementBody::Block(fields) => format!("{} {}", self.head, flat_block(fields)),
            StatementBody::DocBlock(doc, fields) => {
                format!("{}: {} {}", self.head, doc.flat(), flat_block(fields))
            }
        }
    }

    /// As one line, if it is one; the comments that have no place then go above it.
    pub(super) fn fitting(&mut self, indent: usize) -> Option<String> {
        let (has_block, is_empty) = match &self.value {
            StatementBody::Block(fields) | StatementBody::DocBlock(_, fields) => {
                (true, fields.is_empty())
            }
            StatementBody::None | StatementBody::Doc(_) => (false, false),
        };
        // The rules of a set stand below each other.
        let is_broken = self.kind == StatementKind::RuleSet && !is_empty || self.has_comments();
        let flat = if is_broken { None } else { Some(self.flat()) };
        let flat = flat.filter(|flat| indent + flat.chars().count() <= WIDTH);
        if flat.is_some() || !has_block {
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
            comment_lines::indent(into, indent);
        }
        let fields = match (flat, self.value) {
            (Some(flat), _) => {
                into.push_str(&flat);
                None
            }
            (None, StatementBody::None) => {
                into.extend([&self.head, ";"]);
                None
            }
            (None, StatementBody::Doc(doc)) => {
                write_value(into, indent, &self.head, &doc);
                into.push(';');
                None
            }
            (None, StatementBody::DocBlock(doc, fields)) => {
                write_value(into, indent, &self.head, &doc);
                Some(fields)
            }
            (None, StatementBody::Block(fields)) => {
                into.push_str(&self.head);
                Some(fields)
            }
        };
        if let Some(fields) = fields {
            into.push_str(" {");
            comment_lines::end(into, MARKER, &self.comments.head);
            write_fields(into, indent + 2, fields);
            comment_lines::notes(into, indent + 2, MARKER, &self.comments.below, false);
            comment_lines::indent(into, indent);
            into.push('}');
        }
        comment_lines::end(into, MARKER, &self.comments.beside);
    }
}

fn flat_block(fields: &[PrintedStatement]) -> String {
    let fields: Vec<_> = fields.iter().map(PrintedStatement::flat).collect();
    format!("{{ {} }}", fields.join(" "))
}

fn write_fields(into: &mut String, indent: usize, fields: Vec<PrintedStatement>) {
    let mut is_first = true;
    for mut field in fields {
        let flat = field.fitting(indent);
        if std::mem::take(&mut is_first) {
            comment_lines::first(&mut field.comments);
        }
        field.write(into, indent, flat, false);
    }
}

/// A value that is too long for one line: a rule on the next line if it fits there, anything else
/// broken at its brackets.
fn write_value(into: &mut String, indent: usize, head: &str, doc: &Doc) {
    into.extend([head, ":"]);
    if let Doc::Chain(_) = doc {
        let flat = doc.flat();
        // Before a block, the head and the value may fit though the block does not.
        if indent + head.chars().count() + flat.chars().count() + 4 <= WIDTH {
            into.extend([" ", &flat]);
            return;
        }
        let indent = indent + 2;
        line(into, indent);
        if indent + flat.chars().count() < WIDTH {
            into.push_str(&flat);
        } else {
            doc.write_broken(into, indent, indent);
        }
    } else {
        into.push(' ');
        doc.write_broken(into, indent, indent + head.chars().count() + 2);
    }
}
