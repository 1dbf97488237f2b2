//! Every command, and what decisions make of it at once.

use std::collections::BTreeSet;

use peerage::facts::Op;
use serde_json::{Value, json};

use super::Kept;

const RULE: &str = "00000000-0000-4000-8000-000000000001";

/// A step: the command, a question, and the reason after it.
const STEPS: &[(&str, &str, &str)] = &[
    (r#"{"op":"put_user","user":"dan","tags":["a"]}"#, "dan start_chat ann", "allowed"),
    (r#"{"op":"remove_tags","user":"dan","tags":["a"]}"#, "dan start_chat ann", "no_rule"),
    (r#"{"op":"add_tags","user":"dan","tags":["b"]}"#, "dan start_chat ann", "allowed"),
    (r#"{"op":"silence","user":"dan"}"#, "dan start_chat ann", "silenced"),
    (r#"{"op":"shadow","user":"dan"}"#, "dan start_chat ann", "allowed"),
    (r#"{"op":"ban","user":"dan"}"#, "dan sign_in", "banned"),
    (r#"{"op":"reactivate","user":"dan"}"#, "dan sign_in", "allowed"),
    (r#"{"op":"block","from":"ann","to":"dan"}"#, "dan start_chat ann", "blocked_by_resource"),
    (r#"{"op":"unblock","from":"ann","to":"dan"}"#, "dan start_chat ann", "allowed"),
    (r#"{"op":"put_user","user":"dan","peers":"paired"}"#, "dan start_chat ann", "peers_subject"),
    (r#"{"op":"relate","kind":"pair","from":"dan","to":"ann"}"#, "dan start_chat ann", "allowed"),
    (
        r#"{"op":"unrelate","kind":"pair","from":"dan","to":"ann"}"#,
        "dan start_chat ann",
        "peers_subject",
    ),
    (
        r#"{"op":"put_user","user":"dan","peers":null,"approval":"need_confirm"}"#,
        "ann friend_request dan",
        "allowed",
    ),
    (r#"{"op":"request_friend","from":"ann","to":"dan"}"#, "ann friend_request dan", "allowed"),
    (
        r#"{"op":"accept_friend","from":"ann","to":"dan"}"#,
        "ann friend_request dan",
        "already_friends",
    ),
    (
        r#"{"op":"update_friend","from":"ann","to":"dan","remark":"D"}"#,
        "dan friend_request ann",
        "already_friends",
    ),
    (
        r#"{"op":"delete_friend","from":"ann","to":"dan","both":true}"#,
        "dan friend_request ann",
        "allowed",
    ),
    (r#"{"op":"request_friend","from":"ann","to":"dan"}"#, "ann friend_request dan", "allowed"),
    (r#"{"op":"refuse_friend","from":"ann","to":"dan"}"#, "ann friend_request dan", "allowed"),
    (
        r#"{"op":"add_friend","from":"ann","to":"dan","force":true,"both":false}"#,
        "ann friend_request dan",
        "already_friends",
    ),
    (r#"{"op":"add_friend_list","user":"ann","list":"work"}"#, "ann sign_in", "allowed"),
    (r#"{"op":"delete_friend_list","user":"ann","list":"work"}"#, "ann sign_in", "allowed"),
    (r#"{"op":"open_conversation","users":["cyd","dan"]}"#, "cyd send_message dan", "allowed"),
    (r#"{"op":"close_conversation","users":["cyd","dan"]}"#, "cyd send_message dan", "allowed"),
    (
        r#"{"op":"put_group","group":"g","creator":"dan","members":["ann"]}"#,
        "ann send_message g -",
        "allowed",
    ),
    (r#"{"op":"add_member","group":"g","member":"bob"}"#, "bob send_message g -", "allowed"),
    (r#"{"op":"add_admin","group":"g","member":"bob"}"#, "bob remove_member g ann", "allowed"),
    (
        r#"{"op":"remove_admin","group":"g","member":"bob"}"#,
        "bob remove_member g ann",
        "needs_admin",
    ),
    (r#"{"op":"add_super_admin","group":"g","member":"bob"}"#, "bob add_admin g ann", "allowed"),
    (
        r#"{"op":"remove_super_admin","group":"g","member":"bob"}"#,
        "bob add_admin g ann",
        "needs_super_admin",
    ),
    (
        r#"{"op":"update_permissions","group":"g","permission":"add_member","value":"deny"}"#,
        "dan add_member g cyd",
        "denied_by_matrix",
    ),
    (
        r#"{"op":"update_metadata","group":"g","field":"group_name","value":"G"}"#,
        "ann update_metadata g field group_name",
        "allowed",
    ),
    (r#"{"op":"mute_member","group":"g","member":"ann"}"#, "ann send_message g -", "muted"),
    (r#"{"op":"unmute_member","group":"g","member":"ann"}"#, "ann send_message g -", "allowed"),
    (r#"{"op":"ban_member","group":"g","member":"ann"}"#, "ann send_message g -", "not_member"),
    (r#"{"op":"put_group","group":"g","matrix":"open"}"#, "ann join g -", "banned_from_group"),
    (r#"{"op":"unban_member","group":"g","member":"ann"}"#, "ann join g -", "allowed"),
    (r#"{"op":"join","group":"g","member":"ann"}"#, "ann join g -", "already_member"),
    (
        r#"{"op":"put_group","group":"g","requires":"hasTag(boss)"}"#,
        "ann send_message g -",
        "required_member_missing",
    ),
    (r#"{"op":"remove_member","group":"g","member":"ann"}"#, "ann send_message g -", "not_member"),
    (r#"{"op":"delete_group","group":"g"}"#, "dan send_message g -", "unknown_resource"),
    (
        r#"{"op":"put_rule","rule_id":"00000000-0000-4000-8000-000000000001","condition":"hasTag(boss)","outcome":["boss"]}"#,
        "cyd start_chat eve",
        "unknown_resource",
    ),
    (
        r#"{"op":"delete_rule","rule_id":"00000000-0000-4000-8000-000000000001"}"#,
        "cyd start_chat ann",
        "allowed",
    ),
    (r#"{"op":"delete_user","user":"dan"}"#, "dan sign_in", "unknown_subject"),
];

#[test]
fn every_command_is_seen_by_the_next_decision() {
    let kept = Kept::start();
    let (mut seen, mut revision) = (BTreeSet::new(), 0);
    for (command, question, reason) in STEPS {
        let command: Value = serde_json::from_str(command).unwrap();
        seen.insert(command["op"].as_str().unwrap().to_owned());
        let answer = kept.send(&json!([command]));
        assert_eq!(answer.status, 200, "{command} {}", answer.text());
        let body = answer.json();
        assert_eq!(body["outcomes"][0]["changed"], true, "{command}");
        revision += 1;
        assert_eq!(body["revision"], revision);
        assert!(kept.daemon.get("/v1/status").revision().ends_with(&format!(".{revision}")));
        assert_eq!(kept.reason(question), *reason, "{command}");
    }
    let all: BTreeSet<String> = Op::NAMES.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(seen, all);
}

#[test]
fn lists_follow() {
    let kept = Kept::start();
    assert_eq!(kept.reach("ann", "start_chat"), ["bob", "cyd"]);
    kept.done(&json!([
        { "op": "put_user", "user": "dan", "tags": ["a"] },
        { "op": "put_user", "user": "abe", "tags": ["b"] },
        { "op": "block", "from": "bob", "to": "ann" },
    ]));
    assert_eq!(kept.reach("ann", "start_chat"), ["abe", "cyd", "dan"]);
    kept.done(&json!([{ "op": "put_rule", "rule_id": RULE, "condition": "hasTag(a)", "outcome": ["boss"] }]));
    let kept = kept.restarted();
    assert_eq!(kept.reach("ann", "start_chat"), ["abe", "cyd", "dan"]);
    assert_eq!(kept.reported(&format!("/v1/facts/rules/{RULE}"))["condition"], "hasTag(a)");
}

#[test]
fn a_command_that_changes_nothing_is_fine() {
    let kept = Kept::start();
    let commands = [
        json!({ "op": "block", "from": "ann", "to": "bob" }),
        json!({ "op": "open_conversation", "users": ["cyd", "ann"] }),
        json!({ "op": "ban", "user": "bob" }),
        json!({ "op": "relate", "kind": "contact", "from": "ann", "to": "cyd" }),
    ];
    for command in commands {
        let first = kept.send(&json!([command])).json();
        assert_eq!(first["outcomes"][0], json!({ "ok": true, "changed": true }), "{command}");
        let again = kept.send(&json!([command])).json();
        assert_eq!(again["outcomes"][0], json!({ "ok": true, "changed": false }), "{command}");
        assert_eq!(again["revision"], first["revision"]);
    }
    // A banned user is not silenced by being silenced.
    let silenced = kept.send(&json!([{ "op": "silence", "user": "bob" }])).json();
    assert_eq!(silenced["outcomes"][0]["changed"], false);
    assert_eq!(kept.reason("bob sign_in"), "banned");
    // What a file states is there already.
    let stated = kept.send(&json!([{ "op": "block", "from": "cyd", "to": "bob" }])).json();
    assert_eq!(stated["outcomes"][0]["changed"], false);
}

#[test]
fn on_behalf_of_a_user_it_is_decided_first() {
    let kept = Kept::start();
    let cases = [
        (json!({ "op": "ban", "user": "bob", "as": "ann" }), "not_manager"),
        (json!({ "op": "ban", "user": "bob", "as": "cyd" }), "ok"),
        (json!({ "op": "add_member", "group": "club", "member": "cyd", "as": "bob" }), "banned"),
        (json!({ "op": "put_user", "user": "new", "as": "ann" }), "not_manager"),
        (json!({ "op": "block", "from": "ann", "to": "cyd", "as": "ann" }), "ok"),
        (
            json!({ "op": "remove_member", "group": "club", "member": "ann" }),
            "super_admin_protected",
        ),
    ];
    for (command, expected) in cases {
        let outcome = kept.send(&json!([command])).json()["outcomes"][0].clone();
        let reason = outcome["reason"].as_str().unwrap_or("ok").to_owned();
        assert_eq!(reason, expected, "{command} {outcome}");
        assert_eq!(outcome["ok"], reason == "ok");
    }
}

/// The audiences of a user's record are those of the served policy: an unknown name is refused, and one that the
/// policy loses holds nobody.
#[test]
fn audiences_of_records() {
    let people = "users:\n  ann: {}\n  bob: { contacts: [ann] }\n  cyd: { accepts: { start_chat: nobody } }\n";
    let kept = Kept::with(&format!("audiences: {{ close: contact }}\n{people}"), &[]);
    let put = |accepts: Value| json!([{ "op": "put_user", "user": "bob", "accepts": accepts }]);
    kept.done(&put(json!({ "start_chat": "close" })));
    assert_eq!(kept.reason("ann start_chat bob"), "allowed");
    assert_eq!(kept.reason("cyd start_chat bob"), "not_in_audience");
    assert_eq!(kept.reach("cyd", "start_chat"), ["ann"]);

    for (user, accepts, reason, message) in [
        (
            "bob",
            json!({ "start_chat": "clos" }),
            "unknown_audience",
            "no audience `clos` is known; did you mean `close`?",
        ),
        (
            "bob",
            json!({ "start_chat": "zzz" }),
            "unknown_audience",
            "no audience `zzz` is known; expected one of `everyone`, `contacts`, `favorites`, `paired`, \
             `friends`, `nobody`, `close`",
        ),
        (
            "cyd",
            json!({ "start_chat": "close" }),
            "stated_by_file",
            "`accepts` of `cyd` is stated in ",
        ),
    ] {
        let answer = kept.send(&json!([{ "op": "put_user", "user": user, "accepts": accepts }]));
        assert_eq!(answer.status, 409, "{accepts}");
        let outcome = answer.json()["outcomes"][0].clone();
        assert_eq!(outcome["reason"], reason, "{outcome}");
        assert!(outcome["message"].as_str().unwrap().starts_with(message), "{outcome}");
    }
    let malformed = kept.send(&put(json!({ "ban": "close" })));
    assert_eq!(malformed.status, 400);
    assert!(malformed.text().contains("`ban` reaches no other user"), "{}", malformed.text());

    // The record keeps a name that the policy loses, and the name means again what it says once it is back.
    let reloaded = kept.reload(&format!("audiences: {{ near: contact }}\n{people}"));
    assert_eq!(reloaded.status, 200, "{}", reloaded.text());
    assert_eq!(kept.reason("ann start_chat bob"), "not_in_audience");
    assert_eq!(kept.reach("ann", "start_chat"), Vec::<String>::new());
    let bob = kept.reported("/v1/facts/users/bob");
    assert_eq!(bob["accepts"], json!({ "start_chat": "close" }));
    let kept = kept.restarted();
    assert_eq!(kept.reason("ann start_chat bob"), "not_in_audience");
    kept.reload(&format!("audiences: {{ close: everyone }}\n{people}"));
    assert_eq!(kept.reason("cyd start_chat bob"), "allowed");
    kept.done(&put(Value::Null));
    assert_eq!(kept.reported("/v1/facts/users/bob")["accepts"], json!({}));
    assert_eq!(kept.reach("cyd", "start_chat"), ["ann", "bob"]);
}

/// An audience as the peers mode of a record, and of a policy for users without one.
#[test]
fn audiences_as_peers_modes() {
    let policy = |close: &str| {
        format!(
            "audiences: {{ close: {close} }}\npeers: {{ modes: [{{ when: hasTag(shy), mode: close }}] }}\n\
             users:\n  ann: {{}}\n  bob: {{ contacts: [ann] }}\n  cyd: {{ peers: close }}\n  \
             dan: {{ tags: [shy], contacts: [ann] }}\n"
        )
    };
    let kept = Kept::with(&policy("contact"), &[]);
    let put = |peers: Value| json!([{ "op": "put_user", "user": "bob", "peers": peers }]);
    assert_eq!(kept.reach("ann", "start_chat"), ["bob", "dan"]);
    assert_eq!(kept.reason("bob start_chat dan"), "peers_resource");
    kept.done(&put(json!("close")));
    assert_eq!(kept.reason("ann start_chat bob"), "allowed");
    assert_eq!(kept.reason("bob start_chat dan"), "peers_subject");
    assert_eq!(kept.reason("cyd start_chat bob"), "peers_subject");
    assert_eq!(kept.reported("/v1/facts/users/bob")["peers"], "close");
    assert_eq!(kept.reported("/v1/facts/users/cyd")["peers"], "close");
    for (user, peers, reason, message) in [
        ("bob", "clos", "unknown_audience", "no audience `clos` is known; did you mean `close`?"),
        (
            "bob",
            "everyone",
            "unknown_audience",
            "no audience `everyone` is known; expected one of `all`, `paired`, `contacts`, `favorites`, \
             `friends`, `nobody`, `close`",
        ),
        ("cyd", "all", "stated_by_file", "`peers` of `cyd` is stated in "),
    ] {
        let answer = kept.send(&json!([{ "op": "put_user", "user": user, "peers": peers }]));
        assert_eq!(answer.status, 409, "{peers}");
        let outcome = answer.json()["outcomes"][0].clone();
        assert_eq!(outcome["reason"], reason, "{outcome}");
        assert!(outcome["message"].as_str().unwrap().starts_with(message), "{outcome}");
    }
    // The audience means what the policy says, after a restart too; one that it loses holds nobody.
    assert_eq!(kept.reload(&policy("not(contact)")).status, 200);
    assert_eq!(kept.reason("ann start_chat bob"), "peers_resource");
    assert_eq!(kept.reach("cyd", "start_chat"), ["ann", "bob", "dan"]);
    let kept = kept.restarted();
    assert_eq!(kept.reach("cyd", "start_chat"), ["ann", "bob", "dan"]);
    let lost = "peers: { default: all }\nusers: { ann: {}, bob: {}, cyd: {}, dan: {} }\n";
    assert_eq!(kept.reload(lost).status, 200);
    assert_eq!(kept.reach("cyd", "start_chat"), ["ann", "dan"]);
    assert_eq!(kept.reason("bob start_chat cyd"), "peers_subject");
    kept.done(&put(json!("all")));
    assert_eq!(kept.reach("cyd", "start_chat"), ["ann", "bob", "dan"]);
}

/// A chat that may only begin as a request is not opened on behalf of the user who asks before it is taken.
#[test]
fn a_request_is_no_permission() {
    let kept = Kept::with(
        "accepts: { start_chat: { default: contacts, otherwise: request } }\n\
         users:\n  ann: {}\n  bob: {}\n  cyd: { contacts: [ann] }\n",
        &[],
    );
    let open =
        |other: &str| json!([{ "op": "open_conversation", "users": ["ann", other], "as": "ann" }]);
    let answer = kept.send(&open("bob"));
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert_eq!(answer.json()["outcomes"][0]["reason"], "not_in_audience");
    assert_eq!(kept.reason("ann start_chat bob"), "allowed");
    kept.done(&open("cyd"));
}

/// A group with permissions of its own is still one of its matrix, and rules that do more than list tags are in no
/// list of rules, where they would say too much.
#[test]
fn what_is_shared_and_listed() {
    let rules = "rules:\n  - { name: plain, condition: hasTag(A), outcome: [A] }\n\
                 \x20 - { name: team, condition: everyone, outcome: [A, B], between: sharesGroup(team) }\n";
    let kept = Kept::with(
        &format!(
            "{rules}matrices:\n  team: {{ add_member: allow, remove_member: deny, update_metadata: allow, \
             add_admin: deny, remove_admin: deny, update_permissions: deny }}\n\
             users:\n  ann: {{ tags: [B] }}\n  bob: {{ tags: [A] }}\n"
        ),
        &[],
    );
    kept.done(
        &json!([{ "op": "put_group", "group": "g", "matrix": "team", "super_admins": ["ann"], "members": ["bob"] }]),
    );
    assert_eq!(kept.reason("ann start_chat bob"), "allowed");
    kept.done(&json!([{ "op": "update_permissions", "group": "g", "permission": "add_admin", "value": "allow" }]));
    assert_eq!(kept.reason("ann start_chat bob"), "allowed");
    kept.done(&json!([{ "op": "remove_member", "group": "g", "member": "bob" }]));
    assert_eq!(kept.reason("ann start_chat bob"), "no_rule");
    let listed = kept.reported("/v1/facts/rules");
    let names: Vec<_> = listed["rules"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["plain"]);
}

/// Whom a barrier keeps from a group follows its members, and their tags, at once.
#[test]
fn who_is_kept_from_a_group() {
    let kept = Kept::with(
        "barriers: [{ name: apart, between: [hasTag(research), hasTag(trading)] }]\n\
         users:\n  ann: {}\n  theo: { tags: [trading] }\n",
        &[],
    );
    let joins = || kept.reason("ann add_member g rolf");
    let steps = [
        (r#"{"op":"put_user","user":"rolf","tags":["research"]}"#, "unknown_resource"),
        (r#"{"op":"put_user","user":"tina"}"#, "unknown_resource"),
        (r#"{"op":"put_group","group":"g","creator":"ann","members":["tina"]}"#, "allowed"),
        (r#"{"op":"add_tags","user":"tina","tags":["trading"]}"#, "barrier"),
        (r#"{"op":"remove_tags","user":"tina","tags":["trading"]}"#, "allowed"),
        (r#"{"op":"add_member","group":"g","member":"theo"}"#, "barrier"),
        (r#"{"op":"add_tags","user":"tina","tags":["trading"]}"#, "barrier"),
        (r#"{"op":"remove_member","group":"g","member":"theo"}"#, "barrier"),
        (r#"{"op":"delete_user","user":"tina"}"#, "allowed"),
        (r#"{"op":"put_user","user":"tina","tags":["trading"]}"#, "allowed"),
        (r#"{"op":"add_member","group":"g","member":"tina"}"#, "barrier"),
        (r#"{"op":"remove_tags","user":"rolf","tags":["research"]}"#, "allowed"),
        (r#"{"op":"add_tags","user":"rolf","tags":["research"]}"#, "barrier"),
        (r#"{"op":"delete_group","group":"g"}"#, "unknown_resource"),
        (r#"{"op":"put_group","group":"g","creator":"ann"}"#, "allowed"),
    ];
    for (command, reason) in steps {
        kept.done(&json!([serde_json::from_str::<Value>(command).unwrap()]));
        assert_eq!(joins(), reason, "{command}");
    }
}
