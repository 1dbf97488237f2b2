//! What synapse-http-antispam calls.

mod hostile;

use std::fs;

use serde_json::{Value, json};

use crate::{
    dialects::{
        replay::replay,
        rig::{Rig, bearer},
    },
    support::{
        client::Answer,
        daemon::{Daemon, serve},
    },
};

/// bob blocks ann; cat is silenced, dan banned, eve shadowed; the rule opens staff to staff.
const POLICY: &str = r#"
moderation: { managers: nobody }
users:
  "@ann:chat.test": { tags: [staff] }
  "@bob:chat.test": { tags: [staff], blocked: ["@ann:chat.test"] }
  "@cat:chat.test": { tags: [staff], moderation: silenced }
  "@dan:chat.test": { tags: [staff], moderation: banned }
  "@eve:chat.test": { tags: [staff], moderation: shadowed }
  "@gil:chat.test": { tags: [guest] }
  "@hal:chat.test": { tags: [staff] }
groups:
  "!club:chat.test": { matrix: admins_only, creator: "@hal:chat.test", members: ["@ann:chat.test", "@cat:chat.test", "@eve:chat.test"] }
  "!news:chat.test": { matrix: announcements, creator: "@hal:chat.test", members: ["@ann:chat.test"] }
  "!open:chat.test": { matrix: open, creator: "@hal:chat.test", banned: ["@gil:chat.test"] }
rules: [{ condition: hasTag(staff), outcome: [staff] }]
"#;

fn call(rig: &Rig, callback: &str, arguments: &Value) -> Answer {
    let path = format!("/matrix/antispam/{callback}");
    rig.ask("POST", &path, &bearer(), arguments.to_string().as_bytes())
}

/// The action and the reason of a denial; nothing for a call that is allowed.
#[track_caller]
fn denial(rig: &Rig, callback: &str, arguments: &Value) -> Option<(String, String)> {
    let answer = call(rig, callback, arguments);
    let body = answer.json();
    if answer.status == 200 {
        assert_eq!(body, json!({}));
        return None;
    }
    assert_eq!((answer.status, &body["errcode"]), (403, &json!("M_FORBIDDEN")), "{body}");
    assert!(body["error"].is_string(), "{body}");
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    Some((text("peerage.action"), text("peerage.reason")))
}

#[track_caller]
fn check(rig: &Rig, cases: &[(&str, Value, &str)]) {
    for (callback, arguments, expected) in cases {
        let found = denial(rig, callback, arguments);
        let found = found.map_or_else(String::new, |(action, reason)| format!("{action} {reason}"));
        assert_eq!(found, *expected, "{callback} {arguments}");
    }
}

fn user(name: &str) -> String {
    format!("@{name}:chat.test")
}

fn invite(from: &str, to: &str, room: &str) -> Value {
    json!({ "inviter": user(from), "invitee": user(to), "room_id": format!("!{room}:chat.test") })
}

fn event(sender: &str, room: &str, kind: &str, content: Value) -> Value {
    let mut body = json!({ "event": {
        "sender": user(sender), "room_id": format!("!{room}:chat.test"), "type": kind,
        "event_id": "$1", "origin_server_ts": 1, "unsigned": {},
    } });
    body["event"]["content"] = content;
    body
}

fn state(sender: &str, room: &str, kind: &str, key: &str, content: Value) -> Value {
    let mut body = event(sender, room, kind, content);
    body["event"]["state_key"] = key.into();
    body
}

fn member(sender: &str, room: &str, of: &str, membership: &str) -> Value {
    state(sender, room, "m.room.member", &user(of), json!({ "membership": membership }))
}

fn join(name: &str, room: &str, is_invited: bool) -> Value {
    json!({ "user": user(name), "room": format!("!{room}:chat.test"), "is_invited": is_invited })
}

#[test]
fn what_the_module_sends() {
    replay(&Rig::start(POLICY), "matrix/callbacks.yaml");
}

