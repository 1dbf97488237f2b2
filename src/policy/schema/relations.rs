//! Schemas of the sections about what is between two users, of actions and of windows.

use serde_json::{Map, Value, json};

use super::{
    fields, nullable, object,
    parts::{NAME, TAG, TEXT, list, name, require},
    reference, with_default,
};
use crate::request::{Action, Day};

/// What the sections and the records of users refer to.
pub(super) fn definitions() -> Map<String, Value> {
    fields([("action", action()), ("audience", audience()), ("accepts", own_accepts())])
}

/// An action: a built-in one, or one that the policy declares.
fn action() -> Value {
    let known: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
    json!({
        "description": "An action, built-in or declared in `actions`.",
        "anyOf": [{ "enum": known }, { "type": ["string", "number"], "pattern": TAG }],
    })
}

/// The name of an audience.
fn audience() -> Value {
    json!({
        "description": "Whom a user accepts: `everyone`, `contacts`, `favorites`, `paired`, `friends`, \
            `nobody`, or an audience of the policy by its name.",
        "anyOf": [{ "enum": BUILT_IN_AUDIENCES }, { "type": TEXT, "pattern": NAME }],
    })
}

const BUILT_IN_AUDIENCES: [&str; 6] =
    ["everyone", "contacts", "favorites", "paired", "friends", "nobody"];

/// The audiences of a user, in place of the policy's.
fn own_accepts() -> Value {
    json!({
        "description": "From whom the user accepts an action, in place of what the policy says.",
        "type": "object",
        "propertyNames": reference("action"),
        "additionalProperties": reference("audience"),
    })
}

fn actions(about: &str) -> Value {
    let mut actions = list(about, "action");
    if let Some(of) = actions.as_object_mut() {
        of.insert("minItems".to_owned(), 1.into());
    }
    actions
}

fn conversations_field() -> Value {
    let about = "Whether it is asked always, or of new conversations only (new).";
    with_default(json!({ "description": about, "enum": ["always", "new"] }), "always")
}

/// The sections, in the order in which they are read.
pub(super) fn all() -> Map<String, Value> {
    fields([
        ("rule_sets", rule_sets()),
        ("barriers", barriers()),
        ("audiences", audiences()),
        ("accepts", accepts()),
        ("actions", declared_actions()),
        ("windows", windows()),
    ])
}

const ACTIONS: &str = "The actions that it concerns; without them, all that reach another user.";

fn rule_sets() -> Value {
    let rules = json!({
        "description": "The rules of the set; without any, it opens nothing.",
        "type": ["array", "null"],
        "items": reference("rule"),
    });
    let set = object(
        "Rules that are asked together.",
        fields([
            ("asked", conversations_field()),
            ("actions", actions(ACTIONS)),
            ("rules", rules),
            ("description", json!({ "description": "Why there is such a set.", "type": TEXT })),
        ]),
    );
    nullable(json!({
        "description": "Rules that are asked together, by name, besides `rules`: every set that concerns \
            an action must have a rule that allows it.",
        "type": "object",
        "propertyNames": { "pattern": NAME, "not": { "enum": ["rules"] } },
        "additionalProperties": nullable(set),
    }))
}

fn barriers() -> Value {
    let sides = json!({
        "description": "Who is kept apart, in both directions.",
        "type": "array",
        "items": reference("condition"),
        "minItems": 2,
        "maxItems": 2,
    });
    let side = |about: &str| json!({ "$ref": "#/definitions/condition", "description": about });
    let groups = json!({
        "description": "Whether it stands between who comes to a group and those who are in it.",
        "type": "boolean",
        "default": true,
    });
    let unless = json!({
        "$ref": "#/definitions/relation",
        "description": "What lifts it, read from the user who meets the first side.",
    });
    let mut barrier = object(
        "Users who are kept apart, whatever rules allow: `between`, or `from` and `to`.",
        fields([
            ("name", name("What it is called; unlike other barriers.")),
            ("between", sides),
            ("from", side("Who is kept from acting on those of `to`.")),
            ("to", side("Who is out of reach for those of `from`.")),
            ("actions", actions(ACTIONS)),
            ("unless", unless),
            ("groups", groups),
            ("description", json!({ "description": "Why there is such a barrier.", "type": TEXT })),
        ]),
    );
    require(&mut barrier, &["name"]);
    if let Some(of) = barrier.as_object_mut() {
        let forms = json!([{ "required": ["between"] }, { "required": ["from", "to"] }]);
        of.insert("oneOf".to_owned(), forms);
    }
    nullable(json!({
        "description": "Who is kept apart, whatever rules allow.",
        "type": "array",
        "items": barrier,
    }))
}

