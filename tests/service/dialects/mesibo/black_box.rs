//! The dialect as a whole: its writes change decisions, and writes elsewhere show here.

use serde_json::{Value, json};

use super::{POLICY, add, ask, done, refused};
use crate::dialects::rig::Rig;

fn set(rig: &Rig, address: &str, more: Value) {
    let mut user = more;
    user["address"] = address.into();
    done(rig, json!({ "op": "userset", "user": user }));
}

fn contact(rig: &Rig, from: &str, to: &str, mut flags: Value) {
    flags["address"] = to.into();
    set(rig, from, json!({ "contact": flags }));
}

fn peers(rig: &Rig, address: &str, mode: u8) {
    set(rig, address, json!({ "permissions": { "peers": mode } }));
}

/// Whether they may write to each other: one way, and the other.
fn both(rig: &Rig) -> (bool, bool) {
    let may = |from, to| {
        let message = rig.decide(from, "send_message", to).0;
        for action in ["start_chat", "voice_call", "video_call"] {
            assert_eq!(rig.decide(from, action, to).0, message, "{action}");
        }
        message
    };
    (may("123", "456"), may("456", "123"))
}

#[test]
fn two_who_match_are_paired_both_ways() {
    let rig = Rig::start(POLICY);
    add(&rig, &["123", "456"]);
    assert_eq!(both(&rig), (true, true));
    peers(&rig, "123", 1);
    peers(&rig, "456", 1);
    assert_eq!(both(&rig), (false, false));
    contact(&rig, "123", "456", json!({ "pair": true }));
    assert_eq!(both(&rig), (false, false), "one way is not enough");
    assert_eq!(rig.decide("123", "send_message", "456").1, "peers_resource");
    contact(&rig, "456", "123", json!({ "pair": true }));
    assert_eq!(both(&rig), (true, true));
    contact(&rig, "456", "123", json!({ "pair": false }));
    assert_eq!(both(&rig), (false, false), "they unmatched");
    assert_eq!(rig.decide("123", "send_message", "456").1, "peers_resource");
    // A user who is not restricted is reached by those whom their peer admits.
    peers(&rig, "456", 0);
    assert_eq!(both(&rig), (true, true));
}

#[test]
fn contacts_and_favorites_are_ones_own_list() {
    let rig = Rig::start(POLICY);
    add(&rig, &["123", "456"]);
    peers(&rig, "123", 2);
    assert_eq!(both(&rig), (false, false));
    contact(&rig, "456", "123", json!({ "contact": true }));
    assert_eq!(both(&rig), (false, false), "it is the other's list");
    contact(&rig, "123", "456", json!({ "contact": true, "subscribe": true }));
    assert_eq!(both(&rig), (true, true));
    peers(&rig, "123", 3);
    assert_eq!(both(&rig), (false, false));
    contact(&rig, "123", "456", json!({ "favorite": true }));
    assert_eq!(both(&rig), (true, true));
    contact(&rig, "123", "456", json!({ "remove": true }));
    assert_eq!(both(&rig), (false, false));
    peers(&rig, "123", 2);
    assert_eq!(both(&rig), (false, false), "nothing is left of the entry");
}

#[test]
fn a_block_stops_both_and_outlives_the_entry() {
    let rig = Rig::start(POLICY);
    add(&rig, &["123", "456"]);
    let all =
        json!({ "contact": true, "subscribe": true, "pair": true, "block": false, "remove": true });
    contact(&rig, "123", "456", all);
    let user = done(&rig, json!({ "op": "userget", "user": { "addr": "123" } }))["user"].clone();
    assert_eq!(user["contacts"][0]["pair"], true, "what is positive wins over remove");
    let gone = json!({ "contact": false, "subscribe": false, "pair": false, "block": true, "remove": true });
    contact(&rig, "123", "456", gone);
    assert_eq!(both(&rig), (false, false));
    assert_eq!(rig.decide("123", "send_message", "456").1, "blocked_by_subject");
    assert_eq!(rig.decide("456", "send_message", "123").1, "blocked_by_resource");
    contact(&rig, "123", "456", json!({ "remove": true }));
    assert_eq!(both(&rig), (false, false), "a block of which nothing is said stays");
    contact(&rig, "123", "456", json!({ "block": false, "remove": true }));
    assert_eq!(both(&rig), (true, true));
    let user = done(&rig, json!({ "op": "userget", "user": { "addr": "123" } }))["user"].clone();
    assert_eq!(user["contacts"], json!([]));
}

