//! Parts of commands, from JSON and back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{CommandSyntaxError, Id, TagName};
use crate::request::describe_choices;

/// Something that stands in one or more fields of a command.
pub(super) trait Part: Sized {
    /// Takes it from the fields; `None` if that can't be done, which is then told.
    fn take(from: &mut Fields<'_>, name: &str) -> Option<Self>;

    /// Gives it to the fields, as it is taken from them.
    fn give(&self, name: &str, into: &mut Map<String, Value>);
}

/// Something that stands in one field.
pub(super) trait Scalar: Sized {
    /// Reads it; `None` if that can't be done, which is then told of this field.
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self>;

    fn write(&self) -> Value;
}

/// A field that may be left out, or be `null` to remove what is there.
#[derive(Clone, PartialEq, Default, Debug)]
pub enum Patch<T> {
    /// It was left out: what is there stays.
    #[default]
    Keep,
    /// It was `null`: nothing is to be there.
    Remove,
    Set(T),
}

/// A field that must be there; `null`, which is `None`, removes what is there.
#[derive(Clone, PartialEq, Debug)]
pub struct Nullable<T>(pub Option<T>);

impl<T> Patch<T> {
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    pub fn as_ref(&self) -> Patch<&T> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Remove => Patch::Remove,
            Self::Set(value) => Patch::Set(value),
        }
    }

    /// What is to be there if it isn't to stay as it is.
    pub fn replacement(&self) -> Option<Option<&T>> {
        match self {
            Self::Keep => None,
            Self::Remove => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

/// What is wrong with one command.
pub(super) struct Problems {
    pub(super) index: usize,
    pub(super) found: Vec<CommandSyntaxError>,
}

impl Problems {
    /// Tells what is wrong with a field.
    pub(super) fn tell<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        let (index, field, message) = (self.index, field.to_owned(), message.into());
        self.found.push(CommandSyntaxError { index, field, message });
        None
    }
}

/// The fields of a command, of which those are marked that were asked for.
pub(super) struct Fields<'v> {
    pub(super) given: &'v Map<String, Value>,
    pub(super) asked: Vec<String>,
    pub(super) problems: &'v mut Problems,
}

impl Fields<'_> {
    pub(super) fn get(&mut self, name: &str) -> Option<&Value> {
        self.ask(name);
        self.given.get(name)
    }

    fn ask(&mut self, name: &str) {
        if !self.asked.iter().any(|asked| asked == name) {
            self.asked.push(name.to_owned());
        }
    }

    /// A field that may be left out; `None` if it is there and can't be read.
    #[expect(clippy::option_option, reason = "left out is not the same as wrong")]
    pub(super) fn optional<T: Scalar>(&mut self, name: &str) -> Option<Option<T>> {
        self.ask(name);
        match self.given.get(name) {
            None => Some(None),
            Some(value) => T::read(value, name, self.problems).map(Some),
        }
    }

    /// Tells of the fields that nobody asked for.
    pub(super) fn rest(self) {
        for name in self.given.keys().filter(|&name| !self.asked.contains(name)) {
            let known = self.asked.iter().map(String::as_str);
            self.problems
                .tell::<()>(name, format!("unknown field; {}", describe_choices(name, known)));
        }
    }
}

impl<T: Scalar> Part for T {
    fn take(from: &mut Fields<'_>, name: &str) -> Option<Self> {
        match from.optional(name)? {
            None => from.problems.tell(name, "it is missing"),
            value => value,
        }
    }

    fn give(&self, name: &str, into: &mut Map<String, Value>) {
        into.insert(name.to_owned(), self.write());
    }
}

impl<T: Scalar> Part for Option<T> {
    fn take(from: &mut Fields<'_>, name: &str) -> Option<Self> {
        from.optional(name)
    }

    fn give(&self, name: &str, into: &mut Map<String, Value>) {
        if let Some(value) = self {
            value.give(name, into);
        }
    }
}

impl<T: Scalar> Part for Patch<T> {
    fn take(from: &mut Fields<'_>, name: &str) -> Option<Self> {
        if from.get(name).is_some_and(Value::is_null) {
            return Some(Self::Remove);
        }
        Some(from.optional(name)?.map_or(Self::Keep, Self::Set))
    }

    fn give(&self, name: &str, into: &mut Map<String, Value>) {
        match self {
            Self::Keep => {}
            Self::Remove => drop(into.insert(name.to_owned(), Value::Null)),
            Self::Set(value) => value.give(name, into),
        }
    }
}

impl<T: Scalar> Part for Nullable<T> {
    fn take(from: &mut Fields<'_>, name: &str) -> Option<Self> {
        match Patch::take(from, name)? {
            Patch::Keep => from.problems.tell(name, "it is missing"),
            Patch::Remove => Some(Self(None)),
            Patch::Set(value) => Some(Self(Some(value))),
        }
    }

