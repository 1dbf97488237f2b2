//! Reads and updates of users.

use serde_json::{Value, json};

use super::{Socket, denied, error, guest, moderator, success, user, world};
use crate::dialects::rig::{Rig, bearer};

#[track_caller]
fn named(rig: &Rig, ids: &[&str]) {
    let commands: Vec<Value> = ids
        .iter()
        .map(|id| {
            let profile = json!({ "display_name": id.to_uppercase() });
            json!({ "op": "put_user", "user": id, "attributes": { "venueless.profile": profile } })
        })
        .collect();
    rig.write(&json!(commands));
}

#[test]
fn a_profile_is_put_in_place_of_the_other() {
    let rig = world(&[]);
    let mut alice = user(&rig, "alice", &[]);
    let mut other = user(&rig, "alice", &[]);
    let mut bob = user(&rig, "bob", &[]);
    let profiles = [json!({ "a": 1, "b": [null] }), json!({ "c": "é" }), json!({})];
    for profile in profiles {
        let update = json!(["user.update", 1, { "profile": profile }]);
        assert_eq!(alice.ask(&update), success(json!({})));
        // With all that the login told.
        let reported = json!({ "id": "alice", "profile": profile, "moderation_state": "" });
        let updated = json!(["user.updated", reported]);
        assert_eq!(other.next(), updated);
        let fetch = json!(["user.fetch", 1, { "id": "alice" }]);
        let expected = success(json!({ "id": "alice", "profile": profile }));
        assert_eq!(bob.ask(&fetch), expected);
        // The socket that did it is not told.
        assert_eq!(alice.ask(&fetch), expected);
    }
    // What is not given stays.
    let update = json!(["user.update", 1, { "client_state": { "x": 1 } }]);
    alice.ask(&json!(["user.update", 1, { "profile": { "a": 1 } }]));
    assert_eq!(alice.ask(&update), success(json!({})));
    other.next();
    let updated = other.next();
    let mut again = Socket::open(&rig, "/ws/world/sample/");
    let token = super::token(&json!({}));
    let config = again.ask(&json!(["authenticate", { "token": token }]))[1]["user.config"].clone();
    assert_eq!(
        config,
        json!({
            "id": "alice", "profile": { "a": 1 }, "moderation_state": "", "client_state": { "x": 1 },
        })
    );
    assert_eq!(updated, json!(["user.updated", config]));
    assert_eq!(alice.ask(&json!(["user.update", 1, {}])), success(json!({})));
}

#[test]
fn what_is_no_profile_is_refused() {
    let rig = world(&[]);
    let (mut alice, id) = guest(&rig, "alice");
    for profile in [json!("x"), json!([]), json!(1)] {
        let reply = alice.ask(&json!(["user.update", 1, { "profile": profile }]));
        assert_eq!(reply[2]["code"], "protocol.invalid_message", "{reply}");
        assert!(reply[2]["message"].as_str().unwrap().contains("`profile`"), "{reply}");
    }
    let large = json!({ "x": "y".repeat(17_000) });
    let reply = alice.ask(&json!(["user.update", 1, { "profile": large }]));
    assert_eq!(reply[2]["code"], "user.too_long", "{reply}");
    assert!(reply[2]["message"].as_str().unwrap().contains("16384"), "{reply}");
    let fetch = alice.ask(&json!(["user.fetch", 1, { "id": id }]));
    assert_eq!(fetch, success(json!({ "id": id, "profile": {} })));
}

#[test]
fn managers_change_others() {
    let rig = world(&[]);
    let mut alice = user(&rig, "alice", &[]);
    let mut moderator = moderator(&rig);
    let profile = json!({ "display_name": "A" });
    let update = json!(["user.admin.update", 1, { "id": "alice", "profile": profile }]);
    assert_eq!(moderator.ask(&update), success(json!({})));
    let reported = json!({ "id": "alice", "profile": profile, "moderation_state": "" });
    assert_eq!(alice.next(), json!(["user.updated", reported]));
    let unknown = json!(["user.admin.update", 1, { "id": "nobody", "profile": {} }]);
    assert_eq!(moderator.ask(&unknown), error("user.not_found"));
    assert_eq!(rig.decide("alice", "start_chat", "nobody").1, "unknown_resource");
}

#[test]
fn at_most_a_hundred_are_fetched() {
    let rig = world(&[]);
    let ids: Vec<String> = (0..150).map(|at| format!("u{at:03}")).collect();
    let texts: Vec<&str> = ids.iter().map(String::as_str).collect();
    named(&rig, &texts);
    let mut alice = user(&rig, "alice", &[]);
    let found = alice.ask(&json!(["user.fetch", 1, { "ids": ids }]))[2].clone();
    let found = found.as_object().unwrap();
    assert!(found.keys().eq(ids.iter().take(100)), "{found:?}");
    assert_eq!(found["u007"], json!({ "id": "u007", "profile": { "display_name": "U007" } }));
    let pretalx = json!(["user.fetch", 1, { "pretalx_ids": ["ABCDEF"] }]);
    assert_eq!(alice.ask(&pretalx), success(json!({})));
    // A number is its text.
    named(&rig, &["12"]);
    assert_eq!(alice.ask(&json!(["user.fetch", 1, { "id": 12 }]))[2]["id"], "12");
}