#[test]
fn switches_and_activity_decide() {
    let rig = Rig::start(POLICY);
    add(&rig, &["123", "456"]);
    let reason = |from, to| rig.decide(from, "send_message", to).1;
    set(&rig, "123", json!({ "permissions": { "outgoing": false } }));
    assert_eq!(
        (reason("123", "456"), reason("456", "123")),
        ("outgoing_off".into(), "allowed".into())
    );
    set(&rig, "123", json!({ "permissions": { "outgoing": 1, "incoming": 0 } }));
    assert_eq!(
        (reason("123", "456"), reason("456", "123")),
        ("allowed".into(), "incoming_off".into())
    );
    set(&rig, "123", json!({ "permissions": { "incoming": null } }));
    assert_eq!(reason("456", "123"), "allowed");
    set(&rig, "123", json!({ "active": false }));
    assert_eq!(rig.decide("123", "read", "456").1, "banned");
    let active = |address: &str| {
        done(&rig, json!({ "op": "userget", "user": { "addr": address } }))["user"]["active"]
            .clone()
    };
    assert_eq!(active("123"), false);
    set(&rig, "123", json!({ "name": "x" }));
    assert_eq!(rig.decide("123", "read", "456").1, "banned", "nothing was said of it");
    set(&rig, "123", json!({ "active": true }));
    assert_eq!(rig.decide("123", "read", "456").1, "allowed");
    // Who is silenced elsewhere is active, and stays silenced.
    rig.write(&json!([{ "op": "silence", "user": "123" }]));
    assert_eq!(active("123"), true);
    set(&rig, "123", json!({ "active": true }));
    assert_eq!(reason("123", "456"), "silenced");
    rig.write(&json!([{ "op": "ban", "user": "456" }]));
    assert_eq!(active("456"), false);
}

#[test]
fn what_facts_say_is_reported_here() {
    let rig = Rig::start(
        "preset: mesibo\npeers: { default: favorites }\npermissions: { incoming: hasTag(open) }\n",
    );
    rig.write(&json!([
        { "op": "put_user", "user": "ann", "tags": ["open"] },
        { "op": "put_user", "user": "bob", "peers": "paired" },
        { "op": "relate", "kind": "favorite", "from": "ann", "to": "bob" },
        { "op": "block", "from": "ann", "to": "bob" },
        { "op": "put_group", "group": "9", "creator": "ann", "admins": ["bob"], "metadata": { "group_name": "G" } },
    ]));
    let get = |address: &str| {
        done(&rig, json!({ "op": "userget", "user": { "addr": address } }))["user"].clone()
    };
    let ann = get("ann");
    assert_eq!(ann["permissions"], json!({ "incoming": true, "outgoing": true, "peers": 3 }));
    assert_eq!(
        get("bob")["permissions"],
        json!({ "incoming": false, "outgoing": true, "peers": 1 })
    );
    let contact = &ann["contacts"][0];
    assert_eq!(
        (&contact["favorite"], &contact["contact"], &contact["block"]),
        (&json!(true), &json!(true), &json!(true))
    );
    let group = done(&rig, json!({ "op": "groupget", "group": { "gid": 9 } }))["group"].clone();
    assert_eq!(
        (&group["name"], &group["members"][0]["admin"]),
        (&json!("G"), &json!({ "flags": 4096, "owner": true }))
    );
    assert_eq!(group["members"][1]["admin"]["flags"], 49);
    // It is the others' to say who owns it.
    refused(
        &rig,
        json!({ "op": "groupeditmembers", "group": { "gid": 9, "members": { "m": "ann", "admin": 0 } } }),
        "OWNER",
        409,
    );
}

