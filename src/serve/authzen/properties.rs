//! The properties of entities: what stands in, in one request, for what the facts hold.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    request::{Moderation, PeersMode, Properties, Role, Switch, UnknownWord, check_tag},
    serve::{
        answer::Refusal,
        json::{self, Object, Text},
    },
};

/// The properties of a user, read; the request borrows from them.
#[derive(Debug)]
pub(super) struct Given<'b> {
    tags: Option<Vec<Text<'b>>>,
    peers: Option<PeersMode>,
    permissions: Vec<(Switch, bool)>,
    moderation: Option<Moderation>,
    role: Option<Role>,
}

/// They are read one by one, so that a mistake can be told with its place.
#[derive(Deserialize)]
struct OfUser<'b> {
    #[serde(borrow)]
    tags: Option<&'b RawValue>,
    #[serde(borrow)]
    peers: Option<&'b RawValue>,
    #[serde(borrow)]
    permissions: Option<&'b RawValue>,
    #[serde(borrow)]
    moderation: Option<&'b RawValue>,
    #[serde(borrow)]
    role: Option<&'b RawValue>,
}

#[derive(Deserialize)]
struct OfGroup<'b> {
    #[serde(borrow)]
    matrix: Option<&'b RawValue>,
}

#[derive(Deserialize)]
struct OfAction<'b> {
    #[serde(borrow)]
    member: Option<&'b RawValue>,
    #[serde(borrow)]
    field: Option<&'b RawValue>,
}

impl<'b> Given<'b> {
    /// The properties of a user, `at` their entity. A role is the subject's alone.
    pub(super) fn read(properties: &'b RawValue, at: &str) -> Result<Self, Refusal> {
        let is_subject = at == "subject";
        let at = format!("{at}.properties");
        let Object(raw): Object<OfUser<'b>> = read(properties, &at)?;
        let place = |name: &str| format!("{at}.{name}");
        let role = raw.role.filter(|_| is_subject);
        Ok(Self {
            tags: raw.tags.map(|tags| self::tags(tags, &place("tags"))).transpose()?,
            peers: raw.peers.map(|peers| self::peers(peers, &place("peers"))).transpose()?,
            permissions: match raw.permissions {
                Some(switches) => read::<Switches>(switches, &place("permissions"))?.0,
                None => Vec::new(),
            },
            moderation: match raw.moderation {
                Some(state) => moderation(state, &place("moderation"))?,
                None => None,
            },
            role: role.map(|role| word(role, &place("role"))).transpose()?,
        })
    }

    pub(super) fn properties(&self) -> Properties<'_> {
        let tags = self.tags.as_ref();
        Properties {
            tags: tags.map(|tags| tags.iter().map(Text::as_str).collect()),
            peers: self.peers,
            permissions: self.permissions.clone(),
            moderation: self.moderation,
            role: self.role,
        }
    }
}

/// The `matrix` of a group.
pub(super) fn matrix<'b>(properties: &'b RawValue, at: &str) -> Result<Option<Text<'b>>, Refusal> {
    let at = format!("{at}.properties");
    let Object(raw): Object<OfGroup<'b>> = read(properties, &at)?;
    raw.matrix.map(|matrix| read(matrix, &format!("{at}.matrix"))).transpose()
}

/// The `member` of an action that takes one.
pub(super) fn member<'b>(
    properties: Option<&'b RawValue>,
    at: &str,
) -> Result<Option<Text<'b>>, Refusal> {
    let Some(properties) = properties else { return Ok(None) };
    let Object(raw): Object<OfAction<'b>> = read(properties, at)?;
    raw.member.map(|member| read(member, &format!("{at}.member"))).transpose()
}

/// The `field` of an action that takes one.
pub(super) fn field<'b>(
    properties: Option<&'b RawValue>,
    at: &str,
) -> Result<Option<Text<'b>>, Refusal> {
    let Some(properties) = properties else { return Ok(None) };
    let Object(raw): Object<OfAction<'b>> = read(properties, at)?;
    raw.field.map(|field| read(field, &format!("{at}.field"))).transpose()
}

/// Properties that mean nothing here must be an object all the same.
pub(super) fn check(properties: Option<&RawValue>, at: &str) -> Result<(), Refusal> {
    match properties.map(RawValue::get) {
        Some(text) if !text.starts_with('{') => {
            Err(Refusal::bad(format!("{at}.properties"), "`properties` is an object"))
        }
        _ => Ok(()),
    }
}

fn tags<'b>(raw: &'b RawValue, at: &str) -> Result<Vec<Text<'b>>, Refusal> {
    let tags: Vec<Text<'b>> = read(raw, at)?;
    for (number, tag) in tags.iter().enumerate() {
        check_tag(tag.as_str())
            .map_err(|error| Refusal::bad(format!("{at}[{number}]"), error.to_string()))?;
    }
    Ok(tags)
}

/// By name or by number.
fn peers(raw: &RawValue, at: &str) -> Result<PeersMode, Refusal> {
    let mode = match raw.get() {
        number if number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
            PeersMode::parse(number)
        }
        _ => PeersMode::parse(read::<Text<'_>>(raw, at)?.as_str()),
    };
    mode.map_err(|error| Refusal::bad(at, error.to_string()))
}

/// What moderation did; an empty text says that it did nothing.
fn moderation(raw: &RawValue, at: &str) -> Result<Option<Moderation>, Refusal> {
    if raw.get() == "\"\"" { Ok(Some(Moderation::None)) } else { word(raw, at).map(Some) }
}

fn word<T: std::str::FromStr<Err = UnknownWord>>(raw: &RawValue, at: &str) -> Result<T, Refusal> {
    let text: Text<'_> = read(raw, at)?;
    text.as_str().parse().map_err(|error: UnknownWord| Refusal::bad(at, error.to_string()))
}

/// The switches that are given, each once.
struct Switches(Vec<(Switch, bool)>);

impl<'de> Deserialize<'de> for Switches {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Switches;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of booleans")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Switches, A::Error> {
                let mut switches: Vec<(Switch, bool)> = Vec::new();
                while let Some(name) = members.next_key::<Text<'de>>()? {
                    let Ok(switch) = name.as_str().parse::<Switch>() else {
                        members.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    if switches.iter().any(|&(known, _)| known == switch) {
                        return Err(A::Error::custom(format!("`{switch}` is given twice")));
                    }
                    switches.push((switch, members.next_value()?));
                }
                Ok(Switches(switches))
            }
        }

        deserializer.deserialize_map(Each)
    }
}

/// Reads one value of which the parser knows no more than where it ends.
pub(super) fn read<'b, T: Deserialize<'b>>(raw: &'b RawValue, at: &str) -> Result<T, Refusal> {
    serde_json::from_str(raw.get()).map_err(|error| Refusal::bad(at, json::message(&error)))
}
