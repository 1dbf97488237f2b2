use super::{
    cursor::{Cursor, Stop},
    explain,
    node::{Node, Opened, Scalar},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{List, Spanned, Text},
        idioms,
        known::{Keys, quoted, repeated, unknown},
    },
};

/// What a field takes, and how to write it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected(pub &'static str, pub &'static str);

const TAGS: Expected = Expected("a list of tags", "write a list: `[Berlin, Munich]`");
const TAG: Expected = Expected("a tag", "write a tag as text, in quotes if need be: `\"true\"`");
const USERS: Expected = Expected("a list of users", "write a list of ids: `[alice, bob]`");
const USER: Expected = Expected("the id of a user", "write it as text, in quotes if need be");
const KEY: Expected = Expected("a text as key", "write `key: value`");

/// What a field holds.
#[derive(Debug)]
pub(super) enum Given<T> {
    /// Nothing: the field is left out or null.
    Nothing,
    /// Something that can't be used; it was reported.
    Refused,
    Value(T),
}

impl<T> Given<T> {
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::Refused => None,
        }
    }
}

impl<'s> Cursor<'s, '_> {
    /// A text; what looks like a number or a boolean is the text as it is written.
    pub(super) fn scalar(&mut self, expected: Expected) -> Result<Given<Scalar<'s>>, Stop> {
        let node = self.node()?;
        self.scalar_of(node, expected)
    }

    /// As [`Cursor::scalar`], of a node that was read.
    pub(super) fn scalar_of(
        &mut self,
        node: Node<'s>,
        expected: Expected,
    ) -> Result<Given<Scalar<'s>>, Stop> {
        match node {
            Node::Scalar(scalar) if scalar.is_null() => Ok(Given::Nothing),
            Node::Scalar(scalar) => Ok(Given::Value(scalar)),
            other => self.refuse(&other, expected),
        }
    }

    /// As [`Cursor::scalar`], without the place of each byte.
    pub(super) fn string(&mut self, expected: Expected) -> Result<Given<Text<'s>>, Stop> {
        Ok(match self.scalar(expected)? {
            Given::Value(scalar) => Given::Value(Spanned::new(scalar.value, scalar.span)),
            Given::Nothing => Given::Nothing,
            Given::Refused => Given::Refused,
        })
    }

    /// The beginning of a list; its items come next, each after [`Cursor::another`].
    pub(super) fn sequence(&mut self, expected: Expected) -> Result<Given<Opened>, Stop> {
        let node = self.node()?;
        self.sequence_of(&node, expected)
    }

    fn sequence_of(&mut self, node: &Node<'s>, expected: Expected) -> Result<Given<Opened>, Stop> {
        match node {
            Node::Sequence(opened) => Ok(Given::Value(*opened)),
            Node::Scalar(scalar) if scalar.is_null() => Ok(Given::Nothing),
            other => self.refuse(other, expected),
        }
    }

    /// The beginning of a mapping; its fields come next, by [`Fields::next`].
    pub(super) fn mapping(&mut self, expected: Expected) -> Result<Given<Opened>, Stop> {
        match self.node()? {
            Node::Mapping(opened) => Ok(Given::Value(opened)),
            Node::Scalar(scalar) if scalar.is_null() => Ok(Given::Nothing),
            other => self.refuse(&other, expected),
        }
    }

    /// A list of tags. Whether they may be tags is for `policy` to say.
    pub(super) fn tags(&mut self) -> Result<Given<List<'s>>, Stop> {
        let node = self.node()?;
        self.tags_of(&node)
    }

    /// As [`Cursor::tags`], of a node that was read.
    pub(super) fn tags_of(&mut self, node: &Node<'s>) -> Result<Given<List<'s>>, Stop> {
        self.list(node, TAGS, TAG, |tag| !tag.is_bool())
    }

    /// A list of users, by their ids. Any text can be an id, one that looks like a number or a
    /// boolean too.
    pub(super) fn users(&mut self) -> Result<Given<List<'s>>, Stop> {
        let node = self.node()?;
        self.list(&node, USERS, USER, |_| true)
    }

    /// A list of texts. Items that are none are reported and left out; a list of nothing else is
    /// refused.
    fn list(
        &mut self,
        node: &Node<'s>,
        list: Expected,
        item: Expected,
        is_text: impl Fn(&Scalar<'_>) -> bool,
    ) -> Result<Given<List<'s>>, Stop> {
        let opened = match self.sequence_of(node, list)? {
            Given::Value(opened) => opened,
            Given::Nothing => return Ok(Given::Nothing),
            Given::Refused => return Ok(Given::Refused),
        };
        let (texts, refused) = self.items(opened, item, is_text)?;
        let is_refused = refused && texts.value.is_empty();
        Ok(if is_refused { Given::Refused } else { Given::Value(texts) })
    }

    /// The users of the list that was opened, and whether others were refused.
    pub(super) fn user_items(&mut self, opened: Opened) -> Result<(List<'s>, bool), Stop> {
        self.items(opened, USER, |_| true)
    }

    fn items(
        &mut self,
        opened: Opened,
        item: Expected,
        is_text: impl Fn(&Scalar<'_>) -> bool,
    ) -> Result<(List<'s>, bool), Stop> {
        let mut texts = Vec::new();
        let mut refused = false;
        while self.another()? {
            match self.node()? {
                Node::Scalar(text) if !text.is_null() && is_text(&text) => {
                    texts.push(Spanned::new(text.value, text.span));
                }
                other => {
                    refused = true;
                    self.refuse::<()>(&other, item)?;
                }
            }
        }
        Ok((Spanned::new(texts, self.whole(opened)), refused))
    }

    /// Reports a value of another kind than its field takes, and leaves it.
    pub(super) fn refuse<T>(
        &mut self,
        node: &Node<'_>,
        expected: Expected,
    ) -> Result<Given<T>, Stop> {
        let span = node.span(self);
        self.finish(node)?;
        match node {
            Node::Refused => return Ok(Given::Refused),
            // Plain text that leads to a syntax error is told as that alone.
            Node::Scalar(scalar) if scalar.plain => drop(self.peek()?),
            _ => {}
        }
        let problem = self.wrong_type(node, span, expected);
        self.problems.push(problem);
        Ok(Given::Refused)
    }

    fn wrong_type(&self, node: &Node<'_>, span: Span, expected: Expected) -> Diagnostic {
        let (span, found) = match node {
            Node::Scalar(scalar) => (span, found(scalar)),
            // A list or mapping is best shown by its first line.
            Node::Sequence(opened) => (self.first_line(*opened), "a list".to_owned()),
            Node::Mapping(opened) => (self.first_line(*opened), "a mapping".to_owned()),
            Node::Refused => (span, "nothing".to_owned()),
        };
        if let Node::Scalar(scalar) = node
            && scalar.plain
            && idioms::foreign_comment(&scalar.value)
        {
            return explain::foreign_comment(span);
        }
        let Expected(what, hint) = expected;
        Diagnostic::error(Code::WrongType, span, format!("expected {what}, found {found}"))
            .hint(hint)
    }

    fn first_line(&self, opened: Opened) -> Span {
        let whole = self.whole(opened);
        let text = self.text().get(whole.start()..whole.end()).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default().trim_end();
        self.span(whole.start(), whole.start() + line.len())
    }
}

