//! What stands in, in one request, for what the policy says.

use serde_json::{Value, json};

use super::{EVALUATION as PATH, group, post, question, user};
use crate::daemon::{Daemon, club, stores};

#[test]
fn tags_stand_in() {
    let daemon = Daemon::serve(stores());
    let mut body = question("1", "2");
    for (subject, resource, decision) in [
        (json!(null), json!(null), false),
        (json!({ "tags": ["Berlin"] }), json!(null), true),
        (json!({ "tags": ["Berlin"] }), json!({ "tags": [] }), false),
        (json!({ "tags": ["Berlin"] }), json!({ "tags": ["Stuttgart", "Other"] }), true),
        (json!({ "tags": null }), json!(null), false),
        (json!({ "tags": ["Berlin", "Berlin"] }), json!({ "tags": null }), true),
    ] {
        body["subject"]["properties"] = subject;
        body["resource"]["properties"] = resource;
        assert_eq!(post(&daemon, PATH, &body).json()["decision"], decision, "{body}");
    }
    let body = question("1", "2").to_string();
    let escaped = r#""id":"1","properties":{"tags":["\u0042erlin"]}"#;
    let body = body.replacen(r#""id":"1""#, escaped, 1);
    assert_eq!(daemon.evaluate(&body).json()["decision"], true, "{body}");
}

#[test]
fn settings_stand_in() {
    let daemon = Daemon::serve(club());
    let none = || json!({});
    for (subject, given, action, resource, others, reason) in [
        ("bob", json!({ "moderation": "banned" }), "start_chat", user("ann"), none(), "banned"),
        ("cat", json!({ "moderation": "" }), "start_chat", user("ann"), none(), "allowed"),
        ("cat", json!({ "moderation": "none" }), "start_chat", user("ann"), none(), "allowed"),
        ("cat", json!({ "moderation": null }), "start_chat", user("ann"), none(), "silenced"),
        ("bob", none(), "start_chat", user("ann"), json!({ "moderation": "banned" }), "allowed"),
        ("bob", json!({ "peers": "contacts" }), "start_chat", user("ann"), none(), "peers_subject"),
        ("bob", json!({ "peers": 3 }), "start_chat", user("ann"), none(), "peers_subject"),
        ("bob", json!({ "peers": "3" }), "start_chat", user("ann"), none(), "peers_subject"),
        ("bob", json!({ "peers": 0 }), "start_chat", user("ann"), none(), "allowed"),
        ("bob", none(), "start_chat", user("ann"), json!({ "peers": 1 }), "peers_resource"),
        (
            "bob",
            json!({ "permissions": { "outgoing": false, "colour": 1 } }),
            "start_chat",
            user("ann"),
            none(),
            "outgoing_off",
        ),
        (
            "bob",
            json!({ "permissions": { "video_call": true } }),
            "video_call",
            user("ann"),
            none(),
            "allowed",
        ),
        (
            "ann",
            none(),
            "start_chat",
            user("bob"),
            json!({ "permissions": { "incoming": false, "start_chat": false } }),
            "incoming_off",
        ),
        (
            "ann",
            none(),
            "start_chat",
            user("fay"),
            json!({ "permissions": { "incoming": true } }),
            "allowed",
        ),
        (
            "ann",
            json!({ "role": "member" }),
            "update_permissions",
            group("g1"),
            none(),
            "needs_super_admin",
        ),
        (
            "fay",
            json!({ "role": "super_admin" }),
            "update_permissions",
            group("g1"),
            none(),
            "allowed",
        ),
        ("fay", none(), "update_permissions", group("g1"), none(), "not_member"),
        (
            "ann",
            none(),
            "update_permissions",
            group("g1"),
            json!({ "matrix": "dm" }),
            "denied_by_matrix",
        ),
        ("ann", none(), "update_permissions", group("g1"), json!({ "matrix": null }), "allowed"),
    ] {
        let mut body = json!({
            "subject": user(subject), "action": { "name": action }, "resource": resource,
        });
        body["subject"]["properties"] = given;
        body["resource"]["properties"] = others;
        let answer = post(&daemon, PATH, &body);
        assert_eq!(answer.json()["context"]["reason"], reason, "{body}");
    }
    let mut body = json!({
        "subject": user("ann"), "action": { "name": "leave" }, "resource": group("g1"),
    });
    body["resource"]["properties"] = json!({ "matrix": "no such" });
    let answer = post(&daemon, PATH, &body);
    assert_eq!((answer.status, &answer.json()["decision"]), (200, &json!(false)));
    let message = answer.json()["context"]["error"]["message"].clone();
    assert!(message.as_str().is_some_and(|text| text.contains("`no such`")), "{message}");
}

#[test]
fn malformed_ones_are_refused_with_their_place() {
    let daemon = Daemon::serve(stores());
    let of_user = [
        ("tags", json!("Berlin"), ""),
        ("tags", json!({}), ""),
        ("tags", json!([1]), ""),
        ("tags", json!([null]), ""),
        ("tags", json!([""]), "[0]"),
        ("tags", json!(["Berlin", "a b"]), "[1]"),
        ("tags", json!(["a".repeat(51)]), "[0]"),
        ("peers", json!(4), ""),
        ("peers", json!(-1), ""),
        ("peers", json!(1.5), ""),
        ("peers", json!("friends"), ""),
        ("peers", json!(""), ""),
        ("peers", json!(true), ""),
        ("permissions", json!([]), ""),
        ("permissions", json!("outgoing"), ""),
        ("permissions", json!({ "outgoing": 1 }), ""),
        ("permissions", json!({ "outgoing": "hasTag(a)" }), ""),
        ("permissions", json!({ "outgoing": null }), ""),
        ("moderation", json!("sick"), ""),
        ("moderation", json!(1), ""),
        ("role", json!("boss"), ""),
        ("role", json!(""), ""),
        ("role", json!(["admin"]), ""),
    ];
    for (name, value, place) in of_user {
        for entity in ["subject", "resource"] {
            let mut body = question("3", "2");
            body[entity]["properties"] = json!({ name: value });
            // Only a subject has a role.
            if (entity, name) == ("resource", "role") {
                assert_eq!(post(&daemon, PATH, &body).status, 200, "{body}");
                continue;
            }
            let at = post(&daemon, PATH, &body).refusal(400);
            assert_eq!(at, format!("{entity}.properties.{name}{place}"), "{body}");
        }
    }
    for wrong in [json!([]), json!("x"), json!(1), json!(false)] {
        for entity in ["subject", "resource", "action"] {
            let mut body = question("3", "2");
            body[entity]["properties"] = wrong.clone();
            let at = post(&daemon, PATH, &body).refusal(400);
            assert_eq!(at, format!("{entity}.properties"), "{body}");
        }
    }
    for (action, name) in [("add_member", "member"), ("update_metadata", "field")] {
        for wrong in [json!(1), json!(["x"]), json!({ "type": "user", "id": "2" })] {
            let mut body = question("3", "2");
            body["action"] = json!({ "name": action, "properties": { name: wrong } });
            body["resource"] = group("g");
            let at = post(&daemon, PATH, &body).refusal(400);
            assert_eq!(at, format!("action.properties.{name}"), "{body}");
        }
    }
    let mut body = question("3", "2");
    body["subject"]["properties"] = json!({ "peers": 4 });
    let told = post(&daemon, PATH, &body).json()["error"]["message"].clone();
    assert_eq!(told, "unknown peers mode `4`; known: all, paired, contacts, favorites");
    let mut body = question("3", "2");
    body["resource"] = json!({ "type": "group", "id": "g", "properties": { "matrix": 1 } });
    assert_eq!(post(&daemon, PATH, &body).refusal(400), "resource.properties.matrix");
    let twice = r#""id":"3","properties":{"permissions":{"outgoing":true,"outgoing":true}}"#;
    let body = question("3", "2").to_string().replacen(r#""id":"3""#, twice, 1);
    assert_eq!(daemon.evaluate(&body).refusal(400), "subject.properties.permissions");
    let twice = r#""id":"3","properties":{"tags":[],"tags":[]}"#;
    let body = question("3", "2").to_string().replacen(r#""id":"3""#, twice, 1);
    assert_eq!(daemon.evaluate(&body).refusal(400), "subject.properties");
}

#[test]
fn what_means_nothing_is_passed_over() {
    let daemon = Daemon::serve(stores());
    let odd = json!({ "tags": 1, "peers": {}, "permissions": 1, "role": 7, "matrix": 1 });
    let mut bodies: Vec<Value> = Vec::new();
    for kind in ["wall", "group", ""] {
        let mut body = question("3", "2");
        body["subject"] = json!({ "type": kind, "id": "3", "properties": odd });
        bodies.push(body);
    }
    let mut body = question("3", "2");
    body["resource"] = json!({ "type": "wall", "id": "3", "properties": odd });
    bodies.push(body);
    let mut body = question("3", "2");
    body["resource"] = json!({ "type": "group", "id": "3", "properties": { "tags": 1 } });
    bodies.push(body);
    let mut body = question("3", "2");
    body["action"]["properties"] = json!({ "member": 1, "field": [] });
    bodies.push(body);
    for body in bodies {
        assert_eq!(post(&daemon, PATH, &body).status, 200, "{body}");
    }
}
