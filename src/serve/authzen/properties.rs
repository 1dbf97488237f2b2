//! The properties of entities: what stands in, in one request, for what the facts hold.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::reading::{self, Members, Reading, read};
use crate::{
    request::{Action, Moderation, PeersMode, Properties, Role, Switch, UnknownWord},
    serve::{answer::Refusal, json::Text},
};

/// What may stand in for a user's own, and what for that of the subject.
const OF_USER: [&str; 4] = ["tags", "peers", "permissions", "moderation"];
const OF_SUBJECT: [&str; 5] = ["tags", "peers", "permissions", "moderation", "role"];

/// The properties of a user, read; the request borrows from them.
#[derive(Debug)]
pub(super) struct Given<'b> {
    tags: Option<Vec<Text<'b>>>,
    peers: Option<PeersMode>,
    permissions: Vec<(Switch, bool)>,
    moderation: Option<Moderation>,
    role: Option<Role>,
}

impl<'b> Given<'b> {
    /// The properties of a user, `at` their entity. A role is the subject's alone.
    pub(super) fn read(
        reading: &Reading<'_>,
        properties: &'b RawValue,
        at: &str,
    ) -> Result<Self, Refusal> {
        let is_subject = at == "subject";
        let of = if is_subject { &OF_SUBJECT[..] } else { &OF_USER };
        let members = Members::read(reading, properties, at, of)?;
        Ok(Self {
            tags: members.take("tags", |raw, at| tags(reading, raw, at))?,
            peers: members.take("peers", peers)?,
            permissions: members.take("permissions", permissions)?.unwrap_or_default(),
            moderation: members.take("moderation", moderation)?,
            role: if is_subject { members.take("role", word)? } else { None },
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
pub(super) fn matrix<'b>(
    reading: &Reading<'_>,
    properties: &'b RawValue,
    at: &str,
) -> Result<Option<Text<'b>>, Refusal> {
    Members::read(reading, properties, at, &["matrix"])?.take("matrix", |raw, at| {
        let name: Text<'b> = read(raw, at)?;
        if reading.served.view.matrix_number(name.as_str()).is_none() {
            return Err(Refusal::bad(at, format!("there is no matrix `{}`", shown(&name))));
        }
        Ok(name)
    })
}

/// The `member` and the `field` of an action, as far as it takes them.
pub(super) fn of_action<'b>(
    reading: &Reading<'_>,
    properties: &'b RawValue,
    action: Option<Action>,
) -> Result<(Option<Text<'b>>, Option<Text<'b>>), Refusal> {
    let members = Members::read(reading, properties, "action", &["member", "field"])?;
    let text = |name, takes: fn(Action) -> bool| match action {
        Some(action) if takes(action) => members.take(name, read),
        // It means nothing here, but what is ours has our shape.
        _ => members.take_ours::<Text<'b>>(name, read).map(|_| None),
    };
    Ok((text("member", Action::takes_member)?, text("field", Action::takes_field)?))
}

fn tags<'b>(reading: &Reading<'_>, raw: &'b RawValue, at: &str) -> Result<Vec<Text<'b>>, Refusal> {
    let tags: Vec<Text<'b>> = read(raw, at)?;
    for (number, tag) in tags.iter().enumerate() {
        if reading.served.view.tags.get(tag.as_str()).is_none() {
            let message = format!("there is no tag `{}`", shown(tag));
            return Err(Refusal::bad(format!("{at}[{number}]"), message));
        }
    }
    Ok(tags)
}

fn shown(text: &Text<'_>) -> String {
    text.as_str().chars().take(64).collect::<String>().escape_debug().to_string()
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
fn moderation(raw: &RawValue, at: &str) -> Result<Moderation, Refusal> {
    if raw.get() == "\"\"" { Ok(Moderation::None) } else { word(raw, at) }
}

fn word<T: std::str::FromStr<Err = UnknownWord>>(raw: &RawValue, at: &str) -> Result<T, Refusal> {
    let text: Text<'_> = read(raw, at)?;
    text.as_str().parse().map_err(|error: UnknownWord| Refusal::bad(at, error.to_string()))
}

/// The switches that are given. Below `peerage` all of them must be known.
fn permissions(raw: &RawValue, at: &str) -> Result<Vec<(Switch, bool)>, Refusal> {
    let Switches { known, unknown } = read(raw, at)?;
    match unknown {
        Some(name) if reading::is_ours(at) => {
            let name: String = name.chars().take(64).collect();
            Err(Refusal::bad(at, format!("there is no permission `{}`", name.escape_debug())))
        }
        _ => Ok(known),
    }
}

/// The switches that are given, each once.
#[derive(Default)]
struct Switches {
    known: Vec<(Switch, bool)>,
    /// The first name that is no switch's.
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
                while let Some(name) = members.next_key::<Text<'de>>()? {
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
