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
        ast::{Expr, ExprKind, List, Setting, Spanned, Term, TermOf, Text, User, UserFields},
        keys::{self, SeenKeys},
        terms, user_fields,
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
const TERM_NAME: Expected = Expected("a name as text", "put it in quotes");
const TERM: Expected = Expected("a text", r#"write a time as "2026-12-31T23:59:59Z""#);
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
                "tags" => {
                    let (tags, terms) = self.list(TAGS, TermOf::Tags);
                    user.tags = tags;
                    user.add_terms(terms);
                }
                "peers" => user.set_field(|more| &mut more.peers, self.peers()),
                "permissions" => self.permissions(&mut user),
                "moderation" => self.moderation(&mut user),
                "approval" => user.set_field(|more| &mut more.approval, self.word(APPROVAL)),
                "contacts" => {
                    self.relations(&mut user, TermOf::Contacts, |more| &mut more.contacts);
                }
                "favorites" => {
                    self.relations(&mut user, TermOf::Favorites, |more| &mut more.favorites);
                }
                "paired" => self.relations(&mut user, TermOf::Paired, |more| &mut more.paired),
                "blocked" => self.relations(&mut user, TermOf::Blocked, |more| &mut more.blocked),
                "accepts" => self.accepts(&mut user),
                "friends" => self.relations(&mut user, TermOf::Friends, |more| &mut more.friends),
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

    /// A list of texts, or of objects that have terms besides. Items that are neither are reported and left out;
    /// a list of nothing else says nothing.
    fn list(&mut self, expected: ExpectedList, of: TermOf) -> (Option<List<'s>>, Vec<Term<'s>>) {
        if !self.expect_kind(RawKind::List, expected.list) {
            return (None, Vec::new());
        }
        let whole = self.values.clone().next();
        let commas = self.values.raw(&whole).bytes().filter(|&byte| byte == b',').count();
        self.values.open();
        let mut elements = (Spanned::new(Vec::new(), self.span(&whole)), Vec::new());
        let mut refused = false;
        while self.values.another() {
            if elements.0.value.is_empty() {
                elements.0.value.reserve_exact(commas + 1);
            }
            let element = match self.values.kind() {
                RawKind::Text => self.text().map(|text| (text, None)),
                RawKind::Number if expected.has_numbers => Some((self.as_written(), None)),
                RawKind::Object => self.timed(of).map(|(name, term)| (name, Some(term))),
                found => self.wrong_type(expected.item, found),
            };
            refused |= element.is_none();
            if let Some((name, term)) = element {
                terms::push_element(&mut elements, name, term);
            }
        }
        let (list, terms) = elements;
        let is_refused = refused && list.value.is_empty();
        ((!is_refused).then_some(list), terms)
    }

    fn relations(
        &mut self,
        user: &mut User<'s>,
        of: TermOf,
        field: impl for<'m> FnOnce(&'m mut UserFields<'s>) -> &'m mut Option<List<'s>>,
    ) {
        let (list, terms) = self.list(USERS, of);
        user.set_field(field, list);
        user.add_terms(terms);
    }

    fn moderation(&mut self, user: &mut User<'s>) {
        if self.values.kind() != RawKind::Object {
            return user.set_field(|more| &mut more.moderation, self.word(MODERATION));
        }
        let Some((state, term)) = self.timed(TermOf::Moderation) else { return };
        user.set_field(|more| &mut more.moderation, Some(state));
        user.add_terms(Some(term).filter(|term| !term.is_empty()).into_iter().collect());
    }

    /// The name and the terms of the object that comes next; one without a name is reported and left out.
    fn timed(&mut self, of: TermOf) -> Option<(Text<'s>, Term<'s>)> {
        let whole = self.values.clone().next();
        let mut term = Term::new(of, 0, self.span(&whole));
        let (mut name, mut refused) = (None, false);
        let mut keys = SeenKeys::default();
        self.values.open();
        while self.values.another() {
            let key = self.text()?;
            if let Some(first) = keys.add(&key) {
                self.values.next();
                self.problems.push(keys::duplicate_key(Code::DuplicateKey, "field", &key, first));
            } else if key.value == of.name_key() {
                name = match self.values.kind() {
                    RawKind::Number if of != TermOf::Tags => Some(self.as_written()),
                    _ => self.word(TERM_NAME),
                };
                refused |= name.is_none();
            } else if let Some(slot) = term.slot(&key.value) {
                *slot = self.word(TERM);
            } else {
                self.values.next();
                self.problems.push(if key.value == terms::FOR {
                    terms::duration_in_file(&key)
                } else {
                    let lead = "the entry has no field";
                    keys::unknown_name(Code::UnknownField, lead, &key, of.keys())
                });
            }
        }
        if name.is_none() && !refused {
            self.problems.push(terms::missing_name(of, term.span));
        }
        Some((name?, term))
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
