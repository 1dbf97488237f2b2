//! Bodies of calls: objects with typed members, and their errors.

use std::fmt;

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::{
    codes::{CallFamily, TencentCode},
    envelope::TencentError,
};
use crate::{
    dialects::Backend,
    facts::Id,
    wire::{excerpt, json},
};

/// The maximum number of accounts or items in one call, as documented.
pub(super) const MAX_ITEMS: usize = 1000;

/// An object of a body, whose getters check the members and return errors with their place. Members
/// that no getter reads are ignored.
#[derive(Clone, Debug)]
pub(super) struct RequestFields {
    map: Map<String, Value>,
    /// The prefix of a member's name in errors, as `AddFriendItem[0].`.
    place: String,
    family: CallFamily,
}

/// Reads the body as one object.
pub(super) fn parse(body: &[u8], family: CallFamily) -> Result<RequestFields, TencentError> {
    match json::parse::<json::StrictValue>(body, "an object") {
        Ok(json::StrictValue(Value::Object(map))) => {
            Ok(RequestFields { map, place: String::new(), family })
        }
        Ok(json::StrictValue(other)) => {
            Err(unexpected_kind(family, "request body", "an object", &other))
        }
        Err(misread) => Err(json_error(body, family, &misread)),
    }
}

/// The error of a body that can't be read: not JSON, or JSON with a wrong value.
pub(super) fn json_error(
    body: &[u8],
    family: CallFamily,
    misread: &json::JsonError,
) -> TencentError {
    let is_json = json::parse::<IgnoredAny>(body, "a value").is_ok();
    let code = if is_json { family.parameter() } else { TencentCode::Json };
    TencentError::new(code, misread.to_string())
}

impl RequestFields {
    /// An element of a list, which must be an object.
    pub(super) fn from_value(
        value: &Value,
        place: &str,
        family: CallFamily,
    ) -> Result<Self, TencentError> {
        match value {
            Value::Object(map) => Ok(Self { map: map.clone(), place: format!("{place}."), family }),
            other => Err(unexpected_kind(family, place, "an object", other)),
        }
    }

    /// The same place without members.
    pub(super) fn empty(&self) -> Self {
        Self { map: Map::new(), place: self.place.clone(), family: self.family }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn type_error<T>(&self, name: &str, what: &str, found: &Value) -> Result<T, TencentError> {
        Err(unexpected_kind(self.family, &format!("`{}{name}`", self.place), what, found))
    }

    /// The error of a member; `problem` is a predicate, as `must be 0 or 1`.
    pub(super) fn value_error(&self, name: &str, problem: &str) -> TencentError {
        TencentError::new(self.family.parameter(), format!("`{}{name}` {problem}", self.place))
    }

    /// The error of a member that is not an id.
    pub(super) fn id_error(&self, name: &str, why: impl fmt::Display) -> TencentError {
        TencentError::new(self.family.parameter(), format!("`{}{name}`: {why}", self.place))
    }

    fn missing(&self, name: &str) -> TencentError {
        self.value_error(name, "is missing")
    }

    /// The error of a list with more elements than a call may name.
    pub(super) fn length_error(&self, name: &str, length: usize, limit: usize) -> TencentError {
        self.value_error(name, &format!("has {length} elements; the limit is {limit}"))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A member of any type, which must be given.
    pub(super) fn required(&self, name: &str) -> Result<&Value, TencentError> {
        self.get(name).ok_or_else(|| self.missing(name))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, TencentError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => self.type_error(name, "a string", other),
        }
    }

    pub(super) fn required_text(&self, name: &str) -> Result<&str, TencentError> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// The meaning of a member that is one of `words`.
    pub(super) fn enum_text<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, TencentError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(Some(*meaning));
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("must be one of {}, not `{}`", known.join(", "), excerpt(text));
        Err(self.value_error(name, &message))
    }

    /// A number, 0 or more, or a string of its digits; 0 if it is missing.
    pub(super) fn number(&self, name: &str) -> Result<u64, TencentError> {
        match self.get(name) {
            None => Ok(0),
            Some(value) => match parse_number(value) {
                Some(number) => Ok(number),
                None => self.type_error(name, "a whole number, 0 or more", value),
            },
        }
    }

    pub(super) fn list(&self, name: &str) -> Result<Option<&Vec<Value>>, TencentError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => self.type_error(name, "an array", other),
        }
    }

    /// A list of 1 to [`MAX_ITEMS`] elements, which must be given.
    pub(super) fn required_list(&self, name: &str) -> Result<&Vec<Value>, TencentError> {
        let list = self.list(name)?.ok_or_else(|| self.missing(name))?;
        if list.is_empty() {
            return Err(self.value_error(name, "is empty"));
        }
        if list.len() > MAX_ITEMS {
            return Err(self.length_error(name, list.len(), MAX_ITEMS));
        }
        Ok(list)
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, TencentError> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        let text = |(at, value): (usize, &Value)| match value {
            Value::String(text) => Ok(text.clone()),
            other => self.type_error(&format!("{name}[{at}]"), "a string", other),
        };
        list.iter().enumerate().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// A list of accounts, which need not exist.
    pub(super) fn accounts(&self, name: &str) -> Result<Vec<String>, TencentError> {
        self.required_list(name)?;
        Ok(self.texts(name)?.unwrap_or_default())
    }

    /// The account that a call is about; it must exist.
    pub(super) fn existing_account(
        &self,
        name: &str,
        backend: &dyn Backend,
    ) -> Result<Id, TencentError> {
        let id = Id::new(self.required_text(name)?).map_err(|why| self.id_error(name, why))?;
        if backend.knows_user(&id) {
            return Ok(id);
        }
        Err(unknown_account(self.family, name, &id))
    }

    pub(super) fn path(&self) -> &str {
        &self.place
    }
}

/// A number, 0 or more, or a string of its digits.
pub(super) fn parse_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| parse_digits(value.as_str()?))
}

/// The number of a text that consists of digits, without a sign.
pub(super) fn parse_digits(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The error of an account that a call requires and that does not exist.
pub(super) fn unknown_account(family: CallFamily, name: &str, id: &str) -> TencentError {
    let message = format!(
        "`{name}`: no account `{}` exists; import it with im_open_login_svc/account_import",
        id.chars().take(300).collect::<String>().escape_debug()
    );
    TencentError::new(family.account(), message)
}

fn unexpected_kind(family: CallFamily, place: &str, what: &str, found: &Value) -> TencentError {
    let message = format!("{place}: expected {what}, found {}", json::kind(found));
    TencentError::new(family.parameter(), message)
}
