//! Switches of declared actions in records, and what files say of single users after a reload.

use serde_json::{Value, json};

use super::{Kept, transfer::records};

const ACTIONS: &str =
    "actions: { mention: { like: send_message } }\npermissions: { mention: true }\n";
const PEOPLE: &str =
    "users:\n  ann: {}\n  bob: { tags: [A] }\n  cyd: { permissions: { mention: false } }\n";

fn put(user: &str, mention: &Value) -> Value {
    json!([{ "op": "put_user", "user": user, "permissions": { "mention": mention } }])
}

/// They are set, read, kept, exported and imported as all others are.
#[test]
fn switches_of_declared_actions_in_records() {
    let kept = Kept::with(&format!("{ACTIONS}{PEOPLE}"), &[]);
    assert_eq!(kept.reach("bob", "mention"), ["ann", "cyd"]);
    kept.done(&put("bob", &json!(false)));
    assert_eq!(kept.reason("bob mention ann"), "permission_off");
    assert_eq!(kept.reason("bob send_message ann"), "allowed");
    assert_eq!(kept.reach("bob", "mention"), Vec::<String>::new());
    assert_eq!(kept.reported("/v1/facts/users/bob")["permissions"], json!({ "mention": false }));
    assert_eq!(kept.reported("/v1/facts/users/cyd")["permissions"], json!({ "mention": false }));
    kept.done(&put("bob", &json!("any( hasTag(A), hasTag(B) )")));
    assert_eq!(kept.reason("bob mention ann"), "allowed");
    let condition = json!({ "mention": "any(hasTag(A), hasTag(B))" });
    assert_eq!(kept.reported("/v1/facts/users/bob")["permissions"], condition);
    kept.done(&json!([{ "op": "remove_tags", "user": "ann", "tags": ["A"] }]));

    for (user, permissions, reason, message) in [
        (
            "bob",
            json!({ "menton": true }),
            "invalid",
            "no permission `menton` is known; did you mean `mention`?",
        ),
        (
            "cyd",
            json!({ "mention": true }),
            "stated_by_file",
            "`permissions.mention` of `cyd` is stated in ",
        ),
        ("bob", json!({ "mention": "hasTag(" }), "invalid_condition", ""),
    ] {
        let command = json!([{ "op": "put_user", "user": user, "permissions": permissions }]);
        let answer = kept.send(&command);
        assert_eq!(answer.status, 409, "{}", answer.text());
        let outcome = answer.json()["outcomes"][0].clone();
        assert_eq!(outcome["reason"], reason, "{outcome}");
        assert!(outcome["message"].as_str().unwrap().starts_with(message), "{outcome}");
    }
    let unnamed = json!([{ "op": "put_user", "user": "bob", "permissions": { "a b": true } }]);
    assert_eq!(kept.send(&unnamed).status, 400);

    // An export gives them back.
    let other = Kept::with(&format!("{ACTIONS}{PEOPLE}"), &[]);
    let lines = other.path("facts.ndjson");
    std::fs::write(&lines, kept.export()).unwrap();
    other.ran(&["facts", "import", lines.to_str().unwrap()], "--to", 0);
    assert_eq!(other.reported("/v1/facts/users/bob")["permissions"], condition);
    assert_eq!(records(&other.export()), records(&kept.export()));

    // The record keeps what the policy loses, and it counts again once that is back.
    kept.done(&put("bob", &json!(false)));
    let kept = kept.restarted();
    assert_eq!(kept.reason("bob mention ann"), "permission_off");
    assert_eq!(kept.reload("users:\n  ann: {}\n  bob: { tags: [A] }\n").status, 200);
    assert_eq!(kept.reported("/v1/facts/users/bob")["permissions"], json!({ "mention": false }));
    kept.reload(&format!("{ACTIONS}{PEOPLE}"));
    assert_eq!(kept.reason("bob mention ann"), "permission_off");
    // What a file newly states wins until it no longer does.
    let stating =
        PEOPLE.replace("bob: { tags: [A] }", "bob: { tags: [A], permissions: { mention: true } }");
    assert_eq!(kept.reload(&format!("{ACTIONS}{stating}")).status, 200);
    assert_eq!(kept.reason("bob mention ann"), "allowed");
    assert_eq!(kept.reload(&format!("{ACTIONS}{PEOPLE}")).status, 200);
    assert_eq!(kept.reason("bob mention ann"), "permission_off");
    kept.done(&put("bob", &Value::Null));
    assert_eq!(kept.reason("bob mention ann"), "allowed");
    assert_eq!(kept.reported("/v1/facts/users/bob")["permissions"], json!({}));
}

