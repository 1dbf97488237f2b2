//! Frames of the socket: an array of a name, an id and a payload.

use serde_json::{Map, Value, json, value::RawValue};

use super::{VenuelessResult, error::VenuelessError};
use crate::{
    dialects::{BackendError, FrameResponse, Step},
    facts::Id,
    wire::json::{self, StrictValue},
};

/// A received frame: `[name, payload]`, or `[name, id, payload]`.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) name: String,
    pub(super) back: ReplyTo,
    payload: Value,
    /// The payload, as it was written.
    arguments: Vec<Box<RawValue>>,
}

/// The beginning of the reply to a frame.
#[derive(Clone, Default, Debug)]
pub(super) struct ReplyTo {
    /// The id by which the caller recognizes the reply; returned as it was written.
    id: Option<Box<RawValue>>,
}

impl Frame {
    /// # Errors
    /// If the text is not a frame.
    pub(super) fn parse(text: &str) -> Result<Self, VenuelessError> {
        let StrictValue(value) = json::parse(text.as_bytes(), "a frame")
            .map_err(|error| VenuelessError::malformed(&error))?;
        let shape = "a frame is an array: [name, payload], or [name, id, payload]";
        let Value::Array(parts) = value else {
            return Err(VenuelessError::malformed(&format!(
                "{shape}; this is {}",
                json::kind(&value)
            )));
        };
        let count = parts.len();
        let mut parts = parts.into_iter();
        let name = match parts.next() {
            Some(Value::String(name)) => name,
            Some(other) => {
                let message =
                    format!("{shape}; its name must be a string, not {}", json::kind(&other));
                return Err(VenuelessError::malformed(&message));
            }
            None => return Err(VenuelessError::malformed(&format!("{shape}; this has no name"))),
        };
        if count > 3 {
            return Err(VenuelessError::malformed(&format!("{shape}; this has {count} elements")));
        }
        let written: Vec<Box<RawValue>> = serde_json::from_str(text)
            .map_err(|error| VenuelessError::malformed(&json::describe_error(&error)))?;
        let rest: Vec<Box<RawValue>> = written.into_iter().skip(1).collect();
        let id = rest.first().filter(|_| count == 3).cloned();
        Ok(Self {
            name,
            back: ReplyTo { id },
            payload: parts.last().unwrap_or_default(),
            arguments: rest,
        })
    }

    /// # Errors
    /// If the payload is not an object.
    pub(super) fn payload(&self) -> Result<CommandPayload<'_>, VenuelessError> {
        match &self.payload {
            Value::Object(fields) => Ok(CommandPayload { fields: Some(fields) }),
            Value::Null => Ok(CommandPayload { fields: None }),
            other => {
                let message = format!("the payload must be an object, not {}", json::kind(other));
                Err(VenuelessError::malformed(&message))
            }
        }
    }

    pub(super) fn pong(&self) -> FrameResponse {
        let mut reply = r#"["pong""#.to_owned();
        for part in &self.arguments {
            reply.push(',');
            reply.push_str(part.get());
        }
        FrameResponse::reply(reply + "]")
    }
}

impl ReplyTo {
    pub(super) fn success(&self, data: &Value) -> FrameResponse {
        self.reply("success", data)
    }

    pub(super) fn error(&self, problem: &VenuelessError) -> FrameResponse {
        let refuses_credential = problem.refuses_credential();
        FrameResponse { refuses_credential, ..self.reply("error", &problem.to_json()) }
    }

    /// The next step of a command; an error of its own becomes an answer.
    ///
    /// # Errors
    /// If something can't be read.
    pub(super) fn settle(
        &self,
        done: VenuelessResult,
    ) -> Result<Step<FrameResponse>, BackendError> {
        Step::settle(done, |error| self.error(&error))
    }

    /// A reply with a name, which is not escaped.
    pub(super) fn reply(&self, name: &str, data: &Value) -> FrameResponse {
        FrameResponse::reply(match &self.id {
            Some(id) => format!(r#"["{name}",{id},{data}]"#),
            None => format!(r#"["{name}",{data}]"#),
        })
    }
}

/// The payload of a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommandPayload<'f> {
    fields: Option<&'f Map<String, Value>>,
}

impl<'f> CommandPayload<'f> {
    /// The value of a field; `None` if it is missing or `null`.
    pub(super) fn get(self, name: &str) -> Option<&'f Value> {
        self.fields?.get(name).filter(|value| !value.is_null())
    }

    /// Whether a field is given, if only as `null`.
    pub(super) fn has(self, name: &str) -> bool {
        self.fields.is_some_and(|fields| fields.contains_key(name))
    }

    /// The user whom a command is about.
    ///
    /// # Errors
    /// If the payload names no user, or not by a valid id.
    pub(super) fn user(self) -> Result<Id, VenuelessError> {
        let Some(value) = self.get("id") else {
            return Err(VenuelessError::malformed(&"`id` is missing: it says which user"));
        };
        let Some(id) = text_or_number(value) else {
            return Err(VenuelessError::malformed(&format!(
                "`id` must be a string, not {}",
                json::kind(value)
            )));
        };
        Id::new(&id).map_err(|_| VenuelessError::not_found())
    }

    /// The users that a command requests; `None` if it names none.
    ///
    /// # Errors
    /// If the field is not a list of ids.
    pub(super) fn users(self, field: &str) -> Result<Option<Vec<String>>, VenuelessError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let wrong = |value: &Value| {
            let message =
                format!("`{field}` must be an array of strings, not {}", json::kind(value));
            VenuelessError::malformed(&message)
        };
        let Value::Array(items) = value else { return Err(wrong(value)) };
        let id = |(at, item): (usize, &Value)| {
            text_or_number(item).ok_or_else(|| {
                let message = format!("`{field}[{at}]` must be a string, not {}", json::kind(item));
                VenuelessError::malformed(&message)
            })
        };
        items.iter().enumerate().map(id).collect::<Result<_, _>>().map(Some)
    }

    /// # Errors
    /// If the field is given and is not an object.
    pub(super) fn object(
        self,
        field: &str,
    ) -> Result<Option<&'f Map<String, Value>>, VenuelessError> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(other) => {
                let message = format!("`{field}` must be an object, not {}", json::kind(other));
                Err(VenuelessError::malformed(&message))
            }
        }
    }
}

/// The text of a string or a whole number.
pub(super) fn text_or_number(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// A frame that is not a reply.
pub(super) fn broadcast(name: &str, data: &Value) -> String {
    json!([name, data]).to_string()
}
