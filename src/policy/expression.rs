//! Expressions resolved to conditions and to values of matrices.

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, did_you_mean},
    request::{Condition, DURING, During, Grant, GrantCondition},
    source::Span,
    syntax::{
        ast::{Expr, ExprKind, Spanned, Text},
        idioms,
    },
};

use super::{suggestions, tags::Vocabulary};

const FUNCTIONS: [&str; 5] = ["hasTag", DURING, "not", "all", "any"];

/// A meaning that an expression may have: conditions and matrix values have the same grammar and differ in
/// the words that may stand in it.
pub(super) trait FromExpression: Sized {
    /// The meaning of a word alone; `is_inner` if it is inside a combination.
    fn word(word: &str, span: Span, is_inner: bool) -> Result<Self, Diagnostic>;
    fn has_tag(tag: String) -> Self;
    fn during(during: During) -> Self;
    fn not(inner: Self) -> Self;
    fn all(parts: Vec<Self>) -> Self;
    fn any(parts: Vec<Self>) -> Self;
    /// Whom `any()` or `all()` of nothing would select.
    fn empty_meaning(is_any: bool) -> &'static str;
    /// The text to write in its place.
    fn empty_hint(is_any: bool) -> &'static str;
}

impl FromExpression for Condition<String> {
    fn word(word: &str, span: Span, _: bool) -> Result<Self, Diagnostic> {
        Self::from_word(word).ok_or_else(|| {
            suggestions::word_instead_of_condition(suggestions::CONDITION, word, span)
        })
    }

    fn has_tag(tag: String) -> Self {
        Self::HasTag(tag)
    }

    fn during(during: During) -> Self {
        Self::During(during)
    }

    fn not(inner: Self) -> Self {
        Self::Not(Box::new(inner))
    }

    fn all(parts: Vec<Self>) -> Self {
        Self::All(parts)
    }

    fn any(parts: Vec<Self>) -> Self {
        Self::Any(parts)
    }

    fn empty_meaning(is_any: bool) -> &'static str {
        if is_any { "no user" } else { "every user" }
    }

    fn empty_hint(is_any: bool) -> &'static str {
        if is_any { idioms::NOBODY } else { idioms::EVERYONE }
    }
}

impl FromExpression for GrantCondition<String> {
    fn word(word: &str, span: Span, is_inner: bool) -> Result<Self, Diagnostic> {
        match word.parse() {
            Ok(Grant::Unspecified) if is_inner => {
                let message = "`unspecified` can't be part of a combination";
                Err(Diagnostic::error(Code::Unspecified, span, message)
                    .hint("write `deny` for nobody"))
            }
            Ok(grant) => Ok(Self::Grant(grant)),
            Err(_) => {
                let known = Grant::ALL.iter().map(|grant| grant.as_str());
                Err(suggestions::unknown_word(
                    "value",
                    &word.escape_debug().to_string(),
                    span,
                    known,
                ))
            }
        }
    }

    fn has_tag(tag: String) -> Self {
        Self::HasTag(tag)
    }

    fn during(during: During) -> Self {
        Self::During(during)
    }

    fn not(inner: Self) -> Self {
        Self::Not(Box::new(inner))
    }

    fn all(parts: Vec<Self>) -> Self {
        Self::All(parts)
    }

    fn any(parts: Vec<Self>) -> Self {
        Self::Any(parts)
    }

    fn empty_meaning(is_any: bool) -> &'static str {
        if is_any { "no member" } else { "every member" }
    }

    fn empty_hint(is_any: bool) -> &'static str {
        if is_any { "write `deny` for nobody" } else { "write `allow` for every member" }
    }
}

/// The meaning of an expression; `None`, with the reasons in `problems`, if it has none.
///
/// Recursion is as deep as the expression, which the parsers limit.
pub(super) fn resolve_expression<M: FromExpression>(
    expr: &Expr<'_>,
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) -> Option<M> {
    resolve_part(expr, false, vocabulary, problems)
}

