use std::{borrow::Cow, ops::Range};

use smallvec::SmallVec;

use super::{Line, lines};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    source::{SourceId, Span},
    syntax::{
        ast::{Spanned, Text, User},
        known,
    },
};

const COLUMNS: &[&str] = &["id", "tags"];

/// How many fields of a line are looked at singly; the others are counted.
const MOST_FIELDS: usize = 64;

pub(super) fn users<'s>(
    id: SourceId,
    bytes: &'s [u8],
    problems: &mut Diagnostics,
    each: &mut impl FnMut(User<'s>, &mut Diagnostics),
) {
    let mut header = None;
    lines(id, bytes, problems, |line, problems| match &header {
        None => header = Some(Header::read(line, problems)),
        // Without a header nothing can be said of the lines.
        Some(None) => {}
        Some(Some(header)) => {
            if let Some(user) = header.user(line, problems) {
                each(user, problems);
            }
        }
    });
    if header.is_none() {
        problems.push(no_header(Span::new(id, 0, 0)));
    }
}

fn no_header(span: Span) -> Diagnostic {
    Diagnostic::error(Code::InvalidRecord, span, "the table has no header that names its columns")
        .hint("begin with the line `id,tags`; columns are separated by commas")
}

/// Which column holds what.
struct Header {
    id: usize,
    tags: usize,
    columns: usize,
}

impl Header {
    fn read(line: Line<'_>, problems: &mut Diagnostics) -> Option<Self> {
        let Fields { first: fields, count } = fields(line, problems)?;
        let name = |field: &Field<'_>| field.text.trim().to_owned();
        if !fields.iter().any(|field| COLUMNS.contains(&&*name(field))) {
            problems.push(no_header(line.whole()));
            return None;
        }
        if count > MOST_FIELDS {
            let message = format!("the header has {count} columns; a table of users has 2");
            let problem = Diagnostic::error(Code::InvalidRecord, line.whole(), message);
            problems.push(problem.hint("begin with the line `id,tags`"));
            return None;
        }
        let mut names: Vec<Text<'_>> = Vec::new();
        for field in &fields {
            let name = Spanned::new(Cow::Owned(name(field)), field.text(line).span);
            let first = names.iter().find(|first| first.value == name.value);
            if let Some(first) = first {
                problems.push(known::repeated(Code::DuplicateKey, "column", &name, first.span));
            } else if !COLUMNS.contains(&&*name.value) {
                let lead = "a table of users has no column";
                problems.push(known::unknown(Code::UnknownField, lead, &name, COLUMNS));
            }
            names.push(name);
        }
        let mut column = |wanted: &str| {
            let at = names.iter().position(|name| name.value == wanted);
            if at.is_none() {
                let message = format!("the table has no column `{wanted}`");
                let problem = Diagnostic::error(Code::MissingField, line.whole(), message);
                problems.push(problem.hint("begin with the line `id,tags`"));
            }
            at
        };
        let (id, tags) = (column("id"), column("tags"));
        Some(Self { id: id?, tags: tags?, columns: count })
    }

    fn user<'s>(&self, line: Line<'s>, problems: &mut Diagnostics) -> Option<User<'s>> {
        let Fields { first: fields, count: found } = fields(line, problems)?;
        if found != self.columns {
            let columns = self.columns;
            let count = if found == 1 { "1 field".into() } else { format!("{found} fields") };
            let message = format!("the line has {count}, the header {columns}");
            let span = fields
                .get(columns)
                .map_or(line.whole(), |extra| line.span(extra.place.start, line.text.len()));
            problems.push(Diagnostic::error(Code::InvalidRecord, span, message).hint(
                if found > columns {
                    "put a field that holds a comma in quotes; separate tags with spaces"
                } else {
                    "write a comma for each field that is empty"
                },
            ));
            return None;
        }
        let tags = fields.get(self.tags)?;
        let id = fields.get(self.id)?.text(line);
        Some(User { id, tags: Some(tags.words(line)), more: None })
    }
}

/// A field: where it stands in the line, and what it means if it has quotes.
struct Field<'s> {
    place: Range<usize>,
    text: Cow<'s, str>,
    /// Where the text begins, if the line holds it as it is.
    verbatim: Option<usize>,
}

