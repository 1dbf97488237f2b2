//! What policies may write in conditions, and Flip's language does not have.

use crate::{
    facts::Spot,
    request::{InvalidTag, TagForm},
};

/// How much of a line is shown on each side of a mistake, in characters.
const AROUND: usize = 60;

/// The first of quotes, comments, commas that nothing follows, and names of tags that Flip does not
/// have. All else that is wrong is found where conditions are read.
pub(super) fn foreign(condition: &str) -> Option<Spot> {
    let mut begun = 0;
    let mut is_inner = false;
    for (at, c) in condition.char_indices() {
        let rest = condition.get(at..).unwrap_or_default();
        let is_first = !std::mem::replace(&mut is_inner, is_of_word(c));
        if is_first && let Some(error) = word(rest) {
            return Some(spot(condition, (begun, at), &error.to_string()));
        }
        let message = match c {
            '"' => "tags stand without quotes: hasTag(Berlin)",
            '/' if rest.starts_with("//") => "a condition holds no comments",
            ',' if is_end(rest) => "a condition must follow the comma",
            '\n' => {
                begun = at + 1;
                continue;
            }
            _ => continue,
        };
        return Some(spot(condition, (begun, at), message));
    }
    None
}

/// Why the word that a text begins with is no tag of Flip, though it is one elsewhere.
fn word(text: &str) -> Option<InvalidTag> {
    let word = text.split(|c| !is_of_word(c)).next().unwrap_or_default();
    // What is a tag nowhere is told where conditions are read.
    TagForm::Any.check(word).is_ok().then(|| TagForm::Flip.check(word).err())?
}

fn is_of_word(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '(' | ')' | ',' | ':' | '/' | '"')
}

/// Whether nothing but blanks stands between a comma and a bracket that closes.
fn is_end(comma: &str) -> bool {
    let rest = comma.get(1..).unwrap_or_default();
    rest.trim_start_matches([' ', '\t', '\r', '\n']).starts_with(')')
}

/// Of the byte `at`, in the line that begins at the byte `begun`.
fn spot(text: &str, (begun, at): (usize, usize), message: &str) -> Spot {
    let lines = text.get(..begun).unwrap_or_default().matches('\n').count();
    let before = text.get(begun..at).unwrap_or_default();
    let after = text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let column = before.chars().count() + 1;
    let left_out = column.saturating_sub(AROUND + 1);
    let cut = if left_out > 0 { "…" } else { "" };
    let before: String = cut.chars().chain(before.chars().skip(left_out)).map(visible).collect();
    let mut shown = before.clone();
    shown.extend(after.chars().take(AROUND).map(visible));
    if after.chars().nth(AROUND).is_some() {
        shown.push('…');
    }
    shown.push('\n');
    shown.extend(before.chars().map(|c| if c == '\t' { c } else { ' ' }));
    shown.push('^');
    Spot { message: message.to_owned(), line: lines + 1, column, shown }
}

fn visible(c: char) -> char {
    if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }
}