fn resolve_part<M: FromExpression>(
    expr: &Expr<'_>,
    is_inner: bool,
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) -> Option<M> {
    let (name, arguments) = match &expr.kind {
        ExprKind::Call { name, arguments } => (name, arguments.as_slice()),
        ExprKind::Word(word) => {
            return M::word(word, expr.span, is_inner).map_err(|why| problems.push(why)).ok();
        }
    };
    match &*name.value {
        "hasTag" => has_tag(expr.span, arguments, vocabulary, problems).map(M::has_tag),
        DURING => during(expr.span, arguments, vocabulary, problems).map(M::during),
        "not" => {
            let parts = resolve_parts(arguments, vocabulary, problems);
            if arguments.len() == 1 {
                return parts?.pop().map(M::not);
            }
            let message = format!("not() takes one argument, found {}", arguments.len());
            problems.push(
                Diagnostic::error(Code::WrongArguments, expr.span, message)
                    .hint("to negate several at once, write not(any(...)) or not(all(...))"),
            );
            None
        }
        "all" | "any" if arguments.is_empty() => {
            let is_any = name.value == "any";
            let message = format!("{}() has no arguments", name.value);
            problems.push(
                Diagnostic::error(Code::EmptyCombination, expr.span, message)
                    .label(format!("this would select {}", M::empty_meaning(is_any)))
                    .hint(M::empty_hint(is_any)),
            );
            None
        }
        "all" => resolve_parts(arguments, vocabulary, problems).map(M::all),
        "any" => resolve_parts(arguments, vocabulary, problems).map(M::any),
        other => {
            let message = format!("unknown function `{}`", other.escape_debug());
            let problem = Diagnostic::error(Code::UnknownFunction, name.span, message);
            problems.push(match did_you_mean(other, FUNCTIONS) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => {
                    problem.hint("the functions are `hasTag`, `during`, `not`, `all` and `any`")
                }
            });
            None
        }
    }
}

fn has_tag(
    span: Span,
    arguments: &[Expr<'_>],
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) -> Option<String> {
    let [argument] = arguments else {
        let problem = Diagnostic::error(
            Code::WrongArguments,
            span,
            format!("hasTag() takes one tag, found {}", arguments.len()),
        );
        problems.push(if arguments.is_empty() {
            problem
        } else {
            problem.hint(
                "for several tags, write any(hasTag(A), hasTag(B)) or all(...); a tag has no blanks",
            )
        });
        return None;
    };
    let ExprKind::Word(word) = &argument.kind else {
        problems.push(Diagnostic::error(
            Code::WrongArguments,
            argument.span,
            "hasTag() takes the name of a tag, not a condition",
        ));
        return None;
    };
    let tag: Text<'_> = Spanned::new(word.clone(), argument.span);
    vocabulary.bind(&tag, problems)
}

/// The window that `during(...)` names.
pub(super) fn during(
    span: Span,
    arguments: &[Expr<'_>],
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) -> Option<During> {
    if let [Expr { span, kind: ExprKind::Word(word) }] = arguments {
        return vocabulary.bind_window(&Spanned::new(word.clone(), *span), problems);
    }
    let message = match arguments {
        [_] => "during() takes the name of a window, not a condition".to_owned(),
        _ => format!("during() takes one window, found {}", arguments.len()),
    };
    let problem = Diagnostic::error(Code::WrongArguments, span, message);
    problems.push(if arguments.len() > 1 {
        problem.hint("for several windows, write any(during(a), during(b)) or all(...)")
    } else {
        problem
    });
    None
}

/// The meanings of all arguments, each with its own problems; `None` if any has one.
fn resolve_parts<M: FromExpression>(
    arguments: &[Expr<'_>],
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) -> Option<Vec<M>> {
    let parts: Vec<_> = arguments
        .iter()
        .map(|argument| resolve_part(argument, true, vocabulary, problems))
        .collect();
    parts.into_iter().collect()
}
