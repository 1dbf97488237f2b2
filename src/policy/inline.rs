//! Conditions and values that come from requests, not from files.

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, Report},
    request::{Condition, DURING, GrantCondition, TagForm},
    source::{Notation, SourceId, Sources, Span},
    syntax::{
        ast::{Expr, ExprKind},
        dsl,
    },
};

use super::{
    expression::{FromExpression, resolve_expression},
    tags::Vocabulary,
};

/// A condition that comes from elsewhere than a file; its tags may be any.
///
/// # Errors
/// All that is wrong with it.
pub fn parse_condition(text: &str) -> Result<Condition<String>, Report> {
    parse(text)
}

/// A value of a matrix that comes from elsewhere than a file; its tags may be any.
///
/// # Errors
/// All that is wrong with it.
pub fn parse_value(text: &str) -> Result<GrantCondition<String>, Report> {
    parse(text)
}

/// The problem of a condition or value that names a tag which it must not name.
pub fn forbidden_tag_report(text: &str, tag: &str, message: &str) -> Report {
    argument_report(text, ("hasTag", tag), Code::UndeclaredTag, message)
}

/// The problem of a condition or value that names a window which there is not.
pub fn unknown_window_report(text: &str, window: &str, message: &str) -> Report {
    argument_report(text, (DURING, window), Code::UnknownWindow, message)
}

fn argument_report(text: &str, call: (&str, &str), code: Code, message: &str) -> Report {
    let mut problems = Diagnostics::default();
    let expr = dsl::parse_expr(text, &place, &mut problems);
    let (function, argument) = call;
    let span = expr.and_then(|expr| find_argument(&expr, function, argument));
    let span = span.unwrap_or_else(|| place(0..text.len()));
    problems.push(Diagnostic::error(code, span, message));
    report(problems, text)
}

fn parse<M: FromExpression>(text: &str) -> Result<M, Report> {
    let mut problems = Diagnostics::default();
    let vocabulary = Vocabulary::declare(&[], TagForm::Any, &mut problems);
    let expr = dsl::parse_expr(text, &place, &mut problems);
    let meaning = expr.and_then(|expr| resolve_expression(&expr, &vocabulary, &mut problems));
    match meaning {
        Some(meaning) if !problems.has_errors() => Ok(meaning),
        _ => Err(report(problems, text)),
    }
}

/// Where a function has a word as its argument first.
fn find_argument(expr: &Expr<'_>, function: &str, wanted: &str) -> Option<Span> {
    let ExprKind::Call { name, arguments } = &expr.kind else { return None };
    arguments.iter().find_map(|argument| match &argument.kind {
        ExprKind::Word(word) => {
            (name.value == function && *word == wanted).then_some(argument.span)
        }
        ExprKind::Call { .. } => find_argument(argument, function, wanted),
    })
}

fn place(range: std::ops::Range<usize>) -> Span {
    Span::new(SourceId(0), range.start, range.end)
}

fn report(problems: Diagnostics, text: &str) -> Report {
    Report::new(problems, &Sources::single("condition", Notation::Dsl, text))
}