#[test]
fn invitations_are_chats_or_members() {
    let rig = Rig::start(POLICY);
    let by_event = |from: &str, to: &str, room: &str, content: Value| {
        state(from, room, "m.room.member", &user(to), content)
    };
    check(
        &rig,
        &[
            ("user_may_invite", invite("ann", "hal", "new"), ""),
            ("user_may_invite", invite("ann", "bob", "new"), "start_chat blocked_by_resource"),
            ("user_may_invite", invite("ann", "gil", "new"), "start_chat no_rule"),
            ("user_may_invite", invite("ann", "zoe", "new"), "start_chat unknown_resource"),
            ("user_may_invite", invite("zoe", "ann", "new"), "start_chat unknown_subject"),
            ("user_may_invite", invite("cat", "hal", "new"), "start_chat silenced"),
            ("user_may_invite", invite("ann", "bob", "club"), "add_member blocked_by_resource"),
            ("user_may_invite", invite("hal", "bob", "club"), ""),
            ("user_may_invite", invite("hal", "gil", "club"), "add_member no_rule"),
            ("user_may_invite", invite("bob", "hal", "club"), "add_member not_member"),
            (
                "federated_user_may_invite",
                by_event("hal", "bob", "club", json!({ "membership": "invite" })),
                "",
            ),
            (
                "federated_user_may_invite",
                by_event(
                    "bob",
                    "hal",
                    "club",
                    json!({ "membership": "invite", "is_direct": false }),
                ),
                "add_member not_member",
            ),
            (
                "federated_user_may_invite",
                by_event(
                    "bob",
                    "hal",
                    "club",
                    json!({ "membership": "invite", "is_direct": true }),
                ),
                "add_member not_member",
            ),
            (
                "user_may_send_3pid_invite",
                json!({
                    "inviter": user("ann"), "medium": "email", "address": "x@chat.test",
                    "room_id": "!new:chat.test",
                }),
                "start_chat unknown_resource",
            ),
        ],
    );
}

#[test]
fn a_direct_room_is_the_other_one_in_it() {
    let rig = Rig::start(POLICY);
    let room = |direct: bool, members: &[&str]| {
        let members: Vec<_> = members.iter().map(|name| user(name)).collect();
        json!([{ "op": "put_group", "group": "!two:chat.test", "super_admins": members,
            "metadata": { "is_direct": direct } }])
    };
    let text = json!({ "msgtype": "m.text", "body": "hello" });
    rig.write(&room(true, &["ann"]));
    check(
        &rig,
        &[
            ("user_may_invite", invite("ann", "bob", "two"), "start_chat blocked_by_resource"),
            // Nobody else is there yet.
            ("check_event_for_spam", event("ann", "two", "m.room.message", text.clone()), ""),
        ],
    );
    rig.write(&room(true, &["ann", "bob"]));
    let offer = json!({ "offer": { "sdp": "v=0\r\nm=audio 9\r\nm=video 9\r\n" } });
    for (kind, content, action) in [
        ("m.room.message", text.clone(), "send_message"),
        ("m.room.encrypted", json!({}), "send_message"),
        ("m.reaction", json!({}), "send_message"),
        ("org.example.poll", json!({}), "send_message"),
        ("m.call.invite", json!({ "offer": { "sdp": "v=0\r\nm=audio 9\r\n" } }), "voice_call"),
        ("m.call.invite", offer, "video_call"),
    ] {
        let expected = format!("{action} blocked_by_resource");
        check(&rig, &[("check_event_for_spam", event("ann", "two", kind, content), &expected)]);
    }
    for kind in ["m.room.redaction", "m.call.hangup", "m.call.answer"] {
        check(&rig, &[("check_event_for_spam", event("ann", "two", kind, json!({})), "")]);
    }
    rig.write(&room(false, &["ann", "bob"]));
    check(
        &rig,
        &[("check_event_for_spam", event("ann", "two", "m.room.message", text.clone()), "")],
    );
    // With three it is a group, however it was made.
    rig.write(&room(true, &["ann", "bob", "hal"]));
    check(&rig, &[("check_event_for_spam", event("ann", "two", "m.room.message", text), "")]);
}

/// peerage's own module says of a room what the facts don't.
#[test]
fn the_homeserver_says_who_the_other_one_is() {
    let rig = Rig::start(POLICY);
    let hinted = |mut body: Value, hint: Value| {
        body["peerage"] = hint;
        body
    };
    let text = |room| event("ann", room, "m.room.message", json!({ "body": "x" }));
    let (bob, hal) = (json!({ "other": user("bob") }), json!({ "other": user("hal") }));
    let refused = "send_message blocked_by_resource";
    check(
        &rig,
        &[
            ("check_event_for_spam", hinted(text("new"), bob.clone()), refused),
            ("check_event_for_spam", hinted(text("club"), bob), refused),
            ("check_event_for_spam", hinted(text("news"), hal), ""),
            ("check_event_for_spam", hinted(text("new"), json!({})), ""),
            (
                "user_may_invite",
                hinted(invite("hal", "bob", "club"), json!({ "is_direct": true })),
                "",
            ),
            (
                "user_may_invite",
                hinted(invite("bob", "hal", "club"), json!({ "is_direct": true })),
                "",
            ),
        ],
    );
    for hint in [json!(1), json!({ "other": 1 }), json!({ "is_direct": "x" }), json!({ "x": 1 })] {
        let answer = call(&rig, "check_event_for_spam", &hinted(text("new"), hint));
        assert_eq!((answer.status, &answer.json()["errcode"]), (400, &json!("M_BAD_JSON")));
    }
}

