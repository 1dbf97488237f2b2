//! Diagnostics of words that a policy does not know, with what was likely meant.

use std::str::FromStr;

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, suggest},
    request::check_tag,
    source::Span,
    syntax::{
        ast::{Expr, ExprKind, List, Spanned, Text},
        idioms,
    },
};

/// The description of a condition in messages that expect one.
pub(super) const CONDITION: &str = "a condition";

/// A word that is not one of those allowed in its place; the hint names the likeliest of them.
pub(super) fn unknown_word<'k>(
    what: &str,
    word: &str,
    span: Span,
    known: impl Iterator<Item = &'k str>,
) -> Diagnostic {
    unknown_name(Code::UnknownWord, format!("unknown {what} `{word}`"), word, span, known)
}

/// A key that `of` does not have.
pub(super) fn unknown_key<'k>(
    of: &str,
    key: &Text<'_>,
    known: impl Iterator<Item = &'k str>,
) -> Diagnostic {
    let message = format!("{of} has no field `{}`", key.value.escape_debug());
    unknown_name(Code::UnknownField, message, &key.value, key.span, known)
}

fn unknown_name<'k>(
    code: Code,
    message: String,
    word: &str,
    span: Span,
    known: impl Iterator<Item = &'k str>,
) -> Diagnostic {
    Diagnostic::error(code, span, message).hint(suggest(word, known))
}

/// The word that a text spells; the problem calls it `what` if there is no such word.
pub(super) fn parse_word<'k, W: FromStr>(
    what: &str,
    text: &Text<'_>,
    known: impl Iterator<Item = &'k str>,
    problems: &mut Diagnostics,
) -> Option<W> {
    let found = text.value.parse().ok();
    if found.is_none() {
        problems.push(unknown_word(what, &text.value.escape_debug().to_string(), text.span, known));
    }
    found
}

/// A word where a condition is wanted. In quotes, a condition of the DSL is a word too.
pub(super) fn word_instead_of_condition(wanted: &str, word: &str, span: Span) -> Diagnostic {
    let written = word.escape_debug();
    let message = format!("expected {wanted}, found the word `{written}`");
    let problem = Diagnostic::error(Code::WrongType, span, message);
    let is_switch = wanted != CONDITION;
    let hint = match (idioms::is_everyone(word), idioms::is_nobody(word)) {
        (true, _) if is_switch => Some(constant_hint(true, word)),
        (_, true) if is_switch => Some(constant_hint(false, word)),
        (true, _) => Some(idioms::EVERYONE.to_owned()),
        (_, true) => Some(idioms::NOBODY.to_owned()),
        _ => None,
    };
    if let Some(hint) = hint {
        problem.hint(hint)
    } else if check_tag(word).is_ok() {
        problem.hint(format!("for users with the tag, write `hasTag({word})`"))
    } else if word.contains('(') {
        problem.hint(format!("write it without quotes: `{written}`"))
    } else {
        problem
    }
}

/// The spelling to use in place of a word for everyone or nobody.
fn constant_hint(value: bool, word: &str) -> String {
    let whom = if value { "everyone" } else { "nobody" };
    if check_tag(word).is_ok() {
        format!("write `{value}` for {whom}; `hasTag({word})` selects the users with that tag")
    } else {
        format!("write `{value}` for {whom}")
    }
}

/// The word that the value of a setting is; a condition is none.
pub(super) fn expect_word<'e, 'k>(
    what: &str,
    value: &'e Expr<'_>,
    known: impl Iterator<Item = &'k str>,
    problems: &mut Diagnostics,
) -> Option<Text<'e>> {
    match &value.kind {
        ExprKind::Word(word) => Some(Spanned::new((&**word).into(), value.span)),
        ExprKind::Call { .. } => {
            let message = format!("expected {what}, found a condition");
            let mut problem = Diagnostic::error(Code::WrongType, value.span, message);
            let mut known = known.peekable();
            if known.peek().is_some() {
                problem = problem.hint(suggest("", known));
            }
            problems.push(problem);
            None
        }
    }
}

/// Says which of the lints that are silenced there are not.
pub(super) fn check_lints(silenced: &[List<'_>], problems: &mut Diagnostics) {
    for lint in silenced.iter().flat_map(|list| &list.value) {
        if Code::LINTS.iter().all(|known| known.as_str() != lint.value) {
            let word = lint.value.escape_debug().to_string();
            let known = Code::LINTS.iter().map(|code| code.as_str());
            problems.push(unknown_word("lint", &word, lint.span, known));
        }
    }
}