#[test]
fn what_files_state_stays() {
    let policy = "preset: mesibo\nusers:\n  '1': { permissions: { incoming: false }, paired: ['2'] }\n  '2': {}\n\
                  groups:\n  '7': { creator: '1', members: ['2'] }\n";
    let rig = Rig::start(policy);
    let refusal = refused(
        &rig,
        json!({ "op": "userset", "user": { "addr": "1", "permissions": { "incoming": true } } }),
        "STATED",
        409,
    );
    assert_eq!(refusal["place"]["line"], 3, "{refusal}");
    assert!(refusal["message"].as_str().unwrap().contains("policy.yaml:3"), "{refusal}");
    let refusal = refused(
        &rig,
        json!({ "op": "userset", "user": { "addr": "1", "contact": { "addr": "2", "pair": false } } }),
        "STATED",
        409,
    );
    assert_eq!(refusal["at"], "user.contact.address");
    refused(&rig, json!({ "op": "userdel", "user": { "addr": "1" } }), "STATED", 409);
    refused(&rig, json!({ "op": "groupdel", "group": { "gid": 7 } }), "STATED", 409);
    refused(
        &rig,
        json!({ "op": "groupeditmembers", "group": { "gid": 7, "members": { "m": "2", "remove": 1 } } }),
        "STATED",
        409,
    );
    // What they say may be said again, and what they don't say added.
    done(
        &rig,
        json!({ "op": "useradd", "user": { "addr": "1", "permissions": { "incoming": false, "peers": 1 }, "contact": { "addr": "2", "pair": true } } }),
    );
    let all = json!({ "send": true, "recv": true, "pub": true, "sub": true, "list": true });
    done(
        &rig,
        json!({ "op": "groupeditmembers", "group": { "gid": 7, "members": { "m": "2", "permissions": all } } }),
    );
    refused(
        &rig,
        json!({ "op": "groupeditmembers", "group": { "gid": 7, "members": { "m": "2", "permissions": { "send": false } } } }),
        "STATED",
        409,
    );
}

#[test]
fn limits_hold() {
    let rig = Rig::start("preset: mesibo\nlimits: { blocked: 1, group_members: 2 }\n");
    add(&rig, &["1", "2", "3"]);
    let block = |to: &str| json!({ "op": "userset", "user": { "addr": "1", "contact": { "addr": to, "block": true } } });
    done(&rig, block("2"));
    refused(&rig, block("3"), "FULL", 409);
    refused(
        &rig,
        json!({ "op": "groupadd", "group": { "members": { "m": "1,2,3" } } }),
        "FULL",
        409,
    );
    let contacts: Vec<Value> = (0..251).map(|_| json!({ "addr": "2", "pair": true })).collect();
    refused(
        &rig,
        json!({ "op": "userset", "user": { "addr": "1", "contact": contacts } }),
        "BADPARAM",
        400,
    );
    let many: Vec<String> = (0..1001).map(|at| at.to_string()).collect();
    refused(
        &rig,
        json!({ "op": "groupadd", "group": { "members": { "m": many.join(",") } } }),
        "BADPARAM",
        400,
    );
    refused(
        &rig,
        json!({ "op": "userset", "user": { "addr": "1", "profile": "x".repeat(17_000) } }),
        "BADPARAM",
        400,
    );
    refused(
        &rig,
        json!({ "op": "groupadd", "group": { "name": "x".repeat(101) } }),
        "BADPARAM",
        400,
    );
}

#[test]
fn a_deleted_user_is_gone_everywhere() {
    let rig = Rig::start(POLICY);
    add(&rig, &["1", "2"]);
    contact(&rig, "1", "2", json!({ "pair": true }));
    done(&rig, json!({ "op": "groupadd", "group": { "gid": 5, "members": { "m": "1,2" } } }));
    done(&rig, json!({ "op": "userdel", "user": { "addr": "2" } }));
    assert_eq!(rig.decide("1", "send_message", "2").1, "unknown_resource");
    let members = done(&rig, json!({ "op": "groupgetmembers", "group": { "gid": 5 } }));
    assert_eq!(members["count"], 1);
    add(&rig, &["2"]);
    let user = done(&rig, json!({ "op": "userget", "user": { "addr": "1" } }));
    assert_eq!(user["user"]["contacts"], json!([]));
}

