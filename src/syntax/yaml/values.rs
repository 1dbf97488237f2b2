//! Typed values: texts, lists and mappings read from the cursor.

use super::{
    cursor::{YamlCursor, YamlError},
    node::{Node, OpenCollection, YamlScalar},
    syntax_errors,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{List, Spanned, Term, TermOf, Text},
        idioms,
        keys::{SeenKeys, duplicate_key, quoted, unknown_name},
        terms,
    },
};

/// The type that a field takes, and an example.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExpectedValue(pub &'static str, pub &'static str);

const TAGS: ExpectedValue = ExpectedValue("a list of tags", "write a list: `[Berlin, Munich]`");
const TAG: ExpectedValue =
    ExpectedValue("a tag", "write a tag as text, in quotes if need be: `\"true\"`");
const ACTIONS: ExpectedValue =
    ExpectedValue("a list of actions", "write a list: `[start_chat, send_message]`");
const ACTION: ExpectedValue = ExpectedValue("an action", "write a word like `start_chat`");
const DAYS: ExpectedValue =
    ExpectedValue("a list of days", "write a list: `[mon, tue, wed, thu, fri]`");
const DAY: ExpectedValue = ExpectedValue("a day", "write a word like `mon`");
const DATES: ExpectedValue =
    ExpectedValue("a list of dates", "write a list: `[2026-12-24, 2026-12-25]`");
const DATE: ExpectedValue = ExpectedValue("a date", "write a date like `2026-12-24`");
const USERS: ExpectedValue =
    ExpectedValue("a list of users", "write a list of ids: `[alice, bob]`");
const USER: ExpectedValue =
    ExpectedValue("the id of a user", "write it as text, in quotes if need be");
const TERM_NAME: ExpectedValue = ExpectedValue("a name", "write it as text, in quotes if need be");
const TERM: ExpectedValue =
    ExpectedValue("a text", "write a time as 2026-12-31T23:59:59Z, a reason or an id as text");
const KEY: ExpectedValue = ExpectedValue("a key as text", "write `key: value`");

/// What a field holds.
#[derive(Debug)]
pub(super) enum FieldValue<T> {
    /// Nothing: the field is left out or null.
    Absent,
    /// Something that can't be used; it was reported.
    Invalid,
    Value(T),
}

impl<T> FieldValue<T> {
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Invalid => None,
        }
    }
}

