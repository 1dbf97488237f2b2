//! Files that are written in another notation than their name says.

use super::dsl;
use crate::{
    diagnostic::{Code, Diagnostic},
    source::{Notation, SourceId, Span},
};

/// How many lines are looked at: a file shows early what it is.
const MOST_LINES: usize = 200;

/// The diagnostic that replaces a file's mistakes if it looks like another notation.
pub(super) fn detect(id: SourceId, notation: Notation, text: &str) -> Option<Diagnostic> {
    let (found, ending, start, length) = match notation {
        Notation::Yaml => {
            let (start, line) = lines(text).find(|(_, line)| is_statement(line))?;
            ("the DSL", ".peerage", start, line.len())
        }
        Notation::Dsl => {
            let (start, first) = lines(text).find(|(_, line)| is_content(line))?;
            if first.starts_with(['{', '[']) {
                ("JSON", ".json", start, first.len())
            } else {
                let is_dsl = |line: &str| line.ends_with(';') || line.contains("->");
                if lines(text).any(|(_, line)| is_dsl(line)) {
                    return None;
                }
                let (start, line) = lines(text).find(|(_, line)| is_yaml(line))?;
                ("YAML", ".yaml", start, line.len())
            }
        }
        Notation::Json | Notation::Ndjson | Notation::Csv | Notation::Tests => return None,
    };
    let expected = if notation == Notation::Dsl { "the DSL" } else { "YAML" };
    let span = Span::new(id, start, start + length);
    let problem = Diagnostic::error(
        Code::Syntax,
        span,
        format!("the file is written in {found}, not in {expected}"),
    );
    let to = if notation == Notation::Dsl { "dsl" } else { "yaml" };
    let from = if notation == Notation::Dsl { "yaml" } else { "dsl" };
    Some(problem.hint(format!(
        "give the file a name that ends in `{ending}`, or convert it: \
         `peerage fmt --from {from} --to {to} - < FILE`"
    )))
}

/// The first lines and where each begins, without the white space at their ends.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut next = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let lines = text.get(next..).unwrap_or_default().split_inclusive('\n').take(MOST_LINES);
    lines.map(move |line| {
        let start = next;
        next += line.len();
        (start, line.trim_end())
    })
}

fn is_content(line: &str) -> bool {
    !(line.is_empty() || line.starts_with("//") || line.starts_with('#'))
}

/// Whether a line is a statement of the DSL, or the head of one, and could not be YAML.
fn is_statement(line: &str) -> bool {
    let end = line.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(line.len());
    let (keyword, rest) = line.split_at_checked(end).unwrap_or((line, ""));
    if !dsl::is_keyword(keyword) || line.contains('#') {
        return false;
    }
    let is_block =
        rest.find('{').is_some_and(|at| !rest.get(..at).unwrap_or_default().contains(':'));
    rest.ends_with(';') || rest.contains("->") || is_block
}

/// Whether a line is YAML and could not be the DSL: an item of a list, or a key with its value below.
fn is_yaml(line: &str) -> bool {
    let is_item = line.trim_start().starts_with("- ");
    let key = line.strip_suffix(':').unwrap_or_default();
    is_item || !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
