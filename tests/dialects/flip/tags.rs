//! Tags of users, here and elsewhere.

use serde_json::{Value, json};

use super::{ON, fault, fine, send};
use crate::rig::{Rig, bearer};

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
    let told = fine(&rig, "GET", "/sync/users/x/tags", &Value::Null);
    assert_eq!(told, json!({ "id": "x", "tags": ["A", "B"] }));
    fine(&rig, "PUT", "/sync/users/x/tags", &json!({ "tags": ["C"] }));
    let user = rig.ask("GET", "/v1/facts/users/x", &bearer(), b"").json();
    assert_eq!(user["tags"], json!(["C"]));
    // What else is known of him stays.
    assert_eq!(user["peers"], "contacts");
}

/// A user whom a file states without tags gets them here.
#[test]
fn of_a_user_whose_tags_no_file_states() {
    let rig = Rig::start("preset: flip\nusers: { a: { peers: all }, b: { tags: [B] } }\n");
    fine(&rig, "PUT", "/sync/users/a/tags", &json!({ "tags": ["A"] }));
    let told = fine(&rig, "GET", "/sync/users/a/tags", &Value::Null);
    assert_eq!(told["tags"], json!(["A"]));
    // To say what the file says changes nothing.
    fine(&rig, "PUT", "/sync/users/b/tags", &json!({ "tags": ["B", "B"] }));
    let answer = send(&rig, "PUT", "/sync/users/b/tags", &json!({ "tags": [] }));
    fault(&answer, 409, "stated_by_file");
}
