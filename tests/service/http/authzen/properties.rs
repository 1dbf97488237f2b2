//! Properties of a request, which replace those of users and groups.

use serde_json::{Value, json};

use super::{EVALUATION as PATH, group, post, question, user, with_options};
use crate::support::daemon::{Daemon, club, stores};

#[test]
fn tags_stand_in() {
    let daemon = Daemon::serve(stores());
    let mut body = question("1", "2");
    for (subject, resource, decision) in [
        (json!(null), json!(null), false),
        (json!({ "tags": ["Berlin"] }), json!(null), true),
        (json!({ "tags": ["Berlin"] }), json!({ "tags": [] }), false),
        (json!({ "tags": ["Berlin"] }), json!({ "tags": ["Stuttgart", "Munich"] }), true),
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
}

/// Of a user: what is not of our shape, or names what there is not, and where it is wrong.
fn others() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("tags", json!("Berlin"), ""),
        ("tags", json!({}), ""),
        ("tags", json!([1]), ""),
        ("tags", json!([null]), ""),
        ("tags", json!([""]), "[0]"),
        ("tags", json!(["Berlin", "a b"]), "[1]"),
        ("tags", json!(["Berlin", "Hamburg"]), "[1]"),
        ("tags", json!(["a".repeat(300)]), "[0]"),
        ("peers", json!(4), ""),
        ("peers", json!(-1), ""),
        ("peers", json!(1.5), ""),
        ("peers", json!("somebody"), ""),
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
        ("role", json!("manager"), ""),
        ("role", json!(""), ""),
        ("role", json!(["admin"]), ""),
    ]
}

#[test]
fn what_is_the_callers_own_is_passed_over_and_named() {
    let daemon = Daemon::serve(stores());
    for (name, value, _) in others() {
        for entity in ["subject", "resource"] {
            let mut body = question("3", "2");
            body[entity]["properties"] = json!({ name: value, "department": "Sales" });
            let place = format!("{entity}.properties.{name}");
            // Only a subject has a role.
            let ignored = if place == "resource.properties.role" { None } else { Some(&place) };
            let mut context = json!({ "reason": "allowed" });
            if let Some(place) = ignored {
                context["ignored"] = json!([place]);
            }
            let answer = post(&daemon, PATH, &body);
            let expected = json!({ "decision": true, "context": context });
            assert_eq!((answer.status, answer.json()), (200, expected), "{body}");

            body["context"] = json!({ "explain": true });
            let reported = post(&daemon, PATH, &body).json();
            assert_eq!(reported["context"].get("ignored"), context.get("ignored"), "{body}");
        }
    }
    let mut body = question("3", "2");
    body["subject"]["properties"] = json!({ "role": "boss", "tags": [], "peers": {} });
    body["resource"]["properties"] = json!({ "moderation": "x" });
    body["action"]["properties"] = json!({ "member": 1, "method": "GET" });
    let ignored = json!([
        "subject.properties.peers",
        "subject.properties.role",
        "resource.properties.moderation",
    ]);
    let answer = post(&daemon, PATH, &body).json();
    // What has our shape counts all the same.
    assert_eq!(answer["context"], json!({ "reason": "no_rule", "ignored": ignored }));
    let silent = with_options(stores(), &["--authzen-context", "off"]);
    assert_eq!(post(&silent, PATH, &body).json(), json!({ "decision": false }));

    let mut body = json!({
        "subject": user("3"), "action": { "name": "leave" }, "resource": group("g"),
    });
    for matrix in [json!("no such"), json!(1)] {
        body["resource"]["properties"] = json!({ "matrix": matrix });
        let answer = post(&daemon, PATH, &body).json();
        assert_eq!(answer["context"]["ignored"], json!(["resource.properties.matrix"]));
        assert_eq!(answer["context"]["reason"], "unknown_resource");
    }
    for (action, name) in [("add_member", "member"), ("update_metadata", "field")] {
        for other in [json!(1), json!(["x"]), json!({ "type": "user", "id": "2" })] {
            body["action"] = json!({ "name": action, "properties": { name: other } });
            let answer = post(&daemon, PATH, &body).json();
            assert_eq!(answer["decision"], false);
            assert_eq!(answer["context"]["ignored"][0], format!("action.properties.{name}"));
            let message = answer["context"]["error"]["message"].as_str().unwrap().to_owned();
            assert!(message.contains(name), "{message}");
        }
    }
}

