//! The properties of entities, which replace the facts about them in one request.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::property_reader::{self, PropertyMembers, PropertyReader, parse_raw};
use crate::{
    request::{Action, Moderation, PeersMode, Properties, Role, Switch, UnknownWordError},
    serve::{json::JsonText, response::HttpError},
};

/// The known properties of a resource that is a user, and of a subject.
const OF_USER: [&str; 4] = ["tags", "peers", "permissions", "moderation"];
const OF_SUBJECT: [&str; 5] = ["tags", "peers", "permissions", "moderation", "role"];

/// The properties of a user, read; the request borrows from them.
#[derive(Debug)]
pub(super) struct UserProperties<'b> {
    tags: Option<Vec<JsonText<'b>>>,
    peers: Option<PeersMode>,
    permissions: Vec<(Switch, bool)>,
    moderation: Option<Moderation>,
    role: Option<Role>,
}

impl<'b> UserProperties<'b> {
    /// The properties of a user, `at` their entity. A role is the subject's alone.
    pub(super) fn read(
        reading: &PropertyReader<'_>,
        properties: &'b RawValue,
        at: &str,
    ) -> Result<Self, HttpError> {
        let is_subject = at == "subject";
        let of = if is_subject { &OF_SUBJECT[..] } else { &OF_USER };
        let members = PropertyMembers::read(reading, properties, at, of)?;
        Ok(Self {
            tags: members.take("tags", |raw, at| tags(reading, raw, at))?,
            peers: members.take("peers", peers)?,
            permissions: members.take("permissions", permissions)?.unwrap_or_default(),
            moderation: members.take("moderation", moderation)?,
            role: if is_subject { members.take("role", parse_word)? } else { None },
        })
    }

    pub(super) fn properties(&self) -> Properties<'_> {
        let tags = self.tags.as_ref();
        Properties {
            tags: tags.map(|tags| tags.iter().map(JsonText::as_str).collect()),
            peers: self.peers,
            permissions: self.permissions.clone(),
            moderation: self.moderation,
            role: self.role,
        }
    }
}

/// The `matrix` of a group.
pub(super) fn matrix<'b>(
    reading: &PropertyReader<'_>,
    properties: &'b RawValue,
    at: &str,
) -> Result<Option<JsonText<'b>>, HttpError> {
    PropertyMembers::read(reading, properties, at, &["matrix"])?.take("matrix", |raw, at| {
        let name: JsonText<'b> = parse_raw(raw, at)?;
        if reading.served.view.matrix_number(name.as_str()).is_none() {
            return Err(HttpError::bad_request(
                at,
                format!("there is no matrix `{}`", printable(&name)),
            ));
        }
        Ok(name)
    })
}

/// The `member` and the `field` of an action, as far as it takes them.
pub(super) fn action_parameters<'b>(
    reading: &PropertyReader<'_>,
    properties: &'b RawValue,
    action: Option<Action>,
) -> Result<(Option<JsonText<'b>>, Option<JsonText<'b>>), HttpError> {
    let members = PropertyMembers::read(reading, properties, "action", &["member", "field"])?;
    let text = |name, takes: fn(Action) -> bool| match action {
        Some(action) if takes(action) => members.take(name, parse_raw),
        // It means nothing here, but what is ours has our shape.
        _ => members.take_namespaced::<JsonText<'b>>(name, parse_raw).map(|_| None),
    };
    Ok((text("member", Action::takes_member)?, text("field", Action::takes_field)?))
}

fn tags<'b>(
    reading: &PropertyReader<'_>,
    raw: &'b RawValue,
    at: &str,
) -> Result<Vec<JsonText<'b>>, HttpError> {
    let tags: Vec<JsonText<'b>> = parse_raw(raw, at)?;
    for (number, tag) in tags.iter().enumerate() {
        if reading.served.view.tags.get(tag.as_str()).is_none() {
            let message = format!("there is no tag `{}`", printable(tag));
            return Err(HttpError::bad_request(format!("{at}[{number}]"), message));
        }
    }
    Ok(tags)
}

fn printable(text: &JsonText<'_>) -> String {
    text.as_str().chars().take(64).collect::<String>().escape_debug().to_string()
}

/// By name or by number.
fn peers(raw: &RawValue, at: &str) -> Result<PeersMode, HttpError> {
    let mode = match raw.get() {
        number if number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
            PeersMode::parse(number)
        }
        _ => PeersMode::parse(parse_raw::<JsonText<'_>>(raw, at)?.as_str()),
    };
    mode.map_err(|error| HttpError::bad_request(at, error.to_string()))
}

/// The moderation of a user; an empty text is none.
fn moderation(raw: &RawValue, at: &str) -> Result<Moderation, HttpError> {
    if raw.get() == "\"\"" { Ok(Moderation::None) } else { parse_word(raw, at) }
}

fn parse_word<T: std::str::FromStr<Err = UnknownWordError>>(
    raw: &RawValue,
    at: &str,
) -> Result<T, HttpError> {
    let text: JsonText<'_> = parse_raw(raw, at)?;
    text.as_str()
        .parse()
        .map_err(|error: UnknownWordError| HttpError::bad_request(at, error.to_string()))
}

/// The switches that are given. Below `peerage` all of them must be known.
fn permissions(raw: &RawValue, at: &str) -> Result<Vec<(Switch, bool)>, HttpError> {
    let Switches { known, unknown } = parse_raw(raw, at)?;
    match unknown {
        Some(name) if property_reader::is_namespaced(at) => {
            let name: String = name.chars().take(64).collect();
            Err(HttpError::bad_request(
                at,
                format!("there is no permission `{}`", name.escape_debug()),
            ))
        }
        _ => Ok(known),
    }
}

/// The switches that are given, each once.
#[derive(Default)]
struct Switches {
    known: Vec<(Switch, bool)>,
    /// The first unknown name.
    unknown: Option<String>,
}

impl<'de> Deserialize<'de> for Switches {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Switches;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of booleans")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Switches, A::Error> {
                let mut switches = Switches::default();
                while let Some(name) = members.next_key::<JsonText<'de>>()? {
                    let Ok(switch) = name.as_str().parse::<Switch>() else {
                        members.next_value::<IgnoredAny>()?;
                        switches.unknown.get_or_insert_with(|| name.as_str().to_owned());
                        continue;
                    };
                    if switches.known.iter().any(|&(known, _)| known == switch) {
                        return Err(A::Error::custom(format!("`{switch}` is given twice")));
                    }
                    switches.known.push((switch, members.next_value()?));
                }
                Ok(switches)
            }
        }

        deserializer.deserialize_map(Each)
    }
}
