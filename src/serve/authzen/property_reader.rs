//! How the properties of a request are read: which are ours, and which the caller's own.
//!
//! Callers pass attributes of their own along, and some have the names of ours. Under `peerage` the
//! names are ours and a mistake is one. Beside it, what has our name and our shape is ours, and
//! anything else is passed over and named in the answer.

use std::{borrow::Cow, cell::RefCell, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    live::ServedPolicy,
    request::suggest,
    serve::{app::App, json, options::PropertyNames, response::HttpError},
};

/// The names of properties that mean something here, and of the object in which they surely do.
const NAMES: [&str; 8] =
    ["tags", "peers", "permissions", "moderation", "role", "matrix", "member", "field"];
const NAMESPACE: &str = "peerage";

/// The context in which properties are read, and the list of the ignored ones.
#[derive(Debug)]
pub(super) struct PropertyReader<'v> {
    pub(super) served: &'v ServedPolicy,
    /// Whether all that stands beside `peerage` is the caller's own.
    namespaced_only: bool,
    ignored: RefCell<Vec<String>>,
}

impl<'v> PropertyReader<'v> {
    pub(super) fn new(app: &App, served: &'v ServedPolicy) -> Self {
        let only_ours = app.options.properties == PropertyNames::Peerage;
        Self { served, namespaced_only: only_ours, ignored: RefCell::default() }
    }

    /// The places of the properties that were ignored since the last call.
    pub(super) fn take_ignored(&self) -> Vec<String> {
        self.ignored.take()
    }

    fn ignore(&self, place: String) {
        self.ignored.borrow_mut().push(place);
    }
}

/// The properties of one entity or action, unread.
#[derive(Debug)]
pub(super) struct PropertyMembers<'r, 'b> {
    reading: &'r PropertyReader<'r>,
    /// `subject.properties`.
    at: String,
    beside: KnownMembers<'b>,
    ours: KnownMembers<'b>,
}

impl<'r, 'b> PropertyMembers<'r, 'b> {
    /// Reads an object; of it and of what is below `peerage`, only those `of` this entity may be
    /// there.
    pub(super) fn read(
        reading: &'r PropertyReader<'r>,
        properties: &'b RawValue,
        at: &str,
        of: &[&'static str],
    ) -> Result<Self, HttpError> {
        let at = format!("{at}.properties");
        let beside: KnownMembers<'b> = parse_raw(properties, &at)?;
        let ours = match beside.get(NAMESPACE) {
            None => KnownMembers::default(),
            Some(ours) => {
                let at = format!("{at}.{NAMESPACE}");
                let ours: KnownMembers<'b> = parse_raw(ours, &at)?;
                let names = ours.members.iter().map(|&(name, _)| name);
                let foreign = names.into_iter().find(|name| !of.contains(name)).map(Cow::Borrowed);
                if let Some(name) = ours.unknown.clone().or(foreign) {
                    let name: String = name.chars().take(64).collect();
                    let advice = suggest(&name, of.iter().copied());
                    let message = format!("unknown property `{}`; {advice}", name.escape_debug());
                    return Err(HttpError::bad_request(at, message));
                }
                ours
            }
        };
        Ok(Self { reading, at, beside, ours })
    }

    /// The property of this name, read by `read` from a value and its place.
    ///
    /// # Errors
    /// If the property is below `peerage` and can't be decoded.
    pub(super) fn take<T>(
        &self,
        name: &'static str,
        read: impl Fn(&'b RawValue, &str) -> Result<T, HttpError>,
    ) -> Result<Option<T>, HttpError> {
        let place = || format!("{}.{name}", self.at);
        let ours = self.ours.get(name);
        if let Some(beside) = self.beside.get(name) {
            if ours.is_none()
                && !self.reading.namespaced_only
                && let Ok(value) = read(beside, &place())
            {
                return Ok(Some(value));
            }
            self.reading.ignore(place());
            if ours.is_none() {
                return Ok(None);
            }
        }
        self.take_namespaced(name, read)
    }

    /// The property of this name below `peerage` only.
    ///
    /// # Errors
    /// If it can't be read.
    pub(super) fn take_namespaced<T>(
        &self,
        name: &'static str,
        read: impl Fn(&'b RawValue, &str) -> Result<T, HttpError>,
    ) -> Result<Option<T>, HttpError> {
        let Some(ours) = self.ours.get(name) else { return Ok(None) };
        read(ours, &format!("{}.{NAMESPACE}.{name}", self.at)).map(Some)
    }
}

/// The members of an object that have one of the known names, each once and not null.
#[derive(Default, Debug)]
struct KnownMembers<'b> {
    members: Vec<(&'static str, &'b RawValue)>,
    /// The first other one.
    unknown: Option<Cow<'b, str>>,
}

impl<'b> KnownMembers<'b> {
    fn get(&self, name: &str) -> Option<&'b RawValue> {
        let found = self.members.iter().find(|(known, _)| *known == name);
        found.map(|&(_, value)| value).filter(|value| value.get() != "null")
    }
}

impl<'de: 'b, 'b> Deserialize<'de> for KnownMembers<'b> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = KnownMembers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut members: A,
            ) -> Result<KnownMembers<'de>, A::Error> {
                let mut known = KnownMembers::default();
                while let Some(name) = members.next_key::<json::JsonText<'de>>()? {
                    let value = members.next_value::<&RawValue>()?;
                    let ours =
                        NAMES.iter().chain([&NAMESPACE]).find(|ours| **ours == name.as_str());
                    match ours {
                        None => _ = known.unknown.get_or_insert_with(|| name.into()),
                        Some(ours) if known.members.iter().any(|(other, _)| other == ours) => {
                            return Err(A::Error::custom(format!("`{ours}` is given twice")));
                        }
                        Some(ours) => known.members.push((ours, value)),
                    }
                }
                Ok(known)
            }
        }

        deserializer.deserialize_map(Each)
    }
}

/// Whether a place is below `peerage`.
pub(super) fn is_namespaced(place: &str) -> bool {
    place.split('.').nth(2) == Some(NAMESPACE)
}

/// Decodes a value that was kept as text.
pub(super) fn parse_raw<'b, T: Deserialize<'b>>(
    raw: &'b RawValue,
    at: &str,
) -> Result<T, HttpError> {
    serde_json::from_str(raw.get())
        .map_err(|error| HttpError::bad_request(at, json::describe_error(&error)))
}

/// Checks that ignored properties are an object all the same.
pub(super) fn check_object(properties: Option<&RawValue>, at: &str) -> Result<(), HttpError> {
    match properties.map(RawValue::get) {
        Some(text) if !text.starts_with('{') && text != "null" => {
            Err(HttpError::bad_request(format!("{at}.properties"), "`properties` is an object"))
        }
        _ => Ok(()),
    }
}
