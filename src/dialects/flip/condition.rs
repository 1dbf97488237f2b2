//! What policies may write in conditions, and Flip's language does not have.

use crate::{
    facts::TextProblem,
    request::{InvalidTagError, TagForm},
};

/// How much of a line is shown on each side of a mistake, in characters.
const CONTEXT_CHARS: usize = 60;

/// The first of quotes, comments, commas that nothing follows, and names of tags that Flip does not
/// have. All else that is wrong is found where conditions are read.
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

/// Why the word that a text begins with is no tag of Flip, though it is one elsewhere.
fn unsupported_tag(text: &str) -> Option<InvalidTagError> {
    let word = text.split(|c| !is_tag_char(c)).next().unwrap_or_default();
    // What is a tag nowhere is told where conditions are read.
    TagForm::Any.check(word).is_ok().then(|| TagForm::Flip.check(word).err())?
}

fn is_tag_char(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '(' | ')' | ',' | ':' | '/' | '"')
}

/// Whether nothing but blanks stands between a comma and a bracket that closes.
fn is_trailing_comma(comma: &str) -> bool {
    let rest = comma.get(1..).unwrap_or_default();
    rest.trim_start_matches([' ', '\t', '\r', '\n']).starts_with(')')
}

/// Of the byte `at`, in the line that begins at the byte `begun`.
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
