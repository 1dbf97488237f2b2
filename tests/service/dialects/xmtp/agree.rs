//! Calls and decisions, which agree for every role and every policy set.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serde_json::{Value, json};

use super::{call, fine};
use crate::dialects::rig::{Rig, bearer};

const ROLES: [&str; 3] = ["member", "admin", "super"];

/// Who may do what by the preconfigured sets, in each of the roles; `creator_only` is what the
/// document's sentence says.
const TABLE: [(&str, &str, [bool; 3]); 37] = [
    ("all_members", "add_member", [true, true, true]),
    ("all_members", "remove_member", [false, true, true]),
    ("all_members", "group_name", [true, true, true]),
    ("all_members", "description", [true, true, true]),
    ("all_members", "group_image_url_square", [true, true, true]),
    ("all_members", "app_data", [true, true, true]),
    ("all_members", "message_disappear_from_ns", [false, true, true]),
    ("all_members", "message_disappear_in_ns", [false, true, true]),
    ("all_members", "minimum_supported_protocol_version", [false, false, true]),
    ("all_members", "topic", [false, true, true]),
    ("all_members", "_topic", [false, false, true]),
    ("all_members", "add_admin", [false, false, true]),
    ("all_members", "remove_admin", [false, false, true]),
    ("all_members", "add_super_admin", [false, false, true]),
    ("all_members", "remove_super_admin", [false, false, true]),
    ("all_members", "update_permissions", [false, false, true]),
    ("admin_only", "add_member", [false, true, true]),
    ("admin_only", "remove_member", [false, true, true]),
    ("admin_only", "group_name", [false, true, true]),
    ("admin_only", "description", [false, true, true]),
    ("admin_only", "group_image_url_square", [false, true, true]),
    ("admin_only", "app_data", [false, true, true]),
    ("admin_only", "message_disappear_from_ns", [false, true, true]),
    ("admin_only", "message_disappear_in_ns", [false, true, true]),
    ("admin_only", "minimum_supported_protocol_version", [false, false, true]),
    ("admin_only", "topic", [false, true, true]),
    ("admin_only", "_topic", [false, false, true]),
    ("admin_only", "add_admin", [false, false, true]),
    ("admin_only", "remove_admin", [false, false, true]),
    ("admin_only", "add_super_admin", [false, false, true]),
    ("admin_only", "remove_super_admin", [false, false, true]),
    ("admin_only", "update_permissions", [false, false, true]),
    ("creator_only", "add_member", [false, false, true]),
    ("creator_only", "remove_member", [false, false, true]),
    ("creator_only", "group_name", [false, true, true]),
    ("creator_only", "add_admin", [false, false, true]),
    ("creator_only", "remove_super_admin", [false, false, true]),
];

/// The call that does it to `other`, its arguments and the rest of the question whether it may be
/// done.
fn requested(action: &str) -> (&'static str, Value, String) {
    let member = "&member=other".to_owned();
    let inbox = json!({ "inboxId": "other" });
    match action {
        "add_member" => ("addMemberInboxIds", json!({ "inboxIds": ["other"] }), member),
        "remove_member" => ("removeMemberInboxIds", json!({ "inboxIds": ["other"] }), member),
        "add_admin" => ("addAdmin", inbox, member),
        "remove_admin" => ("removeAdmin", inbox, member),
        "add_super_admin" => ("addSuperAdmin", inbox, member),
        "remove_super_admin" => ("removeSuperAdmin", inbox, member),
        "update_permissions" => {
            let option =
                json!({ "permissionUpdateType": "AddMember", "permissionPolicyOption": "Deny" });
            ("updatePermission", option, String::new())
        }
        field => {
            let value = json!({ "field": field, "value": "1" });
            ("updateMetadata", value, format!("&field={field}"))
        }
    }
}

