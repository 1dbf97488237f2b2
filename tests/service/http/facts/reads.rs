//! Reads of facts, by files and records together.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Kept;

#[test]
fn a_user_is_reported_whole() {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "put_user", "user": "dan", "tags": ["b", "a"], "peers": 1, "approval": "need_confirm", "accepts": { "voice_call": "contacts" },
          "permissions": { "incoming": false, "video_call": "hasTag(a)" }, "attributes": { "x": [1] },
          "paired": ["ann"], "favorites": ["bob"], "contacts": ["ann"] },
        { "op": "add_friend_list", "user": "dan", "list": "work" },
        { "op": "add_friend", "from": "dan", "to": "ann", "force": true, "lists": ["work"] },
        { "op": "request_friend", "from": "bob", "to": "dan" },
        { "op": "block", "from": "dan", "to": "cyd" },
        { "op": "silence", "user": "dan" },
        { "op": "open_conversation", "users": ["dan", "bob"] },
        { "op": "add_member", "group": "club", "member": "dan" },
    ]));
    let mut reported = kept.reported("/v1/facts/users/dan");
    let details = reported["friend_details"]["ann"].as_object_mut().unwrap();
    assert!(details.remove("since").unwrap().is_u64());
    assert_eq!(Value::from(details.clone()), json!({ "lists": ["work"] }));
    assert!(reported["requests"]["bob"]["since"].is_u64());
    let members = reported.as_object_mut().unwrap();
    members.remove("friend_details");
    members.remove("requests");
    assert_eq!(
        reported,
        json!({
            "id": "dan", "revision": 1, "tags": ["a", "b"], "peers": "paired",
            "permissions": { "incoming": false, "video_call": "hasTag(a)" },
            "moderation": "silenced", "approval": "need_confirm", "accepts": { "voice_call": "contacts" },
            "contacts": ["ann", "bob"], "favorites": ["bob"], "paired": ["ann"],
            "blocked": ["cyd"], "friends": ["ann"],
            "conversations": ["bob"], "groups": ["club"],
            "attributes": { "x": [1] }, "terms": { "moderation": { "by": "admin-token" } },
            "friend_lists": ["work"],
        })
    );
    let cyd = kept.reported("/v1/facts/users/cyd");
    assert_eq!(cyd["blocked"], json!(["bob"]));
    assert_eq!(cyd["stated_by"]["line"], 9);
    let fields = json!(["tags", "peers", "permissions.video_call", "blocked"]);
    assert_eq!(cyd["stated_by"]["fields"], fields);
}

#[test]
fn a_group_is_reported_whole() {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "put_group", "group": "g/1", "matrix": "team", "creator": "ann", "admins": ["bob"] },
        { "op": "add_member", "group": "g/1", "member": "cyd", "as": "ann" },
        { "op": "update_metadata", "group": "g/1", "field": "group_name", "value": "G" },
        { "op": "update_permissions", "group": "g/1", "permission": "add_member", "value": "deny" },
        { "op": "add_member", "group": "club", "member": "cyd" },
        { "op": "put_user", "user": "dan" },
        { "op": "put_group", "group": "g/1", "muted": ["dan", "bob"], "banned": ["dan"], "requires": "hasTag(a)" },
    ]));
    let reported = json!({
        "muted": ["bob", "dan"], "banned": ["dan"], "requires": "hasTag(a)",
        "id": "g/1", "revision": 1, "matrix": "team", "creator": "ann", "super_admins": ["ann"],
        "admins": ["bob"], "members": ["cyd"], "permissions": { "add_member": "deny" },
        "metadata": { "group_name": "G" }, "added_by": { "cyd": "ann" },
    });
    for path in ["/v1/facts/groups/g%2F1", "/v1/facts/groups/g/1"] {
        assert_eq!(kept.reported(path), reported);
    }
    let club = kept.reported("/v1/facts/groups/club");
    assert_eq!(
        (&club["members"], &club["super_admins"]),
        (&json!(["bob", "cyd"]), &json!(["ann"]))
    );
    assert_eq!((&club["matrix"], &club["stated_by"]["line"]), (&json!("team"), &json!(11)));
}

#[test]
fn rules_of_files_and_of_the_api() {
    let kept = Kept::start();
    let made = kept.send(&json!([
        { "op": "put_rule", "name": "mine", "condition": "any( hasTag(a) )", "outcome": ["boss", "a"] },
    ]));
    let id = made.json()["outcomes"][0]["rule_id"].as_str().unwrap().to_owned();
    let reported = kept.reported("/v1/facts/rules");
    assert_eq!((&reported["in_force"], &reported["revision"]), (&json!(true), &json!(1)));
    let rules = reported["rules"].as_array().unwrap();
    let of_file = rules.iter().find(|rule| rule["name"] == "all").unwrap();
    assert_eq!(of_file["stated_by"]["line"], 2);
    let mine = json!({
        "rule_id": id, "name": "mine", "description": null,
        "condition": "any( hasTag(a) )", "outcome": ["boss", "a"],
    });
    assert!(rules.contains(&mine), "{reported}");
    assert_eq!(kept.reported(&format!("/v1/facts/rules/{id}")), mine);
    let of_file = of_file.clone();
    let path = format!("/v1/facts/rules/{}", of_file["rule_id"].as_str().unwrap());
    assert_eq!(kept.reported(&path), of_file);
}

