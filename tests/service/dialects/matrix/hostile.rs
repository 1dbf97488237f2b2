//! Malformed and hostile calls: all of them deny.

use serde_json::{Value, json};

use super::{POLICY, call, event, invite, state};
use crate::dialects::{
    hostile::attack,
    rig::{Rig, bearer},
};

const CALLBACKS: [&str; 12] = [
    "ping",
    "user_may_invite",
    "federated_user_may_invite",
    "user_may_send_3pid_invite",
    "user_may_create_room",
    "user_may_create_room_alias",
    "user_may_publish_room",
    "user_may_join_room",
    "accept_make_join",
    "check_event_for_spam",
    "check_username_for_spam",
    "check_login_for_spam",
];

#[test]
fn bodies_that_no_callback_takes() {
    let rig = Rig::start(POLICY);
    let more = [
        json!({ "id": 1, "inviter": 7, "user": [], "user_id": {}, "event": [] }),
        json!({ "event": {} }),
        json!({ "user_id": "", "user": "\u{0}", "inviter": "x".repeat(300) }),
        json!({ "event": { "sender": "@ann:chat.test", "type": 3, "room_id": "!club:chat.test" } }),
    ];
    let more: Vec<_> = more.iter().map(|body| body.to_string().into_bytes()).collect();
    for callback in CALLBACKS {
        let path = format!("/matrix/antispam/{callback}");
        attack(&rig, ("POST", &path, &bearer()), &more, |sent, answer| {
            let expected = if sent.len() > 1 << 20 { 413 } else { 400 };
            assert_eq!(answer.status, expected, "{callback}: {}", answer.text());
            let body = answer.json();
            assert!(body["errcode"].as_str().is_some_and(|code| code.starts_with("M_")), "{body}");
            assert!(body["error"].is_string(), "{body}");
        });
    }
}

/// An argument that is missing or of another kind is an error, not a guess.
#[test]
fn arguments_that_are_not_what_they_should_be() {
    let rig = Rig::start(POLICY);
    let message = event("ann", "club", "m.room.message", json!({}));
    let power = state("ann", "club", "m.room.power_levels", "", json!({}));
    let member = |content| state("ann", "club", "m.room.member", "@bob:chat.test", content);
    let whole = [
        ("user_may_invite", invite("ann", "hal", "new")),
        ("check_event_for_spam", message.clone()),
        ("user_may_join_room", json!({ "user": "@ann:x", "room": "!r:x", "is_invited": true })),
        ("user_may_publish_room", json!({ "user_id": "@ann:x", "room_id": "!r:x" })),
        ("check_login_for_spam", json!({ "user_id": "@ann:x" })),
    ];
    for (callback, body) in whole {
        for name in body.as_object().unwrap().keys() {
            for wrong in [Value::Null, json!(7), json!(["x"]), json!("")] {
                let mut body = body.clone();
                body[name] = wrong;
                let answer = call(&rig, callback, &body);
                assert_eq!(
                    (answer.status, &answer.json()["peerage.at"]),
                    (400, &json!(name)),
                    "{body}"
                );
            }
        }
    }
    for (name, body) in [
        ("sender", message.clone()),
        ("room_id", message.clone()),
        ("type", message.clone()),
        ("content", message),
        ("room_id", power),
        ("membership", member(json!({}))),
        ("membership", member(json!({ "membership": "join" }))),
        ("membership", member(json!({ "membership": "owner" }))),
    ] {
        let mut body = body;
        body["event"].as_object_mut().unwrap().remove(name);
        let answer = call(&rig, "check_event_for_spam", &body);
        assert_eq!((answer.status, &answer.json()["peerage.at"]), (400, &json!(name)), "{body}");
    }
}

#[test]
fn paths_and_methods_that_are_none() {
    let rig = Rig::start(POLICY);
    for path in [
        "/matrix",
        "/matrix/",
        "/matrix/antispam",
        "/matrix/antispam/",
        "/matrix/antispam/ping/",
        "/matrix/antispam/Ping",
        "/matrix/antispam/should_drop_federated_event",
        "/matrix/antispam/../../v1/decide",
    ] {
        let answer = rig.ask("POST", path, &bearer(), b"{}");
        assert_eq!(
            (answer.status, &answer.json()["errcode"]),
            (404, &json!("M_UNRECOGNIZED")),
            "{path}"
        );
    }
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"] {
        let answer = rig.ask(method, "/matrix/antispam/ping", &bearer(), b"");
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
    }
    // What only begins alike is not this system's.
    assert!(rig.ask("POST", "/matrixx", &bearer(), b"").json()["errcode"].is_null());
}