/// Audiences of declared actions in records.
#[test]
fn audiences_of_declared_actions_in_records() {
    let policy = format!("{ACTIONS}{PEOPLE}").replace(
        "mention: { like: send_message }",
        "mention: { like: send_message }, shout: { like: post }",
    );
    let kept = Kept::with(&policy, &[]);
    let put = |accepts: Value| json!([{ "op": "put_user", "user": "ann", "accepts": accepts }]);
    kept.done(&put(json!({ "mention": "nobody" })));
    assert_eq!(kept.reason("bob mention ann"), "not_in_audience");
    assert_eq!(kept.reason("bob send_message ann"), "allowed");
    assert_eq!(kept.reach("bob", "mention"), ["cyd"]);
    assert_eq!(kept.reported("/v1/facts/users/ann")["accepts"], json!({ "mention": "nobody" }));
    for (action, message) in [
        ("menton", "no action `menton` reaches another user; did you mean `mention`?"),
        ("shout", "no action `shout` reaches another user"),
    ] {
        let answer = kept.send(&put(json!({ action: "contacts" })));
        assert_eq!(answer.status, 409, "{}", answer.text());
        let outcome = answer.json()["outcomes"][0].clone();
        assert_eq!(outcome["reason"], "invalid", "{outcome}");
        assert!(outcome["message"].as_str().unwrap().starts_with(message), "{outcome}");
    }
    let kept = kept.restarted();
    assert_eq!(kept.reason("bob mention ann"), "not_in_audience");
    assert!(kept.export().contains(r#""accepts":{"mention":"nobody"}"#), "{}", kept.export());
    kept.done(&put(Value::Null));
    assert_eq!(kept.reason("bob mention ann"), "allowed");
}

/// What a file says of one user differently is what counts after a reload, as after a restart.
#[test]
fn what_files_say_of_single_users_counts_after_a_reload() {
    let policy = |bob: &str| {
        format!(
            "{ACTIONS}audiences: {{ near: contact, far: not(contact) }}\n\
             users:\n  ann: {{}}\n  bob: {bob}\n  cyd: {{}}\n"
        )
    };
    let kept = Kept::with(&policy("{ permissions: { mention: false } }"), &[]);
    assert_eq!(kept.reason("bob mention ann"), "permission_off");
    for (bob, question, reason) in [
        ("{ permissions: { mention: true } }", "bob mention ann", "allowed"),
        ("{ permissions: { mention: hasTag(A) } }", "bob mention ann", "permission_off"),
        ("{ permissions: { mention: hasTag(A) }, tags: [A] }", "bob mention ann", "allowed"),
        ("{ permissions: { mention: false }, tags: [A] }", "bob mention ann", "permission_off"),
        ("{ tags: [A] }", "bob mention ann", "allowed"),
        ("{ tags: [A], accepts: { start_chat: everyone } }", "ann start_chat bob", "allowed"),
        ("{ tags: [A], accepts: { start_chat: near } }", "ann start_chat bob", "not_in_audience"),
        ("{ tags: [A], accepts: { start_chat: far } }", "ann start_chat bob", "allowed"),
        ("{ tags: [A], accepts: { start_chat: nobody } }", "ann start_chat bob", "not_in_audience"),
        ("{ tags: [A] }", "ann start_chat bob", "allowed"),
        ("{ tags: [A], peers: near }", "ann start_chat bob", "peers_resource"),
        ("{ tags: [A], peers: far }", "ann start_chat bob", "allowed"),
        ("{ tags: [A], peers: near }", "ann start_chat bob", "peers_resource"),
        ("{ tags: [A] }", "ann start_chat bob", "allowed"),
    ] {
        let answer = kept.reload(&policy(bob));
        assert_eq!(answer.status, 200, "{bob} {}", answer.text());
        assert_eq!(kept.reason(question), reason, "{bob}");
    }
    // A user whom the file gives up is another one when the API makes them.
    assert_eq!(kept.reload(&policy("{ permissions: { mention: false } }")).status, 200);
    assert_eq!(kept.reload(&format!("{ACTIONS}users: {{ ann: {{}}, cyd: {{}} }}\n")).status, 200);
    kept.done(&json!([{ "op": "put_user", "user": "bob" }]));
    assert_eq!(kept.reason("bob mention ann"), "allowed");
}