impl<'s> YamlCursor<'s, '_> {
    /// A text; what looks like a number or a boolean is the text as it is written.
    pub(super) fn scalar(
        &mut self,
        expected: ExpectedValue,
    ) -> Result<FieldValue<YamlScalar<'s>>, YamlError> {
        let node = self.node()?;
        self.scalar_of(node, expected)
    }

    /// As [`YamlCursor::scalar`], of a node that was read.
    pub(super) fn scalar_of(
        &mut self,
        node: Node<'s>,
        expected: ExpectedValue,
    ) -> Result<FieldValue<YamlScalar<'s>>, YamlError> {
        match node {
            Node::Scalar(scalar) if scalar.is_null() => Ok(FieldValue::Absent),
            Node::Scalar(scalar) => Ok(FieldValue::Value(scalar)),
            other => self.report_invalid(&other, expected),
        }
    }

    /// As [`YamlCursor::scalar`], without the place of each byte.
    pub(super) fn string(
        &mut self,
        expected: ExpectedValue,
    ) -> Result<FieldValue<Text<'s>>, YamlError> {
        Ok(match self.scalar(expected)? {
            FieldValue::Value(scalar) => FieldValue::Value(Spanned::new(scalar.value, scalar.span)),
            FieldValue::Absent => FieldValue::Absent,
            FieldValue::Invalid => FieldValue::Invalid,
        })
    }

    /// The beginning of a list; its items come next, each after [`YamlCursor::has_next`].
    pub(super) fn sequence(
        &mut self,
        expected: ExpectedValue,
    ) -> Result<FieldValue<OpenCollection>, YamlError> {
        let node = self.node()?;
        self.sequence_of(&node, expected)
    }

    fn sequence_of(
        &mut self,
        node: &Node<'s>,
        expected: ExpectedValue,
    ) -> Result<FieldValue<OpenCollection>, YamlError> {
        match node {
            Node::Sequence(opened) => Ok(FieldValue::Value(*opened)),
            Node::Scalar(scalar) if scalar.is_null() => Ok(FieldValue::Absent),
            other => self.report_invalid(other, expected),
        }
    }

    /// The beginning of a mapping; its fields come next, by [`MappingFields::next`].
    pub(super) fn mapping(
        &mut self,
        expected: ExpectedValue,
    ) -> Result<FieldValue<OpenCollection>, YamlError> {
        match self.node()? {
            Node::Mapping(opened) => Ok(FieldValue::Value(opened)),
            Node::Scalar(scalar) if scalar.is_null() => Ok(FieldValue::Absent),
            other => self.report_invalid(&other, expected),
        }
    }

    /// A list of tags. Whether they may be tags is for `policy` to say.
    pub(super) fn tags(&mut self) -> Result<FieldValue<List<'s>>, YamlError> {
        let node = self.node()?;
        self.tags_of(&node)
    }

    /// As [`YamlCursor::tags`], of a node that was read.
    pub(super) fn tags_of(&mut self, node: &Node<'s>) -> Result<FieldValue<List<'s>>, YamlError> {
        self.list_of(node, TAGS)
    }

    /// As [`YamlCursor::tags_of`], where something else may stand too.
    pub(super) fn list_of(
        &mut self,
        node: &Node<'s>,
        expected: ExpectedValue,
    ) -> Result<FieldValue<List<'s>>, YamlError> {
        self.list(node, expected, TAG, |tag| !tag.is_bool())
    }

    /// A list of actions. Which there are is for `policy` to say.
    pub(super) fn actions(&mut self) -> Result<FieldValue<List<'s>>, YamlError> {
        let node = self.node()?;
        self.list(&node, ACTIONS, ACTION, |action| !action.is_bool())
    }

    /// A list of days of the week. Which there are is for `policy` to say.
    pub(super) fn days(&mut self) -> Result<FieldValue<List<'s>>, YamlError> {
        let node = self.node()?;
        self.list(&node, DAYS, DAY, |day| !day.is_bool())
    }

    /// A list of dates. Whether they are dates is for `policy` to say.
    pub(super) fn dates(&mut self) -> Result<FieldValue<List<'s>>, YamlError> {
        let node = self.node()?;
        self.list(&node, DATES, DATE, |date| !date.is_bool())
    }

    /// A list of users, by their ids. Any text can be an id, one that looks like a number or a
    /// boolean too.
    pub(super) fn users(&mut self) -> Result<FieldValue<List<'s>>, YamlError> {
        let node = self.node()?;
        self.list(&node, USERS, USER, |_| true)
    }

    /// A list whose elements may have terms: each is a text, or a mapping of it and the terms.
    pub(super) fn timed_list(
        &mut self,
        of: TermOf,
    ) -> Result<(Option<List<'s>>, Vec<Term<'s>>), YamlError> {
        let (list, item) = if of == TermOf::Tags { (TAGS, TAG) } else { (USERS, USER) };
        let node = self.node()?;
        let Some(opened) = self.sequence_of(&node, list)?.value() else {
            return Ok((None, Vec::new()));
        };
        let mut elements = (Spanned::new(Vec::new(), opened.span), Vec::new());
        let mut refused = false;
        while self.has_next()? {
            match self.node()? {
                Node::Scalar(text)
                    if !text.is_null() && (of != TermOf::Tags || !text.is_bool()) =>
                {
                    terms::push_element(&mut elements, Spanned::new(text.value, text.span), None);
                }
                Node::Mapping(opened) => match self.timed_element(of, opened)? {
                    Some((name, term)) => terms::push_element(&mut elements, name, Some(term)),
                    None => refused = true,
                },
                other => {
                    refused = true;
                    self.report_invalid::<()>(&other, item)?;
                }
            }
        }
        let (mut list, terms) = elements;
        list.span = self.whole(opened);
        let is_refused = refused && list.value.is_empty();
        Ok(((!is_refused).then_some(list), terms))
    }

    /// A user's moderation: a text, or a mapping of it and its terms.
    pub(super) fn timed_text(
        &mut self,
        of: TermOf,
        expected: ExpectedValue,
    ) -> Result<(Option<Text<'s>>, Option<Term<'s>>), YamlError> {
        match self.node()? {
            Node::Mapping(opened) => {
                let element = self.timed_element(of, opened)?;
                Ok(element.map_or((None, None), |(text, term)| {
                    (Some(text), Some(term).filter(|term| !term.is_empty()))
                }))
            }
            node => {
                let scalar = self.scalar_of(node, expected)?.value();
                Ok((scalar.map(|scalar| Spanned::new(scalar.value, scalar.span)), None))
            }
        }
    }

    /// The name and the terms of the mapping that was opened; one without a name is reported and left out.
    fn timed_element(
        &mut self,
        of: TermOf,
        opened: OpenCollection,
    ) -> Result<Option<(Text<'s>, Term<'s>)>, YamlError> {
        let (mut name, mut refused) = (None, false);
        let mut term = Term::new(of, 0, opened.span);
        let mut fields = MappingFields::new("field");
        while let Some(key) = fields.next(self)? {
            if key.value == of.name_key() {
                let read = self.string(TERM_NAME)?;
                refused |= matches!(read, FieldValue::Invalid);
                name = read.value();
            } else if let Some(slot) = term.slot(&key.value) {
                *slot = self.string(TERM)?.value();
            } else if key.value == terms::FOR {
                self.problems.push(terms::duration_in_file(&key));
                self.skip()?;
            } else {
                self.unknown_field(&key, "the entry", of.keys())?;
            }
        }
        if name.is_none() && !refused {
            self.problems.push(terms::missing_name(of, opened.span));
        }
        term.span = self.whole(opened);
        Ok(name.map(|name| (name, term)))
    }

    /// A list of texts. Items that are none are reported and left out; a list of nothing else is
    /// refused.
    fn list(
        &mut self,
        node: &Node<'s>,
        list: ExpectedValue,
        item: ExpectedValue,
        is_text: impl Fn(&YamlScalar<'_>) -> bool,
    ) -> Result<FieldValue<List<'s>>, YamlError> {
        let opened = match self.sequence_of(node, list)? {
            FieldValue::Value(opened) => opened,
            FieldValue::Absent => return Ok(FieldValue::Absent),
            FieldValue::Invalid => return Ok(FieldValue::Invalid),
        };
        let (texts, refused) = self.items(opened, item, is_text)?;
        let is_refused = refused && texts.value.is_empty();
        Ok(if is_refused { FieldValue::Invalid } else { FieldValue::Value(texts) })
    }

    /// The users of the list that was opened, and whether others were refused.
    pub(super) fn user_items(
        &mut self,
        opened: OpenCollection,
    ) -> Result<(List<'s>, bool), YamlError> {
        self.items(opened, USER, |_| true)
    }

    fn items(
        &mut self,
        opened: OpenCollection,
        item: ExpectedValue,
        is_text: impl Fn(&YamlScalar<'_>) -> bool,
    ) -> Result<(List<'s>, bool), YamlError> {
        let mut texts = Vec::new();
        let mut refused = false;
        while self.has_next()? {
            match self.node()? {
                Node::Scalar(text) if !text.is_null() && is_text(&text) => {
                    texts.push(Spanned::new(text.value, text.span));
                }
                other => {
                    refused = true;
                    self.report_invalid::<()>(&other, item)?;
                }
            }
        }
        Ok((Spanned::new(texts, self.whole(opened)), refused))
    }

    /// Reports a value of another kind than its field takes, and leaves it.
    pub(super) fn report_invalid<T>(
        &mut self,
        node: &Node<'_>,
        expected: ExpectedValue,
    ) -> Result<FieldValue<T>, YamlError> {
        let ExpectedValue(what, hint) = expected;
        self.report_invalid_as(node, what, hint)
    }

    /// As [`YamlCursor::report_invalid`], with a hint of its own.
    pub(super) fn report_invalid_as<T>(
        &mut self,
        node: &Node<'_>,
        what: &str,
        hint: impl Into<String>,
    ) -> Result<FieldValue<T>, YamlError> {
        let span = self.span_of(node);
        self.finish(node)?;
        match node {
            Node::Refused => return Ok(FieldValue::Invalid),
            // Plain text that leads to a syntax error is reported as that alone.
            Node::Scalar(scalar) if scalar.plain => drop(self.peek()?),
            _ => {}
        }
        let problem = self.wrong_type(node, span, what, hint.into());
        self.problems.push(problem);
        Ok(FieldValue::Invalid)
    }

    fn wrong_type(&self, node: &Node<'_>, span: Span, what: &str, hint: String) -> Diagnostic {
        let (span, found) = match node {
            Node::Scalar(scalar) => (span, describe_scalar(scalar)),
            // A list or mapping is best shown by its first line.
            Node::Sequence(opened) => (self.first_line(*opened), "a list".to_owned()),
            Node::Mapping(opened) => (self.first_line(*opened), "a mapping".to_owned()),
            Node::Refused => (span, "nothing".to_owned()),
        };
        if let Node::Scalar(scalar) = node
            && scalar.plain
            && idioms::foreign_comment(&scalar.value)
        {
            return syntax_errors::foreign_comment(span);
        }
        Diagnostic::error(Code::WrongType, span, format!("expected {what}, found {found}"))
            .hint(hint)
    }

    fn first_line(&self, opened: OpenCollection) -> Span {
        let whole = self.whole(opened);
        let text = self.text().get(whole.start()..whole.end()).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default().trim_end();
        self.span(whole.start(), whole.start() + line.len())
    }
}

