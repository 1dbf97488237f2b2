//! The DSL: whole files, and conditions wherever they come from.

use crate::{
    diagnostic::Diagnostics,
    source::{SourceId, Span},
    syntax::ast::{Expr, Item},
};

/// Parses a `.peerage` file: every statement that could be read.
pub fn parse<'s>(id: SourceId, text: &'s str, problems: &mut Diagnostics) -> Vec<Item<'s>> {
    let _ = (id, text, problems);
    Vec::new()
}

/// Parses a condition that stands in something else: a YAML scalar, a request. `place` gives the
/// span of a byte range of `text`.
pub fn parse_expr<'s>(
    text: &'s str,
    place: &dyn Fn(std::ops::Range<usize>) -> Span,
    problems: &mut Diagnostics,
) -> Option<Expr<'s>> {
    let _ = (text, place, problems);
    None
}
