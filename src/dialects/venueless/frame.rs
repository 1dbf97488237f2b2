use serde_json::{Map, Value, json, value::RawValue};

use super::{
    Done, Turn,
    problem::{Problem, Stop},
};
use crate::{
    dialects::{
        Step, Unread,
        json::{self, Any},
    },
    facts::Id,
};

/// A frame that came: `[name, payload]`, or `[name, id, payload]`.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) name: String,
    pub(super) back: Back,
    payload: Value,
    /// What stands after the name, as it was written.
    rest: Vec<Box<RawValue>>,
}

/// What a reply begins with.
#[derive(Clone, Default, Debug)]
pub(super) struct Back {
    /// By which the caller knows it again; echoed as it was written.
    id: Option<Box<RawValue>>,
}

impl Frame {
    /// # Errors
    /// If the text is no frame.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let Any(value) =
            json::read(text.as_bytes(), "a frame").map_err(|error| Problem::malformed(&error))?;
        let shape = "a frame is an array: [name, payload], or [name, id, payload]";
        let Value::Array(parts) = value else {
            return Err(Problem::malformed(&format!("{shape}; this is {}", kind(&value))));
        };
        let count = parts.len();
        let mut parts = parts.into_iter();
        let name = match parts.next() {
            Some(Value::String(name)) => name,
            Some(other) => {
                let message = format!("{shape}; its name must be a text, not {}", kind(&other));
                return Err(Problem::malformed(&message));
            }
            None => return Err(Problem::malformed(&format!("{shape}; this has no name"))),
        };
        if count > 3 {
            return Err(Problem::malformed(&format!("{shape}; this has {count} elements")));
        }
        let written: Vec<Box<RawValue>> = serde_json::from_str(text)
            .map_err(|error| Problem::malformed(&json::message(&error)))?;
        let rest: Vec<Box<RawValue>> = written.into_iter().skip(1).collect();
        let id = rest.first().filter(|_| count == 3).cloned();
        Ok(Self { name, back: Back { id }, payload: parts.last().unwrap_or_default(), rest })
    }

    /// # Errors
    /// If it is none.
    pub(super) fn payload(&self) -> Result<Payload<'_>, Problem> {
        match &self.payload {
            Value::Object(fields) => Ok(Payload { fields: Some(fields) }),
            Value::Null => Ok(Payload { fields: None }),
            other => {
                let message = format!("the payload must be an object, not {}", kind(other));
                Err(Problem::malformed(&message))
            }
        }
    }

    pub(super) fn pong(&self) -> Turn {
        let mut reply = r#"["pong""#.to_owned();
        for part in &self.rest {
            reply.push(',');
            reply.push_str(part.get());
        }
        Turn::reply(reply + "]")
    }
}

impl Back {
    pub(super) fn success(&self, data: &Value) -> Turn {
        self.reply("success", data)
    }

    pub(super) fn error(&self, problem: &Problem) -> Turn {
        let refuses_credential = problem.is_of_credential();
        Turn { refuses_credential, ..self.reply("error", &problem.encode()) }
    }

    /// What a step after a write comes to: a problem is answered with.
    ///
    /// # Errors
    /// If something can't be read.
    pub(super) fn finish(&self, done: Done) -> Result<Step<Turn>, Unread> {
        match done {
            Ok(step) => Ok(step),
            Err(Stop::Problem(problem)) => Ok(Step::Done(self.error(&problem))),
            Err(Stop::Unread(unread)) => Err(unread),
        }
    }

    /// `name` is written as it is.
    pub(super) fn reply(&self, name: &str, data: &Value) -> Turn {
        Turn::reply(match &self.id {
            Some(id) => format!(r#"["{name}",{id},{data}]"#),
            None => format!(r#"["{name}",{data}]"#),
        })
    }
}

/// What a command says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payload<'f> {
    fields: Option<&'f Map<String, Value>>,
}

impl<'f> Payload<'f> {
    /// A field that is given and not `null`.
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
    /// If there can be no such user, or it names none.
    pub(super) fn user(self) -> Result<Id, Problem> {
        let Some(value) = self.get("id") else {
            return Err(Problem::malformed(&"`id` is missing: it says which user"));
        };
        let Some(id) = text_or_number(value) else {
            return Err(Problem::malformed(&format!("`id` must be a text, not {}", kind(value))));
        };
        Id::new(&id).map_err(|_| Problem::not_found())
    }

    /// The users of whom a command asks; `None` if it names none.
    ///
    /// # Errors
    /// If it is no list of ids.
    pub(super) fn users(self, field: &str) -> Result<Option<Vec<String>>, Problem> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let wrong = |value: &Value| {
            let message = format!("`{field}` must be a list of texts, not {}", kind(value));
            Problem::malformed(&message)
        };
        let Value::Array(items) = value else { return Err(wrong(value)) };
        let id = |(at, item): (usize, &Value)| {
            text_or_number(item).ok_or_else(|| {
                let message = format!("`{field}[{at}]` must be a text, not {}", kind(item));
                Problem::malformed(&message)
            })
        };
        items.iter().enumerate().map(id).collect::<Result<_, _>>().map(Some)
    }

    /// # Errors
    /// If it is given and is none.
    pub(super) fn object(self, field: &str) -> Result<Option<&'f Map<String, Value>>, Problem> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(other) => {
                let message = format!("`{field}` must be an object, not {}", kind(other));
                Err(Problem::malformed(&message))
            }
        }
    }
}

/// A text, or a whole number as it is written.
pub(super) fn text_or_number(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// What a message calls a value.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A frame that nobody asked for.
pub(super) fn broadcast(name: &str, data: &Value) -> String {
    json!([name, data]).to_string()
}