/// What was found instead.
fn found(scalar: &Scalar<'_>) -> String {
    let text = quoted(&scalar.value);
    match scalar {
        scalar if scalar.is_null() => "nothing".to_owned(),
        scalar if scalar.is_bool() => text,
        scalar if scalar.is_number() => format!("the number {text}"),
        _ => format!("the text {text}"),
    }
}

/// The fields of one mapping, read key by key.
pub(super) struct Fields<'s> {
    what: &'static str,
    keys: Keys<'s>,
}

impl<'s> Fields<'s> {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, keys: Keys::default() }
    }

    /// The next key; its value comes next. A key that was given before is reported and left out
    /// with its value.
    pub(super) fn next(&mut self, cursor: &mut Cursor<'s, '_>) -> Result<Option<Text<'s>>, Stop> {
        while let Some(key) = cursor.key()? {
            let Some(first) = self.keys.add(&key) else { return Ok(Some(key)) };
            cursor.problems.push(repeated(Code::DuplicateKey, self.what, &key, first));
            cursor.skip()?;
        }
        Ok(None)
    }

    /// Where the mapping shows itself: its first key.
    pub(super) fn first(&self) -> Option<Span> {
        self.keys.first()
    }
}

impl<'s> Cursor<'s, '_> {
    /// Reports a key that `of` does not have, and leaves out its value.
    pub(super) fn unknown_field(
        &mut self,
        key: &Text<'s>,
        of: &str,
        known: &[&str],
    ) -> Result<(), Stop> {
        let lead = format!("{of} has no field");
        self.problems.push(unknown(Code::UnknownField, &lead, key, known));
        self.skip()
    }

    /// The next key of the mapping that is open, as it is written; `None` at its end. A key that is
    /// no text is reported and left out with its value.
    pub(super) fn key(&mut self) -> Result<Option<Text<'s>>, Stop> {
        while self.another()? {
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
                    self.refuse::<()>(&other, KEY)?;
                }
            }
            self.skip()?;
        }
        Ok(None)
    }
}
