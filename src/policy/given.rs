use crate::{
    diagnostic::{Diagnostics, Report, render},
    request::{Condition, Value},
    source::{Notation, SourceId, Sources, Span},
    syntax::dsl,
};

use super::{
    expression::{Meaning, meaning},
    tags::Vocabulary,
};

/// A condition that comes from elsewhere than a file; its tags may be any.
///
/// # Errors
/// What is wrong with it, each with the text and a caret.
pub fn condition(text: &str) -> Result<Condition<String>, String> {
    expression(text)
}

/// A value of a matrix that comes from elsewhere than a file; its tags may be any.
///
/// # Errors
/// What is wrong with it, each with the text and a caret.
pub fn value(text: &str) -> Result<Value<String>, String> {
    expression(text)
}

fn expression<M: Meaning>(text: &str) -> Result<M, String> {
    let mut problems = Diagnostics::default();
    let place = |range: std::ops::Range<usize>| Span::new(SourceId(0), range.start, range.end);
    let vocabulary = Vocabulary::declare(&[], &mut problems);
    let expr = dsl::parse_expr(text, &place, &mut problems);
    let meaning = expr.and_then(|expr| meaning(&expr, &vocabulary, &mut problems));
    match meaning {
        Some(meaning) if !problems.has_errors() => Ok(meaning),
        _ => {
            let sources = Sources::single("condition", Notation::Dsl, text);
            Err(render(&Report::new(problems, &sources), false))
        }
    }
}