#[test]
fn in_batches_and_searches_they_are_named_too() {
    let daemon = Daemon::serve(stores());
    let own = |id: &str| json!({ "type": "user", "id": id, "properties": { "role": "manager" } });
    let strict = json!({ "type": "user", "id": "3", "properties": { "peerage": { "role": "x" } } });
    let body = json!({
        "subject": own("3"), "action": { "name": "start_chat" },
        "evaluations": [
            { "resource": user("2") },
            { "resource": { "type": "user", "id": "2", "properties": { "tags": 1 } } },
            { "subject": user("3"), "resource": user("2") },
            { "subject": strict, "resource": user("2") },
            { "subject": own("3"), "resource": user("4") },
        ],
    });
    let answer = post(&daemon, super::EVALUATIONS, &body);
    assert_eq!(answer.status, 200);
    let answers = answer.json()["evaluations"].clone();
    let role = "subject.properties.role";
    for (at, decision, ignored) in [
        (0, true, json!([role])),
        (1, true, json!(["resource.properties.tags", role])),
        (2, true, json!(null)),
        (3, false, json!(null)),
        (4, false, json!([role])),
    ] {
        assert_eq!(answers[at]["decision"], decision, "{at}");
        assert_eq!(answers[at]["context"]["ignored"], ignored, "{at}");
    }
    let place = "evaluations[3].subject.properties.peerage.role";
    assert_eq!(answers[3]["context"]["error"]["at"], place);

    for (path, body) in [
        (
            super::RESOURCE,
            json!({
                "subject": own("5"), "action": { "name": "start_chat" },
                "resource": { "type": "user", "properties": { "role": 1 } },
            }),
        ),
        (super::ACTION, json!({ "subject": own("3"), "resource": user("2") })),
    ] {
        let answer = post(&daemon, path, &body);
        assert_eq!(answer.json()["context"], json!({ "ignored": [role] }), "{path}");
        assert_ne!(answer.json()["page"]["total"], 0, "{path}");
    }
    // What is searched needs properties of the right kind, too.
    for wrong in [json!([]), json!("x"), json!(1), json!(false)] {
        for (path, wanted) in [(super::SUBJECT, "subject"), (super::RESOURCE, "resource")] {
            let mut body = question("3", "2");
            body[wanted] = json!({ "type": "user", "properties": wrong });
            let at = post(&daemon, path, &body).refusal(400);
            assert_eq!(at, format!("{wanted}.properties"), "{path} {wrong}");
        }
    }
}

#[test]
fn only_those_of_peerage_may_be_read() {
    let (all, ours) =
        (Daemon::serve(stores()), with_options(stores(), &["--properties", "peerage"]));
    let mut body = question("1", "2");
    for (properties, [by_all, by_ours], ignored) in [
        (json!({ "tags": ["Berlin"] }), [true, false], ["", "tags"]),
        (json!({ "peerage": { "tags": ["Berlin"] } }), [true, true], ["", ""]),
        (json!({ "peerage": { "tags": ["Berlin"] }, "tags": [] }), [true, true], ["tags"; 2]),
        (json!({ "peerage": { "tags": [] }, "tags": ["Berlin"] }), [false; 2], ["tags"; 2]),
        (json!({ "peerage": { "tags": null }, "tags": ["Berlin"] }), [true, false], ["", "tags"]),
        (json!({ "peerage": {}, "role": "admin" }), [false; 2], ["", "role"]),
    ] {
        body["subject"]["properties"] = properties;
        for (daemon, decision, name) in [(&all, by_all, ignored[0]), (&ours, by_ours, ignored[1])] {
            let answer = post(daemon, PATH, &body).json();
            assert_eq!(answer["decision"], decision, "{body}");
            let place = format!("subject.properties.{name}");
            let expected = if name.is_empty() { json!(null) } else { json!([place]) };
            assert_eq!(answer["context"]["ignored"], expected, "{body}");
        }
    }
    let mut body = json!({
        "subject": user("3"), "action": { "name": "add_member" }, "resource": group("g"),
    });
    body["action"]["properties"] = json!({ "peerage": { "member": "2" } });
    assert_eq!(post(&ours, PATH, &body).json()["context"]["reason"], "unknown_resource");
    body["action"]["properties"] = json!({ "member": "2" });
    let context = post(&ours, PATH, &body).json()["context"].clone();
    assert_eq!(context["ignored"], json!(["action.properties.member"]));
    assert_eq!(context["error"]["status"], 400);
}

