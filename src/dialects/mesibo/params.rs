//! Parameters of a request: objects with their paths.

use serde_json::{Map, Value};

use super::error::{MesiboError, MesiboErrorCode};
use crate::{facts::Id, wire::json};

/// An object in a request, with its path.
#[derive(Clone, Debug)]
pub(super) struct Params<'v> {
    /// The path of the object, as `user.permissions`.
    pub(super) path: String,
    pub(super) fields: &'v Map<String, Value>,
}

/// The flag in a value: `true` or `false`, `1` or `0`.
pub(super) fn parse_flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        Value::Number(number) => match number.as_u64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        _ => None,
    }
}

/// The address or group id in a string or a whole number.
pub(super) fn parse_id(value: &Value, path: &str) -> Result<Id, MesiboError> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_u64() => number.to_string(),
        other => return Err(type_error(path, "a string or a whole number", other)),
    };
    Id::new(&text)
        .map_err(|error| MesiboError::at(MesiboErrorCode::BadParam, path, &error.to_string()))
}

pub(super) fn type_error(path: &str, what: &str, found: &Value) -> MesiboError {
    let found = match found {
        Value::Null | Value::Array(_) | Value::Object(_) => json::kind(found).to_owned(),
        scalar => scalar.to_string().chars().take(64).collect(),
    };
    MesiboError::parameter(MesiboErrorCode::BadParam, path, &format!("must be {what}, not {found}"))
}

impl<'v> Params<'v> {
    pub(super) fn from_value(
        value: &'v Value,
        path: impl Into<String>,
    ) -> Result<Self, MesiboError> {
        let path = path.into();
        match value {
            Value::Object(fields) => Ok(Self { path, fields }),
            other => Err(type_error(&path, "an object", other)),
        }
    }

    /// The object of this name in the body.
    pub(super) fn from_body(body: &'v Map<String, Value>, name: &str) -> Result<Self, MesiboError> {
        match body.get(name).filter(|value| !value.is_null()) {
            Some(value) => Self::from_value(value, name),
            None => Err(MesiboError::missing(name, "an object")),
        }
    }

    pub(super) fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// The value of a parameter; `None` if it is missing or `null`.
    pub(super) fn get(&self, name: &str) -> Option<&'v Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn object(&self, name: &str) -> Result<Option<Self>, MesiboError> {
        self.get(name).map(|value| Self::from_value(value, self.path(name))).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, MesiboError> {
        let read = |value: &Value| {
            parse_flag(value).ok_or_else(|| type_error(&self.path(name), "true or false", value))
        };
        self.get(name).map(read).transpose()
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<u64>, MesiboError> {
        let read = |value: &Value| {
            let wrong = || type_error(&self.path(name), "a whole number, 0 or more", value);
            value.as_u64().ok_or_else(wrong)
        };
        self.get(name).map(read).transpose()
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'v str>, MesiboError> {
        let read = |value: &'v Value| {
            value.as_str().ok_or_else(|| type_error(&self.path(name), "a string", value))
        };
        self.get(name).map(read).transpose()
    }

    /// The value that is given under one of several equivalent names, and that name.
    ///
    /// # Errors
    /// If two of them have different values.
    pub(super) fn one_of<'n>(
        &self,
        names: &[&'n str],
    ) -> Result<Option<(&'n str, &'v Value)>, MesiboError> {
        let mut found: Option<(&str, &Value)> = None;
        for &name in names {
            let Some(value) = self.get(name) else { continue };
            match found {
                Some((other, known)) if known != value => {
                    let message = format!("differs from `{other}`; give one of them");
                    return Err(MesiboError::parameter(
                        MesiboErrorCode::BadParam,
                        &self.path(name),
                        &message,
                    ));
                }
                Some(_) => {}
                None => found = Some((name, value)),
            }
        }
        Ok(found)
    }
}
