//! Values of the DSL, which can be broken at their brackets.

use super::{
    WIDTH,
    text::{is_pattern, quoted, word},
};
use crate::syntax::{
    ast::{Expr, ExprKind, List},
    dsl::is_keyword,
};

/// A value of the DSL, which can be broken at its brackets.
#[derive(Clone, Debug)]
pub(super) enum Doc {
    Word(String),
    Group {
        /// The opening bracket, with the text before it.
        open: String,
        items: Vec<Self>,
        close: char,
    },
    /// Parts one after the other, each with the words before it.
    Chain(Vec<(&'static str, Self)>),
}

impl Doc {
    pub(super) fn from_expr(expr: &Expr<'_>) -> Self {
        match &expr.kind {
            ExprKind::Word(text) => Self::Word(word(text)),
            // The name of a call is always a word: the grammar has no other.
            ExprKind::Call { name, arguments } => Self::Group {
                open: format!("{}(", name.value),
                items: arguments.iter().map(Self::argument).collect(),
                close: ')',
            },
        }
    }

    /// An argument of a call, where the pattern `team-*` needs no quotes.
    fn argument(expr: &Expr<'_>) -> Self {
        match &expr.kind {
            ExprKind::Word(text) if is_pattern(text) => Self::Word(text.as_ref().to_owned()),
            ExprKind::Word(_) | ExprKind::Call { .. } => Self::from_expr(expr),
        }
    }

    /// A condition before a word. A keyword on its own would begin a statement where a line begins with it.
    pub(super) fn before_word(expr: &Expr<'_>) -> Self {
        match &expr.kind {
            ExprKind::Word(word) if is_keyword(word) => Self::Word(quoted(word)),
            ExprKind::Word(_) | ExprKind::Call { .. } => Self::from_expr(expr),
        }
    }

    pub(super) fn list(list: &List<'_>) -> Self {
        let items = list.value.iter().map(|text| Self::Word(word(&text.value))).collect();
        Self::Group { open: "[".to_owned(), items, close: ']' }
    }

    /// On one line.
    pub(super) fn flat(&self) -> String {
        let mut text = String::new();
        self.write_flat(&mut text);
        text
    }

    fn write_flat(&self, into: &mut String) {
        match self {
            Self::Word(word) => into.push_str(word),
            Self::Group { open, items, close } => {
                into.push_str(open);
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        into.push_str(", ");
                    }
                    item.write_flat(into);
                }
                into.push(*close);
            }
            Self::Chain(parts) => {
                for (lead, part) in parts {
                    into.push_str(lead);
                    part.write_flat(into);
                }
            }
        }
    }

    /// Writes what is too long for the rest of a line that `before` characters stand on already,
    /// `indent` of them white space. One more character follows it.
    pub(super) fn write_broken(&self, into: &mut String, indent: usize, before: usize) {
        match self {
            Self::Word(_) => self.write_flat(into),
            Self::Group { items, .. } if items.is_empty() => self.write_flat(into),
            Self::Group { open, items, close } => {
                into.push_str(open);
                for item in items {
                    line(into, indent + 2);
                    item.write(into, indent + 2, indent + 2, 1);
                    into.push(',');
                }
                line(into, indent);
                into.push(*close);
            }
            Self::Chain(parts) => {
                let mut end = before;
                let mut rest = parts.iter().peekable();
                while let Some((lead, part)) = rest.next() {
                    into.push_str(lead);
                    // Of the next part, its bracket at least goes with this one.
                    let after = rest.peek().map_or(1, |(lead, _)| lead.len() + 1);
                    end = part.write(into, indent, end + lead.len(), after);
                }
            }
        }
    }

    /// Writes it on this line if it fits there with `after` more characters, else broken; gives how
    /// long the last line is.
    fn write(&self, into: &mut String, indent: usize, before: usize, after: usize) -> usize {
        let flat = self.flat();
        let end = before + flat.chars().count();
        if end + after <= WIDTH {
            into.push_str(&flat);
            return end;
        }
        self.write_broken(into, indent, before);
        indent + 1
    }
}

/// Begins a new line.
pub(super) fn line(into: &mut String, indent: usize) {
    into.push('\n');
    into.extend(std::iter::repeat_n(' ', indent));
}