#[test]
fn malformed_ones_are_refused_with_their_place() {
    let daemon = Daemon::serve(stores());
    let switch = ("permissions", json!({ "outgoin": false }), "");
    let role = ("role", json!("admin"), "");
    for (name, value, place) in others().into_iter().chain([switch, role]) {
        for entity in ["subject", "resource"] {
            let mut body = question("3", "2");
            body[entity]["properties"] = json!({ "peerage": { name: value } });
            let at = match (entity, name) {
                ("subject", "role") if value == "admin" => {
                    assert_eq!(post(&daemon, PATH, &body).status, 200, "{body}");
                    continue;
                }
                ("resource", "role") => "resource.properties.peerage".to_owned(),
                _ => format!("{entity}.properties.peerage.{name}{place}"),
            };
            assert_eq!(post(&daemon, PATH, &body).refusal(400), at, "{body}");
        }
    }
    for wrong in [json!([]), json!("x"), json!({ "colour": 1 }), json!({ "matrix": "dm" })] {
        for entity in ["subject", "resource", "action"] {
            let mut body = question("3", "2");
            body[entity]["properties"] = json!({ "peerage": wrong });
            let at = post(&daemon, PATH, &body).refusal(400);
            assert_eq!(at, format!("{entity}.properties.peerage"), "{body}");
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
    for (action, name) in [
        ("add_member", "member"),
        ("update_metadata", "field"),
        // Of our shape even where they mean nothing.
        ("leave", "member"),
        ("add_member", "field"),
    ] {
        for wrong in [json!(1), json!(["x"]), json!({ "type": "user", "id": "2" })] {
            let mut body = question("3", "2");
            body["action"] =
                json!({ "name": action, "properties": { "peerage": { name: wrong } } });
            body["resource"] = group("g");
            let at = post(&daemon, PATH, &body).refusal(400);
            assert_eq!(at, format!("action.properties.peerage.{name}"), "{body}");
        }
    }
    let mut body = question("3", "2");
    body["subject"]["properties"] = json!({ "peerage": { "peers": 4 } });
    let reported = post(&daemon, PATH, &body).json()["error"]["message"].clone();
    assert_eq!(
        reported,
        "unknown peers mode `4`; expected one of `all`, `paired`, `contacts`, `favorites`, `friends`, `nobody`"
    );
    let mut body = question("3", "2");
    for matrix in [json!(1), json!("no such")] {
        let ours = json!({ "peerage": { "matrix": matrix } });
        body["resource"] = json!({ "type": "group", "id": "g", "properties": ours });
        let at = post(&daemon, PATH, &body).refusal(400);
        assert_eq!(at, "resource.properties.peerage.matrix");
    }
    let twice =
        r#""id":"3","properties":{"peerage":{"permissions":{"outgoing":true,"outgoing":true}}}"#;
    let body = question("3", "2").to_string().replacen(r#""id":"3""#, twice, 1);
    assert_eq!(daemon.evaluate(&body).refusal(400), "subject.properties.peerage.permissions");
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
