//! Users in bulk: a record a line (`.ndjson`), or a table (`.csv`).
//!
//! Both are read line by line, and lines are independent: whatever is wrong with one, the next
//! one is read as if nothing had been. So a quoted CSV field can't go on in the next line; neither
//! an id nor a tag could hold the line break.

mod csv;
mod json;
mod ndjson;

use std::{borrow::Cow, ops::Range};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    source::{Notation, Source, SourceId, Span},
    syntax::{
        ast::{Expr, ExprKind, Spanned, Text, User},
        dsl, keys, text,
    },
};

/// A bulk file, read again each time its users are iterated, so that a million of them never stand
/// in memory as records.
#[derive(Debug)]
pub struct BulkFile<'s> {
    pub id: SourceId,
    pub source: &'s Source,
}

impl<'s> BulkFile<'s> {
    pub fn new(id: SourceId, source: &'s Source) -> Self {
        Self { id, source }
    }

    /// Calls `each` with every user in the order of the lines. A line that is no record is a
    /// problem of its own and hides no other. Costs one pass over the file, and an allocation for
    /// each list of a user and for fields other than the tags; texts are borrowed unless they have
    /// escapes.
    pub fn users(
        &self,
        problems: &mut Diagnostics,
        each: &mut impl FnMut(User<'s>, &mut Diagnostics),
    ) {
        if self.source.is_unread {
            return;
        }
        if let Some(problem) = text::other_encoding(self.id, &self.source.bytes) {
            return problems.push(problem);
        }
        let reported_before = problems.total();
        let mut has_users = false;
        let mut each = |user: User<'s>, problems: &mut Diagnostics| {
            has_users = true;
            each(user, problems);
        };
        if self.source.notation == Notation::Csv {
            csv::users(self.id, &self.source.bytes, problems, &mut each);
        } else {
            ndjson::users(self.id, &self.source.bytes, problems, &mut each);
        }
        if !has_users && problems.total() == reported_before {
            problems.push(text::no_statement(self.id));
        }
    }
}

/// One line without its end, with its offset.
#[derive(Clone, Copy, Debug)]
struct Line<'s> {
    text: &'s str,
    id: SourceId,
    start: usize,
}

impl Line<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.id, self.start + start, self.start + end)
    }

    fn whole(&self) -> Span {
        self.span(0, self.text.len())
    }
}

/// Calls `each` with the lines that are text and not blank; the others that are no text are
/// reported.
fn lines<'s>(
    id: SourceId,
    bytes: &'s [u8],
    problems: &mut Diagnostics,
    mut each: impl FnMut(Line<'s>, &mut Diagnostics),
) {
    let bom = if bytes.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
    let mut next = bom;
    for line in bytes.get(bom..).unwrap_or_default().split_inclusive(|&byte| byte == b'\n') {
        let start = next;
        next += line.len();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = text_of(id, line, start, problems);
        if let Some(text) = text.filter(|text| !text.trim_ascii().is_empty()) {
            each(Line { text, id, start }, problems);
        }
    }
}

/// A condition, a word as `true` among them. What is borrowed stands at its place as it is, so its parts
/// have places of their own; what had escapes is one place as a whole.
fn condition<'s>(text: Text<'s>, problems: &mut Diagnostics) -> Option<Expr<'s>> {
    let Spanned { value: text, span } = text;
    match text {
        // Of a word, `true` above all, the grammar would make the same, in more time.
        Cow::Borrowed(word) if keys::is_word(word) => {
            Some(Expr { span, kind: ExprKind::Word(text) })
        }
        Cow::Borrowed(text) => {
            let start = span.start();
            let place =
                |part: Range<usize>| Span::new(span.source, start + part.start, start + part.end);
            dsl::parse_expr(text, &place, problems)
        }
        Cow::Owned(text) => dsl::parse_expr(&text, &|_| span, problems).map(Expr::into_owned),
    }
}

fn text_of<'s>(
    id: SourceId,
    line: &'s [u8],
    start: usize,
    problems: &mut Diagnostics,
) -> Option<&'s str> {
    let problem = |code, at: usize, len: usize, message: &str| {
        Diagnostic::error(code, Span::new(id, start + at, start + at + len), message)
    };
    let text = match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(error) => {
            let len = error.error_len().unwrap_or(1);
            problems.push(
                problem(Code::InvalidUtf8, error.valid_up_to(), len, "the line is not UTF-8")
                    .label("invalid byte")
                    .hint("save the file as UTF-8"),
            );
            return None;
        }
    };
    if let Some(at) = text.find('\0') {
        problems.push(
            problem(Code::NulByte, at, 1, "the line contains a NUL byte")
                .hint("bulk users are plain text; check that the file is complete"),
        );
        return None;
    }
    Some(text)
}
