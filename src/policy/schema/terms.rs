//! Schemas of what ends: elements of lists with their terms, and moderation.

use serde_json::{Map, Value, json};

use super::{fields, one_of, reference};
use crate::request::Moderation;

/// A time as RFC 3339 writes it, with a zone.
const TIME: &str = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$";

/// The elements that may have terms.
pub(super) fn definitions() -> Map<String, Value> {
    fields([
        (
            "until",
            json!({
                "description": "The time at which it ends, with a zone: 2026-12-31T23:59:59Z.",
                "type": "string",
                "pattern": TIME,
                "patternErrorMessage": "Expected a time such as 2026-12-31T23:59:59Z.",
            }),
        ),
        ("timed_tag", element("tag", "tag", false)),
        ("timed_id", element("user", "id", false)),
        ("signed_id", element("user", "id", true)),
    ])
}

fn list(about: &str, of: &str) -> Value {
    json!({ "description": about, "type": "array", "items": reference(of) })
}

/// A list of users of each of whom may be said until when.
pub(super) fn timed_list(about: &str) -> Value {
    list(about, "timed_id")
}

/// A list of users of each of whom may be said until when, why and by whom.
pub(super) fn signed_list(about: &str) -> Value {
    list(about, "signed_id")
}

/// A state of moderation, by itself or with its terms.
pub(super) fn moderation(about: &str) -> Value {
    let states = || one_of(about, Moderation::ALL, Moderation::as_str);
    json!({
        "description": about,
        "anyOf": [states(), mapping("state", states(), true)],
        "default": Moderation::None.as_str(),
    })
}

/// An element by itself, or with its terms.
fn element(key: &str, of: &str, has_author: bool) -> Value {
    json!({ "anyOf": [reference(of), mapping(key, reference(of), has_author)] })
}

fn mapping(key: &str, name: Value, has_author: bool) -> Value {
    let mut properties = fields([(key, name), ("until", reference("until"))]);
    if has_author {
        let text = json!({ "description": "Why.", "type": ["string", "number", "boolean"] });
        properties.insert("reason".to_owned(), text);
        properties.insert("by".to_owned(), reference("id"));
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": [key],
        "additionalProperties": false,
    })
}
