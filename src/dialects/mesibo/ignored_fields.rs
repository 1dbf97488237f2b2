//! The fields of a request that are ignored, since they have no meaning here.

use serde_json::{Map, Value};

use super::flags::{ADMIN_RIGHTS, MEMBER_PERMISSIONS};
use crate::{request::Switch, wire::excerpt};

/// The maximum number of ignored fields in an answer.
const MAX_REPORTED: usize = 64;

/// The known fields below a field.
#[derive(Clone, Copy)]
enum KnownFields {
    /// Everything below it is known.
    All,
    /// These fields, each with what is known below it; in a list, those of each object.
    These(&'static [(&'static str, Self)]),
    /// The permissions of a user.
    Switches,
    /// The permissions of a group's members.
    May,
    /// The rights of a group's admins.
    Rights,
}

use KnownFields::{All, May, Rights, Switches, These};

const REQUEST: KnownFields =
    These(&[("user", These(USER)), ("group", These(GROUP)), ("count", All)]);

const USER: &[(&str, KnownFields)] = &[
    ("address", All),
    ("addr", All),
    ("uid", All),
    ("name", All),
    ("active", All),
    ("flags", All),
    ("flag", All),
    ("profile", All),
    ("groups", All),
    ("count", All),
    ("permissions", Switches),
    ("token", These(&[("appid", All), ("expiry", All), ("remove", All)])),
    // Unknown fields of a contact are errors instead.
    ("contact", All),
    ("contacts", All),
];

const GROUP: &[(&str, KnownFields)] = &[
    ("gid", All),
    ("name", All),
    ("flags", All),
    ("flag", All),
    ("active", All),
    ("expiry", All),
    ("expiryext", All),
    ("duration", All),
    ("start", All),
    ("call", All),
    ("count", All),
    ("m", All),
    ("delete", All),
    ("remove", All),
    ("members", These(MEMBERS)),
];

const MEMBERS: &[(&str, KnownFields)] = &[
    ("m", All),
    ("flags", All),
    ("flag", All),
    ("delete", All),
    ("remove", All),
    ("permissions", May),
    ("admin", Rights),
];

/// The paths of the unknown fields of a request, as `user.permissions.calls`.
pub(super) fn find_ignored(body: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    collect_unknown(REQUEST, body, "", &mut found);
    found
}

fn collect_unknown(
    known: KnownFields,
    fields: &Map<String, Value>,
    at: &str,
    found: &mut Vec<String>,
) {
    for (name, value) in fields {
        let path = if at.is_empty() { excerpt(name) } else { format!("{at}.{}", excerpt(name)) };
        match (known.member(name), value) {
            (None, _) if found.len() < MAX_REPORTED => found.push(path),
            (Some(known), Value::Object(fields)) => collect_unknown(known, fields, &path, found),
            (Some(known), Value::Array(all)) => {
                for (at, fields) in all.iter().enumerate() {
                    let path = format!("{path}[{at}]");
                    fields
                        .as_object()
                        .into_iter()
                        .for_each(|it| collect_unknown(known, it, &path, found));
                }
            }
            (None | Some(_), _) => {}
        }
    }
}

impl KnownFields {
    /// The known fields below the field of this name; `None` if it is unknown.
    fn member(self, name: &str) -> Option<Self> {
        let is_known = match self {
            All => true,
            These(all) => {
                return all.iter().find(|(known, _)| *known == name).map(|(_, below)| *below);
            }
            Switches => name == "peers" || name.parse::<Switch>().is_ok(),
            May => MEMBER_PERMISSIONS.iter().any(|(known, ..)| *known == name),
            Rights => name == "flags" || ADMIN_RIGHTS.iter().any(|(known, _)| *known == name),
        };
        is_known.then_some(All)
    }
}
