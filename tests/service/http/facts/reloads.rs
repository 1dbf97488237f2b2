//! A policy that changes beneath facts: they stay, and a file's word wins over theirs.

use serde_json::{Value, json};

use super::{Kept, POLICY};

#[test]
fn facts_survive_a_reload() {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "put_user", "user": "dan", "tags": ["a"] },
        { "op": "block", "from": "ann", "to": "dan" },
        { "op": "put_group", "group": "g", "creator": "dan", "members": ["bob"] },
        { "op": "open_conversation", "users": ["dan", "bob"] },
    ]));
    let paths = ["/v1/facts/users/dan", "/v1/facts/groups/g", "/v1/facts/conversations"];
    let before = paths.map(|path| kept.reported(path));
    let changed = POLICY.replace("any(hasTag(a), hasTag(b))", "hasTag(a)");
    assert_eq!(kept.reload(&changed).status, 200);
    assert_eq!(paths.map(|path| kept.reported(path)), before);
    assert_eq!(kept.reason("dan start_chat ann"), "blocked_by_resource");
    assert_eq!(kept.reason("dan start_chat bob"), "allowed");
    assert_eq!(kept.reason("bob start_chat ann"), "no_rule");
    // One that is wrong changes nothing, and facts go on.
    assert_eq!(kept.reload("rules: [").status, 409);
    kept.done(&json!([{ "op": "unblock", "from": "ann", "to": "dan" }]));
    assert_eq!(kept.reason("dan start_chat ann"), "allowed");
}

#[test]
fn a_file_that_newly_states_a_field_wins_until_it_no_longer_does() {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "put_user", "user": "ann", "peers": "paired", "permissions": { "outgoing": false } },
        { "op": "put_user", "user": "dan", "tags": ["a"] },
        { "op": "put_group", "group": "g", "matrix": "team", "creator": "bob", "members": ["ann"] },
        { "op": "put_rule", "rule_id": "00000000-0000-4000-8000-000000000001",
          "condition": "hasTag(boss)", "outcome": ["boss"] },
    ]));
    assert_eq!(kept.reason("ann start_chat bob"), "outgoing_off");
    let stating = POLICY
        .replace(
            "ann: { tags: [a] }",
            "ann: { tags: [a], peers: all, permissions: { outgoing: true } }",
        )
        .replace("  bob:", "  dan: { tags: [b] }\n  bob:")
        .replace("  club:", "  g: { matrix: dm, creator: ann, admins: [bob] }\n  club:")
        .replace(
            "outcome: [a, b] }",
            "outcome: [a, b] }, { rule_id: 00000000-0000-4000-8000-000000000001, \
             condition: hasTag(a), outcome: [a] }",
        );
    assert_eq!(kept.reload(&stating).status, 200);
    assert_eq!(kept.reason("ann start_chat bob"), "allowed");
    assert_eq!(kept.reported("/v1/facts/users/dan")["tags"], json!(["b"]));
    let check = |kept: &Kept| {
        let shadowed = kept.store()["shadowed"].clone();
        let reported = shadowed["first"].as_array().unwrap();
        let file = reported[0]["file"].as_str().unwrap();
        assert!(file.ends_with("policy.yaml"), "{shadowed}");
        let places: Vec<Value> = reported
            .iter()
            .map(|it| {
                let mut it = it.clone();
                it.as_object_mut().unwrap().remove("file");
                it
            })
            .collect();
        let expected = json!([
            { "user": "ann", "field": "peers", "line": 7 },
            { "user": "ann", "field": "permissions.outgoing", "line": 7 },
            { "user": "dan", "field": "tags", "line": 8 },
            { "group": "g", "field": "creator", "line": 12 },
            { "group": "g", "field": "matrix", "line": 12 },
            { "group": "g", "member": "ann", "line": 12 },
            { "group": "g", "member": "bob", "line": 12 },
            { "rule": "00000000-0000-4000-8000-000000000001", "line": 2 },
        ]);
        assert_eq!(Value::from(places), expected, "{shadowed}");
        assert_eq!(shadowed["total"], 8);
    };
    check(&kept);
    // Something else changes: it is listed still. So it is after a restart.
    assert_eq!(kept.reload(&stating.replace("friends: 3", "friends: 4")).status, 200);
    check(&kept);
    let kept = kept.restarted();
    check(&kept);
    assert_eq!(kept.reload(POLICY).status, 200);
    assert_eq!(kept.store()["shadowed"], json!({ "total": 0, "first": [] }));
    assert_eq!(kept.reason("ann start_chat bob"), "outgoing_off");
    assert_eq!(kept.reported("/v1/facts/users/dan")["tags"], json!(["a"]));
    let group = kept.reported("/v1/facts/groups/g");
    assert_eq!((&group["matrix"], &group["creator"]), (&json!("team"), &json!("bob")));
    assert_eq!(kept.reported("/v1/facts/users/ann")["peers"], "paired");
}