fn audiences() -> Value {
    nullable(json!({
        "description": "Named relation conditions: from whom users accept something. Read from the user \
            who is reached; `hasTag` is about the other.",
        "type": "object",
        "propertyNames": { "pattern": NAME, "not": { "enum": BUILT_IN_AUDIENCES } },
        "additionalProperties": {
            "description": "A condition, which may name another audience.",
            "type": "string",
        },
    }))
}

fn accepts() -> Value {
    let locked = json!({
        "description": "Whether users' own audiences can't widen it.",
        "type": "boolean",
        "default": false,
    });
    let mut mode = object(
        "The audience of users who meet a condition.",
        fields([
            ("when", reference("condition")),
            ("audience", reference("audience")),
            ("locked", locked),
        ]),
    );
    require(&mut mode, &["when", "audience"]);
    let modes = json!({
        "description": "The first whose condition a user meets counts.",
        "type": "array",
        "items": mode,
    });
    let otherwise = json!({
        "description": "What becomes of others: they are refused (deny), or it is a request (request).",
        "enum": ["deny", "request"],
    });
    let entry = object(
        "The audience of an action.",
        fields([
            ("default", with_default(reference("audience"), "everyone")),
            ("modes", modes),
            ("asked", conversations_field()),
            ("otherwise", with_default(otherwise, "deny")),
        ]),
    );
    nullable(json!({
        "description": "From whom users accept what, by action, read from the user who is reached.",
        "type": "object",
        "propertyNames": reference("action"),
        "additionalProperties": nullable(entry),
    }))
}

fn declared_actions() -> Value {
    let known: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
    let like = json!({
        "description": "The built-in action that it is at least as strict as.",
        "enum": known,
    });
    let mut action = object("An action of the policy's own.", fields([("like", like)]));
    require(&mut action, &["like"]);
    nullable(json!({
        "description": "Actions of the policy's own, each at least as strict as the one that it is like.",
        "type": "object",
        "propertyNames": { "pattern": TAG, "not": { "enum": known } },
        "additionalProperties": action,
        "maxProperties": 32,
    }))
}

fn windows() -> Value {
    let days: Vec<&str> = Day::ALL.iter().map(|day| day.as_str()).collect();
    let days = json!({
        "description": "The days of the week on which it opens; every day, if nothing is said.",
        "type": "array",
        "items": { "enum": days },
        "minItems": 1,
        "uniqueItems": true,
    });
    let time = |about: &str| {
        json!({
            "description": about,
            "type": "string",
            "pattern": "^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
            "patternErrorMessage": "A time of day is from 00:00 to 24:00.",
        })
    };
    let zone = json!({
        "description": "The time zone by whose clocks it goes, as the IANA database names it.",
        "type": "string",
        "examples": ["Europe/Berlin", "America/New_York", "UTC"],
    });
    let except = json!({
        "description": "The dates on which it does not open.",
        "type": "array",
        "items": { "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" },
        "uniqueItems": true,
    });
    let mut window = object(
        "A window of time: from a time of day to another, the next day's if that is earlier.",
        fields([
            ("days", days),
            ("from", time("When it opens, by the clocks of the zone.")),
            ("to", time("When it closes.")),
            ("zone", zone),
            ("except", except),
        ]),
    );
    require(&mut window, &["from", "to", "zone"]);
    nullable(json!({
        "description": "Windows of time by name, which conditions name by `during(NAME)`.",
        "type": "object",
        "propertyNames": { "pattern": TAG },
        "additionalProperties": window,
    }))
}
