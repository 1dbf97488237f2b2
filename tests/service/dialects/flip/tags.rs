//! Tags of users, here and elsewhere.

use serde_json::{Value, json};

use super::{ON, fault, fine, send};
use crate::dialects::rig::{Rig, bearer};

#[test]
fn they_change_what_is_decided() {
    let rig = Rig::start(ON);
    let rule = json!({ "condition": "hasTag(A)", "outcome": ["B"] });
    fine(&rig, "POST", "/sync/interaction-rules", &rule);
    assert_eq!(rig.decide("x", "start_chat", "y").1, "unknown_subject");
    fine(&rig, "PUT", "/sync/users/x/tags", &json!({ "tags": ["A"] }));
    fine(&rig, "PUT", "/sync/users/y/tags", &json!(["B"]));
    assert_eq!(rig.decide("x", "start_chat", "y"), (true, "allowed".to_owned()));
    fine(&rig, "PUT", "/sync/users/y/tags", &json!({ "tags": [] }));
    assert_eq!(rig.decide("x", "start_chat", "y"), (false, "no_rule".to_owned()));
}

#[test]
fn they_are_those_of_the_native_api() {
    let rig = Rig::start(ON);
    rig.write(&json!([{ "op": "put_user", "user": "x", "tags": ["B", "A"], "peers": "contacts" }]));
    let reported = fine(&rig, "GET", "/sync/users/x/tags", &Value::Null);
    assert_eq!(reported, json!({ "id": "x", "tags": ["A", "B"] }));
    fine(&rig, "PUT", "/sync/users/x/tags", &json!({ "tags": ["C"] }));
    let user = rig.ask("GET", "/v1/facts/users/x", &bearer(), b"").json();
    assert_eq!(user["tags"], json!(["C"]));
    // What else is known of the user stays.
    assert_eq!(user["peers"], "contacts");
}

/// A user whom a file states without tags gets them here.
#[test]
fn of_a_user_whose_tags_no_file_states() {
    let rig = Rig::start("preset: flip\nusers: { a: { peers: all }, b: { tags: [B] } }\n");
    fine(&rig, "PUT", "/sync/users/a/tags", &json!({ "tags": ["A"] }));
    let reported = fine(&rig, "GET", "/sync/users/a/tags", &Value::Null);
    assert_eq!(reported["tags"], json!(["A"]));
    // To say what the file says changes nothing.
    fine(&rig, "PUT", "/sync/users/b/tags", &json!({ "tags": ["B", "B"] }));
    let answer = send(&rig, "PUT", "/sync/users/b/tags", &json!({ "tags": [] }));
    fault(&answer, 409, "stated_by_file");
}

/// Only files and administrators give or take what is protected: a call of the Sync API is neither.
#[test]
fn that_are_protected_are_refused() {
    let rig = Rig::start("preset: flip\nprotected_tags: [admin, role-*]\nusers: { a: {} }\n");
    for tags in [json!(["admin"]), json!(["A", "role-x"])] {
        let answer = send(&rig, "PUT", "/sync/users/a/tags", &json!({ "tags": tags }));
        assert_eq!(fault(&answer, 400, "protected_tag")["at"], "tags");
    }
    rig.write(&json!([{ "op": "add_tags", "user": "a", "tags": ["role-x", "A"] }]));
    let answer = send(&rig, "PUT", "/sync/users/a/tags", &json!(["A"]));
    fault(&answer, 400, "protected_tag");
    fine(&rig, "PUT", "/sync/users/a/tags", &json!(["role-x", "B"]));
    let reported = fine(&rig, "GET", "/sync/users/a/tags", &Value::Null);
    assert_eq!(reported["tags"], json!(["B", "role-x"]));
}

/// Other tags than Flip's are none here, whatever the preset, and nowhere under its preset.
#[test]
fn flips_tags_are_of_few_characters() {
    for policy in [ON, "users: {}\n"] {
        let rig = Rig::start(policy);
        let long = "y".repeat(51);
        for tag in ["a.b", "a:b", "x/y", &long] {
            let answer = send(&rig, "PUT", "/sync/users/a/tags", &json!([tag]));
            fault(&answer, 400, "malformed");
            let rule =
                json!({ "condition": format!("all(hasTag(A), hasTag({tag}))"), "outcome": ["B"] });
            let answer = send(&rig, "POST", "/sync/interaction-rules", &rule);
            fault(&answer, 400, "invalid_condition");
            let native = json!({ "commands": [{ "op": "put_user", "user": "a", "tags": [tag] }] });
            let answer = rig.ask("POST", "/v1/facts", &bearer(), native.to_string().as_bytes());
            assert_eq!(answer.status, if policy == ON { 409 } else { 200 }, "{}", answer.text());
            if policy == ON {
                assert_eq!(answer.json()["outcomes"][0]["reason"], "invalid");
            }
        }
        if policy != ON {
            let user = rig.ask("GET", "/v1/facts/users/a", &bearer(), b"").json();
            assert_eq!(user["tags"], json!([long]));
        }
    }
}
