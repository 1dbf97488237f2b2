//! A text as each notation writes it, bare where that reads the same.

use std::fmt::Write as _;

use crate::syntax::keys::is_word;

/// A text in double quotes, as the DSL, JSON and YAML read it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // Writing to a string can't fail.
            c if is_odd(c) => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a character can't be seen, or not be written as it is. All of them are below U+10000.
fn is_odd(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A name in the DSL: bare where it is a plain word, else in quotes.
pub(super) fn word(text: &str) -> String {
    if is_word(text) { text.to_owned() } else { quoted(text) }
}

/// Whether it is a plain word and a `*` behind it.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(char::is_alphanumeric) && text.strip_suffix('*').is_some_and(is_word)
}

/// A scalar of YAML that is a text: in quotes if it would be read as something else without.
pub(super) fn scalar(text: &str, within_brackets: bool) -> String {
    if is_plain(text, within_brackets) && !is_typed(text) {
        return text.to_owned();
    }
    // Conditions have double quotes in them, and few have single ones.
    let prefers_single = text.contains(['"', '\\']) && !text.contains('\'');
    if prefers_single && !text.chars().any(is_odd) {
        return format!("'{text}'");
    }
    quoted(text)
}

/// A scalar of YAML that is true, false or a number where it can be.
pub(super) fn value(text: &str, within_brackets: bool) -> String {
    if is_bare(text) { text.to_owned() } else { scalar(text, within_brackets) }
}

/// Whether it is a number, `true` or `false` to JSON too.
pub(super) fn is_bare(text: &str) -> bool {
    let digits = text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits && !text.is_empty() && (text == "0" || !text.starts_with('0'));
    number || matches!(text, "true" | "false")
}

/// Whether YAML reads it as something other than text if it has no quotes.
fn is_typed(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    matches!(word.as_str(), "" | "~" | "null" | "true" | "false" | "<<")
}

/// Whether YAML reads it as it is.
fn is_plain(text: &str, within_brackets: bool) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return false };
    let begins = match first {
        '-' | '?' | ':' => {
            chars.next().is_some_and(|next| next.is_alphanumeric() || "-_".contains(next))
        }
        ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
        | '@' | '`' => false,
        _ => true,
    };
    // At the beginning of a line they begin or end a document.
    let is_marker = text.starts_with("---") || text.starts_with("...");
    let is_brackets = |c| matches!(c, ',' | '[' | ']' | '{' | '}');
    begins
        && !is_marker
        && text.trim() == text
        && !text.ends_with(':')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.chars().any(is_odd)
        && !(within_brackets && (text.contains(is_brackets) || text.contains(':')))
}

/// The lines of a text as a block of YAML, and how it begins; `None` if it is not of several lines
/// or no block holds it as it is.
pub(super) fn block(text: &str) -> Option<(&'static str, std::str::Split<'_, char>)> {
    let (header, body) = match text.strip_suffix('\n') {
        Some(body) => ("|", body),
        None => ("|-", text),
    };
    let is_line = |line: &str| {
        !line.ends_with(char::is_whitespace) && !line.starts_with('\t') && !line.chars().any(is_odd)
    };
    // The first line says how far the block is indented.
    let holds = body.contains('\n')
        && body.split('\n').all(is_line)
        && !body.starts_with(char::is_whitespace)
        && !body.ends_with('\n');
    holds.then(|| (header, body.split('\n')))
}