    fn give(&self, name: &str, into: &mut Map<String, Value>) {
        into.insert(name.to_owned(), self.0.as_ref().map_or(Value::Null, Scalar::write));
    }
}

/// What is wrong with a value that should have been something else.
pub(super) fn expected<T>(
    what: &str,
    found: &Value,
    field: &str,
    problems: &mut Problems,
) -> Option<T> {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    problems.tell(field, format!("expected {what}, found {found}"))
}

impl Scalar for bool {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        match value {
            Value::Bool(is) => Some(*is),
            other => expected("true or false", other, field, problems),
        }
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

impl Scalar for u64 {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        value.as_u64().or_else(|| expected("a number, 0 or more", value, field, problems))
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

impl Scalar for String {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        match value {
            Value::String(text) => Some(text.clone()),
            other => expected("a text", other, field, problems),
        }
    }

    fn write(&self) -> Value {
        self.as_str().into()
    }
}

/// Anything at all.
impl Scalar for Value {
    fn read(value: &Value, _: &str, _: &mut Problems) -> Option<Self> {
        Some(value.clone())
    }

    fn write(&self) -> Value {
        self.clone()
    }
}

/// Types that are read from a text and shown as one.
macro_rules! texts {
    ($($kind:ty: $what:literal, $parse:expr;)+) => {
        $(
            impl Scalar for $kind {
                fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
                    match value {
                        Value::String(text) => match $parse(text.as_str()) {
                            Ok(read) => Some(read),
                            Err(error) => problems.tell(field, error.to_string()),
                        },
                        other => expected($what, other, field, problems),
                    }
                }

                fn write(&self) -> Value {
                    self.to_string().into()
                }
            }
        )+
    };
}

pub(super) use texts;

fn parse_uuid(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| format!("`{}` is no UUID", text.escape_debug()))
}

texts! {
    Id: "an id", Id::new;
    TagName: "a tag", TagName::new;
    Uuid: "a UUID", parse_uuid;
}

impl<T: Scalar> Scalar for Vec<T> {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        let Value::Array(items) = value else {
            return expected("a list", value, field, problems);
        };
        let read = |(at, item)| T::read(item, &format!("{field}[{at}]"), problems);
        // All of them before any is missed, so that all is told that is wrong.
        items.iter().enumerate().map(read).collect::<Vec<_>>().into_iter().collect()
    }

    fn write(&self) -> Value {
        self.iter().map(Scalar::write).collect()
    }
}

impl<T: Scalar + Ord> Scalar for BTreeSet<T> {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        Some(Vec::read(value, field, problems)?.into_iter().collect())
    }

    fn write(&self) -> Value {
        self.iter().map(Scalar::write).collect()
    }
}

/// Reads an object, all of it, so that all is told that is wrong.
fn read_entries<K: Scalar + Ord, T>(
    value: &Value,
    field: &str,
    problems: &mut Problems,
    read: impl Fn(&Value, &str, &mut Problems) -> Option<T>,
) -> Option<BTreeMap<K, T>> {
    let Value::Object(entries) = value else {
        return expected("an object", value, field, problems);
    };
    let read = |(name, value): (&String, &Value)| {
        let field = format!("{field}.{name}");
        let name = K::read(&Value::String(name.clone()), &field, problems);
        let value = read(value, &field, problems);
        Some((name?, value?))
    };
    entries.iter().map(read).collect::<Vec<_>>().into_iter().collect()
}

fn write_entries<'m, K: Scalar + 'm, T: 'm>(
    entries: impl IntoIterator<Item = (&'m K, &'m T)>,
    write: impl Fn(&T) -> Value,
) -> Value {
    let text = |name: &K| match name.write() {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Value::Object(entries.into_iter().map(|(name, value)| (text(name), write(value))).collect())
}

impl<K: Scalar + Ord, T: Scalar> Scalar for BTreeMap<K, T> {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        read_entries(value, field, problems, T::read)
    }

    fn write(&self) -> Value {
        write_entries(self, T::write)
    }
}

/// An entry that is `null` removes what is there.
impl<K: Scalar + Ord, T: Scalar> Scalar for BTreeMap<K, Option<T>> {
    fn read(value: &Value, field: &str, problems: &mut Problems) -> Option<Self> {
        read_entries(value, field, problems, |value, field, problems| {
            if value.is_null() { Some(None) } else { T::read(value, field, problems).map(Some) }
        })
    }

    fn write(&self) -> Value {
        write_entries(self, |value| value.as_ref().map_or(Value::Null, T::write))
    }
}
