//! The cells of a CSV line (RFC 4180, a line at a time).

use std::{borrow::Cow, ops::Range};

use super::super::Line;
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    source::Span,
    syntax::ast::{List, Spanned, Text},
};

/// How many fields of a line are looked at singly; the others are counted.
pub(super) const MOST_FIELDS: usize = 128;

/// A field: its range in the line, and its value if it has quotes.
pub(super) struct CsvCell<'s> {
    pub(super) place: Range<usize>,
    pub(super) text: Cow<'s, str>,
    /// Where the text begins, if the line holds it as it is.
    pub(super) verbatim: Option<usize>,
}

impl<'s> CsvCell<'s> {
    /// All of the field.
    pub(super) fn text(&self, line: Line<'_>) -> Text<'s> {
        Spanned::new(self.text.clone(), self.whole(line))
    }

    /// The field without the white space around it; `None` if nothing is left.
    pub(super) fn trimmed(&self, line: Line<'_>) -> Option<Text<'s>> {
        let text = match &self.text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        let start = self.text.len() - self.text.trim_start().len();
        let span = self.span(line, start, start + text.len());
        (!text.is_empty()).then_some(Spanned::new(text, span))
    }

    /// The words of the field; `None` if there are none.
    pub(super) fn words(&self, line: Line<'_>) -> Option<List<'s>> {
        let words = match &self.text {
            Cow::Borrowed(text) => self.split(text, line, Cow::Borrowed),
            Cow::Owned(text) => self.split(text, line, |word| Cow::Owned(word.to_owned())),
        };
        (!words.is_empty()).then_some(Spanned::new(words, self.whole(line)))
    }

    fn split<'t>(
        &self,
        text: &'t str,
        line: Line<'_>,
        keep: impl Fn(&'t str) -> Cow<'s, str>,
    ) -> Vec<Text<'s>> {
        let text = text.trim_end_matches(BLANKS);
        if text.is_empty() {
            return Vec::new();
        }
        let blanks = text.bytes().filter(|byte| matches!(byte, b' ' | b'\t')).count();
        let mut words = Vec::with_capacity(blanks + 1);
        let mut at = 0;
        for piece in text.split_inclusive(BLANKS) {
            let word = piece.trim_end_matches(BLANKS);
            if !word.is_empty() {
                words.push(Spanned::new(keep(word), self.span(line, at, at + word.len())));
            }
            at += piece.len();
        }
        words
    }

    fn whole(&self, line: Line<'_>) -> Span {
        line.span(self.place.start, self.place.end)
    }

    /// The range of a part of the text: the whole field, if the line does not hold the part verbatim.
    fn span(&self, line: Line<'_>, start: usize, end: usize) -> Span {
        self.verbatim.map_or(self.whole(line), |at| line.span(at + start, at + end))
    }
}

/// The separator of words.
const BLANKS: [char; 2] = [' ', '\t'];

/// Reads the fields of a line (RFC 4180, a line at a time), the first [`MOST_FIELDS`] of them `into` a
/// list that is empty then; returns their number. Ambiguous quotes are reported.
pub(super) fn read<'s>(
    line: Line<'s>,
    into: &mut Vec<CsvCell<'s>>,
    problems: &mut Diagnostics,
) -> Option<usize> {
    into.clear();
    let mut count = 0;
    let mut start = 0;
    loop {
        let rest = line.text.get(start..)?;
        let field = if rest.starts_with('"') {
            match quoted(rest, start) {
                Ok(field) => field,
                Err(mistake) => {
                    problems.push(mistake.diagnostic(line));
                    return None;
                }
            }
        } else {
            let text = rest.split(',').next().unwrap_or_default();
            if let Some(at) = text.find('"') {
                problems.push(CsvCellError::QuoteWithin(start + at).diagnostic(line));
                return None;
            }
            CsvCell { place: start..start + text.len(), text: text.into(), verbatim: Some(start) }
        };
        let end = field.place.end;
        if count < MOST_FIELDS {
            into.push(field);
        }
        count += 1;
        if end >= line.text.len() {
            return Some(count);
        }
        start = end + 1;
    }
}

/// The field that begins with the quote at the head of `rest`.
fn quoted(rest: &str, start: usize) -> Result<CsvCell<'_>, CsvCellError> {
    let mut from = 1;
    let mut doubled = false;
    let close = loop {
        let quote = rest.get(from..).and_then(|rest| rest.find('"')).map(|at| from + at);
        let at = quote.ok_or(CsvCellError::Unclosed(start))?;
        if !rest.get(at + 1..).is_some_and(|rest| rest.starts_with('"')) {
            break at;
        }
        doubled = true;
        from = at + 2;
    };
    let after = rest.get(close + 1..).unwrap_or_default();
    if !after.is_empty() && !after.starts_with(',') {
        return Err(CsvCellError::TextAfter(start + close + 1));
    }
    let within = rest.get(1..close).unwrap_or_default();
    let text = if doubled { Cow::Owned(within.replace("\"\"", "\"")) } else { within.into() };
    let verbatim = (!doubled).then_some(start + 1);
    Ok(CsvCell { place: start..start + close + 1, text, verbatim })
}

enum CsvCellError {
    Unclosed(usize),
    TextAfter(usize),
    QuoteWithin(usize),
}

impl CsvCellError {
    fn diagnostic(&self, line: Line<'_>) -> Diagnostic {
        let (at, message, hint) = match *self {
            Self::Unclosed(at) => (
                at,
                "unclosed quoted field",
                "add the closing quote; write a quote within a field twice",
            ),
            Self::TextAfter(at) => {
                (at, "expected `,` after the closing quote", "write a quote within a field twice")
            }
            Self::QuoteWithin(at) => (
                at,
                "quote within an unquoted field",
                "put the field in quotes, and write the quote within it twice",
            ),
        };
        let next = line.text.get(at..).and_then(|rest| rest.chars().next());
        let span = line.span(at, at + next.map_or(0, char::len_utf8));
        Diagnostic::error(Code::InvalidRecord, span, message).hint(hint)
    }
}
