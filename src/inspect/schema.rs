//! The JSON Schema of test files.

use serde_json::{Value, json};

use crate::request::{Conversation, Moderation, Obligation, Reason, Role, Switch};

/// The JSON Schema of a `*.test.yaml` file, derived from the schema of a policy, whose sections a test
/// may give.
pub fn test_schema(mut policy: Value) -> Value {
    let mut take = |part| policy.get_mut(part).map(Value::take).unwrap_or_default();
    let (draft, sections, definitions) = (take("$schema"), take("properties"), take("definitions"));
    json!({
        "$schema": draft,
        "title": "peerage tests",
        "description": "Expected decisions and lists of the policy in the same folder.",
        "type": "object",
        "properties": {
            "tests": {
                "description": "The tests, each with a unique name.",
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
        "description": "A group of expectations.",
        "type": "object",
        "properties": {
            "name": { "description": "The name of the test: what it checks.", "type": TEXT },
            "at": {
                "description": "The time at which the questions are put: now, if left out.",
                "type": TEXT,
                "format": "date-time",
            },
            "given": {
                "description": "Policy sections that are added for this test.",
                "type": "object",
                "properties": sections,
                "additionalProperties": false,
            },
            "expect": {
                "description": "The expected answers.",
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
        "description": "The context of the request.",
        "type": "object",
        "properties": {
            "conversation": words("Whether the two have a conversation.", Conversation::ALL, Conversation::as_str),
        },
        "additionalProperties": false,
    });
    let obligations = json!({
        "description": "All obligations of the allow decision.",
        "type": "array",
        "items": words("An obligation.", Obligation::ALL, Obligation::as_str),
    });
    let decision = ["allow", "reason", "obligations"];
    let not = |names: &[&str]| {
        let any: Vec<Value> = names.iter().map(|name| json!({ "required": [name] })).collect();
        json!({ "anyOf": any })
    };
    let any = ["allow", "reason", "obligations", "reaches", "reached_by"];
    let one = |name: &&str| json!({ "required": [name] });
    json!({
        "description": "A request and its expected decision; or a request with one open part, and the \
            complete list of ids for it.",
        "type": "object",
        "properties": {
            "subject": text("The user who performs the action; omitted with `reached_by`."),
            "action": { "$ref": "#/definitions/action" },
            "resource": text("The user, group or other object of the action; omitted with `reaches`."),
            "resource_type": text("The type of the resource: `user`, `group`, or another name."),
            "member": text("The member that an action on a group concerns."),
            "field": text("The field of the group's metadata."),
            "context": context,
            "subject_properties": properties(),
            "resource_properties": properties(),
            "member_properties": properties(),
            "allow": { "description": "Whether the action is allowed.", "type": "boolean" },
            "reason": words("The reason of the decision.", Reason::ALL, Reason::as_str),
            "obligations": obligations,
            "reaches": ids("The complete list of resources on which the subject may perform the action."),
            "reached_by": ids("The complete list of users who may perform the action."),
        },
        "required": ["action"],
        "additionalProperties": false,
        "anyOf": any.iter().map(one).collect::<Vec<_>>(),
        "dependencies": {
            "reaches": { "required": ["subject"], "not": not(&[&decision[..], &["reached_by"]].concat()) },
            "reached_by": { "not": not(&[&decision[..], &["subject"]].concat()) },
        },
    })
}

/// The schema of properties that replace what the policy states.
fn properties() -> Value {
    let switch = json!({ "description": "Whether the switch is on.", "type": "boolean" });
    let switches = Switch::ALL.iter().map(|it| (it.as_str().to_owned(), switch.clone()));
    json!({
        "description": "Properties that replace what the policy states.",
        "type": "object",
        "properties": {
            "tags": { "$ref": "#/definitions/tags" },
            "peers": { "$ref": "#/definitions/peers" },
            "permissions": {
                "description": "The user's switches.",
                "type": "object",
                "properties": switches.collect::<serde_json::Map<_, _>>(),
                "additionalProperties": false,
            },
            "moderation": words("The user's moderation state.", Moderation::ALL, Moderation::as_str),
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
