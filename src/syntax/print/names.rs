//! The names of sections, as both notations write them.

use super::{
    doc::Doc,
    text::{self, quoted},
};
use crate::syntax::ast::{Expr, ExprKind};

/// The start of a field that the author names. `*` needs no quotes there.
pub(super) fn name(text: &str) -> String {
    if text == "*" { "*".to_owned() } else { text::word(text) }
}

/// The same before a value. Before an arrow, if only within a string, any word may be taken for the
/// beginning of a statement.
pub(super) fn key(text: &str, value: &Doc) -> String {
    if value.flat().contains("->") { quoted(text) } else { name(text) }
}

/// The condition of a mode, where a word alone may be one of the other fields.
pub(super) fn mode(when: &Expr<'_>, mode: &Doc, fields: &[&str]) -> String {
    match &when.kind {
        ExprKind::Word(word) if fields.contains(&&**word) => quoted(word),
        ExprKind::Word(word) if word != "*" => key(word, mode),
        ExprKind::Word(_) | ExprKind::Call { .. } => Doc::from_expr(when).flat(),
    }
}
