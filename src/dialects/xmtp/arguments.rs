//! Arguments of a call, under all names of the SDKs.

use serde_json::Value;

use super::error::XmtpError;
use crate::{
    dialects::Call,
    facts::{Id, MOST_COMMANDS},
    request::suggest,
    wire::{PercentEncoding, excerpt, json},
};

/// The arguments of a call. A name matches in every spelling of the SDKs, as `inboxId`, `inboxID`
/// and `inbox_id`.
#[derive(Clone, Debug)]
pub(super) struct Arguments {
    given: Vec<Argument>,
    known: Vec<&'static str>,
}

/// The arguments whose items may be objects.
pub(super) const IDENTIFIERS: [&str; 2] = ["identifiers", "identities"];

/// The maximum number of arguments, more than any call has.
const MAX_ARGUMENTS: usize = 64;

#[derive(Clone, Debug)]
struct Argument {
    /// The name, normalized by [`normalize_name`].
    name: String,
    written: String,
    value: Value,
}

impl Arguments {
    /// The arguments in a body, or in the query of a GET or HEAD.
    pub(super) fn from_call(call: &Call<'_>) -> Result<Self, XmtpError> {
        if matches!(call.method, "GET" | "HEAD") {
            Self::from_query(call.query)
        } else {
            Self::from_body(call)
        }
    }

