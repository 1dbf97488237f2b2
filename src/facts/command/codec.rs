//! Codecs of commands: their fields and values, from JSON and back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    error::CommandSyntaxError,
    field_terms::TakenTerms,
    names::{Id, TagName},
};
use crate::request::suggest;

/// A codec of something that is held by one or more fields of a command.
pub(super) trait FieldCodec: Sized {
    /// Decodes it from the fields; reports errors, and is `None` then.
    fn decode(from: &mut CommandFields<'_>, name: &str) -> Option<Self>;

    /// Adds it to the fields.
    fn encode(&self, name: &str, into: &mut Map<String, Value>);
}

/// A codec of the value of one field.
pub(super) trait ValueCodec: Sized {
    /// Decodes the value; reports errors of this field, and is `None` then.
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self>;

    fn to_json(&self) -> Value;
}

/// A field that may be left out, or be `null` to remove a value.
#[derive(Clone, PartialEq, Default, Debug)]
pub enum Patch<T> {
    /// The field was left out: the value stays.
    #[default]
    Keep,
    /// The field was `null`: the value is removed.
    Remove,
    Set(T),
}

/// A required field; `null`, which is `None`, removes the value.
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

    /// The new value, which may be none; `None` if the old one stays.
    pub fn replacement(&self) -> Option<Option<&T>> {
        match self {
            Self::Keep => None,
            Self::Remove => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

/// The errors found in one command.
pub(super) struct SyntaxErrors {
    pub(super) index: usize,
    pub(super) found: Vec<CommandSyntaxError>,
}

impl SyntaxErrors {
    /// Adds an error of a field; always `None`.
    pub(super) fn report<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        let (index, field, message) = (self.index, field.to_owned(), message.into());
        self.found.push(CommandSyntaxError { index, field, message });
        None
    }
}

/// The fields of a command, and the names of those that are known.
pub(super) struct CommandFields<'v> {
    pub(super) object: &'v Map<String, Value>,
    pub(super) known: Vec<String>,
    pub(super) errors: &'v mut SyntaxErrors,
    /// The terms that were among the fields of a user or a group.
    pub(super) terms: TakenTerms,
}

impl CommandFields<'_> {
    pub(super) fn get(&mut self, name: &str) -> Option<&Value> {
        self.mark_known(name);
        self.object.get(name)
    }

    fn mark_known(&mut self, name: &str) {
        if !self.known.iter().any(|known| known == name) {
            self.known.push(name.to_owned());
        }
    }

    /// An optional field; `None` if it can't be decoded.
    #[expect(clippy::option_option, reason = "left out is not the same as wrong")]
    pub(super) fn optional<T: ValueCodec>(&mut self, name: &str) -> Option<Option<T>> {
        self.mark_known(name);
        match self.object.get(name) {
            None => Some(None),
            Some(value) => T::from_json(value, name, self.errors).map(Some),
        }
    }

    /// Reports the fields that are not known.
    pub(super) fn reject_unknown(self) {
        for name in self.object.keys().filter(|&name| !self.known.contains(name)) {
            let known = self.known.iter().map(String::as_str);
            self.errors.report::<()>(name, format!("unknown field; {}", suggest(name, known)));
        }
    }
}

impl<T: ValueCodec> FieldCodec for T {
    fn decode(from: &mut CommandFields<'_>, name: &str) -> Option<Self> {
        match from.optional(name)? {
            None => from.errors.report(name, "required field is missing"),
            value => value,
        }
    }

    fn encode(&self, name: &str, into: &mut Map<String, Value>) {
        into.insert(name.to_owned(), self.to_json());
    }
}

impl<T: ValueCodec> FieldCodec for Option<T> {
    fn decode(from: &mut CommandFields<'_>, name: &str) -> Option<Self> {
        from.optional(name)
    }

    fn encode(&self, name: &str, into: &mut Map<String, Value>) {
        if let Some(value) = self {
            value.encode(name, into);
        }
    }
}

impl<T: ValueCodec> FieldCodec for Patch<T> {
    fn decode(from: &mut CommandFields<'_>, name: &str) -> Option<Self> {
        if from.get(name).is_some_and(Value::is_null) {
            return Some(Self::Remove);
        }
        Some(from.optional(name)?.map_or(Self::Keep, Self::Set))
    }

    fn encode(&self, name: &str, into: &mut Map<String, Value>) {
        match self {
            Self::Keep => {}
            Self::Remove => drop(into.insert(name.to_owned(), Value::Null)),
            Self::Set(value) => value.encode(name, into),
        }
    }
}

impl<T: ValueCodec> FieldCodec for Nullable<T> {
    fn decode(from: &mut CommandFields<'_>, name: &str) -> Option<Self> {
        match Patch::decode(from, name)? {
            Patch::Keep => from.errors.report(name, "required field is missing"),
            Patch::Remove => Some(Self(None)),
            Patch::Set(value) => Some(Self(Some(value))),
        }
    }