#[test]
fn without_a_section_no_rule_counts() {
    let kept = Kept::with("users: { ann: {}, bob: {} }\n", &[]);
    kept.done(&json!([{ "op": "put_rule", "condition": "hasTag(a)", "outcome": ["b"] }]));
    let reported = kept.reported("/v1/facts/rules");
    assert_eq!(reported["in_force"], false);
    assert_eq!(reported["rules"].as_array().unwrap().len(), 1);
    assert_eq!(kept.reason("ann start_chat bob"), "allowed");
    // With one, those that are kept count at once.
    assert_eq!(kept.reload("rules: []\nusers: { ann: {}, bob: {} }\n").status, 200);
    assert_eq!(kept.reason("ann start_chat bob"), "no_rule");
    kept.done(&json!([
        { "op": "add_tags", "user": "ann", "tags": ["a"] }, { "op": "add_tags", "user": "bob", "tags": ["b"] },
    ]));
    assert_eq!(kept.reason("ann start_chat bob"), "allowed");
    assert_eq!(kept.reported("/v1/facts/rules")["in_force"], true);
}

/// A text with each byte escaped.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut path, byte| {
        let _ = write!(path, "%{byte:02X}");
        path
    })
}

/// All items of a list, page by page.
fn paged(kept: &Kept, list: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page =
            kept.reported(&format!("/v1/facts/{list}?limit={limit}&after={}", escaped(&after)));
        let items = page[list].as_array().unwrap();
        assert!(items.len() <= limit);
        all.extend(items.iter().cloned());
        page["next"].as_str().unwrap().clone_into(&mut after);
        if after.is_empty() {
            return all;
        }
        assert_eq!(items.len(), limit, "only the last page is short");
    }
}

#[test]
fn lists_are_paged() {
    let kept = Kept::start();
    let users = ["zoe", "a/b", "ä ö", "dan"];
    let mut commands: Vec<Value> =
        users.iter().map(|user| json!({ "op": "put_user", "user": user })).collect();
    for user in users {
        commands.push(json!({ "op": "open_conversation", "users": [user, "ann"] }));
        commands.push(json!({ "op": "put_group", "group": format!("g {user}"), "creator": user }));
        let rule = json!({ "op": "put_rule", "condition": "hasTag(a)", "outcome": ["b"] });
        commands.push(rule);
    }
    commands.push(json!({ "op": "open_conversation", "users": ["zoe", "dan"] }));
    kept.done(&json!(commands));
    let expected = [
        ("users", json!(["a/b", "ann", "bob", "cyd", "dan", "zoe", "ä ö"])),
        ("groups", json!(["club", "g a/b", "g dan", "g zoe", "g ä ö"])),
        (
            "conversations",
            json!([
                ["a/b", "ann"],
                ["ann", "bob"],
                ["ann", "dan"],
                ["ann", "zoe"],
                ["ann", "ä ö"],
                ["dan", "zoe"]
            ]),
        ),
    ];
    for (list, items) in expected {
        for limit in [1, 2, 3, 100] {
            assert_eq!(Value::from(paged(&kept, list, limit)), items, "{list} {limit}");
        }
        assert_eq!(
            kept.reported(&format!("/v1/facts/{list}"))["total"],
            items.as_array().unwrap().len()
        );
    }
    let all = paged(&kept, "rules", 100);
    assert_eq!((all.len(), paged(&kept, "rules", 2)), (5, all));
    for user in users {
        assert_eq!(kept.reported(&format!("/v1/facts/users/{}", escaped(user)))["id"], user);
    }
}

#[test]
fn metrics_count_what_is_written() {
    let kept = Kept::start();
    kept.done(&json!([{ "op": "ban", "user": "ann" }]));
    kept.send(&json!([{ "op": "ban", "user": "nobody" }]));
    kept.send(&json!([{ "op": "ban" }]));
    let metrics = kept.daemon.get("/metrics");
    for line in [
        "peerage_facts_batches_total{outcome=\"done\"} 1",
        "peerage_facts_batches_total{outcome=\"refused\"} 1",
        "peerage_facts_batches_total{outcome=\"malformed\"} 1",
        "peerage_facts_commit_seconds_count 1",
        "peerage_facts_commit_seconds_bucket{le=\"+Inf\"} 1",
        "peerage_facts_revision 1",
        "peerage_store_up 1",
        "peerage_store_cut_off_seconds 0",
        "peerage_facts_shadowed 0",
    ] {
        assert!(metrics.text().lines().any(|it| it == line), "{line} {}", metrics.text());
    }
    let store = kept.store();
    let expected = json!({
        "kind": "embedded", "revision": 1, "writable": true, "cut_off": null, "copy": null,
        "lost": null, "opened": { "new": true, "repairs": [] },
        "shadowed": { "total": 0, "first": [] },
    });
    assert_eq!(store, expected);
    assert_eq!(kept.daemon.get("/readyz").status, 200);
}
