//! Groups that mute, ban and require users, by files and by facts.

use serde_json::json;

use super::{Kept, POLICY};

fn policy() -> String {
    POLICY.replace(
        "  club: { matrix: team, creator: ann, members: [bob] }",
        "  club: { creator: ann, members: [bob], muted: [bob], banned: [cyd], requires: hasTag(a) }\n  \
         hall: { matrix: open, creator: ann }",
    )
}

#[test]
fn what_files_say_of_a_group_is_theirs() {
    let kept = Kept::with(&policy(), &[]);
    for command in [
        json!({ "op": "unmute_member", "group": "club", "member": "bob" }),
        json!({ "op": "unban_member", "group": "club", "member": "cyd" }),
        json!({ "op": "ban_member", "group": "club", "member": "bob" }),
        json!({ "op": "put_group", "group": "club", "requires": "hasTag(b)" }),
        json!({ "op": "put_group", "group": "club", "banned": ["bob"] }),
    ] {
        let answer = kept.send(&json!([command]));
        assert_eq!(answer.status, 409, "{command}");
        let outcome = answer.json()["outcomes"][0].clone();
        assert_eq!(outcome["reason"], "stated_by_file", "{command} {outcome}");
        assert_eq!(outcome["place"]["line"], 11, "{command} {outcome}");
    }
    let added =
        kept.send(&json!([{ "op": "add_member", "group": "club", "member": "cyd" }])).json();
    assert_eq!(added["outcomes"][0]["reason"], "banned_from_group");
    // What they say may be said again, and what they don't say added.
    kept.done(&json!([
        { "op": "mute_member", "group": "club", "member": "bob" },
        { "op": "put_user", "user": "dan" },
        { "op": "put_group", "group": "club", "muted": ["bob", "dan"], "requires": "hasTag(a)" },
    ]));
    let club = kept.reported("/v1/facts/groups/club");
    assert_eq!(club["muted"], json!(["bob", "dan"]));
    assert_eq!(club["banned"], json!(["cyd"]));
    assert_eq!(club["requires"], "hasTag(a)");
    let fields = club["stated_by"]["fields"].as_array().unwrap();
    assert!(["muted", "banned", "requires"].iter().all(|it| fields.contains(&json!(it))), "{club}");
}

#[test]
fn a_file_wins_where_it_and_a_record_disagree() {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "put_user", "user": "dan", "tags": ["a"] },
        { "op": "add_member", "group": "club", "member": "cyd" },
        { "op": "ban_member", "group": "club", "member": "dan" },
    ]));
    assert_eq!(kept.reason("cyd send_message club -"), "allowed");
    assert_eq!(kept.reload(&policy()).status, 200);
    assert_eq!(kept.reason("cyd send_message club -"), "not_member");
    let with_dan = POLICY
        .replace("members: [bob]", "members: [bob, dan]")
        .replace("  bob:", "  dan: {}\n  bob:");
    assert_eq!(kept.reload(&with_dan).status, 200);
    assert_eq!(kept.reason("cyd send_message club -"), "allowed");
    assert_eq!(kept.reason("dan send_message club -"), "allowed");
    let kept = kept.restarted();
    assert_eq!(kept.reason("dan send_message club -"), "allowed");
    assert_eq!(kept.reload(POLICY).status, 200);
    assert_eq!(kept.reason("dan send_message club -"), "not_member");
    assert_eq!(kept.reason("ann add_member club dan"), "banned_from_group");
}

#[test]
fn whom_a_group_requires_follows_tags_and_moderation() {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "put_user", "user": "dan", "tags": ["boss"] },
        { "op": "put_group", "group": "g", "creator": "bob", "members": ["dan"], "requires": "hasTag(boss)" },
    ]));
    let said = || kept.reason("bob send_message g -");
    assert_eq!(said(), "allowed");
    for (command, reason) in [
        (
            json!({ "op": "remove_tags", "user": "dan", "tags": ["boss"] }),
            "required_member_missing",
        ),
        (json!({ "op": "add_tags", "user": "dan", "tags": ["boss"] }), "allowed"),
        (json!({ "op": "ban", "user": "dan" }), "required_member_missing"),
        (json!({ "op": "reactivate", "user": "dan" }), "allowed"),
        (json!({ "op": "silence", "user": "dan" }), "allowed"),
        (
            json!({ "op": "put_group", "group": "g", "requires": "hasTag(a)" }),
            "required_member_missing",
        ),
        (json!({ "op": "put_group", "group": "g", "requires": null }), "allowed"),
        (json!({ "op": "put_group", "group": "g", "requires": "hasTag(boss)" }), "allowed"),
        (json!({ "op": "delete_user", "user": "dan" }), "required_member_missing"),
        (json!({ "op": "add_member", "group": "g", "member": "cyd" }), "allowed"),
    ] {
        kept.done(&json!([command]));
        assert_eq!(said(), reason, "{command}");
    }
    let kept = kept.restarted();
    assert_eq!(kept.reason("bob send_message g -"), "allowed");
    let gone = POLICY.replace("tags: [a, boss], peers", "tags: [a], peers");
    assert_eq!(kept.reload(&gone).status, 200);
    assert_eq!(kept.reason("bob send_message g -"), "required_member_missing");
}

#[test]
fn mistakes_in_what_a_group_says_are_named() {
    let kept = Kept::start();
    kept.done(&json!([{ "op": "put_group", "group": "g", "creator": "ann" }]));
    for (command, reason) in [
        (json!({ "op": "put_group", "group": "g", "requires": "hasTag(" }), "invalid_condition"),
        (json!({ "op": "put_group", "group": "g", "requires": "hasTag(nowhere)" }), "unknown_tag"),
        (json!({ "op": "put_group", "group": "g", "muted": ["nobody"] }), "unknown_resource"),
        (
            json!({ "op": "update_permissions", "group": "g", "permission": "join", "value": "allow_if_admin" }),
            "invalid_value",
        ),
    ] {
        let answer = kept.send(&json!([command]));
        assert_eq!(answer.status, 409, "{command} {}", answer.text());
        assert_eq!(answer.json()["outcomes"][0]["reason"], reason, "{command}");
    }
    let wrong = kept.send(&json!([{ "op": "put_group", "group": "g", "muted": 7 }]));
    assert_eq!(wrong.status, 400, "{}", wrong.text());
}