impl<'s> Field<'s> {
    fn text(&self, line: Line<'_>) -> Text<'s> {
        Spanned::new(self.text.clone(), line.span(self.place.start, self.place.end))
    }

    fn words(&self, line: Line<'_>) -> Spanned<Vec<Text<'s>>> {
        let whole = line.span(self.place.start, self.place.end);
        let words = match &self.text {
            Cow::Borrowed(text) => self.split(text, whole, line, Cow::Borrowed),
            Cow::Owned(text) => self.split(text, whole, line, |word| Cow::Owned(word.to_owned())),
        };
        Spanned::new(words, whole)
    }

    fn split<'t>(
        &self,
        text: &'t str,
        whole: Span,
        line: Line<'_>,
        keep: impl Fn(&'t str) -> Cow<'s, str>,
    ) -> Vec<Text<'s>> {
        let mut words = Vec::new();
        let mut at = 0;
        for piece in text.split_inclusive([' ', '\t']) {
            let word = piece.trim_end_matches([' ', '\t']);
            if !word.is_empty() {
                let span = self
                    .verbatim
                    .map_or(whole, |start| line.span(start + at, start + at + word.len()));
                words.push(Spanned::new(keep(word), span));
            }
            at += piece.len();
        }
        words
    }
}

/// The fields of a line.
#[derive(Default)]
struct Fields<'s> {
    /// The first [`MOST_FIELDS`].
    first: SmallVec<[Field<'s>; 4]>,
    count: usize,
}

/// The fields of a line (RFC 4180, a line at a time). Quotes that can't be told are reported.
fn fields<'s>(line: Line<'s>, problems: &mut Diagnostics) -> Option<Fields<'s>> {
    let mut fields = Fields::default();
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
                problems.push(Mistake::QuoteWithin(start + at).diagnostic(line));
                return None;
            }
            Field { place: start..start + text.len(), text: text.into(), verbatim: Some(start) }
        };
        let end = field.place.end;
        if fields.count < MOST_FIELDS {
            fields.first.push(field);
        }
        fields.count += 1;
        if end >= line.text.len() {
            return Some(fields);
        }
        start = end + 1;
    }
}

/// The field that begins with the quote at the head of `rest`.
fn quoted(rest: &str, start: usize) -> Result<Field<'_>, Mistake> {
    let mut from = 1;
    let mut doubled = false;
    let close = loop {
        let quote = rest.get(from..).and_then(|rest| rest.find('"')).map(|at| from + at);
        let at = quote.ok_or(Mistake::Unclosed(start))?;
        if !rest.get(at + 1..).is_some_and(|rest| rest.starts_with('"')) {
            break at;
        }
        doubled = true;
        from = at + 2;
    };
    let after = rest.get(close + 1..).unwrap_or_default();
    if !after.is_empty() && !after.starts_with(',') {
        return Err(Mistake::TextAfter(start + close + 1));
    }
    let within = rest.get(1..close).unwrap_or_default();
    let text = if doubled { Cow::Owned(within.replace("\"\"", "\"")) } else { within.into() };
    let verbatim = (!doubled).then_some(start + 1);
    Ok(Field { place: start..start + close + 1, text, verbatim })
}

enum Mistake {
    Unclosed(usize),
    TextAfter(usize),
    QuoteWithin(usize),
}

impl Mistake {
    fn diagnostic(&self, line: Line<'_>) -> Diagnostic {
        let (at, message, hint) = match *self {
            Self::Unclosed(at) => (
                at,
                "this quoted field is not closed on its line",
                "add the closing quote; write a quote within a field twice",
            ),
            Self::TextAfter(at) => {
                (at, "expected `,` after the closing quote", "write a quote within a field twice")
            }
            Self::QuoteWithin(at) => (
                at,
                "a quote within a field that doesn't begin with one",
                "put the field in quotes, and write the quote within it twice",
            ),
        };
        let next = line.text.get(at..).and_then(|rest| rest.chars().next());
        let span = line.span(at, at + next.map_or(0, char::len_utf8));
        Diagnostic::error(Code::InvalidRecord, span, message).hint(hint)
    }
}
