use serde_json::{Map, Value};

use super::fault::{Error, Fault};
use crate::facts::Id;

/// An object in a request, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Part<'v> {
    /// As `user.permissions`.
    pub(super) path: String,
    pub(super) fields: &'v Map<String, Value>,
}

/// Whether a value is on, where both `true` and `1` may be written.
pub(super) fn as_flag(value: &Value) -> Option<bool> {
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

/// The address or group id that a text or a whole number writes.
pub(super) fn as_id(value: &Value, path: &str) -> Result<Id, Fault> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_u64() => number.to_string(),
        other => return Err(expected(path, "a text or a whole number", other)),
    };
    Id::new(&text).map_err(|error| Fault::at(Error::BadParam, path, &error.to_string()))
}

pub(super) fn expected(path: &str, what: &str, found: &Value) -> Fault {
    let found = match found {
        Value::Null => "null".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        scalar => scalar.to_string().chars().take(64).collect(),
    };
    Fault::at(Error::BadParam, path, &format!("it takes {what}, not {found}"))
}

impl<'v> Part<'v> {
    pub(super) fn of(value: &'v Value, path: impl Into<String>) -> Result<Self, Fault> {
        let path = path.into();
        match value {
            Value::Object(fields) => Ok(Self { path, fields }),
            other => Err(expected(&path, "an object", other)),
        }
    }

    /// The object of this name in the body.
    pub(super) fn top(body: &'v Map<String, Value>, name: &str) -> Result<Self, Fault> {
        match body.get(name).filter(|value| !value.is_null()) {
            Some(value) => Self::of(value, name),
            None => Err(Fault::missing(name, "an object")),
        }
    }

    pub(super) fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// What is given, `null` aside.
    pub(super) fn get(&self, name: &str) -> Option<&'v Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn part(&self, name: &str) -> Result<Option<Self>, Fault> {
        self.get(name).map(|value| Self::of(value, self.path(name))).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        let read = |value: &Value| {
            as_flag(value).ok_or_else(|| expected(&self.path(name), "true or false", value))
        };
        self.get(name).map(read).transpose()
    }

    pub(super) fn whole(&self, name: &str) -> Result<Option<u64>, Fault> {
        let read = |value: &Value| {
            let wrong = || expected(&self.path(name), "a whole number, 0 or more", value);
            value.as_u64().ok_or_else(wrong)
        };
        self.get(name).map(read).transpose()
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'v str>, Fault> {
        let read = |value: &'v Value| {
            value.as_str().ok_or_else(|| expected(&self.path(name), "a text", value))
        };
        self.get(name).map(read).transpose()
    }

    /// The one that is given of several names for the same, and which it is.
    ///
    /// # Errors
    /// If two of them say different things.
    pub(super) fn either<'n>(
        &self,
        names: &[&'n str],
    ) -> Result<Option<(&'n str, &'v Value)>, Fault> {
        let mut found: Option<(&str, &Value)> = None;
        for &name in names {
            let Some(value) = self.get(name) else { continue };
            match found {
                Some((other, known)) if known != value => {
                    let message =
                        format!("it says something else than `{other}`; give one of them");
                    return Err(Fault::at(Error::BadParam, &self.path(name), &message));
                }
                Some(_) => {}
                None => found = Some((name, value)),
            }
        }
        Ok(found)
    }
}
