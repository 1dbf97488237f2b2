//! The legacy form: parameters of a query string or a form, made into what JSON would say.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use super::fault::{Error, Fault};
use crate::dialects::text::{Encoding, Undecodable, shown};

/// What a parameter's text stands for.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Whole,
    /// `1` or `0`, `true` or `false`.
    Flag,
}

/// Of a user: the parameter, and where it stands in JSON below `user`.
const OF_USER: [(&str, &[&str], Kind); 20] = [
    ("addr", &["address"], Kind::Text),
    ("address", &["address"], Kind::Text),
    ("uid", &["uid"], Kind::Whole),
    ("name", &["name"], Kind::Text),
    ("active", &["active"], Kind::Flag),
    ("flag", &["flags"], Kind::Whole),
    ("flags", &["flags"], Kind::Whole),
    ("groups", &["groups"], Kind::Whole),
    ("appid", &["token", "appid"], Kind::Text),
    ("expiry", &["token", "expiry"], Kind::Whole),
    ("incoming", &["permissions", "incoming"], Kind::Flag),
    ("outgoing", &["permissions", "outgoing"], Kind::Flag),
    ("peers", &["permissions", "peers"], Kind::Whole),
    ("start_chat", &["permissions", "start_chat"], Kind::Flag),
    ("send_message", &["permissions", "send_message"], Kind::Flag),
    ("voice_call", &["permissions", "voice_call"], Kind::Flag),
    ("video_call", &["permissions", "video_call"], Kind::Flag),
    ("friend_request", &["permissions", "friend_request"], Kind::Flag),
    ("create_group", &["permissions", "create_group"], Kind::Flag),
    ("count", &["count"], Kind::Whole),
];

/// Of a group, below `group`.
const OF_GROUP: [(&str, &[&str], Kind); 18] = [
    ("gid", &["gid"], Kind::Text),
    ("name", &["name"], Kind::Text),
    ("flag", &["flags"], Kind::Whole),
    ("flags", &["flags"], Kind::Whole),
    ("active", &["active"], Kind::Flag),
    ("expiry", &["expiry"], Kind::Whole),
    ("expiryext", &["expiryext"], Kind::Whole),
    ("duration", &["duration"], Kind::Whole),
    ("start", &["start"], Kind::Whole),
    ("count", &["count"], Kind::Whole),
    ("m", &["members", "m"], Kind::Text),
    ("cs", &["members", "permissions", "send"], Kind::Flag),
    ("cr", &["members", "permissions", "recv"], Kind::Flag),
    ("canpub", &["members", "permissions", "pub"], Kind::Flag),
    ("cansub", &["members", "permissions", "sub"], Kind::Flag),
    ("canlist", &["members", "permissions", "list"], Kind::Flag),
    ("delete", &["members", "remove"], Kind::Flag),
    ("remove", &["members", "remove"], Kind::Flag),
];

/// What only JSON can say: passed over, it would seem to be done.
const NOT_HERE: [&str; 13] = [
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
pub(super) fn parameters(text: &[u8]) -> Result<Vec<(String, String)>, Fault> {
    let mut all: Vec<(String, String)> = Vec::new();
    for part in text.split(|&byte| byte == b'&').filter(|part| !part.is_empty()) {
        let mut halves = part.splitn(2, |&byte| byte == b'=');
        let name = decoded(halves.next().unwrap_or_default())?;
        let value = decoded(halves.next().unwrap_or_default())?;
        if all.iter().any(|(known, _)| *known == name) {
            return Err(Fault::at(Error::BadForm, &name, "it is given twice; give it once"));
        }
        all.push((name, value));
    }
    Ok(all)
}

/// The most parameters that are told apart.
pub(super) const MOST: usize = 64;

fn decoded(text: &[u8]) -> Result<String, Fault> {
    let decoded = Encoding::FORM.decode(text).map(Cow::into_owned);
    decoded.map_err(|error| match error {
        Undecodable::Escape => wrong(text, "has a `%` without two hexadecimal digits"),
        Undecodable::Utf8 => wrong(text, "is not UTF-8 when it is decoded"),
    })
}

fn wrong(text: &[u8], what: &str) -> Fault {
    let shown = shown(&String::from_utf8_lossy(text));
    Fault::new(Error::BadForm, format!("`{shown}` {what}; percent-encode it"))
}

/// The same as JSON would say it, and the names of parameters that have no meaning here.
///
/// # Errors
/// If a parameter is not of its kind, or only JSON can say it.
pub(super) fn nested(
    given: &[(String, String)],
) -> Result<(Map<String, Value>, Vec<String>), Fault> {
    let mut body = Map::new();
    let text = |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, text)| text);
    for name in ["op", "token"] {
        if let Some(text) = text(name) {
            body.insert(name.to_owned(), text.as_str().into());
        }
    }
    if let Some(id) = text("id") {
        body.insert("id".to_owned(), value("id", id, Kind::Whole)?);
    }
    for (name, _) in given {
        let (whole, rest) = name.split_once('[').unwrap_or((name, ""));
        if NOT_HERE.contains(&whole) || !rest.is_empty() {
            return Err(Fault::at(Error::BadForm, name, "no form can say it; send JSON"));
        }
    }
    let op = text("op").map_or("", String::as_str);
    let is_of_group = op.starts_with("group") || op == "getmembers";
    let (whole, fields) =
        if is_of_group { ("group", &OF_GROUP[..]) } else { ("user", &OF_USER[..]) };
    for &(name, path, kind) in fields {
        if let Some(text) = text(name) {
            let value = value(name, text, kind)?;
            put(&mut body, whole, path, value).ok_or_else(|| {
                Fault::at(Error::BadForm, name, "the same is given under another name too")
            })?;
        }
    }
    let is_known = |name: &str| {
        ["op", "token", "id"].contains(&name) || fields.iter().any(|(known, ..)| *known == name)
    };
    let ignored = given.iter().filter(|(name, _)| !is_known(name)).map(|(name, _)| shown(name));
    Ok((body, ignored.collect()))
}

/// Puts a value below a member; `None` if there is another already.
fn put(into: &mut Map<String, Value>, name: &str, path: &[&str], value: Value) -> Option<()> {
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
            put(below.as_object_mut()?, first, rest, value)
        }
    }
}

fn value(name: &str, text: &str, kind: Kind) -> Result<Value, Fault> {
    let wrong = |what: &str| {
        let message = format!("it takes {what}, not `{}`", shown(text));
        Fault::at(Error::BadParam, name, &message)
    };
    match kind {
        Kind::Text => Ok(text.into()),
        Kind::Whole => {
            let number = text.parse::<i64>().map(Number::from);
            number.map(Value::Number).map_err(|_| wrong("a whole number"))
        }
        Kind::Flag => match text {
            "1" | "true" => Ok(true.into()),
            "0" | "false" => Ok(false.into()),
            _ => Err(wrong("1 or 0")),
        },
    }
}
