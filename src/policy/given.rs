use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, Report},
    request::{Condition, TagForm, Value},
    source::{Notation, SourceId, Sources, Span},
    syntax::{
        ast::{Expr, ExprKind},
        dsl,
    },
};

use super::{
    expression::{Meaning, meaning},
    tags::Vocabulary,
};

/// A condition that comes from elsewhere than a file; its tags may be any.
///
/// # Errors
/// All that is wrong with it.
pub fn condition(text: &str) -> Result<Condition<String>, Report> {
    expression(text)
}

/// A value of a matrix that comes from elsewhere than a file; its tags may be any.
///
/// # Errors
/// All that is wrong with it.
pub fn value(text: &str) -> Result<Value<String>, Report> {
    expression(text)
}

/// What is to be told of a condition or value that names a tag which it must not name.
pub fn misnamed(text: &str, tag: &str, message: &str) -> Report {
    let mut problems = Diagnostics::default();
    let expr = dsl::parse_expr(text, &place, &mut problems);
    let span = expr.and_then(|expr| naming(&expr, tag)).unwrap_or_else(|| place(0..text.len()));
    problems.push(Diagnostic::error(Code::UndeclaredTag, span, message));
    report(problems, text)
}

fn expression<M: Meaning>(text: &str) -> Result<M, Report> {
    let mut problems = Diagnostics::default();
    let vocabulary = Vocabulary::declare(&[], TagForm::Any, &mut problems);
    let expr = dsl::parse_expr(text, &place, &mut problems);
    let meaning = expr.and_then(|expr| meaning(&expr, &vocabulary, &mut problems));
    match meaning {
        Some(meaning) if !problems.has_errors() => Ok(meaning),
        _ => Err(report(problems, text)),
    }
}

/// Where a tag is named first.
fn naming(expr: &Expr<'_>, tag: &str) -> Option<Span> {
    let ExprKind::Call { name, arguments } = &expr.kind else { return None };
    arguments.iter().find_map(|argument| match &argument.kind {
        ExprKind::Word(word) => (name.value == "hasTag" && *word == tag).then_some(argument.span),
        ExprKind::Call { .. } => naming(argument, tag),
    })
}

fn place(range: std::ops::Range<usize>) -> Span {
    Span::new(SourceId(0), range.start, range.end)
}

fn report(problems: Diagnostics, text: &str) -> Report {
    Report::new(problems, &Sources::single("condition", Notation::Dsl, text))
}
