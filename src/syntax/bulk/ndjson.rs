use std::ops::Range;

use serde::de::IgnoredAny;

use super::{
    Line,
    json::{Kind, Values},
    lines,
};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    source::{SourceId, Span},
    syntax::{
        ast::{List, Spanned, Text, User},
        known,
    },
};

const FIELDS: &[&str] = &["id", "tags"];

pub(super) fn users<'s>(
    id: SourceId,
    bytes: &'s [u8],
    problems: &mut Diagnostics,
    each: &mut impl FnMut(User<'s>, &mut Diagnostics),
) {
    lines(id, bytes, problems, |line, problems| {
        let mut record = Record { line, values: Values::new(line.text), problems };
        if let Some(user) = record.user() {
            each(user, problems);
        }
    });
}

/// A line that is being read.
struct Record<'s, 'p> {
    line: Line<'s>,
    values: Values<'s>,
    problems: &'p mut Diagnostics,
}

impl<'s> Record<'s, '_> {
    /// The user, if his id can be told; with mistakes in the record he is still a known user.
    fn user(&mut self) -> Option<User<'s>> {
        if let Err(error) = serde_json::from_str::<IgnoredAny>(self.line.text) {
            self.malformed(&error);
            return None;
        }
        if self.values.kind() != Kind::Object {
            let found = self.values.kind().name();
            let message = format!("expected a user record, found {found}");
            let problem = Diagnostic::error(Code::InvalidRecord, self.line.whole(), message);
            self.problems.push(problem.hint(r#"write `{"id": "...", "tags": [...]}`"#));
            return None;
        }
        let (mut id, mut id_at, mut tags, mut tags_at) = (None, None, None, None);
        let mut others: Vec<Text<'s>> = Vec::new();
        self.values.open();
        while self.values.another() {
            let key = self.text()?;
            match &*key.value {
                "id" if id_at.is_none() => {
                    id_at = Some(key.span);
                    id = self.id();
                }
                "tags" if tags_at.is_none() => {
                    tags_at = Some(key.span);
                    tags = self.tags();
                }
                _ => {
                    self.values.next();
                    let first = match &*key.value {
                        "id" => id_at,
                        "tags" => tags_at,
                        name => others.iter().find(|key| key.value == name).map(|key| key.span),
                    };
                    self.superfluous(&key, first);
                    // Of keys that nobody knows, a few are enough.
                    if others.len() < 16 {
                        others.push(key);
                    }
                }
            }
        }
        if id_at.is_none() {
            let problem =
                Diagnostic::error(Code::MissingField, self.line.whole(), "the user has no `id`");
            self.problems.push(problem.hint(r#"add `"id": "..."`"#));
        }
        Some(User { id: id?, tags, more: None })
    }

    fn id(&mut self) -> Option<Text<'s>> {
        match self.values.kind() {
            Kind::Text => self.text(),
            // A number is the text as it is written.
            Kind::Number => {
                let place = self.values.next();
                let span = self.span(&place);
                Some(Spanned::new(self.values.raw(&place).into(), span))
            }
            found => self.wrong_type("an id as text", found, r#"write `"id": "..."`"#),
        }
    }

    fn tags(&mut self) -> Option<List<'s>> {
        match self.values.kind() {
            Kind::List => {}
            Kind::Null => {
                self.values.next();
                return None;
            }
            found => {
                return self.wrong_type(
                    "a list of tags",
                    found,
                    r#"write `"tags": ["...", "..."]`"#,
                );
            }
        }
        let whole = self.values.clone().next();
        let mut tags = Vec::new();
        self.values.open();
        while self.values.another() {
            match self.values.kind() {
                Kind::Text => tags.extend(self.text()),
                found => {
                    self.wrong_type::<()>("a tag as text", found, "a tag stands in quotes");
                }
            }
        }
        Some(Spanned::new(tags, self.span(&whole)))
    }

    /// The next value, which is a text.
    fn text(&mut self) -> Option<Text<'s>> {
        let place = self.values.next();
        let span = self.span(&place);
        let text = self.values.text(&place);
        if text.is_none() {
            let message = "a text has an escape that is no character";
            let problem = Diagnostic::error(Code::InvalidRecord, span, message);
            self.problems.push(problem.hint("write both halves of a pair of `\\u` escapes"));
        }
        Some(Spanned::new(text?, span))
    }

    fn span(&self, place: &Range<usize>) -> Span {
        self.line.span(place.start, place.end)
    }

    fn wrong_type<T>(&mut self, expected: &str, found: Kind, hint: &str) -> Option<T> {
        let place = self.values.next();
        let message = format!("expected {expected}, found {}", found.name());
        let problem = Diagnostic::error(Code::WrongType, self.span(&place), message);
        self.problems.push(problem.hint(hint));
        None
    }

    /// A key that is there already, or that a user doesn't have.
    fn superfluous(&mut self, key: &Text<'s>, first: Option<Span>) {
        self.problems.push(match first {
            Some(first) => known::repeated(Code::DuplicateKey, "field", key, first),
            None => known::unknown(Code::UnknownField, "a user has no field", key, FIELDS),
        });
    }

    fn malformed(&mut self, error: &serde_json::Error) {
        // A column counts bytes from 1 and is that of the last byte that was read.
        let column = error.column().saturating_sub(1);
        let column =
            (0..=column).rev().find(|&at| self.line.text.is_char_boundary(at)).unwrap_or(0);
        let rest = self.line.text.get(column..).unwrap_or_default();
        let len = rest.chars().next().map_or(0, char::len_utf8);
        let text = error.to_string();
        let reason = text.rsplit_once(" at line ").map_or(&*text, |(reason, _)| reason);
        let reason = reason.replace("EOF while parsing", "the line ends within");
        let reason = reason.replace("expected ident", "expected value");
        let span = self.line.span(column, column + len);
        let problem = Diagnostic::error(
            Code::InvalidRecord,
            span,
            format!("this line is not JSON: {reason}"),
        );
        self.problems.push(problem.hint(r#"write `{"id": "...", "tags": [...]}` on one line"#));
    }
}