#[test]
fn the_record_of_a_user_whom_no_file_states_any_more_sleeps() {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "put_user", "user": "bob", "attributes": { "name": "Bob" } },
        { "op": "relate", "kind": "contact", "from": "bob", "to": "ann" },
        { "op": "block", "from": "ann", "to": "bob" },
        { "op": "put_user", "user": "cyd", "attributes": { "n": 1 } },
    ]));
    let before = kept.reported("/v1/facts/users/bob");
    let without = POLICY
        .replace("  bob: { tags: [b] }\n", "")
        .replace(", blocked: [bob]", "")
        .replace(", members: [bob]", "")
        .replace("conversations:\n  - [ann, bob]\n", "");
    assert_eq!(kept.reload(&without).status, 200);
    kept.read("/v1/facts/users/bob").refusal(404);
    assert_eq!(kept.reason("bob start_chat ann"), "unknown_subject");
    assert_eq!(kept.reported("/v1/facts/users/ann")["blocked"], json!([]));
    let answer = kept.send(&json!([{ "op": "ban", "user": "bob" }]));
    assert_eq!(answer.json()["outcomes"][0]["reason"], "unknown_subject");
    let kept = kept.restarted();
    kept.read("/v1/facts/users/bob").refusal(404);
    assert_eq!(kept.reload(POLICY).status, 200);
    assert_eq!(kept.reported("/v1/facts/users/bob"), before);
    assert_eq!(kept.reason("bob start_chat ann"), "blocked_by_resource");
}

#[test]
fn who_sleeps_is_reported_nowhere_and_stands_in_for_nobody() {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "put_user", "user": "eve" },
        { "op": "put_user", "user": "dan", "approval": "need_confirm" },
        { "op": "put_group", "group": "h", "creator": "bob", "super_admins": ["bob", "eve"] },
        { "op": "add_member", "group": "h", "member": "dan" },
        { "op": "put_group", "group": "h", "added_by": { "dan": "bob" } },
        { "op": "put_user", "user": "fay" }, { "op": "put_user", "user": "gil" },
        { "op": "add_member", "group": "h", "member": "fay" },
        { "op": "add_friend", "from": "eve", "to": "bob" },
        { "op": "add_friend", "from": "eve", "to": "ann" },
        { "op": "add_friend", "from": "eve", "to": "fay" },
        { "op": "request_friend", "from": "bob", "to": "dan" },
        { "op": "open_conversation", "users": ["bob", "eve"] },
        { "op": "open_conversation", "users": ["dan", "eve"] },
    ]));
    let before = kept.reported("/v1/facts/groups/h");
    let more = [
        (json!({ "op": "add_member", "group": "h", "member": "gil" }), "group_full"),
        (json!({ "op": "add_friend", "from": "eve", "to": "gil" }), "friend_list_full"),
    ];
    for (command, reason) in &more {
        let answer = kept.send(&json!([command]));
        assert_eq!(answer.json()["outcomes"][0]["reason"], *reason);
    }
    let without = POLICY
        .replace("  bob: { tags: [b] }\n", "")
        .replace(", blocked: [bob]", "")
        .replace(", members: [bob]", "")
        .replace("conversations:\n  - [ann, bob]\n", "");
    assert_eq!(kept.reload(&without).status, 200);
    let group = kept.reported("/v1/facts/groups/h");
    assert_eq!(group["super_admins"], json!(["eve"]));
    assert_eq!((&group["creator"], &group["added_by"]), (&json!(null), &json!({})));
    let eve = kept.reported("/v1/facts/users/eve");
    assert_eq!(eve["friends"], json!(["ann", "fay"]));
    assert_eq!(eve["friend_details"].as_object().unwrap().len(), 2);
    assert_eq!(kept.reported("/v1/facts/users/dan")["requests"], json!({}));
    let conversations = kept.reported("/v1/facts/conversations");
    assert_eq!(conversations["conversations"], json!([["dan", "eve"]]));
    assert_eq!(conversations["total"], 1);
    let demote = json!({ "op": "remove_super_admin", "group": "h", "member": "eve" });
    let answer = kept.send(&json!([demote]));
    assert_eq!(answer.json()["outcomes"][0]["reason"], "last_super_admin");
    for (command, _) in &more {
        kept.done(&json!([command]));
    }
    assert_eq!(kept.reload(POLICY).status, 200);
    let after = kept.reported("/v1/facts/groups/h");
    assert_eq!(after["super_admins"], before["super_admins"]);
    assert_eq!(after["added_by"], before["added_by"]);
    kept.done(&json!([demote]));
}

