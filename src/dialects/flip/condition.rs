//! Parts of peerage's condition language that Flip's does not have.

use crate::{
    facts::TextProblem,
    request::{InvalidTagError, TagForm},
};

/// How many characters of the line an error shows on each side of its place.
const CONTEXT_CHARS: usize = 60;

/// The first quote, comment, trailing comma or tag name that Flip does not allow. All other
/// mistakes are found where conditions are parsed.
pub(super) fn find_unsupported(condition: &str) -> Option<TextProblem> {
    let mut begun = 0;
    let mut is_inner = false;
    for (at, c) in condition.char_indices() {
        let rest = condition.get(at..).unwrap_or_default();
        let is_first = !std::mem::replace(&mut is_inner, is_tag_char(c));
        if is_first && let Some(error) = unsupported_tag(rest) {
            return Some(build_spot(condition, (begun, at), &error.to_string()));
        }
        let message = match c {
            '"' => "tags stand without quotes: hasTag(Berlin)",
            '/' if rest.starts_with("//") => "a condition holds no comments",
            ',' if is_trailing_comma(rest) => "a condition must follow the comma",
            '\n' => {
                begun = at + 1;
                continue;
            }
            _ => continue,
        };
        return Some(build_spot(condition, (begun, at), message));
    }
    None
}

/// The error of the tag that a text begins with, if it is valid but for Flip.
fn unsupported_tag(text: &str) -> Option<InvalidTagError> {
    let word = text.split(|c| !is_tag_char(c)).next().unwrap_or_default();
    // A tag that is invalid everywhere is reported by the parser of conditions.
    TagForm::Any.check(word).is_ok().then(|| TagForm::Flip.check(word).err())?
}

fn is_tag_char(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '(' | ')' | ',' | ':' | '/' | '"')
}

/// Whether only white space is between a comma and a closing bracket.
fn is_trailing_comma(comma: &str) -> bool {
    let rest = comma.get(1..).unwrap_or_default();
    rest.trim_start_matches([' ', '\t', '\r', '\n']).starts_with(')')
}

/// The error at the byte `at`, in the line that begins at the byte `begun`.
fn build_spot(text: &str, (begun, at): (usize, usize), message: &str) -> TextProblem {
    let lines = text.get(..begun).unwrap_or_default().matches('\n').count();
    let before = text.get(begun..at).unwrap_or_default();
    let after = text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let column = before.chars().count() + 1;
    let left_out = column.saturating_sub(CONTEXT_CHARS + 1);
    let cut = if left_out > 0 { "…" } else { "" };
    let before: String = cut.chars().chain(before.chars().skip(left_out)).map(printable).collect();
    let mut shown = before.clone();
    shown.extend(after.chars().take(CONTEXT_CHARS).map(printable));
    if after.chars().nth(CONTEXT_CHARS).is_some() {
        shown.push('…');
    }
    shown.push('\n');
    shown.extend(before.chars().map(|c| if c == '\t' { c } else { ' ' }));
    shown.push('^');
    TextProblem { message: message.to_owned(), line: lines + 1, column, shown }
}

fn printable(c: char) -> char {
    if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }
}
