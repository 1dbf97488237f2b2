//! The legacy form: parameters of a query string or a form, translated to JSON.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use super::error::{MesiboError, MesiboErrorCode};
use crate::wire::{PercentDecodeError, PercentEncoding, excerpt};

/// The type of a parameter.
#[derive(Clone, Copy)]
enum ParameterKind {
    Text,
    Whole,
    /// `1` or `0`, `true` or `false`.
    Flag,
}

/// The parameters of a user, each with its path in JSON below `user`.
const USER_PARAMETERS: [(&str, &[&str], ParameterKind); 20] = [
    ("addr", &["address"], ParameterKind::Text),
    ("address", &["address"], ParameterKind::Text),
    ("uid", &["uid"], ParameterKind::Whole),
    ("name", &["name"], ParameterKind::Text),
    ("active", &["active"], ParameterKind::Flag),
    ("flag", &["flags"], ParameterKind::Whole),
    ("flags", &["flags"], ParameterKind::Whole),
    ("groups", &["groups"], ParameterKind::Whole),
    ("appid", &["token", "appid"], ParameterKind::Text),
    ("expiry", &["token", "expiry"], ParameterKind::Whole),
    ("incoming", &["permissions", "incoming"], ParameterKind::Flag),
    ("outgoing", &["permissions", "outgoing"], ParameterKind::Flag),
    ("peers", &["permissions", "peers"], ParameterKind::Whole),
    ("start_chat", &["permissions", "start_chat"], ParameterKind::Flag),
    ("send_message", &["permissions", "send_message"], ParameterKind::Flag),
    ("voice_call", &["permissions", "voice_call"], ParameterKind::Flag),
    ("video_call", &["permissions", "video_call"], ParameterKind::Flag),
    ("friend_request", &["permissions", "friend_request"], ParameterKind::Flag),
    ("create_group", &["permissions", "create_group"], ParameterKind::Flag),
    ("count", &["count"], ParameterKind::Whole),
];

/// The parameters of a group, each with its path in JSON below `group`.
const GROUP_PARAMETERS: [(&str, &[&str], ParameterKind); 18] = [
    ("gid", &["gid"], ParameterKind::Text),
    ("name", &["name"], ParameterKind::Text),
    ("flag", &["flags"], ParameterKind::Whole),
    ("flags", &["flags"], ParameterKind::Whole),
    ("active", &["active"], ParameterKind::Flag),
    ("expiry", &["expiry"], ParameterKind::Whole),
    ("expiryext", &["expiryext"], ParameterKind::Whole),
    ("duration", &["duration"], ParameterKind::Whole),
    ("start", &["start"], ParameterKind::Whole),
    ("count", &["count"], ParameterKind::Whole),
    ("m", &["members", "m"], ParameterKind::Text),
    ("cs", &["members", "permissions", "send"], ParameterKind::Flag),
    ("cr", &["members", "permissions", "recv"], ParameterKind::Flag),
    ("canpub", &["members", "permissions", "pub"], ParameterKind::Flag),
    ("cansub", &["members", "permissions", "sub"], ParameterKind::Flag),
    ("canlist", &["members", "permissions", "list"], ParameterKind::Flag),
    ("delete", &["members", "remove"], ParameterKind::Flag),
    ("remove", &["members", "remove"], ParameterKind::Flag),
];

/// Parameters that only JSON can represent: they are errors, since ignoring them would seem to
/// succeed.
const JSON_ONLY: [&str; 13] = [
    "user",
    "group",
    "permissions",
    "profile",
    "contact",
    "contacts",
    "subscribe",
    "favorite",
    "pair",
    "block",
    "members",
    "admin",
    "owner",
];

/// The parameters of a query string or a form, decoded.
pub(super) fn decode_parameters(text: &[u8]) -> Result<Vec<(String, String)>, MesiboError> {
    let mut all: Vec<(String, String)> = Vec::new();
    for part in text.split(|&byte| byte == b'&').filter(|part| !part.is_empty()) {
        let mut halves = part.splitn(2, |&byte| byte == b'=');
        let name = decode(halves.next().unwrap_or_default())?;
        let value = decode(halves.next().unwrap_or_default())?;
        if all.iter().any(|(known, _)| *known == name) {
            return Err(MesiboError::parameter(
                MesiboErrorCode::BadForm,
                &name,
                "is given twice; give it once",
            ));
        }
        all.push((name, value));
    }
    Ok(all)
}