/// A group with one of each role, in which another is what is needed for the action.
fn group(rig: &Rig, preset: &str, action: &str, name: &str) {
    let body = json!({ "caller": "super", "groupId": name, "inboxIds": ["admin", "member"], "permissions": preset });
    let answer = rig.ask("POST", "/xmtp/groups", &bearer(), body.to_string().as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    fine(rig, name, "addAdmin", &json!({ "caller": "super", "inboxId": "admin" }));
    if action != "add_member" {
        fine(rig, name, "addMemberInboxIds", &json!({ "caller": "super", "inboxIds": ["other"] }));
    }
    let status = match action {
        "remove_admin" => "addAdmin",
        "remove_super_admin" => "addSuperAdmin",
        _ => return,
    };
    fine(rig, name, status, &json!({ "caller": "super", "inboxId": "other" }));
}

#[test]
fn preconfigured_sets() {
    let rig = Rig::start("preset: xmtp\nusers: { super: {}, admin: {}, member: {}, other: {} }\n");
    for (preset, action, expected) in TABLE {
        for (role, may) in ROLES.into_iter().zip(expected) {
            let name = format!("{preset}-{action}-{role}");
            group(&rig, preset, action, &name);
            let (call_name, mut arguments, query) = requested(action);
            let decided = match action {
                action if query.starts_with("&field") || action == "update_permissions" => {
                    let action = if query.is_empty() { action } else { "update_metadata" };
                    rig.in_group(role, action, &name, &query)
                }
                action => rig.in_group(role, action, &name, &query),
            };
            assert_eq!(decided.0, may, "{name} is decided as {}", decided.1);
            arguments["caller"] = role.into();
            let answer = call(&rig, &name, call_name, &arguments);
            assert_eq!(answer.status, if may { 200 } else { 403 }, "{name}: {}", answer.text());
            if may {
                continue;
            }
            let error = &answer.json()["error"];
            assert_eq!(error["code"], decided.1, "{name}");
            let permission = if query.starts_with("&field") { "update_metadata" } else { action };
            assert_eq!(error["permission"], permission, "{name}");
        }
    }
}

#[test]
fn single_permissions() {
    let rig = Rig::start("preset: xmtp\nusers: { super: {}, admin: {}, member: {}, other: {} }\n");
    let options = [
        (json!("Allow"), [true, true, true]),
        (json!("Deny"), [false, false, false]),
        (json!("AdminOnly"), [false, true, true]),
        (json!("SuperAdminOnly"), [false, false, true]),
        (json!({ "any": ["superAdmin", { "and": ["allow", "admin"] }] }), [false, true, true]),
        (json!({ "and": ["allow", { "any": ["deny", "superAdmin"] }] }), [false, false, true]),
    ];
    let permissions = [
        ("AddMember", "add_member"),
        ("RemoveMember", "remove_member"),
        ("AddAdmin", "add_admin"),
        ("RemoveAdmin", "remove_admin"),
        ("UpdateMetadata", "description"),
        ("UpdateMetadata", "topic"),
        ("UpdateMetadata", "_topic"),
    ];
    for (at, (option, expected)) in options.iter().enumerate() {
        for (kind, action) in permissions {
            let name = format!("{action}-{at}");
            group(&rig, "admin_only", action, &name);
            let mut update = json!({ "caller": "super", "permissionUpdateType": kind, "permissionPolicyOption": option });
            if kind == "UpdateMetadata" {
                update["metadataField"] = action.into();
            }
            let answer = call(&rig, &name, "updatePermission", &update);
            if at == 0 && kind.ends_with("Admin") || at >= 4 && kind.ends_with("Admin") {
                // There is no `Allow` for these, in a combination neither.
                assert_eq!(answer.status, 400, "{name}: {}", answer.text());
                continue;
            }
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            for (role, &may) in ROLES.into_iter().zip(expected) {
                let (call_name, mut arguments, query) = requested(action);
                let asks = if kind == "UpdateMetadata" { "update_metadata" } else { action };
                let decided = rig.in_group(role, asks, &name, &query);
                assert_eq!(decided.0, may, "{name}, {role}: {}", decided.1);
                if !may {
                    arguments["caller"] = role.into();
                    let answer = call(&rig, &name, call_name, &arguments);
                    assert_eq!(answer.status, 403, "{name}, {role}: {}", answer.text());
                    assert_eq!(answer.json()["error"]["code"], decided.1, "{name}, {role}");
                }
            }
            let weakest = ROLES.into_iter().zip(expected).find(|(_, may)| **may);
            if let Some((role, _)) = weakest {
                let (call_name, mut arguments, _) = requested(action);
                arguments["caller"] = role.into();
                fine(&rig, &name, call_name, &arguments);
            }
        }
    }
}

#[test]
fn what_is_changed_here_is_decided_so() {
    let rig = Rig::start("preset: xmtp\nusers: { ann: {}, bob: {}, cat: {} }\n");
    let body = br#"{"caller":"ann","groupId":"g","inboxIds":["bob"]}"#;
    assert_eq!(rig.ask("POST", "/xmtp/groups", &bearer(), body).status, 201);
    let adds = |who: &str| rig.in_group(who, "add_member", "g", "&member=cat").1;
    assert_eq!((adds("bob"), adds("cat")), ("allowed".to_owned(), "not_member".to_owned()));
    let option = json!({ "caller": "ann", "permissionUpdateType": "AddMember", "permissionPolicyOption": "AdminOnly" });
    fine(&rig, "g", "updatePermission", &option);
    assert_eq!(adds("bob"), "needs_admin");
    fine(&rig, "g", "addAdmin", &json!({ "caller": "ann", "inboxId": "bob" }));
    assert_eq!(adds("bob"), "allowed");
    fine(&rig, "g", "removeAdmin", &json!({ "caller": "ann", "inboxId": "bob" }));
    assert_eq!(adds("bob"), "needs_admin");
    fine(&rig, "g", "removeMemberInboxIds", &json!({ "caller": "ann", "inboxIds": ["bob"] }));
    assert_eq!(adds("bob"), "not_member");
    assert!(!rig.in_group("bob", "send_message", "g", "").0);
}

#[test]
fn what_others_write_shows_here() {
    let rig = Rig::start("preset: xmtp\nusers: { ann: {}, bob: {}, cat: {} }\n");
    rig.write(&json!([
        { "op": "put_group", "group": "g", "matrix": "admins_only", "creator": "ann", "admins": ["bob"], "metadata": { "group_name": "G" } },
        { "op": "add_member", "group": "g", "member": "cat", "as": "bob" },
        { "op": "update_permissions", "group": "g", "permission": "remove_member", "value": "deny" },
    ]));
    let none = json!({});
    assert_eq!(fine(&rig, "g", "listSuperAdmins", &none), json!(["ann"]));
    assert_eq!(fine(&rig, "g", "listAdmins", &none), json!(["bob"]));
    assert_eq!(fine(&rig, "g", "memberInboxIds", &none), json!(["ann", "bob", "cat"]));
    assert_eq!(fine(&rig, "g", "addedByInboxId", &json!({ "caller": "cat" })), "bob");
    // An administrator added them.
    assert_eq!(fine(&rig, "g", "addedByInboxId", &json!({ "caller": "bob" })), Value::Null);
    assert_eq!(fine(&rig, "g", "name", &none), "G");
    assert_eq!(fine(&rig, "g", "permissionPolicySet", &none)["removeMemberPolicy"], "deny");
    assert_eq!(fine(&rig, "g", "permissions", &none)["policyType"], "CustomPolicy");
    // Who is silenced does nothing here either.
    rig.write(&json!([{ "op": "silence", "user": "bob" }]));
    let answer = call(&rig, "g", "addMemberInboxIds", &json!({ "caller": "bob", "inboxIds": [] }));
    assert_eq!(answer.status, 200, "bob may read: {}", answer.text());
    let answer = call(&rig, "g", "updateName", &json!({ "caller": "bob", "name": "H" }));
    assert_eq!((answer.status, answer.json()["error"]["code"].clone()), (403, "silenced".into()));
}

#[test]
fn a_conversation_of_two_is_known_to_decisions() {
    let policy = "preset: xmtp\nrules: [{ condition: hasTag(a), outcome: [b] }]\nusers: { ann: { tags: [a] }, bob: { tags: [b] } }\n";
    let rig = Rig::start(policy);
    assert_eq!(rig.decide("bob", "send_message", "ann").1, "no_rule");
    let dm = |caller: &str, other: &str| {
        let body = json!({ "caller": caller, "inboxId": other }).to_string();
        rig.ask("POST", "/xmtp/dms", &bearer(), body.as_bytes())
    };
    let refused = dm("bob", "ann");
    assert_eq!((refused.status, refused.json()["error"]["code"].clone()), (403, "no_rule".into()));
    let made = dm("ann", "bob");
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(rig.decide("bob", "send_message", "ann").0);
    // The one who was taken out by an administrator is taken in again by the other, and nobody else is.
    let group = made.json()["result"]["groupId"].as_str().unwrap().to_owned();
    rig.write(&json!([{ "op": "remove_member", "group": group, "member": "bob" }]));
    assert_eq!(fine(&rig, &group, "memberInboxIds", &json!({})), json!(["ann"]));
    fine(&rig, &group, "addMemberInboxIds", &json!({ "caller": "ann", "inboxIds": ["bob"] }));
    assert_eq!(fine(&rig, &group, "memberInboxIds", &json!({})), json!(["ann", "bob"]));
    rig.write(&json!([{ "op": "remove_member", "group": group, "member": "bob" }]));
    assert_eq!(dm("ann", "bob").status, 200);
    assert_eq!(fine(&rig, &group, "listSuperAdmins", &json!({})), json!([]));
}

#[test]
fn two_super_admins_demote_each_other_at_once() {
    let rig = Rig::start("preset: xmtp\nusers: { ann: {}, bob: {} }\n");
    for round in 0..10 {
        let group = format!("g{round}");
        let body = json!({ "caller": "ann", "groupId": group, "inboxIds": ["bob"] }).to_string();
        assert_eq!(rig.ask("POST", "/xmtp/groups", &bearer(), body.as_bytes()).status, 201);
        fine(&rig, &group, "addSuperAdmin", &json!({ "caller": "ann", "inboxId": "bob" }));
        let start = Barrier::new(2);
        let demote = |caller: &'static str, other: &'static str| {
            start.wait();
            call(&rig, &group, "removeSuperAdmin", &json!({ "caller": caller, "inboxId": other }))
        };
        let demote = &demote;
        let (one, other) = thread::scope(|scope| {
            let one = scope.spawn(move || demote("ann", "bob").status);
            let other = scope.spawn(move || demote("bob", "ann").status);
            (one.join().unwrap(), other.join().unwrap())
        });
        assert_eq!(one.max(other), 403);
        assert_eq!(one.min(other), 200);
        let left = fine(&rig, &group, "listSuperAdmins", &json!({}));
        assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    }
}

/// Addresses are found page by page, also while others write all the time.
#[test]
fn addresses_among_many_who_change() {
    let rig = Rig::start("preset: xmtp\nusers: { ann: {} }\n");
    let user = |at: usize, mark: usize| {
        let kept =
            json!({ "xmtp": { "addresses": [format!("0xA{at}"), "0xshared"] }, "mark": mark });
        json!({ "op": "put_user", "user": format!("user{at:04}"), "attributes": kept })
    };
    for first in (0..3000).step_by(1000) {
        rig.write(&(first..first + 1000).map(|at| user(at, 0)).collect());
    }
    let body = br#"{"caller":"ann","groupId":"g"}"#;
    assert_eq!(rig.ask("POST", "/xmtp/groups", &bearer(), body).status, 201);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for mark in 1.. {
                if is_done.load(Ordering::SeqCst) {
                    break;
                }
                rig.write(&json!([user(mark * 7 % 3000, mark)]));
            }
        });
        let requested = scope.spawn(|| {
            let requested = [json!(["0xa2999", "0xA0", "user0200", "0xa200"]), json!(["0xSHARED"])];
            requested.map(|addresses| {
                let arguments = json!({ "caller": "ann", "addresses": addresses });
                call(&rig, "g", "addMembers", &arguments)
            })
        });
        let requested = requested.join();
        // Also if there was no answer: the other ends by it.
        is_done.store(true, Ordering::SeqCst);
        let [answer, several] = requested.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(several.status, 409, "{}", several.text());
        assert_eq!(several.json()["error"]["inboxIds"].as_array().unwrap().len(), 10);
    });
    let members = fine(&rig, "g", "memberInboxIds", &json!({}));
    assert_eq!(members, json!(["ann", "user0000", "user0200", "user2999"]));
    // Few are reported at once, many on a thread for them.
    let more: Vec<String> = (1..40).map(|at| format!("user{at:04}")).collect();
    fine(&rig, "g", "addMemberInboxIds", &json!({ "caller": "ann", "inboxIds": more }));
    let reported = fine(&rig, "g", "members", &json!({}));
    assert_eq!(reported.as_array().unwrap().len(), 43);
    assert_eq!(reported[1]["addresses"], json!(["0xA0", "0xshared"]));
}

/// Of two who make a group of one id at once, one does; the other is reported that it is there.
#[test]
fn two_make_one_group_at_once() {
    let rig = Rig::start("preset: xmtp\nusers: { ann: {}, bob: {} }\n");
    for round in 0..10 {
        let start = Barrier::new(2);
        let make = |caller: &str| {
            let body = json!({ "caller": caller, "groupId": format!("g{round}") }).to_string();
            start.wait();
            rig.ask("POST", "/xmtp/groups", &bearer(), body.as_bytes())
        };
        let make = &make;
        let mut answers = thread::scope(|scope| {
            let two = ["ann", "bob"].map(|caller| scope.spawn(move || make(caller)));
            two.map(|one| one.join().unwrap())
        });
        answers.sort_by_key(|answer| answer.status);
        assert_eq!(answers.each_ref().map(|answer| answer.status), [201, 409]);
        assert_eq!(answers[1].json()["error"]["code"], "group_exists");
    }
}
