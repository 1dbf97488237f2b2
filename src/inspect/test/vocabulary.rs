//! The words of a vocabulary in test files, with suggestions for unknown ones.

use std::{fmt::Display, str::FromStr};

use crate::{
    diagnostic::{Code, Diagnostic, suggest},
    syntax::ast::Text,
};

/// Parses a word; an unknown one is reported with the known words.
pub(super) fn parse_word<W: FromStr + Display>(
    what: &str,
    text: &Text<'_>,
    all: &[W],
    problems: &mut Vec<Diagnostic>,
) -> Option<W> {
    let found = text.value.parse().ok();
    if found.is_none() {
        problems.push(unknown_word(what, text, all));
    }
    found
}

pub(super) fn unknown_word<W: Display>(what: &str, text: &Text<'_>, all: &[W]) -> Diagnostic {
    let known: Vec<String> = all.iter().map(ToString::to_string).collect();
    let message = format!("unknown {what} `{}`", text.value.escape_debug());
    let hint = suggest(&text.value, known.iter().map(String::as_str));
    Diagnostic::error(Code::UnknownWord, text.span, message).hint(hint)
}
