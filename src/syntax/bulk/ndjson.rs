//! User records of `.ndjson` files, one on each line.

use std::{borrow::Cow, ops::Range};

use serde::de::IgnoredAny;

use super::{
    Line, condition,
    json::{RawKind, Values},
    lines,
};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    source::{SourceId, Span},
    syntax::{
        ast::{Expr, ExprKind, List, Setting, Spanned, Text, User},
        keys::{self, SeenKeys},
        user_fields,
    },
};

/// The type that a field takes, and an example.
#[derive(Clone, Copy)]
struct Expected(&'static str, &'static str);

/// The names of a list and of its items.
#[derive(Clone, Copy)]
struct ExpectedList {
    list: Expected,
    item: Expected,
    /// Whether a number is a text too, as it is written.
    has_numbers: bool,
}

const ID: Expected = Expected("an id as text", r#"write `"id": "..."`"#);
const TAGS: ExpectedList = ExpectedList {
    list: Expected("a list of tags", r#"write `"tags": ["...", "..."]`"#),
    item: Expected("a tag as text", "put each tag in quotes"),
    has_numbers: false,
};
const USERS: ExpectedList = ExpectedList {
    list: Expected("a list of users", r#"write a list of ids: `["...", "..."]`"#),
    item: Expected("the id of a user as text", "put each id in quotes"),
    has_numbers: true,
};
const PEERS: Expected =
    Expected("a peers mode", r#"write `"peers": "contacts"`, or the number of a mode"#);
const MODERATION: Expected = Expected("a text", r#"write `"moderation": "silenced"`"#);
const APPROVAL: Expected = Expected("a text", r#"write `"approval": "need_confirm"`"#);
const PERMISSIONS: Expected =
    Expected("an object of permissions", r#"write `"permissions": {"outgoing": false}`"#);
const ACCEPTS: Expected =
    Expected("an object of actions", r#"write `"accepts": {"start_chat": "contacts"}`"#);
const AUDIENCE: Expected =
    Expected("the name of an audience", r#"write `"contacts"` or another name in quotes"#);
const SWITCH: Expected =
    Expected("a boolean or a condition as text", r#"write `true`, `false` or `"hasTag(...)"`"#);

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
    /// The user, if the id can be read; with mistakes in the record they are still known.
    fn user(&mut self) -> Option<User<'s>> {
        if let Err(error) = serde_json::from_str::<IgnoredAny>(self.line.text) {
            self.malformed(&error);
            return None;
        }
        if self.values.kind() != RawKind::Object {
            let found = self.values.kind().name();
            let message = format!("expected a user record, found {found}");
            let problem = Diagnostic::error(Code::InvalidRecord, self.line.whole(), message);
            self.problems.push(problem.hint(r#"write `{"id": "...", "tags": [...]}`"#));
            return None;
        }
        let mut user =
            User { id: Spanned::new("".into(), self.line.whole()), tags: None, more: None };
        let (mut has_id, mut id) = (false, None);
        let mut keys = SeenKeys::default();
        self.values.open();
        while self.values.another() {
            let key = self.text()?;
            if let Some(first) = keys.add(&key) {
                self.values.next();
                self.problems.push(keys::duplicate_key(Code::DuplicateKey, "field", &key, first));
                continue;
            }
            match &*key.value {
                "id" => (has_id, id) = (true, self.id()),
                "tags" => user.tags = self.list(TAGS),
                "peers" => user.set_field(|more| &mut more.peers, self.peers()),
                "permissions" => self.permissions(&mut user),
                "moderation" => user.set_field(|more| &mut more.moderation, self.word(MODERATION)),
                "approval" => user.set_field(|more| &mut more.approval, self.word(APPROVAL)),
                "contacts" => user.set_field(|more| &mut more.contacts, self.list(USERS)),
                "favorites" => user.set_field(|more| &mut more.favorites, self.list(USERS)),
                "paired" => user.set_field(|more| &mut more.paired, self.list(USERS)),
                "blocked" => user.set_field(|more| &mut more.blocked, self.list(USERS)),
                "accepts" => self.accepts(&mut user),
                "friends" => user.set_field(|more| &mut more.friends, self.list(USERS)),
                _ => {
                    self.values.next();
                    let fields: Vec<&str> =
                        ["id"].iter().chain(user_fields::FIELDS).copied().collect();
                    let lead = "a user has no field";
                    self.problems.push(keys::unknown_name(Code::UnknownField, lead, &key, &fields));
                }
            }
        }
        if !has_id {
            let problem =
                Diagnostic::error(Code::MissingField, self.line.whole(), "the user has no `id`");
            self.problems.push(problem.hint(r#"add `"id": "..."`"#));
        }
        user.id = id?;
        Some(user)
    }

    fn id(&mut self) -> Option<Text<'s>> {
        match self.values.kind() {
            RawKind::Text => self.text(),
            RawKind::Number => Some(self.as_written()),
            found => self.wrong_type(ID, found),
        }
    }

    fn peers(&mut self) -> Option<Text<'s>> {
        match self.values.kind() {
            RawKind::Number => Some(self.as_written()),
            _ => self.word(PEERS),
        }
    }

    fn word(&mut self, expected: Expected) -> Option<Text<'s>> {
        match self.values.kind() {
            RawKind::Text => self.text(),
            RawKind::Null => self.nothing(),
            found => self.wrong_type(expected, found),
        }
    }

    /// A list of texts. Items that are none are reported and left out; a list of nothing else says
    /// nothing.
    fn list(&mut self, expected: ExpectedList) -> Option<List<'s>> {
        if !self.expect_kind(RawKind::List, expected.list) {
            return None;
        }
        let whole = self.values.clone().next();
        let commas = self.values.raw(&whole).bytes().filter(|&byte| byte == b',').count();
        self.values.open();
        let mut texts = Vec::new();
        let mut refused = false;
        while self.values.another() {
            if texts.is_empty() {
                texts.reserve_exact(commas + 1);
            }
            let text = match self.values.kind() {
                RawKind::Text => self.text(),
                RawKind::Number if expected.has_numbers => Some(self.as_written()),
                found => self.wrong_type(expected.item, found),
            };
            refused |= text.is_none();
            texts.extend(text);
        }
        let is_refused = refused && texts.is_empty();
        (!is_refused).then(|| Spanned::new(texts, self.span(&whole)))
    }

    fn permissions(&mut self, user: &mut User<'s>) {
        if self.expect_kind(RawKind::Object, PERMISSIONS) {
            self.settings("permission", Self::switch, &mut |setting| {
                user.more.get_or_insert_default().permissions.push(setting);
            });
        }
    }

    fn accepts(&mut self, user: &mut User<'s>) {
        if self.expect_kind(RawKind::Object, ACCEPTS) {
            self.settings("action", Self::audience, &mut |setting| {
                user.more.get_or_insert_default().accepts.push(setting);
            });
        }
    }

    /// The settings of the object that comes next, each key once.
    fn settings(
        &mut self,
        what: &str,
        value: fn(&mut Self) -> Option<Expr<'s>>,
        each: &mut dyn FnMut(Setting<'s>),
    ) {
        let mut keys = SeenKeys::default();
        self.values.open();
        while self.values.another() {
            let key = self.text();
            let first = key.as_ref().and_then(|key| keys.add(key).map(|first| (key, first)));
            if let Some((key, first)) = first {
                self.problems.push(keys::duplicate_key(Code::DuplicateKey, what, key, first));
                self.values.next();
                continue;
            }
            let setting = key.zip(value(self)).map(|(key, value)| Setting { key, value });
            setting.into_iter().for_each(&mut *each);
        }
    }

    /// The name of an audience.
    fn audience(&mut self) -> Option<Expr<'s>> {
        let Spanned { value, span } = self.word(AUDIENCE)?;
        Some(Expr { span, kind: ExprKind::Word(value) })
    }

    /// The value of a permission: a boolean, or a condition as text.
    fn switch(&mut self) -> Option<Expr<'s>> {
        match self.values.kind() {
            RawKind::Bool => {
                let Spanned { value, span } = self.as_written();
                Some(Expr { span, kind: ExprKind::Word(value) })
            }
            RawKind::Text => {
                let mut text = self.text()?;
                if let Cow::Borrowed(within) = text.value {
                    // Without its quotes.
                    let start = text.span.start() + 1;
                    text.span = Span::new(text.span.source, start, start + within.len());
                }
                condition(text, self.problems)
            }
            RawKind::Null => self.nothing(),
            found => self.wrong_type(SWITCH, found),
        }
    }

    /// Whether the next value is of this kind; if not, it is left out, and reported unless it is null.
    fn expect_kind(&mut self, kind: RawKind, expected: Expected) -> bool {
        let found = self.values.kind();
        if found == RawKind::Null {
            self.values.next();
        } else if found != kind {
            self.wrong_type::<()>(expected, found);
        }
        found == kind
    }

    /// The next value, which is null.
    fn nothing<T>(&mut self) -> Option<T> {
        self.values.next();
        None
    }

    /// The next value, as it is written.
    fn as_written(&mut self) -> Text<'s> {
        let place = self.values.next();
        Spanned::new(self.values.raw(&place).into(), self.span(&place))
    }

    /// The next value, which is a text.
    fn text(&mut self) -> Option<Text<'s>> {
        let place = self.values.next();
        let span = self.span(&place);
        let text = self.values.text(&place);
        if text.is_none() {
            let message = "invalid escape in a string";
            let problem = Diagnostic::error(Code::InvalidRecord, span, message);
            self.problems.push(problem.hint("write both `\\u` escapes of a surrogate pair"));
        }
        Some(Spanned::new(text?, span))
    }

    fn span(&self, place: &Range<usize>) -> Span {
        self.line.span(place.start, place.end)
    }

    fn wrong_type<T>(&mut self, Expected(what, hint): Expected, found: RawKind) -> Option<T> {
        let place = self.values.next();
        let message = format!("expected {what}, found {}", found.name());
        let problem = Diagnostic::error(Code::WrongType, self.span(&place), message);
        self.problems.push(problem.hint(hint));
        None
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
        let problem =
            Diagnostic::error(Code::InvalidRecord, span, format!("invalid JSON: {reason}"));
        self.problems.push(problem.hint(r#"write `{"id": "...", "tags": [...]}` on one line"#));
    }
}
