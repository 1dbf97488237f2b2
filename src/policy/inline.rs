//! Conditions and values that come from requests, not from files.

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, Report},
    request::{Condition, GrantCondition, TagForm},
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
    let mut problems = Diagnostics::default();
    let expr = dsl::parse_expr(text, &place, &mut problems);
    let span = expr.and_then(|expr| find_tag(&expr, tag)).unwrap_or_else(|| place(0..text.len()));
    problems.push(Diagnostic::error(Code::UndeclaredTag, span, message));
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

/// Where a tag is named first.
fn find_tag(expr: &Expr<'_>, tag: &str) -> Option<Span> {
    let ExprKind::Call { name, arguments } = &expr.kind else { return None };
    arguments.iter().find_map(|argument| match &argument.kind {
        ExprKind::Word(word) => (name.value == "hasTag" && *word == tag).then_some(argument.span),
        ExprKind::Call { .. } => find_tag(argument, tag),
    })
}

fn place(range: std::ops::Range<usize>) -> Span {
    Span::new(SourceId(0), range.start, range.end)
}

fn report(problems: Diagnostics, text: &str) -> Report {
    Report::new(problems, &Sources::single("condition", Notation::Dsl, text))
}