/// What was found instead.
fn describe_scalar(scalar: &YamlScalar<'_>) -> String {
    let text = quoted(&scalar.value);
    match scalar {
        scalar if scalar.is_null() => "nothing".to_owned(),
        scalar if scalar.is_bool() => text,
        scalar if scalar.is_number() => format!("the number {text}"),
        _ => format!("the text {text}"),
    }
}

/// The fields of one mapping, read key by key.
pub(super) struct MappingFields<'s> {
    what: &'static str,
    keys: SeenKeys<'s>,
}

impl<'s> MappingFields<'s> {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, keys: SeenKeys::default() }
    }

    /// The next key; its value comes next. A key that was given before is reported and left out
    /// with its value.
    pub(super) fn next(
        &mut self,
        cursor: &mut YamlCursor<'s, '_>,
    ) -> Result<Option<Text<'s>>, YamlError> {
        while let Some(key) = cursor.key()? {
            let Some(first) = self.keys.add(&key) else { return Ok(Some(key)) };
            cursor.problems.push(duplicate_key(Code::DuplicateKey, self.what, &key, first));
            cursor.skip()?;
        }
        Ok(None)
    }

    /// Where the mapping shows itself: its first key.
    pub(super) fn first(&self) -> Option<Span> {
        self.keys.first()
    }
}