    fn encode(&self, name: &str, into: &mut Map<String, Value>) {
        into.insert(name.to_owned(), self.0.as_ref().map_or(Value::Null, ValueCodec::to_json));
    }
}

/// Reports a value of another type than expected.
pub(super) fn type_error<T>(
    what: &str,
    found: &Value,
    field: &str,
    errors: &mut SyntaxErrors,
) -> Option<T> {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    errors.report(field, format!("expected {what}, found {found}"))
}

impl ValueCodec for bool {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        match value {
            Value::Bool(is) => Some(*is),
            other => type_error("true or false", other, field, errors),
        }
    }

    fn to_json(&self) -> Value {
        (*self).into()
    }
}

impl ValueCodec for u64 {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        value.as_u64().or_else(|| type_error("a number, 0 or more", value, field, errors))
    }

    fn to_json(&self) -> Value {
        (*self).into()
    }
}

impl ValueCodec for String {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        match value {
            Value::String(text) => Some(text.clone()),
            other => type_error("a text", other, field, errors),
        }
    }

    fn to_json(&self) -> Value {
        self.as_str().into()
    }
}

/// Any JSON value.
impl ValueCodec for Value {
    fn from_json(value: &Value, _: &str, _: &mut SyntaxErrors) -> Option<Self> {
        Some(value.clone())
    }

    fn to_json(&self) -> Value {
        self.clone()
    }
}

/// Implements [`ValueCodec`] for types that are parsed from a text and displayed as one.
macro_rules! text_codec {
    ($($kind:ty: $what:literal, $parse:expr;)+) => {
        $(
            impl ValueCodec for $kind {
                fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
                    match value {
                        Value::String(text) => match $parse(text.as_str()) {
                            Ok(read) => Some(read),
                            Err(error) => errors.report(field, error.to_string()),
                        },
                        other => type_error($what, other, field, errors),
                    }
                }

                fn to_json(&self) -> Value {
                    self.to_string().into()
                }
            }
        )+
    };
}

pub(super) use text_codec;

fn parse_uuid(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| format!("`{}` is not a UUID", text.escape_debug()))
}

text_codec! {
    Id: "an id", Id::new;
    TagName: "a tag", TagName::new;
    Uuid: "a UUID", parse_uuid;
}

impl<T: ValueCodec> ValueCodec for Vec<T> {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        let Value::Array(items) = value else {
            return type_error("a list", value, field, errors);
        };
        let read = |(at, item)| T::from_json(item, &format!("{field}[{at}]"), errors);
        // All items before the first failure is looked at, so that every error is reported.
        items.iter().enumerate().map(read).collect::<Vec<_>>().into_iter().collect()
    }

    fn to_json(&self) -> Value {
        self.iter().map(ValueCodec::to_json).collect()
    }
}

impl<T: ValueCodec + Ord> ValueCodec for BTreeSet<T> {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        Some(Vec::from_json(value, field, errors)?.into_iter().collect())
    }

    fn to_json(&self) -> Value {
        self.iter().map(ValueCodec::to_json).collect()
    }
}

/// Decodes all entries of an object, so that every error is reported.
fn read_entries<K: ValueCodec + Ord, T>(
    value: &Value,
    field: &str,
    errors: &mut SyntaxErrors,
    read: impl Fn(&Value, &str, &mut SyntaxErrors) -> Option<T>,
) -> Option<BTreeMap<K, T>> {
    let Value::Object(entries) = value else {
        return type_error("an object", value, field, errors);
    };
    let read = |(name, value): (&String, &Value)| {
        let field = format!("{field}.{name}");
        let name = K::from_json(&Value::String(name.clone()), &field, errors);
        let value = read(value, &field, errors);
        Some((name?, value?))
    };
    entries.iter().map(read).collect::<Vec<_>>().into_iter().collect()
}

fn write_entries<'m, K: ValueCodec + 'm, T: 'm>(
    entries: impl IntoIterator<Item = (&'m K, &'m T)>,
    write: impl Fn(&T) -> Value,
) -> Value {
    let text = |name: &K| match name.to_json() {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Value::Object(entries.into_iter().map(|(name, value)| (text(name), write(value))).collect())
}

impl<K: ValueCodec + Ord, T: ValueCodec> ValueCodec for BTreeMap<K, T> {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        read_entries(value, field, errors, T::from_json)
    }

    fn to_json(&self) -> Value {
        write_entries(self, T::to_json)
    }
}

/// An entry that is `null` removes a value.
impl<K: ValueCodec + Ord, T: ValueCodec> ValueCodec for BTreeMap<K, Option<T>> {
    fn from_json(value: &Value, field: &str, errors: &mut SyntaxErrors) -> Option<Self> {
        read_entries(value, field, errors, |value, field, errors| {
            if value.is_null() { Some(None) } else { T::from_json(value, field, errors).map(Some) }
        })
    }

    fn to_json(&self) -> Value {
        write_entries(self, |value| value.as_ref().map_or(Value::Null, T::to_json))
    }
}