#[test]
fn numbers_are_found_among_many() {
    let rig = Rig::start(POLICY);
    let commands: Vec<Value> =
        (0..900).map(|at| json!({ "op": "put_user", "user": format!("user-{at}") })).collect();
    rig.write(&Value::Array(commands));
    let uid = done(&rig, json!({ "op": "userget", "user": { "addr": "user-777" } }))["user"]["uid"]
        .clone();
    assert!(uid.as_u64().is_some_and(|uid| uid < 1 << 53));
    let reported = ask(&rig, json!({ "op": "userget", "user": { "uid": uid } }));
    assert_eq!(reported["user"]["address"], "user-777");
    let listed = done(&rig, json!({ "op": "usersget", "count": 100_000 }));
    assert_eq!(listed["count"], 900);
    let listed = done(&rig, json!({ "op": "usersget" }));
    assert_eq!(listed["count"], 20);
}

#[test]
fn nothing_that_was_acknowledged_is_lost_to_who_writes_at_once() {
    const EACH: usize = 20;
    let rig = Rig::start(POLICY);
    add(&rig, &["1"]);
    done(&rig, json!({ "op": "groupadd", "group": { "gid": 5, "members": { "m": "1" } } }));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let rig = &rig;
            scope.spawn(move || {
                for at in 0..EACH {
                    let mut user = json!({ "address": "1" });
                    user[format!("field-{thread}-{at}")] = at.into();
                    done(rig, json!({ "op": "userset", "user": user }));
                    let mut group = json!({ "gid": 5 });
                    group[format!("field-{thread}-{at}")] = at.into();
                    done(rig, json!({ "op": "groupset", "group": group }));
                    let mut permissions = json!({});
                    permissions[format!("may-{thread}-{at}")] = at.into();
                    let members = json!({ "m": "1", "permissions": permissions });
                    done(rig, json!({ "op": "groupeditmembers", "group": { "gid": 5, "members": members } }));
                }
            });
        }
    });
    let user = done(&rig, json!({ "op": "userget", "user": { "addr": "1" } }))["user"].clone();
    let group = done(&rig, json!({ "op": "groupget", "group": { "gid": 5 } }))["group"].clone();
    for (thread, at) in (0..4).flat_map(|thread| (0..EACH).map(move |at| (thread, at))) {
        assert_eq!(user[format!("field-{thread}-{at}")], at);
        assert_eq!(group[format!("field-{thread}-{at}")], at);
        assert_eq!(group["members"][0]["permissions"][format!("may-{thread}-{at}")], at);
    }
}

#[test]
fn what_is_kept_is_with_the_facts() {
    let rig = Rig::start(POLICY);
    add(&rig, &["1", "2"]);
    done(&rig, json!({ "op": "userset", "user": { "addr": "1", "name": "One" } }));
    let members = json!({ "m": "1", "permissions": { "send": false } });
    done(
        &rig,
        json!({ "op": "groupadd", "group": { "gid": 5, "name": "G", "flags": 1, "members": [members, { "m": "2" }] } }),
    );
    let facts = |path: &str| rig.ask("GET", path, &crate::dialects::rig::bearer(), b"").json();
    assert_eq!(facts("/v1/facts/users/1")["attributes"], json!({ "mesibo": { "name": "One" } }));
    let group = facts("/v1/facts/groups/5");
    assert_eq!(group["metadata"], json!({ "group_name": "G", "mesibo": { "flags": 1 } }));
    assert_eq!(
        group["member_attributes"],
        json!({ "1": { "mesibo": { "permissions": { "send": false } } } })
    );
    assert_eq!((&group["matrix"], &group["members"]), (&json!("admins_only"), &json!(["1", "2"])));
    // Who leaves takes it along.
    rig.write(&json!([{ "op": "remove_member", "group": "5", "member": "1" }, { "op": "add_member", "group": "5", "member": "1" }]));
    let reported = done(&rig, json!({ "op": "groupgetmembers", "group": { "gid": 5 } }));
    assert_eq!(reported["members"][0]["permissions"]["send"], true);
}
