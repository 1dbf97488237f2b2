//! The values of strings and descriptions.

use std::{borrow::Cow, ops::Range};

use crate::{
    diagnostic::{Code, Diagnostic},
    syntax::dsl::context::Context,
};

/// The value of a string: `inner` is the text between its quotes, from offset `start` on.
/// A wrong escape is reported and left out of the value, so that it is reported only once.
pub(super) fn value<'s>(inner: &'s str, start: usize, cx: &Context<'_>) -> Cow<'s, str> {
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut value = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, after)) = rest.split_once('\\') {
        value.push_str(plain);
        let at = start + inner.len() - after.len() - 1;
        match escape(after) {
            Ok((meant, length)) => {
                value.push(meant);
                rest = after.get(length..).unwrap_or_default();
            }
            Err(EscapeError { length, message, hint }) => {
                let place: Range<usize> = at..at + 1 + length;
                cx.report(
                    Diagnostic::error(Code::Syntax, cx.span(place.start, place.end), message)
                        .hint(hint),
                );
                rest = after.get(length..).unwrap_or_default();
            }
        }
    }
    value.push_str(rest);
    Cow::Owned(value)
}

/// An escape that means nothing; `length` counts what follows its backslash.
struct EscapeError {
    length: usize,
    message: String,
    hint: &'static str,
}

/// The value of the escape at the start of `after`, and its length.
fn escape(after: &str) -> Result<(char, usize), EscapeError> {
    let Some(first) = after.chars().next() else {
        return Err(EscapeError {
            length: 0,
            message: "nothing follows the backslash".to_owned(),
            hint: "write `\\\\` for a backslash",
        });
    };
    Ok((
        match first {
            '"' | '\\' | '/' => first,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return unicode(after),
            _ => {
                return Err(EscapeError {
                    length: first.len_utf8(),
                    message: format!("unknown escape `\\{}`", first.escape_debug()),
                    hint: "the escapes are \
                           `\\\"`, `\\\\`, `\\/`, `\\b`, `\\f`, `\\n`, `\\r`, `\\t` and `\\uXXXX`",
                });
            }
        },
        1,
    ))
}

/// `uXXXX`, or two of them that make up one character.
fn unicode(after: &str) -> Result<(char, usize), EscapeError> {
    let Some(first) = hex(after) else {
        let digits = after.chars().skip(1).take(4).take_while(char::is_ascii_hexdigit).count();
        return Err(EscapeError {
            length: 1 + digits,
            message: "`\\u` takes four hexadecimal digits".to_owned(),
            hint: "write `\\u00fc` for `ü`, or the character itself",
        });
    };
    if let Some(meant) = char::from_u32(first) {
        return Ok((meant, 5));
    }
    let second = after.get(5..).and_then(|rest| rest.strip_prefix('\\')).and_then(hex);
    let pair = second.filter(|low| first < 0xDC00 && (0xDC00..0xE000).contains(low));
    pair.and_then(|low| char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00)))
        .map(|meant| (meant, 11))
        .ok_or_else(|| EscapeError {
            length: 5,
            message: format!("`\\u{first:04x}` is an unpaired surrogate"),
            hint: "write both escapes of the pair, or the character itself",
        })
}

fn hex(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('u')?.get(..4)?;
    let all = digits.bytes().all(|b| b.is_ascii_hexdigit());
    if all { u32::from_str_radix(digits, 16).ok() } else { None }
}

/// The text of a description, without its `///` and one space after it. Other comments
/// among them are none of it.
pub(super) fn description(lines: &str) -> Cow<'_, str> {
    let mut said = lines.split('\n').filter_map(|line| {
        let line = line.trim_ascii_start().strip_prefix("///")?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.starts_with('/') { None } else { Some(line.strip_prefix(' ').unwrap_or(line)) }
    });
    let first = said.next().unwrap_or_default();
    match said.next() {
        None => Cow::Borrowed(first),
        Some(second) => {
            let mut text = String::with_capacity(lines.len());
            text.push_str(first);
            for line in std::iter::once(second).chain(said) {
                text.push('\n');
                text.push_str(line);
            }
            Cow::Owned(text)
        }
    }
}