#[test]
fn events_are_what_is_said_and_done() {
    let rig = Rig::start(POLICY);
    let message = |sender, room| event(sender, room, "m.room.message", json!({ "body": "x" }));
    let levels = |sender| state(sender, "club", "m.room.power_levels", "", json!({}));
    let name = |sender| state(sender, "club", "m.room.name", "", json!({ "name": "x" }));
    let create = |sender| {
        let mut body = state(sender, "new", "m.room.create", "", json!({}));
        body["event"].as_object_mut().unwrap().remove("room_id");
        body
    };
    let cases = [
        (message("ann", "club"), ""),
        (message("ann", "news"), "send_message needs_admin"),
        (message("hal", "news"), ""),
        (message("bob", "club"), "send_message not_member"),
        (message("cat", "club"), "send_message silenced"),
        (message("dan", "club"), "send_message banned"),
        // What only its sender may see can't be hidden, so it is refused.
        (message("eve", "club"), "send_message allowed"),
        (message("ann", "new"), ""),
        (message("cat", "new"), "post silenced"),
        (message("zoe", "new"), "post unknown_subject"),
        (event("cat", "club", "m.reaction", json!({})), "react silenced"),
        (levels("ann"), "update_permissions needs_super_admin"),
        (levels("hal"), ""),
        (name("ann"), "update_metadata needs_admin"),
        (name("hal"), ""),
        (create("ann"), ""),
        (create("cat"), "create_group silenced"),
        (member("ann", "open", "ann", "join"), ""),
        (member("gil", "open", "gil", "join"), "join banned_from_group"),
        (member("dan", "club", "dan", "leave"), ""),
        (member("hal", "club", "ann", "leave"), ""),
        (member("ann", "club", "cat", "leave"), "remove_member needs_admin"),
        (member("ann", "club", "bob", "leave"), "unban_member needs_admin"),
        (member("ann", "club", "cat", "ban"), "ban_member needs_admin"),
        (member("hal", "club", "bob", "ban"), ""),
        (member("dan", "club", "dan", "knock"), "sign_in banned"),
        (member("ann", "new", "bob", "ban"), ""),
    ];
    check(&rig, &cases.map(|(arguments, expected)| ("check_event_for_spam", arguments, expected)));
}

#[test]
fn joining_is_decided_unless_the_user_is_a_member() {
    let rig = Rig::start(POLICY);
    check(
        &rig,
        &[
            ("user_may_join_room", join("ann", "club", false), ""),
            ("user_may_join_room", join("bob", "club", false), "join invite_only"),
            ("user_may_join_room", join("bob", "club", true), ""),
            ("user_may_join_room", join("dan", "club", true), "join banned"),
            ("user_may_join_room", join("gil", "open", true), "join banned_from_group"),
            ("user_may_join_room", join("bob", "open", false), ""),
            ("user_may_join_room", join("bob", "new", false), ""),
            ("user_may_join_room", join("dan", "new", false), "sign_in banned"),
            ("accept_make_join", join("bob", "club", false), "join invite_only"),
            ("accept_make_join", join("bob", "open", false), ""),
        ],
    );
}

/// As in the native API, where no token is configured for decisions.
#[test]
fn no_token_is_needed_unless_decisions_take_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("policy.yaml"), POLICY).unwrap();
    let ping = br#"{"id":"x"}"#;
    let ask = |daemon: &Daemon, headers: &str| {
        let mut client = daemon.connect();
        client.ask("POST", "/matrix/antispam/ping", headers, ping)
    };
    let mut command = serve();
    command.arg(path("policy.yaml")).args(["--listen", "127.0.0.1:0", "--dialect", "matrix"]);
    let daemon = Daemon::start(&mut command);
    assert_eq!(ask(&daemon, "").json(), json!({ "id": "x", "status": "ok" }));
    assert_eq!(ask(&daemon, "Authorization: Bearer any\r\n").status, 200);
}
