//! The three searches.

use serde_json::{Value, json};

use super::{ACTION, EVALUATION, RESOURCE, SUBJECT, group, post, user, with_options};
use crate::support::daemon::{Daemon, club, stores};

/// A whole answer.
fn found(kind: &str, ids: &[&str]) -> Value {
    let results: Vec<Value> = ids.iter().map(|id| json!({ "type": kind, "id": id })).collect();
    json!({
        "page": { "next_token": "", "count": ids.len(), "total": ids.len() },
        "results": results,
    })
}

fn typed(kind: &str) -> Value {
    json!({ "type": kind })
}

fn named(name: &str) -> Value {
    json!({ "name": name })
}

fn about(name: &str, key: &str, value: &str) -> Value {
    json!({ "name": name, "properties": { key: value } })
}

#[test]
fn stores_are_searched() {
    let daemon = Daemon::serve(stores());
    let body = json!({
        "subject": typed("user"), "action": named("start_chat"), "resource": user("2"),
    });
    let answer = post(&daemon, SUBJECT, &body);
    assert_eq!(
        answer.text(),
        r#"{"page":{"next_token":"","count":4,"total":4},"results":[{"type":"user","id":"3"},{"type":"user","id":"4"},{"type":"user","id":"5"},{"type":"user","id":"6"}]}"#
    );
    let body = json!({
        "subject": user("5"), "action": named("start_chat"), "resource": typed("user"),
    });
    let answer = post(&daemon, RESOURCE, &body);
    assert_eq!((answer.status, answer.json()), (200, found("user", &["2", "3", "4", "6"])));
    assert!(answer.text().starts_with(r#"{"page":{"#));
    let body = json!({ "subject": user("3"), "resource": user("2") });
    let answer = post(&daemon, ACTION, &body).json();
    let results = answer["results"].as_array().unwrap();
    assert!(results.contains(&named("start_chat")), "{answer}");
    assert_eq!(answer["page"]["total"], results.len());
}

#[test]
fn what_is_searched_has_no_id() {
    let daemon = Daemon::serve(stores());
    for id in [json!("3"), json!("zoe"), json!(7), json!(null), json!({ "a": [] })] {
        let wanted = json!({ "type": "user", "id": id });
        let body = json!({
            "subject": wanted, "action": named("start_chat"), "resource": user("2"),
        });
        assert_eq!(post(&daemon, SUBJECT, &body).json()["page"]["total"], 4, "{body}");
        let body = json!({
            "subject": user("5"), "action": named("start_chat"), "resource": wanted,
        });
        assert_eq!(post(&daemon, RESOURCE, &body).json()["page"]["total"], 4, "{body}");
    }
    let plain = json!({ "subject": user("3"), "resource": user("2") });
    let plain = post(&daemon, ACTION, &plain).json();
    for action in [json!(null), json!(7), json!("x"), named("fly")] {
        let body = json!({ "subject": user("3"), "resource": user("2"), "action": action });
        assert_eq!(post(&daemon, ACTION, &body).json(), plain, "{body}");
    }
}

#[test]
fn what_is_unknown_is_found_nowhere() {
    let daemon = Daemon::serve(stores());
    let robot = json!({ "type": "robot", "id": "3" });
    for (path, subject, action, resource) in [
        (SUBJECT, typed("user"), named("start_chat"), user("zoe")),
        (SUBJECT, typed("user"), named("start_chat"), user("")),
        (SUBJECT, typed("robot"), named("start_chat"), user("2")),
        (SUBJECT, typed("group"), named("start_chat"), user("2")),
        (SUBJECT, typed(""), named("start_chat"), user("2")),
        (SUBJECT, typed("user"), named("leave"), group("g9")),
        (RESOURCE, user("zoe"), named("start_chat"), typed("user")),
        (RESOURCE, robot.clone(), named("start_chat"), typed("user")),
        (RESOURCE, user("3"), named("send_message"), typed("group")),
        (RESOURCE, user("3"), named("post"), typed("wall")),
        (ACTION, user("zoe"), json!(null), user("2")),
        (ACTION, user("3"), json!(null), user("zoe")),
        (ACTION, robot, json!(null), user("2")),
        (ACTION, user("3"), json!(null), group("g9")),
    ] {
        let body = json!({ "subject": subject, "action": action, "resource": resource });
        let answer = post(&daemon, path, &body);
        assert_eq!((answer.status, answer.json()), (200, found("", &[])), "{path} {body}");
    }
}

#[test]
fn what_can_not_be_judged_is_found_nowhere_and_said() {
    let daemon = Daemon::serve(stores());
    let silent = with_options(stores(), &["--authzen-context", "off"]);
    for (path, subject, action, resource) in [
        (SUBJECT, typed("user"), named("fly"), user("2")),
        (SUBJECT, typed("user"), named("start_chat"), group("g")),
        (SUBJECT, typed("user"), named("add_member"), group("g")),
        (RESOURCE, user("3"), named("fly"), typed("user")),
        (RESOURCE, user("3"), named("start_chat"), typed("group")),
        (RESOURCE, user("3"), named("start_chat"), typed("wall")),
        (RESOURCE, user("3"), named("leave"), typed("user")),
        (RESOURCE, user("3"), named("update_metadata"), typed("group")),
    ] {
        let body = json!({ "subject": subject, "action": action, "resource": resource });
        let answer = post(&daemon, path, &body);
        assert_eq!(answer.status, 200, "{path} {body}");
        let mut answer = answer.json();
        let context = answer.as_object_mut().unwrap().shift_remove("context").unwrap();
        assert_eq!(context["error"]["status"], 400, "{path} {body}");
        assert_eq!(answer, found("", &[]), "{path} {body}");
        assert_eq!(post(&silent, path, &body).json(), answer, "{path} {body}");
    }
}

#[test]
fn mistakes_are_refused_with_their_place() {
    let daemon = Daemon::serve(stores());
    let action = named("start_chat");
    for (path, subject, action, resource, at) in [
        (SUBJECT, json!({}), action.clone(), user("2"), "subject.type"),
        (SUBJECT, typed("user"), action.clone(), typed("user"), "resource.id"),
        (SUBJECT, typed("user"), json!({}), user("2"), "action.name"),
        (SUBJECT, typed("user"), json!(null), user("2"), "action"),
        (SUBJECT, json!(null), action.clone(), user("2"), "subject"),
        (RESOURCE, typed("user"), action.clone(), typed("user"), "subject.id"),
        (RESOURCE, user("3"), action.clone(), json!({ "id": "2" }), "resource.type"),
        (RESOURCE, user("3"), action.clone(), json!(null), "resource"),
        (ACTION, typed("user"), json!(null), user("2"), "subject.id"),
        (ACTION, user("3"), json!(null), typed("user"), "resource.id"),
        (ACTION, user("3"), json!(null), json!("2"), "resource"),
    ] {
        let body = json!({ "subject": subject, "action": action, "resource": resource });
        assert_eq!(post(&daemon, path, &body).refusal(400), at, "{path} {body}");
    }
    let mut body = json!({
        "subject": user("3"), "action": action, "resource": typed("user"),
        "context": { "conversation": "old" },
    });
    assert_eq!(post(&daemon, RESOURCE, &body).refusal(400), "context.conversation");
    body["context"] = json!({});
    body["subject"]["properties"] = json!({ "peerage": { "tags": 1 } });
    assert_eq!(post(&daemon, RESOURCE, &body).refusal(400), "subject.properties.peerage.tags");
}

#[test]
fn properties_count() {
    let daemon = Daemon::serve(stores());
    let mut body = json!({
        "subject": user("1"), "action": named("start_chat"), "resource": typed("user"),
    });
    assert_eq!(post(&daemon, RESOURCE, &body).json(), found("user", &[]));
    body["subject"]["properties"] = json!({ "tags": ["Berlin"] });
    assert_eq!(post(&daemon, RESOURCE, &body).json(), found("user", &["2", "6"]));
}

#[test]
fn the_conversation_counts() {
    let daemon = Daemon::serve(club());
    let mut body = json!({
        "subject": user("bob"), "action": named("send_message"), "resource": typed("user"),
    });
    for (conversation, ids) in [
        (json!(null), &["ann", "cat"][..]),
        (json!("new"), &["ann"]),
        (json!("existing"), &["ann", "cat", "dan", "gus"]),
    ] {
        body["context"] = json!({ "conversation": conversation });
        assert_eq!(post(&daemon, RESOURCE, &body).json(), found("user", ids), "{body}");
    }
}

#[test]
fn subjects() {
    let daemon = Daemon::serve(club());
    let wall = json!({ "type": "wall", "id": "7" });
    for (action, resource, ids) in [
        (named("start_chat"), user("ann"), &["bob", "eve", "fay", "gus"][..]),
        (named("send_message"), group("g1"), &["ann", "bob", "eve"]),
        (named("leave"), group("g1"), &["bob", "cat", "eve"]),
        (about("add_member", "member", "gus"), group("g1"), &["ann", "eve"]),
        (about("update_metadata", "field", "topic"), group("g1"), &["ann", "eve"]),
        (named("create_group"), wall.clone(), &["ann", "eve"]),
        (named("post"), wall.clone(), &["ann", "bob", "eve", "fay", "gus"]),
        (named("sign_in"), wall, &["ann", "bob", "cat", "eve", "fay", "gus"]),
    ] {
        let body = json!({ "subject": typed("user"), "action": action, "resource": resource });
        let answer = post(&daemon, SUBJECT, &body);
        assert_eq!((answer.status, answer.json()), (200, found("user", ids)), "{body}");
    }
}

#[test]
fn resources() {
    let daemon = Daemon::serve(club());
    for (subject, action, kind, ids) in [
        ("bob", named("start_chat"), "user", &["ann"][..]),
        ("ann", named("ban"), "user", &["bob", "cat", "dan", "eve", "fay", "gus"]),
        ("bob", named("ban"), "user", &[]),
        ("bob", named("leave"), "group", &["g1"]),
        ("bob", named("send_message"), "group", &["g1", "g2"]),
        ("ann", about("add_member", "member", "gus"), "group", &["g1"]),
        ("ann", about("add_member", "member", "zoe"), "group", &[]),
        ("ann", about("add_member", "member", ""), "group", &[]),
        ("bob", about("update_metadata", "field", "topic"), "group", &["g2"]),
        ("bob", named("post"), "wall", &[]),
    ] {
        let body = json!({
            "subject": user(subject), "action": action, "resource": typed(kind),
        });
        let answer = post(&daemon, RESOURCE, &body);
        assert_eq!((answer.status, answer.json()), (200, found(kind, ids)), "{body}");
    }
}

#[test]
fn actions_are_those_that_would_be_allowed() {
    let daemon = Daemon::serve(club());
    let wall = json!({ "type": "wall", "id": "7" });
    let body = json!({ "subject": user("bob"), "resource": group("g1") });
    assert_eq!(
        post(&daemon, ACTION, &body).json()["results"],
        json!([
            named("read"),
            named("post"),
            named("comment"),
            named("react"),
            named("send_message"),
            named("voice_call"),
            named("leave"),
        ])
    );
    let all = peerage::request::Action::ALL;
    let mut client = daemon.connect();
    for subject in ["ann", "bob", "cat", "dan", "eve", "zoe"] {
        for resource in [user("ann"), user("bob"), group("g1"), group("g2"), wall.clone()] {
            for context in [json!({}), json!({ "conversation": "existing" })] {
                let mut body =
                    json!({ "subject": user(subject), "resource": resource, "context": context });
                let found = post(&daemon, ACTION, &body).json()["results"].clone();
                let mut allowed = Vec::new();
                for action in all {
                    body["action"] = named(action.as_str());
                    let answer = client.post(EVALUATION, body.to_string().as_bytes()).json();
                    let takes_none = ["sign_in", "list_users", "create_group"];
                    if answer["decision"] == true && !takes_none.contains(&action.as_str()) {
                        allowed.push(named(action.as_str()));
                    }
                }
                assert_eq!(found, json!(allowed), "{body}");
            }
        }
    }
}