/// The maximum number of parameters.
pub(super) const MAX_PARAMETERS: usize = 64;

fn decode(text: &[u8]) -> Result<String, MesiboError> {
    let decoded = PercentEncoding::Form.decode(text).map(Cow::into_owned);
    decoded.map_err(|error| match error {
        PercentDecodeError::InvalidEscape => {
            decode_error(text, "has a `%` without two hexadecimal digits")
        }
        PercentDecodeError::InvalidUtf8 => decode_error(text, "is not UTF-8 when it is decoded"),
    })
}

fn decode_error(text: &[u8], what: &str) -> MesiboError {
    let shown = excerpt(&String::from_utf8_lossy(text));
    MesiboError::new(MesiboErrorCode::BadForm, format!("`{shown}` {what}; percent-encode it"))
}

/// The equivalent JSON, and the names of unknown parameters.
///
/// # Errors
/// If a parameter has a wrong type, or only JSON can represent it.
pub(super) fn to_json(
    given: &[(String, String)],
) -> Result<(Map<String, Value>, Vec<String>), MesiboError> {
    let mut body = Map::new();
    let text = |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, text)| text);
    for name in ["op", "token"] {
        if let Some(text) = text(name) {
            body.insert(name.to_owned(), text.as_str().into());
        }
    }
    if let Some(id) = text("id") {
        body.insert("id".to_owned(), parse_value("id", id, ParameterKind::Whole)?);
    }
    for (name, _) in given {
        let (whole, rest) = name.split_once('[').unwrap_or((name, ""));
        if JSON_ONLY.contains(&whole) || !rest.is_empty() {
            return Err(MesiboError::parameter(
                MesiboErrorCode::BadForm,
                name,
                "can't be given in a form; send JSON",
            ));
        }
    }
    let op = text("op").map_or("", String::as_str);
    let is_of_group = op.starts_with("group") || op == "getmembers";
    let (whole, fields) =
        if is_of_group { ("group", &GROUP_PARAMETERS[..]) } else { ("user", &USER_PARAMETERS[..]) };
    for &(name, path, kind) in fields {
        if let Some(text) = text(name) {
            let value = parse_value(name, text, kind)?;
            insert_at(&mut body, whole, path, value).ok_or_else(|| {
                MesiboError::parameter(
                    MesiboErrorCode::BadForm,
                    name,
                    "is given under another name, too; give it once",
                )
            })?;
        }
    }
    let is_known = |name: &str| {
        ["op", "token", "id"].contains(&name) || fields.iter().any(|(known, ..)| *known == name)
    };
    let ignored = given.iter().filter(|(name, _)| !is_known(name)).map(|(name, _)| excerpt(name));
    Ok((body, ignored.collect()))
}

/// Inserts a value at a path; `None` if another value is there already.
fn insert_at(into: &mut Map<String, Value>, name: &str, path: &[&str], value: Value) -> Option<()> {
    match path.split_first() {
        None => match into.get(name) {
            Some(there) if *there != value => None,
            _ => {
                into.insert(name.to_owned(), value);
                Some(())
            }
        },
        Some((first, rest)) => {
            let below = into.entry(name).or_insert_with(|| Value::Object(Map::new()));
            insert_at(below.as_object_mut()?, first, rest, value)
        }
    }
}

fn parse_value(name: &str, text: &str, kind: ParameterKind) -> Result<Value, MesiboError> {
    let wrong = |what: &str| {
        let message = format!("must be {what}, not `{}`", excerpt(text));
        MesiboError::parameter(MesiboErrorCode::BadParam, name, &message)
    };
    match kind {
        ParameterKind::Text => Ok(text.into()),
        ParameterKind::Whole => {
            let number = text.parse::<i64>().map(Number::from);
            number.map(Value::Number).map_err(|_| wrong("a whole number"))
        }
        ParameterKind::Flag => match text {
            "1" | "true" => Ok(true.into()),
            "0" | "false" => Ok(false.into()),
            _ => Err(wrong("1 or 0")),
        },
    }
}