#[test]
fn rules_of_files_and_of_the_api_add_up() {
    let kept = Kept::start();
    assert_eq!(kept.reason("ann start_chat eve"), "unknown_resource");
    kept.done(&json!([
        { "op": "put_user", "user": "eve", "tags": ["boss"] },
        { "op": "put_rule", "rule_id": "00000000-0000-4000-8000-000000000002",
          "condition": "hasTag(a)", "outcome": ["boss"] },
    ]));
    assert_eq!(kept.reason("ann start_chat eve"), "allowed");
    assert_eq!(kept.reason("bob start_chat eve"), "no_rule");
    let both = POLICY.replace(
        "outcome: [a, b] }",
        "outcome: [a, b] }, { condition: hasTag(b), outcome: [boss] }",
    );
    assert_eq!(kept.reload(&both).status, 200);
    assert_eq!(kept.reason("bob start_chat eve"), "allowed");
    assert_eq!(kept.reason("ann start_chat eve"), "allowed");
    kept.done(&json!([{ "op": "delete_rule", "rule_id": "00000000-0000-4000-8000-000000000002" }]));
    assert_eq!(kept.reason("ann start_chat eve"), "no_rule");
    assert_eq!(kept.reason("bob start_chat eve"), "allowed");
}

#[test]
fn a_reload_that_changes_too_much_is_held_back_with_facts_too() {
    let kept = Kept::with(POLICY, &["--max-changed", "1%"]);
    kept.done(&json!([{ "op": "put_user", "user": "dan", "tags": ["a"] }]));
    let shut = POLICY.replace("any(hasTag(a), hasTag(b))", "hasTag(boss)");
    let answer = kept.reload(&shut);
    assert_eq!((answer.status, &answer.json()["outcome"]), (409, &json!("held")));
    assert_eq!(kept.reason("dan start_chat ann"), "allowed");
    // Of what is made over the API, nothing changes by what files say.
    kept.done(&json!([
        { "op": "put_user", "user": "eve", "tags": ["boss"] },
        { "op": "put_rule", "condition": "hasTag(a)", "outcome": ["boss"] },
    ]));
    let commented = POLICY.replace("blocked: 3", "blocked: 5").replace("users:", "# All\nusers:");
    let answer = kept.reload(&commented);
    assert_eq!((answer.status, &answer.json()["outcome"]), (200, &json!("swapped")));
    assert_eq!(kept.reload(&shut).status, 409);
    kept.done(&json!([{ "op": "ban", "user": "dan" }]));
    let path = "/v1/reload?force=true";
    let forced = kept.daemon.connect().ask("POST", path, &super::authorization(), b"");
    assert_eq!(forced.status, 200, "{}", forced.text());
    assert_eq!(kept.reason("dan start_chat ann"), "banned");
    assert_eq!(kept.reason("ann start_chat bob"), "no_rule");
}
