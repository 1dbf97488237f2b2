//! The document's example from its first rule to its last.

use serde_json::{Value, json};

use super::{ON, fine};
use crate::dialects::rig::Rig;

const USERS: [(&str, &[&str]); 6] = [
    ("1", &[]),
    ("2", &["Stuttgart"]),
    ("3", &["Berlin"]),
    ("4", &["Munich"]),
    ("5", &["Berlin", "Munich"]),
    ("6", &["Berlin", "Munich", "Stuttgart"]),
];

const RULES: [(&str, &[&str]); 4] = [
    ("hasTag(Stuttgart)", &["Berlin", "Munich", "Stuttgart"]),
    ("any(hasTag(Berlin), hasTag(Munich))", &["Stuttgart"]),
    ("hasTag(Munich)", &["Munich"]),
    ("all(hasTag(Berlin), hasTag(Munich))", &["Berlin", "Munich"]),
];

/// Whom each user may start a chat with, as the document's table says.
const TABLE: [&[&str]; 6] = [
    &[],
    &["3", "4", "5", "6"],
    &["2", "6"],
    &["2", "5", "6"],
    &["2", "3", "4", "6"],
    &["2", "3", "4", "5"],
];

/// The same once the second rule is negated.
const NEGATED: [&[&str]; 6] =
    [&["2", "6"], &["3", "4", "5", "6"], &[], &["5", "6"], &["3", "4", "6"], &["2", "3", "4", "5"]];

/// The same once that rule is gone.
const WITHOUT: [&[&str]; 6] =
    [&[], &["3", "4", "5", "6"], &[], &["5", "6"], &["3", "4", "6"], &["2", "3", "4", "5"]];

#[test]
fn who_may_start_a_chat_with_whom() {
    let rig = Rig::start(ON);
    for (user, tags) in USERS {
        let reported =
            fine(&rig, "PUT", &format!("/sync/users/{user}/tags"), &json!({ "tags": tags }));
        assert_eq!(reported, json!({ "id": user, "tags": tags }));
    }
    holds(&rig, [&[]; 6]);
    let ids: Vec<String> = RULES
        .iter()
        .map(|(condition, outcome)| {
            let rule = json!({ "condition": condition, "outcome": outcome });
            let made = fine(&rig, "POST", "/sync/interaction-rules", &rule);
            made["rule_id"].as_str().unwrap().to_owned()
        })
        .collect();
    holds(&rig, TABLE);

    // Group chats are no other: who adds is held to the same rules.
    rig.write(&json!([{ "op": "put_group", "group": "g", "creator": "4" }]));
    assert_eq!(rig.in_group("4", "add_member", "g", "&member=5"), (true, "allowed".to_owned()));
    let added = rig.in_group("4", "add_member", "g", "&member=3");
    assert_eq!(added, (false, "no_rule".to_owned()));
    // What is there already goes on, and so does all that is no chat.
    rig.write(&json!([{ "op": "open_conversation", "users": ["1", "3"] }]));
    assert!(rig.decide("1", "send_message", "3").0);
    assert!(!rig.decide("1", "send_message", "4").0);
    assert!(rig.decide("1", "view_profile", "4").0);
    rig.write(&json!([{ "op": "close_conversation", "users": ["1", "3"] }]));

    let path = format!("/sync/interaction-rules/{}", ids[1]);
    let negated = json!({
        "condition": "not(any(hasTag(Berlin), hasTag(Munich)))", "outcome": ["Stuttgart"],
    });
    fine(&rig, "PUT", &path, &negated);
    holds(&rig, NEGATED);
    fine(&rig, "DELETE", &path, &Value::Null);
    holds(&rig, WITHOUT);
    for id in ids.iter().enumerate().filter(|&(at, _)| at != 1).map(|(_, id)| id) {
        fine(&rig, "DELETE", &format!("/sync/interaction-rules/{id}"), &Value::Null);
    }
    holds(&rig, [&[]; 6]);
}

/// Holds each list, each pair and each list in reverse to a table.
#[track_caller]
fn holds(rig: &Rig, table: [&[&str]; 6]) {
    let reach = |query: String| {
        rig.daemon.get(&format!("/v1/reach?action=start_chat&{query}")).json()["users"].clone()
    };
    for ((user, _), reached) in USERS.iter().zip(table) {
        assert_eq!(reach(format!("subject={user}")), json!(reached), "{user}");
        for (other, _) in USERS {
            let is_allowed = rig.decide(user, "start_chat", other).0;
            assert_eq!(is_allowed, reached.contains(&other), "{user} to {other}");
        }
        let reaching: Vec<&str> = USERS
            .iter()
            .zip(table)
            .filter(|(_, reached)| reached.contains(user))
            .map(|((other, _), _)| *other)
            .collect();
        assert_eq!(reach(format!("resource={user}")), json!(reaching), "{user}");
    }
}
