//! Sections to lines of YAML.

use std::mem;

use super::{
    WIDTH, comment_lines,
    section_tree::SectionTree,
    text::{block, scalar, value},
    tree::{TreeField, TreeNode, TreeValue},
};
use crate::syntax::comments::{CommentMarker, PlacedComments};

/// How much of a value is put on lines of its own, whatever would fit on one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spread {
    Nothing,
    /// Its parts.
    Parts,
    /// Its parts, and theirs.
    Twice,
    /// Rule sets, their fields, and their rules.
    Sets,
    /// A rule set.
    Set,
}

/// The layout of a value.
enum Shape {
    Flat(String),
    /// A text of several lines.
    Block(&'static str, Vec<String>),
    Broken,
}

/// Writes the sections as a file.
pub(super) fn write(sections: SectionTree) -> String {
    let mut text = String::new();
    // Settings of one line stand together, the first of them apart.
    let mut goes_on = false;
    for (name, node) in sections.fields {
        let (spread, is_setting) = match name.as_str() {
            "rules" | "matrices" | "barriers" => (Spread::Twice, false),
            "rule_sets" => (Spread::Sets, false),
            "users" | "groups" | "conversations" | "audiences" | "accepts" | "actions"
            | "windows" => (Spread::Parts, false),
            "tags" => (Spread::Nothing, false),
            _ => (Spread::Nothing, true),
        };
        let room = WIDTH.saturating_sub(name.len() + 2);
        let is_short = is_setting && matches!(shape(&node, spread, room), Shape::Flat(_));
        let stands_apart = !(text.is_empty() || is_short && goes_on);
        goes_on = is_short;
        write_field(&mut text, 0, (name, node), spread, stands_apart);
    }
    let stands_apart = !text.is_empty();
    comment_lines::notes(&mut text, 0, CommentMarker::Hash, &sections.end, stands_apart);
    text
}

fn write_field(
    into: &mut String,
    indent: usize,
    mut field: TreeField,
    spread: Spread,
    stands_apart: bool,
) {
    let shape = settle(&mut field, indent, spread);
    let (key, mut node) = field;
    comment_lines::begin(into, indent, CommentMarker::Hash, &mut node.notes, stands_apart);
    into.extend([&scalar(&key, false), ":"]);
    match shape {
        Shape::Flat(flat) => {
            into.extend([" ", &flat]);
            comment_lines::end(into, CommentMarker::Hash, &node.notes.beside);
        }
        Shape::Block(header, text) => {
            into.extend([" ", header]);
            for line in text {
                into.push('\n');
                if !line.is_empty() {
                    comment_lines::indent(into, indent + 2);
                    into.push_str(&line);
                }
            }
            into.push('\n');
        }
        Shape::Broken => {
            comment_lines::end(into, CommentMarker::Hash, &node.notes.head);
            write_parts(into, indent + 2, node.value, spread);
            comment_lines::notes(into, indent + 2, CommentMarker::Hash, &node.notes.below, false);
        }
    }
}

/// The layout of a field. Comments that have no place beside it are put above it.
fn settle((key, node): &mut TreeField, indent: usize, spread: Spread) -> Shape {
    let room = WIDTH.saturating_sub(indent + scalar(key, false).chars().count() + 2);
    let shape = shape(node, spread, room);
    let notes = &mut node.notes;
    match shape {
        Shape::Flat(_) => {
            notes.raise_head();
            notes.raise_below();
        }
        Shape::Block(..) => notes.raise(),
        // After its last line, a comment would be that line's.
        Shape::Broken => notes.head.append(&mut notes.beside),
    }
    if notes.head.len() > 1 {
        notes.raise_head();
    }
    if notes.beside.len() > 1 {
        notes.raise_beside();
    }
    shape
}

/// Writes the parts of a list or mapping, each on lines of its own.
fn write_parts(into: &mut String, indent: usize, value: TreeValue, spread: Spread) {
    let inner = match spread {
        Spread::Twice => Spread::Parts,
        Spread::Sets => Spread::Set,
        Spread::Nothing | Spread::Parts | Spread::Set => Spread::Nothing,
    };
    let mut is_first = true;
    match value {
        TreeValue::Text(_) | TreeValue::Setting(_) => {}
        TreeValue::List(items) => {
            for mut item in items {
                if mem::take(&mut is_first) {
                    comment_lines::first(&mut item.notes);
                    write_item(into, indent, item, inner, false);
                } else {
                    // A rule with comments is set apart.
                    let stands_apart = spread == Spread::Twice && item.is_commented();
                    write_item(into, indent, item, inner, stands_apart);
                }
            }
        }
        TreeValue::Map(fields) => {
            for (key, mut node) in fields {
                // So does a matrix.
                let stands_apart = matches!(spread, Spread::Twice | Spread::Sets) && !is_first;
                let inner = match spread {
                    Spread::Set if key == "rules" => Spread::Parts,
                    _ => inner,
                };
                if mem::take(&mut is_first) {
                    comment_lines::first(&mut node.notes);
                }
                write_field(into, indent, (key, node), inner, stands_apart);
            }
        }
    }
}

fn write_item(
    into: &mut String,
    indent: usize,
    mut node: TreeNode,
    spread: Spread,
    stands_apart: bool,
) {
    let room = WIDTH.saturating_sub(indent + 2);
    let shape = match &node.value {
        // Two users, or one of a list of texts.
        TreeValue::List(_) => Shape::Flat(flat(&node.value)),
        TreeValue::Text(text) => Shape::Flat(scalar(text, false)),
        _ => shape(&node, spread, room),
    };
    if let Shape::Flat(flat) = shape {
        node.notes.raise_head();
        node.notes.raise_below();
        comment_lines::begin(into, indent, CommentMarker::Hash, &mut node.notes, stands_apart);
        into.extend(["- ", &flat]);
        return comment_lines::end(into, CommentMarker::Hash, &node.notes.beside);
    }
    // Beside the dash there is a field already, and the comments above that are above the dash.
    let below = mem::take(&mut node.notes.below);
    node.notes.raise();
    if let TreeValue::Map(fields) = &mut node.value
        && let Some(first) = fields.first_mut()
    {
        settle(first, indent + 2, spread);
        node.notes.above.append(&mut first.1.notes.above);
    }
    comment_lines::begin(into, indent, CommentMarker::Hash, &mut node.notes, stands_apart);
    into.push_str("- ");
    let mut fields = String::new();
    write_parts(&mut fields, indent + 2, node.value, spread);
    into.push_str(fields.get(indent + 2..).unwrap_or_default());
    comment_lines::notes(into, indent + 2, CommentMarker::Hash, &below, false);
}

fn shape(node: &TreeNode, spread: Spread, room: usize) -> Shape {
    let is_free = spread == Spread::Nothing && !node.has_comments();
    match &node.value {
        TreeValue::Text(text) => match block(text) {
            Some((header, lines)) => Shape::Block(header, lines.map(str::to_owned).collect()),
            None => Shape::Flat(scalar(text, false)),
        },
        TreeValue::Setting(text) => Shape::Flat(value(text, false)),
        TreeValue::List(parts) if parts.is_empty() => Shape::Flat("[]".to_owned()),
        TreeValue::Map(fields) if fields.is_empty() => Shape::Flat("{}".to_owned()),
        whole if is_free => {
            let flat = flat(whole);
            if flat.chars().count() <= room { Shape::Flat(flat) } else { Shape::Broken }
        }
        _ => Shape::Broken,
    }
}

/// On one line, within brackets.
fn flat(whole: &TreeValue) -> String {
    match whole {
        TreeValue::Text(text) => scalar(text, true),
        TreeValue::Setting(text) => value(text, true),
        TreeValue::List(items) => {
            let items: Vec<_> = items.iter().map(|item| flat(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        TreeValue::Map(fields) if fields.is_empty() => "{}".to_owned(),
        TreeValue::Map(fields) => {
            let field =
                |(key, node): &TreeField| format!("{}: {}", scalar(key, true), flat(&node.value));
            let fields: Vec<_> = fields.iter().map(field).collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

impl TreeNode {
    /// Whether a comment is above it once it is on lines of its own.
    fn is_commented(&self) -> bool {
        let PlacedComments { above, apart: _, head, beside, below: _ } = &self.notes;
        let first = match &self.value {
            TreeValue::Map(fields) => {
                fields.first().is_some_and(|(_, it)| !it.notes.above.is_empty())
            }
            TreeValue::Text(_) | TreeValue::Setting(_) | TreeValue::List(_) => false,
        };
        first || ![above, head, beside].into_iter().all(Vec::is_empty)
    }
}
