//! The DSL: whole files, and conditions wherever they come from.
//!
//! - The **lexer** cuts a text into lexemes; it fails on nothing.
//! - The **layout** makes tokens of them: brackets balanced, statements with a beginning and an end.
//!   It reports brackets, unknown sections and unknown fields, and refuses what is nested too deep.
//! - The **grammar** (`grammar/policy.lalrpop`) builds the AST and recovers within a statement.
//!
//! All three are one pass over the text and hold a handful of tokens at a time.

mod context;
mod invariant;
mod layout;
mod lexer;
mod message;
mod open_bracket;
mod record;
mod report;
mod sections;
mod statement;
mod string;
mod terms;
mod token;

pub(super) use sections::{is_described, is_keyword};

lalrpop_util::lalrpop_mod!(
    // Generated; the lints are for what people write.
    #[allow(clippy::all, clippy::pedantic, clippy::restriction, warnings)]
    policy
);

use std::ops::Range;

use crate::{
    diagnostic::Diagnostics,
    source::{SourceId, Span},
    syntax::ast::{Expr, Item},
};
use context::Context;
use layout::Layout;

/// Parses a `.peerage` file: every statement that could be read. What is wrong goes to `problems`,
/// and spoils no more than the statement or field it is in. Costs one pass, whatever the text holds.
pub fn parse<'s>(id: SourceId, text: &'s str, problems: &mut Diagnostics) -> Vec<Item<'s>> {
    let place = |range: Range<usize>| Span::new(id, range.start, range.end);
    let cx = Context::new(text, &place, problems);
    match policy::FileParser::new().parse(&cx, Layout::for_file(text, &cx)) {
        Ok(items) => items,
        Err(error) => {
            cx.failed(&error);
            Vec::new()
        }
    }
}

/// Parses a condition that is embedded in something else: a YAML scalar, a request. `place` gives the
/// span of a byte range of `text`. `None`, and a problem, if nothing could be made of it.
pub fn parse_expr<'s>(
    text: &'s str,
    place: &dyn Fn(Range<usize>) -> Span,
    problems: &mut Diagnostics,
) -> Option<Expr<'s>> {
    let cx = Context::new(text, place, problems);
    match policy::ConditionParser::new().parse(&cx, Layout::for_condition(text, &cx)) {
        Ok(expr) => Some(expr),
        Err(error) => {
            cx.failed(&error);
            None
        }
    }
}