impl<'s> YamlCursor<'s, '_> {
    /// Reports a key that `of` does not have, and leaves out its value.
    pub(super) fn unknown_field(
        &mut self,
        key: &Text<'s>,
        of: &str,
        known: &[&str],
    ) -> Result<(), YamlError> {
        let lead = format!("{of} has no field");
        self.problems.push(unknown_name(Code::UnknownField, &lead, key, known));
        self.skip()
    }

    /// The next key of the mapping that is open, as it is written; `None` at its end. A key that is
    /// no text is reported and left out with its value.
    pub(super) fn key(&mut self) -> Result<Option<Text<'s>>, YamlError> {
        while self.has_next()? {
            match self.node()? {
                Node::Scalar(key) if key.plain && key.value == "<<" => {
                    self.problems.push(
                        Diagnostic::error(
                            Code::Syntax,
                            key.span,
                            "merge keys (`<<`) are not supported",
                        )
                        .hint("write the fields out, or use an alias for a whole value"),
                    );
                }
                Node::Scalar(key) if key.span.start() < self.cut => {}
                Node::Scalar(key) => return Ok(Some(Spanned::new(key.value, key.span))),
                other => {
                    self.report_invalid::<()>(&other, KEY)?;
                }
            }
            self.skip()?;
        }
        Ok(None)
    }
}
