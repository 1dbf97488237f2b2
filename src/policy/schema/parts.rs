//! Schemas that several sections share.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{DRAFT, by_word, describe, fields, nullable, object, one_of, reference, with_default};
use crate::request::{Approval, EVERYONE, Grant, Moderation, NOBODY, PeersMode, Switch};

/// Schema parts that several sections share.
pub(super) fn definitions() -> Value {
    Value::Object(fields([
        ("tag", tag()),
        ("protected_tag", protected_tag()),
        ("tags", list("Tags.", "tag")),
        ("condition", condition()),
        ("switch", switch()),
        ("value", value()),
        ("peers", peers()),
        ("id", id()),
        ("ids", list("Users, by their ids.", "id")),
        ("user", nullable(object("A user.", user()))),
        ("group", nullable(object("A group.", group()))),
    ]))
}

/// A user in a bulk file.
pub(super) fn record() -> Value {
    let mut fields = fields([("id", id())]);
    fields.extend(user());
    let mut record = object("A user; a line of an `.ndjson` file is one.", fields);
    if let Some(of) = record.as_object_mut() {
        of.insert("$schema".to_owned(), DRAFT.into());
        of.insert("title".to_owned(), "peerage user record".into());
        of.insert("required".to_owned(), json!(["id"]));
    }
    record
}

fn user() -> Map<String, Value> {
    let own =
        |switch| json!({ "$ref": "#/definitions/switch", "description": describe::switch(switch) });
    let permissions = by_word(Switch::ALL, Switch::as_str, own);
    fields([
        ("tags", reference("tags")),
        ("peers", reference("peers")),
        ("permissions", object("The user's own switches, in place of the policy's.", permissions)),
        (
            "moderation",
            with_default(
                one_of(describe::MODERATION, Moderation::ALL, Moderation::as_str),
                Moderation::None.as_str(),
            ),
        ),
        ("approval", approval()),
        ("contacts", list("The user's contacts.", "id")),
        ("favorites", list("The user's favorites; they are contacts too.", "id")),
        ("paired", list("The users that this user pairs with.", "id")),
        ("blocked", list("The users that this user blocks.", "id")),
        ("friends", list("The user's friends.", "id")),
    ])
}

fn group() -> Map<String, Value> {
    fields([
        (
            "matrix",
            json!({
                "description": "The matrix that governs it; all_members, if nothing is said.",
                "type": TEXT,
                "default": "all_members",
            }),
        ),
        ("creator", reference("id")),
        ("super_admins", list("Its super admins; the creator, if nothing is said.", "id")),
        ("admins", list("Its admins.", "id")),
        ("members", list("Its other members.", "id")),
    ])
}

pub(super) fn approval() -> Value {
    one_of(describe::APPROVAL, Approval::ALL, Approval::as_str)
}

/// To the YAML reader a text is what is written: what other readers take for a number or a boolean
/// is one too.
pub(super) const TEXT: [&str; 3] = ["string", "number", "boolean"];

fn tag() -> Value {
    json!({
        "description": "1 to 200 letters, digits and `- _ . : @ / + =`; case matters.",
        "type": ["string", "number"],
        "pattern": "^[A-Za-z0-9_.:@/+=-]{1,200}$",
        "patternErrorMessage": "A tag is 1 to 200 letters, digits and `- _ . : @ / + =`.",
    })
}

fn protected_tag() -> Value {
    json!({
        "description": "A tag, or what tags begin with and a `*`.",
        "type": ["string", "number"],
        "pattern": r"^(?:[A-Za-z0-9_.:@/+=-]{1,200}\*?|\*)$",
        "patternErrorMessage": "Expected a tag, or what tags begin with and a `*`.",
    })
}

/// A name or id: 1 to 255 bytes without control characters.
pub(super) const NAME: &str = r"^[^\x00-\x1f\x7f-\x9f]{1,255}$";

fn id() -> Value {
    json!({
        "description": "An id: 1 to 255 bytes without control characters.",
        "type": TEXT,
        "pattern": NAME,
        "patternErrorMessage": "An id is 1 to 255 bytes without control characters.",
    })
}

pub(super) fn list(about: &str, of: &str) -> Value {
    json!({ "description": about, "type": "array", "items": reference(of) })
}

/// A space or comment in a condition.
const BLANK: &str = r"(?:\s|//[^\n]*(?:\n|$))";

/// The calls that conditions are made of, each of something: of others, of tags, or of `words`.
/// That brackets match is left to `check`.
fn calls(words: &[&str]) -> String {
    let tag = concat!(
        r#"hasTag\s*\(\s*(?:[A-Za-z0-9_.@+=-]{1,200}"#,
        r#"|"[A-Za-z0-9_.:@/+=-]{1,200}")\s*\)"#
    );
    let mut leaf = tag.to_owned();
    for word in words {
        let _ = write!(leaf, r"|{word}\b");
    }
    let open = format!(r"(?:not|all|any)\s*\({BLANK}*");
    let part = format!("(?:{open})*(?:{leaf})");
    format!("^{BLANK}*(?:{tag}|{open}{part})(?:{BLANK}|[,)]|{part})*$")
}

fn condition() -> Value {
    json!({
        "description": "Users, selected by their tags: `hasTag(T)`, `not(c)`, `all(c, ...)`, \
            `any(c, ...)`, `everyone` or `nobody`.",
        "type": "string",
        "pattern": format!(r"{}|^{BLANK}*(?:{EVERYONE}|{NOBODY}){BLANK}*$", calls(&[EVERYONE, NOBODY])),
        "patternErrorMessage": "A condition is `hasTag(T)`, `not(c)`, `all(c, ...)`, `any(c, ...)`, \
            `everyone` or `nobody`.",
    })
}

/// The value of a switch.
fn switch() -> Value {
    json!({
        "description": "`true`, `false`, or a condition that the user must meet.",
        "anyOf": [{ "type": "boolean" }, reference("condition")],
    })
}

/// The holders of a permission in a group.
fn value() -> Value {
    let combined = Grant::ALL.iter().filter(|&&grant| grant != Grant::Unspecified);
    let combined: Vec<&str> = combined.map(|grant| grant.as_str()).collect();
    json!({
        "description": "Who has the permission: a word, or `any(...)`, `all(...)` and `not(...)` of \
            words and of `hasTag(T)`. `deny` denies super admins too.",
        "anyOf": [
            { "enum": Grant::ALL.iter().map(|grant| grant.as_str()).collect::<Vec<_>>() },
            { "type": "string", "pattern": calls(&combined) },
        ],
    })
}

fn peers() -> Value {
    let names = PeersMode::ALL.iter().map(|mode| Value::from(mode.as_str()));
    let numbers = (0..PeersMode::ALL.len()).map(Value::from);
    json!({
        "description": describe::PEERS_MODE,
        "enum": names.chain(numbers).collect::<Vec<_>>(),
    })
}
