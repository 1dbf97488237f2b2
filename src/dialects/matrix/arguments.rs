//! Arguments of a callback: members of a JSON object, by name and kind.

use serde_json::{Map, Value};

use super::error::MatrixError;
use crate::{
    request::check_id,
    wire::{
        excerpt,
        json::{self, StrictValue},
    },
};

/// The members of a JSON object: a callback's arguments, an event or its content.
#[derive(Debug)]
pub(super) struct CallbackArguments(Map<String, Value>);

/// What the homeserver says of a room in the argument `peerage`, which peerage's own module adds.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct RoomHint<'h> {
    /// Whether the room was made to be direct.
    pub(super) is_direct: bool,
    /// The other one in a direct room.
    pub(super) other: Option<&'h str>,
}

/// The argument with the hint.
const HINT: &str = "peerage";

impl CallbackArguments {
    /// Reads the body of a call.
    pub(super) fn parse(body: &[u8]) -> Result<Self, MatrixError> {
        match json::parse(body, "the arguments of a callback") {
            Ok(StrictValue(Value::Object(members))) => Ok(Self(members)),
            Ok(StrictValue(other)) => Err(mismatch("body", "an object", &other)),
            Err(error) => Err(MatrixError::not_json(error.to_string())),
        }
    }

    /// A member that is an object.
    pub(super) fn object<'a>(&'a self, name: &str) -> Result<&'a Map<String, Value>, MatrixError> {
        object(&self.0, name)
    }

    /// A member that is a text.
    pub(super) fn text<'a>(&'a self, name: &str) -> Result<&'a str, MatrixError> {
        text(&self.0, name)
    }

    /// A member that is an id.
    pub(super) fn id<'a>(&'a self, name: &str) -> Result<&'a str, MatrixError> {
        id(&self.0, name)
    }

    /// A member that is true or false.
    pub(super) fn flag(&self, name: &str) -> Result<bool, MatrixError> {
        flag(&self.0, name)
    }

    /// What the homeserver says of the room.
    pub(super) fn hint(&self) -> Result<RoomHint<'_>, MatrixError> {
        RoomHint::parse(&self.0)
    }
}

impl<'a> RoomHint<'a> {
    /// The hint in the arguments, which may have none.
    fn parse(members: &'a Map<String, Value>) -> Result<Self, MatrixError> {
        if !members.contains_key(HINT) {
            return Ok(Self::default());
        }
        let hint = object(members, HINT)?;
        if let Some(name) = hint.keys().find(|name| !["is_direct", "other"].contains(&&***name)) {
            let message = format!("unknown member `{}` of `{HINT}`", excerpt(name));
            return Err(MatrixError::invalid(HINT, message));
        }
        let other = if hint.contains_key("other") { Some(id(hint, "other")?) } else { None };
        let is_direct =
            other.is_some() || hint.contains_key("is_direct") && flag(hint, "is_direct")?;
        Ok(Self { is_direct, other })
    }
}

/// A member of an object that is true or false.
fn flag(members: &Map<String, Value>, name: &str) -> Result<bool, MatrixError> {
    match members.get(name) {
        Some(Value::Bool(value)) => Ok(*value),
        found => Err(missing_or(name, "true or false", found)),
    }
}

/// A member of an object that is an object itself.
pub(super) fn object<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a Map<String, Value>, MatrixError> {
    match members.get(name) {
        Some(Value::Object(members)) => Ok(members),
        found => Err(missing_or(name, "an object", found)),
    }
}

/// A member of an object that is a text.
pub(super) fn text<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a str, MatrixError> {
    match members.get(name) {
        Some(Value::String(text)) => Ok(text),
        found => Err(missing_or(name, "a string", found)),
    }
}

/// A member of an object that is the id of a user or of a room.
pub(super) fn id<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, MatrixError> {
    let id = text(members, name)?;
    check_id(id).map_err(|error| MatrixError::invalid(name, error.to_string()))?;
    Ok(id)
}

fn missing_or(name: &str, expected: &str, found: Option<&Value>) -> MatrixError {
    match found {
        None => MatrixError::invalid(name, format!("`{name}` is missing; expected {expected}")),
        Some(found) => mismatch(name, expected, found),
    }
}

fn mismatch(at: &str, expected: &str, found: &Value) -> MatrixError {
    MatrixError::invalid(at, format!("`{at}`: expected {expected}, found {}", json::kind(found)))
}
