use serde_json::Value;

use super::refused::Refused;
use crate::{
    dialects::{
        Call, json,
        text::{Encoding, kind, shown},
    },
    facts::{Id, MOST_COMMANDS},
    request::choices,
};

/// The arguments of a call, by their names: each is known under all ways in which the SDKs write it,
/// as `inboxId`, `inboxID` and `inbox_id`.
#[derive(Clone, Debug)]
pub(super) struct Arguments {
    given: Vec<Given>,
    asked: Vec<&'static str>,
}

/// The arguments whose items may be objects.
pub(super) const IDENTIFIERS: [&str; 2] = ["identifiers", "identities"];

/// How many there may be. No call knows as many.
const MOST: usize = 64;

#[derive(Clone, Debug)]
struct Given {
    /// As [`plain`] makes it.
    name: String,
    written: String,
    value: Value,
}

impl Arguments {
    /// Those in a body, or those in the query of a GET or HEAD.
    pub(super) fn of(call: &Call<'_>) -> Result<Self, Refused> {
        if matches!(call.method, "GET" | "HEAD") {
            Self::of_query(call.query)
        } else {
            Self::of_body(call)
        }
    }

    fn of_body(call: &Call<'_>) -> Result<Self, Refused> {
        if !call.query.is_empty() {
            let message = "the arguments of a call that is no GET stand in its body, as JSON";
            return Err(Refused::invalid("query", message));
        }
        let mut all = Self::new();
        if call.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(all);
        }
        match json::read::<json::Any>(call.body, "a JSON object") {
            Ok(json::Any(Value::Object(fields))) => {
                fields.into_iter().try_for_each(|(name, value)| all.add(name, value))?;
                Ok(all)
            }
            Ok(_) => Err(Refused::invalid("body", "a call's arguments are a JSON object")),
            Err(misread) => Err(Refused::invalid("body", misread.to_string())),
        }
    }

    fn of_query(query: &str) -> Result<Self, Refused> {
        let mut all = Self::new();
        let decoded = |text: &str| match Encoding::FORM.decode(text.as_bytes()) {
            Ok(text) => Ok(text.into_owned()),
            Err(error) => Err(Refused::invalid("query", error.to_string())),
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            all.add(decoded(name)?, decoded(value)?.into())?;
        }
        Ok(all)
    }

    const fn new() -> Self {
        Self { given: Vec::new(), asked: Vec::new() }
    }

    /// Those of an object within another argument.
    pub(super) fn within(object: &serde_json::Map<String, Value>) -> Result<Self, Refused> {
        let mut all = Self::new();
        let mut fields = object.iter();
        fields.try_for_each(|(name, value)| all.add(name.clone(), value.clone()))?;
        Ok(all)
    }

    fn add(&mut self, written: String, value: Value) -> Result<(), Refused> {
        if self.given.len() == MOST {
            let message = format!("a call has at most {MOST} arguments");
            return Err(Refused::invalid(&shown(&written), message));
        }
        let name = plain(&written);
        if self.given.iter().any(|given| given.name == name) {
            let message = format!("`{}` is given twice", shown(&written));
            return Err(Refused::invalid(&shown(&written), message));
        }
        self.given.push(Given { name, written, value });
        Ok(())
    }

    /// Takes an argument out; `null` is none.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.asked.push(name);
        let plain = plain(name);
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
    ) -> Result<Option<(&'static str, Value)>, Refused> {
        let mut found = None;
        for &name in names {
            let Some(value) = self.take(name) else { continue };
            if let Some((other, _)) = found {
                let message = format!("give either `{other}` or `{name}`: they mean the same");
                return Err(Refused::invalid(name, message));
            }
            found = Some((name, value));
        }
        Ok(found)
    }

    /// Takes a text.
    pub(super) fn text(&mut self, names: &[&'static str]) -> Result<Option<String>, Refused> {
        match self.take_one(names)? {
            None => Ok(None),
            Some((_, Value::String(text))) => Ok(Some(text)),
            Some((name, other)) => Err(expected(name, "a text", &other)),
        }
    }

    /// Takes an inbox id.
    pub(super) fn id(&mut self, names: &[&'static str]) -> Result<Option<Id>, Refused> {
        let at = names.first().copied().unwrap_or_default();
        let read = |text: String| {
            Id::new(&text).map_err(|error| Refused::invalid(at, format!("`{at}`: {error}")))
        };
        self.text(names)?.map(read).transpose()
    }

    /// Takes an inbox id that must be there.
    pub(super) fn needed_id(&mut self, name: &'static str) -> Result<Id, Refused> {
        self.id(&[name])?.ok_or_else(|| missing(name))
    }

    /// Whether an argument is given, `null` aside.
    pub(super) fn has(&self, name: &str) -> bool {
        let plain = plain(name);
        self.given.iter().any(|given| given.name == plain && !given.value.is_null())
    }

    /// Takes a list of texts. An SDK's `identifiers` are the texts in them, as
    /// `{"identifier": "0x1", "identifierKind": "Ethereum"}`.
    pub(super) fn texts(&mut self, names: &[&'static str]) -> Result<Option<Vec<String>>, Refused> {
        let Some((name, value)) = self.take_one(names)? else { return Ok(None) };
        let Value::Array(items) = value else {
            return Err(expected(name, "a list of texts", &value));
        };
        if items.len() > MOST_COMMANDS {
            let message =
                format!("`{name}` has at most {MOST_COMMANDS} items, not {}", items.len());
            return Err(Refused::invalid(name, message));
        }
        let text = |(at, item)| match item {
            Value::String(text) => Ok(text),
            Value::Object(mut object) if IDENTIFIERS.contains(&name) => {
                match object.remove("identifier") {
                    Some(Value::String(text)) => Ok(text),
                    _ => Err(missing(&format!("{name}[{at}].identifier"))),
                }
            }
            other => Err(expected(&format!("{name}[{at}]"), "a text", &other)),
        };
        items.into_iter().enumerate().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// Takes a list of ids.
    pub(super) fn ids(&mut self, names: &[&'static str]) -> Result<Option<Vec<Id>>, Refused> {
        let Some(texts) = self.texts(names)? else { return Ok(None) };
        let at = names.first().copied().unwrap_or_default();
        let read = |(index, text): (usize, &String)| {
            let at = format!("{at}[{index}]");
            Id::new(text).map_err(|error| Refused::invalid(&at, format!("`{at}`: {error}")))
        };
        texts.iter().enumerate().map(read).collect::<Result<_, _>>().map(Some)
    }

    /// Sees that nothing is given that nobody asked for.
    pub(super) fn finish(self) -> Result<(), Refused> {
        let Some(Given { written, .. }) = self.given.first() else { return Ok(()) };
        let written = shown(written);
        let known = choices(&written, self.asked.iter().copied());
        let message = format!("unknown argument `{written}`; {known}");
        Err(Refused::invalid(&written, message))
    }
}

pub(super) fn missing(name: &str) -> Refused {
    Refused::invalid(name, format!("the argument `{name}` is missing"))
}

pub(super) fn expected(at: &str, what: &str, found: &Value) -> Refused {
    Refused::invalid(at, format!("`{at}`: expected {what}, found {}", kind(found)))
}

/// A name without what the SDKs write in different ways: case and underscores.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|&c| c != '_').flat_map(char::to_lowercase).collect()
}
