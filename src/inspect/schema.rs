//! The JSON Schema of test files.

use serde_json::{Value, json};

use crate::request::{Action, Conversation, Moderation, Obligation, Reason, Role, Switch};

/// The JSON Schema of a `*.test.yaml` file, from the schema of a policy, whose sections a test may
/// give.
pub fn test_schema(mut policy: Value) -> Value {
    let mut take = |part| policy.get_mut(part).map(Value::take).unwrap_or_default();
    let (draft, sections, definitions) = (take("$schema"), take("properties"), take("definitions"));
    json!({
        "$schema": draft,
        "title": "peerage tests",
        "description": "What the policy beside them must answer.",
        "type": "object",
        "properties": {
            "tests": {
                "description": "The tests, each with a name of its own.",
                "type": "array",
                "items": test(&sections),
                "minItems": 1,
            },
        },
        "required": ["tests"],
        "additionalProperties": false,
        "definitions": definitions,
    })
}

fn test(sections: &Value) -> Value {
    json!({
        "description": "Expectations that belong together.",
        "type": "object",
        "properties": {
            "name": { "description": "What is to hold.", "type": TEXT },
            "given": {
                "description": "Sections that are laid over the policy for this test.",
                "type": "object",
                "properties": sections,
                "additionalProperties": false,
            },
            "expect": {
                "description": "What must be answered.",
                "type": "array",
                "items": expectation(),
                "minItems": 1,
            },
        },
        "required": ["name", "expect"],
        "additionalProperties": false,
    })
}

fn expectation() -> Value {
    let context = json!({
        "description": "What the request says beside its parties.",
        "type": "object",
        "properties": {
            "conversation": words("Whether the two talk already.", Conversation::ALL, Conversation::as_str),
        },
        "additionalProperties": false,
    });
    let obligations = json!({
        "description": "All that an allow comes with.",
        "type": "array",
        "items": words("What must be done.", Obligation::ALL, Obligation::as_str),
    });
    let judged = ["allow", "reason", "obligations"];
    let not = |names: &[&str]| {
        let any: Vec<Value> = names.iter().map(|name| json!({ "required": [name] })).collect();
        json!({ "anyOf": any })
    };
    let any = ["allow", "reason", "obligations", "reaches", "reached_by"];
    let one = |name: &&str| json!({ "required": [name] });
    json!({
        "description": "A question and its answer; or one that leaves a part open, and everyone who \
            may stand in it.",
        "type": "object",
        "properties": {
            "subject": text("Who does it; left open with `reached_by`."),
            "action": words("What is done.", Action::ALL, Action::as_str),
            "resource": text("To whom it is done; left open with `reaches`."),
            "resource_type": text("`user`, `group`, or the name of what is neither."),
            "member": text("Whom an action on a group is about."),
            "field": text("Which field of a group's metadata."),
            "context": context,
            "subject_properties": properties(),
            "resource_properties": properties(),
            "member_properties": properties(),
            "allow": { "description": "Whether it is allowed.", "type": "boolean" },
            "reason": words("Why.", Reason::ALL, Reason::as_str),
            "obligations": obligations,
            "reaches": ids("Exactly those to whom the subject may do it."),
            "reached_by": ids("Exactly those who may do it."),
        },
        "required": ["action"],
        "additionalProperties": false,
        "anyOf": any.iter().map(one).collect::<Vec<_>>(),
        "dependencies": {
            "reaches": { "required": ["subject"], "not": not(&[&judged[..], &["reached_by"]].concat()) },
            "reached_by": { "not": not(&[&judged[..], &["subject"]].concat()) },
        },
    })
}

/// The schema of properties that replace what the policy says.
fn properties() -> Value {
    let switch = json!({ "description": "Whether it is on.", "type": "boolean" });
    let switches = Switch::ALL.iter().map(|it| (it.as_str().to_owned(), switch.clone()));
    json!({
        "description": "What stands in for what the policy says.",
        "type": "object",
        "properties": {
            "tags": { "$ref": "#/definitions/tags" },
            "peers": { "$ref": "#/definitions/peers" },
            "permissions": {
                "description": "Their switches.",
                "type": "object",
                "properties": switches.collect::<serde_json::Map<_, _>>(),
                "additionalProperties": false,
            },
            "moderation": words("What moderation did.", Moderation::ALL, Moderation::as_str),
            "role": words("The role of the user in the group.", Role::ALL, Role::as_str),
            "matrix": text("The matrix of the group."),
        },
        "additionalProperties": false,
    })
}

const TEXT: [&str; 3] = ["string", "number", "boolean"];

fn text(about: &str) -> Value {
    json!({ "description": about, "type": TEXT })
}

fn ids(about: &str) -> Value {
    json!({ "description": about, "type": "array", "items": { "$ref": "#/definitions/id" } })
}

fn words<W: Copy>(about: &str, words: &[W], text: fn(W) -> &'static str) -> Value {
    let words: Vec<&str> = words.iter().map(|&word| text(word)).collect();
    json!({ "description": about, "enum": words })
}
