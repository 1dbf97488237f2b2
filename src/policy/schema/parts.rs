//! Schemas that several sections share.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{DRAFT, by_word, describe, fields, nullable, object, one_of, reference, terms};
use crate::request::{Action, Approval, EVERYONE, Grant, NOBODY, PeersMode, Switch};

/// Schema parts that several sections share.
pub(super) fn definitions() -> Map<String, Value> {
    let mut all = fields([
        ("tag", tag()),
        ("protected_tag", protected_tag()),
        ("tags", list("Tags.", "tag")),
        ("condition", condition()),
        ("switch", switch()),
        ("value", value()),
        ("peers", peers()),
        ("relation", relation()),
        ("id", id()),
        ("ids", list("Users, by their ids.", "id")),
        ("user", nullable(object("A user.", user()))),
        ("group", nullable(object("A group.", group()))),
    ]);
    all.extend(terms::definitions());
    all
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
        ("tags", list("The user's tags.", "timed_tag")),
        ("peers", reference("peers")),
        (
            "permissions",
            with_declared_actions(
                object("The user's own switches, in place of the policy's.", permissions),
                reference("switch"),
            ),
        ),
        ("accepts", reference("accepts")),
        ("moderation", terms::moderation(describe::MODERATION)),
        ("approval", approval()),
        ("contacts", terms::timed_list("The user's contacts.")),
        ("favorites", terms::timed_list("The user's favorites; they are contacts too.")),
        ("paired", terms::timed_list("The users that this user pairs with.")),
        ("blocked", terms::signed_list("The users that this user blocks.")),
        ("friends", terms::timed_list("The user's friends.")),
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
        ("muted", terms::signed_list("Those who may not speak in it, members or not.")),
        ("banned", terms::signed_list("Those who are neither added to it nor join it.")),
        ("requires", reference("condition")),
    ])
}

pub(super) fn approval() -> Value {
    one_of(describe::APPROVAL, Approval::ALL, Approval::as_str)
}

/// To the YAML reader a text is what is written: what other readers take for a number or a boolean
/// is one too.
pub(super) const TEXT: [&str; 3] = ["string", "number", "boolean"];

/// A tag, or the name of a declared action.
pub(super) const TAG: &str = "^[A-Za-z0-9_.:@/+=-]{1,200}$";

fn tag() -> Value {
    json!({
        "description": "1 to 200 letters, digits and `- _ . : @ / + =`; case matters.",
        "type": ["string", "number"],
        "pattern": TAG,
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
        r#"(?:hasTag|during)\s*\(\s*(?:[A-Za-z0-9_.@+=-]{1,200}"#,
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
        "description": "Users, selected by their tags: `hasTag(T)`, `during(WINDOW)`, `not(c)`, \
            `all(c, ...)`, `any(c, ...)`, `everyone` or `nobody`.",
        "type": "string",
        "pattern": format!(r"{}|^{BLANK}*(?:{EVERYONE}|{NOBODY}){BLANK}*$", calls(&[EVERYONE, NOBODY])),
        "patternErrorMessage": "A condition is `hasTag(T)`, `during(WINDOW)`, `not(c)`, `all(c, ...)`, \
            `any(c, ...)`, `everyone` or `nobody`.",
    })
}

/// A relation condition. That brackets match is left to `check`.
fn relation() -> Value {
    let edge = "(?:friend|contact|favorite|pair)";
    let tags = concat!(r#"(?:[A-Za-z0-9_.@+=-]{0,200}\*?"#, r#"|"[A-Za-z0-9_.:@/+=-]{0,200}\*?")"#);
    let leaves = [
        format!(r"(?:inverse|mutual)\s*\(\s*{edge}\s*\)"),
        format!(r"sharesTag\s*\(\s*{tags}\s*\)"),
        r#"during\s*\(\s*(?:[A-Za-z0-9_.@+=-]{1,200}|"[A-Za-z0-9_.:@/+=-]{1,200}")\s*\)"#
            .to_owned(),
        r#"sharesGroup\s*\(\s*(?:[^\s"()]+|"[^"]*")\s*\)"#.to_owned(),
        format!(r"(?:{edge}|conversation|sharesGroup|{EVERYONE}|{NOBODY})\b"),
    ];
    let open = format!(r"(?:not|all|any)\s*\({BLANK}*");
    let part = format!("(?:{open})*(?:{})", leaves.join("|"));
    json!({
        "description": "What is between two users: `friend`, `contact`, `favorite`, `pair`, \
            `inverse(...)` and `mutual(...)` of these, `conversation`, `sharesGroup`, \
            `sharesGroup(MATRIX)`, `sharesTag(TAG)`, `sharesTag(prefix-*)` or `during(WINDOW)`, combined by `not(c)`, \
            `all(c, ...)` and `any(c, ...)`.",
        "type": "string",
        "pattern": format!("^{BLANK}*{part}(?:{BLANK}|[,)]|{part})*$"),
        "patternErrorMessage": "Expected what is between two users, such as `contact`, `mutual(friend)` or \
            `sharesTag(team-*)`.",
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
            words, of `hasTag(T)` and of `during(WINDOW)`. `deny` denies super admins too.",
        "anyOf": [
            { "enum": Grant::ALL.iter().map(|grant| grant.as_str()).collect::<Vec<_>>() },
            { "type": "string", "pattern": calls(&combined) },
        ],
    })
}

fn peers() -> Value {
    let names = PeersMode::ALL.iter().map(|mode| Value::from(mode.as_str()));
    let numbers = (0..PeersMode::NUMBERED).map(Value::from);
    let known: Vec<Value> = names.chain(numbers).collect();
    json!({
        "description": describe::PEERS_MODE,
        "anyOf": [{ "enum": known }, { "type": "string", "pattern": NAME }],
    })
}

/// A name: what an author calls a statement.
pub(super) fn name(about: &str) -> Value {
    json!({ "description": about, "type": TEXT, "pattern": NAME })
}

/// Demands these fields of an object.
pub(super) fn require(schema: &mut Value, names: &[&str]) {
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("required".to_owned(), json!(names));
    }
}

/// Additional keys of a mapping that may be declared actions, each with such a value. Names of built-in
/// actions among them are mistakes, as they are no keys of it.
pub(super) fn with_declared_actions(mut schema: Value, value: Value) -> Value {
    if let Some(of) = schema.as_object_mut() {
        let known = of.get("properties").and_then(Value::as_object);
        let is_other = |action: &&str| known.is_none_or(|known| !known.contains_key(*action));
        let others: Vec<&str> =
            Action::ALL.iter().map(|action| action.as_str()).filter(is_other).collect();
        let names = json!({ "pattern": TAG, "not": { "enum": others } });
        of.insert("propertyNames".to_owned(), names);
        of.insert("additionalProperties".to_owned(), value);
    }
    schema
}