    fn from_body(call: &Call<'_>) -> Result<Self, XmtpError> {
        if !call.query.is_empty() {
            let message = "only GET takes arguments in the query; send them in the body, as JSON";
            return Err(XmtpError::invalid("query", message));
        }
        let mut all = Self::new();
        if call.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(all);
        }
        match json::parse::<json::StrictValue>(call.body, "a JSON object") {
            Ok(json::StrictValue(Value::Object(fields))) => {
                fields.into_iter().try_for_each(|(name, value)| all.add(name, value))?;
                Ok(all)
            }
            Ok(_) => Err(XmtpError::invalid("body", "the arguments must be a JSON object")),
            Err(misread) => Err(XmtpError::invalid("body", misread.to_string())),
        }
    }

    fn from_query(query: &str) -> Result<Self, XmtpError> {
        let mut all = Self::new();
        let decoded = |text: &str| match PercentEncoding::Form.decode(text.as_bytes()) {
            Ok(text) => Ok(text.into_owned()),
            Err(error) => Err(XmtpError::invalid("query", error.to_string())),
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            all.add(decoded(name)?, decoded(value)?.into())?;
        }
        Ok(all)
    }

    const fn new() -> Self {
        Self { given: Vec::new(), known: Vec::new() }
    }

    /// The arguments in an object that is an argument itself.
    pub(super) fn from_object(object: &serde_json::Map<String, Value>) -> Result<Self, XmtpError> {
        let mut all = Self::new();
        let mut fields = object.iter();
        fields.try_for_each(|(name, value)| all.add(name.clone(), value.clone()))?;
        Ok(all)
    }

    fn add(&mut self, written: String, value: Value) -> Result<(), XmtpError> {
        if self.given.len() == MAX_ARGUMENTS {
            let message = format!("the call has more than {MAX_ARGUMENTS} arguments");
            return Err(XmtpError::invalid(&excerpt(&written), message));
        }
        let name = normalize_name(&written);
        if self.given.iter().any(|given| given.name == name) {
            let message = format!("`{}` is given twice", excerpt(&written));
            return Err(XmtpError::invalid(&excerpt(&written), message));
        }
        self.given.push(Argument { name, written, value });
        Ok(())
    }

    /// Takes an argument; `null` counts as missing.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        let plain = normalize_name(name);
        let at = self.given.iter().position(|given| given.name == plain)?;
        Some(self.given.swap_remove(at).value).filter(|value| !value.is_null())
    }

    /// Takes the argument that has one of these names.
    ///
    /// # Errors
    /// If there is more than one.
    pub(super) fn take_one(
        &mut self,
        names: &[&'static str],
    ) -> Result<Option<(&'static str, Value)>, XmtpError> {
        let mut found = None;
        for &name in names {
            let Some(value) = self.take(name) else { continue };
            if let Some((other, _)) = found {
                let message = format!("give either `{other}` or `{name}`: they mean the same");
                return Err(XmtpError::invalid(name, message));
            }
            found = Some((name, value));
        }
        Ok(found)
    }

    /// Takes a string.
    pub(super) fn text(&mut self, names: &[&'static str]) -> Result<Option<String>, XmtpError> {
        match self.take_one(names)? {
            None => Ok(None),
            Some((_, Value::String(text))) => Ok(Some(text)),
            Some((name, other)) => Err(type_error(name, "a string", &other)),
        }
    }

    /// Takes an inbox id.
    pub(super) fn id(&mut self, names: &[&'static str]) -> Result<Option<Id>, XmtpError> {
        let at = names.first().copied().unwrap_or_default();
        let read = |text: String| {
            Id::new(&text).map_err(|error| XmtpError::invalid(at, format!("`{at}`: {error}")))
        };
        self.text(names)?.map(read).transpose()
    }

    /// Takes an inbox id that is required.
    pub(super) fn required_id(&mut self, name: &'static str) -> Result<Id, XmtpError> {
        self.id(&[name])?.ok_or_else(|| missing(name))
    }

    /// Whether an argument is given; `null` counts as missing.
    pub(super) fn has(&self, name: &str) -> bool {
        let plain = normalize_name(name);
        self.given.iter().any(|given| given.name == plain && !given.value.is_null())
    }

    /// Takes a list of strings. Items of `identifiers` may be objects with the string, as
    /// `{"identifier": "0x1", "identifierKind": "Ethereum"}`.
    pub(super) fn texts(
        &mut self,
        names: &[&'static str],
    ) -> Result<Option<Vec<String>>, XmtpError> {
        let Some((name, value)) = self.take_one(names)? else { return Ok(None) };
        let Value::Array(items) = value else {
            return Err(type_error(name, "an array of strings", &value));
        };
        if items.len() > MOST_COMMANDS {
            let message =
                format!("`{name}` has {} items; the limit is {MOST_COMMANDS}", items.len());
            return Err(XmtpError::invalid(name, message));
        }
        let text = |(at, item)| match item {
            Value::String(text) => Ok(text),
            Value::Object(mut object) if IDENTIFIERS.contains(&name) => {
                match object.remove("identifier") {
                    Some(Value::String(text)) => Ok(text),
                    _ => Err(missing(&format!("{name}[{at}].identifier"))),
                }
            }
            other => Err(type_error(&format!("{name}[{at}]"), "a string", &other)),
        };
        items.into_iter().enumerate().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// Takes a list of ids.
    pub(super) fn ids(&mut self, names: &[&'static str]) -> Result<Option<Vec<Id>>, XmtpError> {
        let Some(texts) = self.texts(names)? else { return Ok(None) };
        let at = names.first().copied().unwrap_or_default();
        let read = |(index, text): (usize, &String)| {
            let at = format!("{at}[{index}]");
            Id::new(text).map_err(|error| XmtpError::invalid(&at, format!("`{at}`: {error}")))
        };
        texts.iter().enumerate().map(read).collect::<Result<_, _>>().map(Some)
    }

    /// Checks that all arguments have been taken.
    pub(super) fn finish(self) -> Result<(), XmtpError> {
        let Some(Argument { written, .. }) = self.given.first() else { return Ok(()) };
        let written = excerpt(written);
        let known = suggest(&written, self.known.iter().copied());
        let message = format!("unknown argument `{written}`; {known}");
        Err(XmtpError::invalid(&written, message))
    }
}

pub(super) fn missing(name: &str) -> XmtpError {
    XmtpError::invalid(name, format!("the argument `{name}` is missing"))
}

pub(super) fn type_error(at: &str, what: &str, found: &Value) -> XmtpError {
    XmtpError::invalid(at, format!("`{at}`: expected {what}, found {}", json::kind(found)))
}

/// A name without what the SDKs spell differently: case and underscores.
pub(super) fn normalize_name(name: &str) -> String {
    name.chars().filter(|&c| c != '_').flat_map(char::to_lowercase).collect()
}