#[test]
fn the_list_is_for_managers_and_holds_all() {
    let rig = world(&[]);
    let ids: Vec<String> = (0..900).map(|at| format!("u{at:03}")).collect();
    let texts: Vec<&str> = ids.iter().map(String::as_str).collect();
    named(&rig, &texts);
    let mut moderator = moderator(&rig);
    let all = moderator.ask(&json!(["user.list", 1, {}]))[2].clone();
    assert_eq!(all.as_object().unwrap().len(), 900 + 3);
    assert_eq!(all["jailed"]["moderation_state"], "banned");
    let some = moderator.ask(&json!(["user.list", 1, { "ids": ["u001", "nobody", "u000"] }]));
    let one = |id: &str| json!({ "id": id, "profile": { "display_name": id.to_uppercase() }, "moderation_state": "" });
    assert_eq!(some, success(json!({ "u001": one("u001"), "u000": one("u000") })));
    assert_eq!(user(&rig, "alice", &[]).ask(&json!(["user.list", 1, {}])), denied());
}

#[test]
fn a_list_has_an_end() {
    let rig = world(&[]);
    let profile = json!({ "text": "x".repeat(16_000) });
    let ids: Vec<String> = (0..1100).map(|at| format!("u{at}")).collect();
    for some in ids.chunks(50) {
        let put = |id: &String| json!({ "op": "put_user", "user": id, "attributes": { "venueless.profile": profile } });
        rig.write(&some.iter().map(put).collect());
    }
    let mut moderator = moderator(&rig);
    for payload in [json!({}), json!({ "ids": ids })] {
        let reply = moderator.ask(&json!(["user.list", 1, payload]));
        assert_eq!(reply[2]["code"], "user.list_too_large");
        assert!(reply[2]["message"].as_str().unwrap().contains("`ids`"), "{reply}");
    }
    let (some, _) = ids.split_at(900);
    let reply = moderator.ask(&json!(["user.list", 1, { "ids": some }]));
    assert_eq!(reply[2].as_object().unwrap().len(), 900);
}

#[test]
fn lists_have_the_shapes_of_the_public_server_if_asked_for() {
    let rig = world(&["--venueless-shapes", "upstream"]);
    named(&rig, &["bob", "carol"]);
    let mut moderator = moderator(&rig);
    let list = moderator.ask(&json!(["user.list", 1, {}]))[2]["results"].clone();
    let ids: Vec<&str> =
        list.as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect();
    // By the names that they show; three show none.
    assert_eq!(ids.last(), Some(&"carol"), "{list}");
    assert_eq!(ids.len(), 5);
    moderator.ask(&json!(["user.block", 1, { "id": "bob" }]));
    let blocked = moderator.ask(&json!(["user.list.blocked", 1, {}]));
    assert_eq!(blocked[2]["users"][0]["id"], "bob", "{blocked}");
    let mut socket = Socket::open(&rig, "/ws/world/sample/");
    let reply = socket.ask(&json!(["authenticate", { "client_id": "x" }]));
    let names: Vec<&String> = reply[1].as_object().unwrap().keys().collect();
    let expected = [
        "user.config",
        "world.config",
        "chat.channels",
        "chat.read_pointers",
        "chat.notification_counts",
        "exhibition",
        "announcements",
    ];
    assert_eq!(names, expected);
}

#[test]
fn groups_are_channels() {
    let rig = world(&[]);
    named(&rig, &["alice"]);
    rig.write(&json!([
        { "op": "put_group", "group": "lobby", "super_admins": ["alice"] },
        { "op": "put_group", "group": "bar", "super_admins": ["alice"] },
    ]));
    let mut socket = Socket::open(&rig, "/ws/world/sample/");
    let token = super::token(&json!({}));
    let reply = socket.ask(&json!(["authenticate", { "token": token }]));
    assert_eq!(reply[1]["chat.channels"], json!([{ "id": "bar" }, { "id": "lobby" }]));
}

#[test]
fn what_the_native_api_keeps_may_be_of_any_kind() {
    let rig = world(&[]);
    for kept in [json!("x"), json!([1]), json!(1), json!(true)] {
        let put =
            json!({ "op": "put_user", "user": "odd", "attributes": { "venueless.profile": kept } });
        rig.write(&json!([put]));
        let mut alice = user(&rig, "alice", &[]);
        let fetched = alice.ask(&json!(["user.fetch", 1, { "id": "odd" }]));
        assert_eq!(fetched, success(json!({ "id": "odd", "profile": {} })), "{kept}");
        user(&rig, "odd", &[]);
    }
}

#[test]
fn what_two_sockets_change_at_once_is_kept_of_both() {
    let rig = world(&[]);
    let (mut one, mut other) = (user(&rig, "alice", &[]), user(&rig, "alice", &[]));
    for round in 0..20 {
        one.send(&json!(["user.update", 1, { "profile": { "round": round } }]));
        other.send(&json!(["user.update", 1, { "client_state": round }]));
        for socket in [&mut one, &mut other] {
            while socket.next()[0] != "success" {}
        }
        let reported = rig.ask("GET", "/v1/facts/users/alice", &bearer(), b"").json();
        assert_eq!(reported["attributes"]["venueless.profile"]["round"], round, "{reported}");
        assert_eq!(reported["attributes"]["venueless.client_state"], round, "{reported}");
    }
}
