use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, did_you_mean},
    request::Condition,
    source::Span,
    syntax::ast::{Expr, ExprKind, Spanned, Text},
};

use super::tags::Vocabulary;

const FUNCTIONS: [&str; 4] = ["hasTag", "not", "all", "any"];

/// The condition that an expression means; `None`, and the reasons in `problems`, if it means none.
///
/// Recursion is as deep as the expression, which the parsers limit.
pub(super) fn condition(
    expr: &Expr<'_>,
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) -> Option<Condition<String>> {
    let (name, arguments) = match &expr.kind {
        ExprKind::Call { name, arguments } => (name, arguments.as_slice()),
        ExprKind::Word(word) => {
            problems.push(
                Diagnostic::error(
                    Code::WrongType,
                    expr.span,
                    format!("expected a condition, found the word `{word}`"),
                )
                .hint(format!("for the users who have a tag, write hasTag({word})")),
            );
            return None;
        }
    };
    match &*name.value {
        "hasTag" => has_tag(expr.span, arguments, vocabulary, problems),
        "not" => {
            let parts = parts(arguments, vocabulary, problems);
            if arguments.len() == 1 {
                return parts?.pop().map(|inner| Condition::Not(Box::new(inner)));
            }
            problems.push(
                Diagnostic::error(
                    Code::WrongArguments,
                    expr.span,
                    format!("not() takes one condition, found {}", arguments.len()),
                )
                .hint("to negate several at once, write not(any(...)) or not(all(...))"),
            );
            None
        }
        "all" | "any" if arguments.is_empty() => {
            let of_nothing = if name.value == "any" { "no user" } else { "every user" };
            problems.push(
                Diagnostic::error(
                    Code::EmptyCombination,
                    expr.span,
                    format!("{}() combines no conditions", name.value),
                )
                .label(format!("this would select {of_nothing}"))
                .hint("give it at least one condition, or remove it"),
            );
            None
        }
        "all" => parts(arguments, vocabulary, problems).map(Condition::All),
        "any" => parts(arguments, vocabulary, problems).map(Condition::Any),
        other => {
            let problem = Diagnostic::error(
                Code::UnknownFunction,
                name.span,
                format!("conditions have no function `{other}`"),
            );
            problems.push(match did_you_mean(other, FUNCTIONS) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint("there are hasTag, not, all and any"),
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
) -> Option<Condition<String>> {
    let [argument] = arguments else {
        let problem = Diagnostic::error(
            Code::WrongArguments,
            span,
            format!("hasTag() takes one tag, found {}", arguments.len()),
        );
        problems.push(if arguments.is_empty() {
            problem
        } else {
            problem.hint("for several tags, write any(hasTag(A), hasTag(B)) or all(...)")
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
    match vocabulary.bind(&tag) {
        Ok(tag) => Some(Condition::HasTag(tag)),
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}

/// All arguments as conditions, each with its own problems; `None` if any has one.
fn parts(
    arguments: &[Expr<'_>],
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) -> Option<Vec<Condition<String>>> {
    let parts: Vec<_> =
        arguments.iter().map(|argument| condition(argument, vocabulary, problems)).collect();
    parts.into_iter().collect()
}
