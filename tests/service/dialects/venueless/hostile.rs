//! Frames that no client sends.

use serde_json::{Value, json};

use super::{moderator, user, world};
use crate::dialects::hostile::{attack, bodies};

#[test]
fn whatever_text_comes_the_socket_lives_on() {
    let rig = world(&[]);
    let mut socket = moderator(&rig);
    let texts = bodies().into_iter().filter(|body| body.len() < 60_000);
    for text in texts.filter_map(|body| String::from_utf8(body).ok()) {
        socket.send_text(&text);
        let reply = socket.next();
        assert_eq!(reply[0], "error", "{text:?}: {reply}");
        assert_eq!(reply[1]["code"], "protocol.invalid_message", "{text:?}: {reply}");
        assert!(reply[1]["message"].as_str().is_some_and(|text| !text.is_empty()), "{reply}");
    }
    assert_eq!(socket.ask(&json!(["ping", 1])), json!(["pong", 1]));
}

#[test]
fn whatever_body_comes_by_http_is_refused() {
    let rig = world(&[]);
    for (method, status) in [("POST", 405), ("GET", 426)] {
        attack(&rig, (method, "/ws/world/sample/", ""), &[], |_, answer| {
            answer.refusal(status);
        });
    }
}

#[test]
fn an_id_is_echoed_as_it_was_written() {
    let rig = world(&[]);
    let mut socket = user(&rig, "alice", &[]);
    for id in
        ["1.10", "123456789012345678901234567890", "\"\\u0041/\"", "[ 1,{\"a\" : 2}]", "null", "-0"]
    {
        socket.send_text(&format!("[\"user.list.blocked\", {id} , {{}}]"));
        assert_eq!(socket.next_text(), format!("[\"success\",{id},[]]"));
        socket.send_text(&format!("[\"ping\", {id}]"));
        assert_eq!(socket.next_text(), format!("[\"pong\",{id}]"));
    }
}

#[test]
fn what_is_wrong_is_named() {
    let rig = world(&[]);
    let mut socket = user(&rig, "alice", &[]);
    for (text, part) in [
        (r#"["user.fetch", 1, {"id": "1""#, "column 28"),
        (r#"{"user.fetch": 1}"#, "an object"),
        ("[]", "no name"),
        ("[1, {}]", "a number"),
        ("[null]", "null"),
        (r#"["user.fetch", 1, {}, {}]"#, "4 elements"),
        (r#"["user.fetch", 1, {"id": "1", "id": "2"}]"#, "duplicate field"),
        ("[\"user.fetch\", 1, {\"id\": \"\\ud800\"}]", "surrogate"),
    ] {
        socket.send_text(text);
        let reply = socket.next();
        assert_eq!(reply[1]["code"], "protocol.invalid_message", "{text}: {reply}");
        assert!(reply[1]["message"].as_str().unwrap().contains(part), "{text}: {reply}");
    }
    // Here the id is known.
    for (payload, part) in [
        (json!("x"), "payload"),
        (json!([]), "payload"),
        (json!({}), "`id`"),
        (json!({ "id": {} }), "`id`"),
        (json!({ "id": 1.5 }), "`id`"),
        (json!({ "ids": "x" }), "`ids`"),
        (json!({ "ids": ["x", null] }), "`ids[1]`"),
        (json!({ "pretalx_ids": 7 }), "`pretalx_ids`"),
    ] {
        let reply = socket.ask(&json!(["user.fetch", 1, payload]));
        assert_eq!((&reply[0], &reply[1]), (&json!("error"), &json!(1)));
        assert_eq!(reply[2]["code"], "protocol.invalid_message", "{payload}: {reply}");
        assert!(reply[2]["message"].as_str().unwrap().contains(part), "{payload}: {reply}");
    }
}

#[test]
fn every_command_takes_any_payload() {
    let rig = world(&[]);
    let mut socket = moderator(&rig);
    let mut outsider = super::Socket::open(&rig, "/ws/world/sample/");
    let commands = [
        "update",
        "admin.update",
        "fetch",
        "list",
        "list.blocked",
        "ban",
        "silence",
        "reactivate",
        "delete",
        "block",
        "unblock",
        "",
        ".",
        "list.",
        "ban.self",
    ];
    let values = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{0}"),
        json!([]),
        json!({}),
        json!([[], {}, null]),
        json!({ "id": null }),
        json!("x".repeat(10_000)),
    ];
    for command in commands {
        for value in &values {
            for field in ["id", "ids", "profile", "client_state", "pretalx_ids"] {
                for payload in [json!({ field: value }), value.clone()] {
                    let frame = json!([format!("user.{command}"), value, payload]);
                    let reply = socket.ask(&frame);
                    assert!(reply[0] == "success" || reply[0] == "error", "{frame}: {reply}");
                    assert_eq!(&reply[1], value, "{frame}: {reply}");
                    let refused = outsider.ask(&frame);
                    assert_eq!(refused[2]["code"], "protocol.unauthenticated", "{refused}");
                }
            }
        }
    }
    assert_eq!(rig.daemon.get("/healthz").status, 200);
}
