//! Coverage: what of a policy tests have reached.

use std::{fs, path::Path};

use serde_json::Value;

use super::{FAILING, PASSES, POLICY, folder, json, path, run, text};

/// What expectations reach of a policy, by name.
fn reached(policy: &str, tests: &str) -> Vec<String> {
    reached_in("policy.yaml", policy, tests)
}

fn reached_in(name: &str, policy: &str, tests: &str) -> Vec<String> {
    let folder = folder(&[(name, policy), ("t.test.yaml", tests)]);
    let reported = json(&[&path(&folder, "")]);
    let all = reported["coverage"]["all"].as_array().unwrap_or_else(|| panic!("{reported:#}"));
    let reached = all.iter().filter(|it| it["reached"] == true && it["kind"] != "gate");
    reached.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_a_decision_looked_at_is_reached_and_nothing_else() {
    let policy = fs::read_to_string(Path::new(FAILING).join("policy.yaml")).unwrap();
    let cases: [(&str, &[&str]); 18] = [
        (
            "{ subject: ann, action: start_chat, resource: cem, allow: true }",
            &["staff reach all", "permissions.outgoing", "peers.default"],
        ),
        // No rule opens what is denied.
        (
            "{ subject: bob, action: start_chat, resource: dee, allow: false }",
            &["permissions.outgoing", "peers.default", "peers.modes[0]"],
        ),
        // Their own record says it, and the way ends there.
        ("{ subject: cem, action: start_chat, resource: bob, reason: outgoing_off }", &[]),
        (
            "{ subject: ann, subject_properties: { permissions: { outgoing: true }, peers: all }, \
             action: send_message, resource: cem, context: { conversation: existing }, allow: true }",
            &["peers.default"],
        ),
        // A block counts where there is one.
        (
            "{ subject: bob, action: start_chat, resource: ann, reason: blocked_by_resource }",
            &["permissions.outgoing", "blocks.start_chat"],
        ),
        (
            "{ subject: ann, action: send_message, resource: bob, reason: blocked_by_subject }",
            &["permissions.outgoing", "blocks.start_chat", "blocks.send_message"],
        ),
        ("{ subject: bob, action: list_users, reason: not_manager }", &["moderation.managers"]),
        (
            "{ subject: bob, action: video_call, resource: cem, reason: permission_off }",
            &["permissions.video_call", "permissions.outgoing"],
        ),
        (
            "{ subject: bob, action: friend_request, resource: cem, allow: true }",
            &["permissions.outgoing", "friendship.default_approval", "limits.friends"],
        ),
        // Of lists, those who are on them count.
        (
            "{ subject: bob, action: start_chat, reaches: [cem] }",
            &["guests among themselves", "permissions.outgoing", "peers.default"],
        ),
        ("{ subject: dee, action: start_chat, reaches: [] }", &[]),
        (
            "{ resource: crew, action: update_metadata, field: logo, reached_by: [ann] }",
            &["matrices.team.update_metadata.*"],
        ),
        (
            "{ subject: bob, action: update_metadata, reaches: [crew], field: motto }",
            &["matrices.team.update_metadata.motto"],
        ),
        (
            "{ subject: bob, action: update_metadata, resource: crew, field: _x, allow: false }",
            &["matrices.team.update_metadata.*"],
        ),
        (
            "{ subject: bob, action: remove_member, resource: crew, member: ann, \
             reason: super_admin_protected }",
            &[],
        ),
        (
            "{ subject: ann, action: add_member, resource: crew, member: cem, allow: true }",
            &[
                "staff reach all",
                "permissions.outgoing",
                "peers.default",
                "limits.group_members",
                "matrices.team.add_member",
            ],
        ),
        (
            "{ subject: bob, action: add_member, resource: crew, member: cem, reason: needs_admin }",
            &[
                "guests among themselves",
                "permissions.outgoing",
                "peers.default",
                "matrices.team.add_member",
            ],
        ),
        // Another matrix stands in.
        (
            "{ subject: ann, action: add_admin, resource: crew, member: bob, \
             resource_properties: { matrix: dm }, allow: false }",
            &[],
        ),
    ];
    for (expectation, expected) in cases {
        let tests = format!("tests: [{{ name: t, expect: [{expectation}] }}]");
        assert_eq!(reached(&policy, &tests), expected, "{expectation}");
    }
    // What is given in place of what the policy says is not the policy's.
    let given = "rules: [{ name: staff reach all, condition: hasTag(staff), outcome: [guest] }], \
                 permissions: { outgoing: hasTag(staff) }";
    let tests = format!(
        "tests: [{{ name: t, given: {{ {given} }}, expect: [{}] }}]",
        "{ subject: ann, action: start_chat, resource: cem, allow: true }"
    );
    assert_eq!(reached(&policy, &tests), ["peers.default"]);
}

#[test]
fn a_gate_is_reached_from_both_sides() {
    let gates = |tests: &str| -> Vec<(String, Value)> {
        let folder = folder(&[("p.peerage", POLICY), ("t.test.yaml", tests)]);
        let reported = json(&[&path(&folder, "")]);
        let all = reported["coverage"]["all"].as_array().unwrap().clone();
        let gates = all.into_iter().filter(|it| it["kind"] == "gate");
        gates.map(|it| (it["name"].as_str().unwrap().to_owned(), it["note"].clone())).collect()
    };
    let named = |name: &str, note: &str| (name.to_owned(), Value::from(note));
    assert_eq!(
        gates(PASSES),
        [
            named("known", "closed nothing"),
            named("self", "closed nothing"),
            named("rules", "closed nothing"),
        ]
    );
    let more = "tests: [{ name: t, expect: [\
        { subject: 1, action: start_chat, resource: 1, reason: self }, \
        { subject: 2, action: start_chat, resource: 1, reason: no_rule }, \
        { subject: 3, action: start_chat, resource: 1, reason: unknown_subject }] }]";
    assert_eq!(
        gates(more),
        [
            ("known".to_owned(), Value::Null),
            ("self".to_owned(), Value::Null),
            named("rules", "let nothing pass"),
        ]
    );
}

/// What is given is laid over what the policy says of those whom a test names, wherever it says it,
/// and it makes no difference whether a list is asked for too.
#[test]
fn what_is_given_counts_the_same_with_and_without_lists() {
    let policy = "
        peers { default: contacts; }
        rules: [];
        user a { favorites: [b]; permissions { video_call: any(hasTag(A), not(hasTag(A))); } }
        user b { contacts: [a]; friends: [c]; }
        user c {}
        user d { contacts: [a]; }
        group g { creator: a; members: [b, c]; }
        conversation a, b;
    ";
    let cases = [
        // The one who is a contact as a favorite alone is none any more.
        (
            "users: { a: { favorites: [] } }",
            "subject: a, action: send_message, resource: b, reason: peers_subject",
        ),
        (
            "users: { a: { contacts: [d] } }",
            "subject: a, action: send_message, resource: d, reason: no_rule",
        ),
        (
            "users: { a: { contacts: [d] } }",
            "subject: a, action: send_message, resource: b, allow: true",
        ),
        ("users: { c: { tags: [A] } }", "subject: a, action: video_call, resource: b, allow: true"),
        (
            "users: { a: { permissions: { video_call: false } } }",
            "subject: a, action: video_call, resource: b, reason: permission_off",
        ),
        (
            "users: { a: { moderation: banned } }",
            "subject: a, action: send_message, resource: b, reason: banned",
        ),
        (
            "conversations: [[a, d]], users: { a: { contacts: [d] } }",
            "subject: a, action: send_message, resource: d, allow: true",
        ),
        (
            "users: { e: {} }, groups: { g: { admins: [e] } }",
            "subject: e, action: add_admin, resource: g, member: b, reason: needs_super_admin",
        ),
        (
            "groups: { g: { members: [c] } }",
            "subject: b, action: leave, resource: g, reason: not_member",
        ),
        (
            "limits: { friends: 1 }",
            "subject: a, action: friend_request, resource: b, reason: friend_list_full",
        ),
        (
            "users: { z: {} }",
            "subject: a, action: send_message, resource: nobody, reason: unknown_resource",
        ),
    ];
    for (given, expectation) in cases {
        for more in ["", ", { subject: a, action: block, reaches: [b, c, d] }"] {
            let more = match given {
                _ if given.contains("banned") => more.replace("[b, c, d]", "[]"),
                _ if given.contains(" e: {}") => more.replace("d]", "d, e]"),
                _ if given.contains(" z: {}") => more.replace("d]", "d, z]"),
                _ => more.to_owned(),
            };
            let tests = format!(
                "tests: [{{ name: t, given: {{ {given} }}, expect: [{{ {expectation} }}{more}] }}]"
            );
            let folder = folder(&[("p.peerage", policy), ("t.test.yaml", &tests)]);
            let output = run(&[&path(&folder, "")]);
            let reported = (text(&output.stdout), text(&output.stderr));
            assert_eq!(output.status.code(), Some(0), "{tests}: {reported:?}");
        }
    }
    // Mistakes are reported for the whole policy: the user that was meant, and the limits that others break.
    for (given, expectation, reported) in [
        (
            "users: { a: { contacts: [bb] } }",
            "subject: a, action: read, resource: b, allow: true",
            "did you mean `b`",
        ),
        (
            "users: { a: {} }",
            "subject: a, action: read, resource: cc, allow: true",
            "did you mean `c`",
        ),
        (
            "limits: { friends: 0 }",
            "subject: a, action: read, resource: d, allow: true",
            "over-limit",
        ),
    ] {
        let tests =
            format!("tests: [{{ name: t, given: {{ {given} }}, expect: [{{ {expectation} }}] }}]");
        let folder = folder(&[("p.peerage", policy), ("t.test.yaml", &tests)]);
        let output = run(&[&path(&folder, "")]);
        assert_eq!(output.status.code(), Some(1), "{tests}");
        assert!(text(&output.stderr).contains(reported), "{tests}: {}", text(&output.stderr));
    }
}

/// Who accepts what, and the groups that two users share, count the same in both as well.
#[test]
fn what_is_between_two_users_counts_the_same_with_and_without_lists() {
    let policy = "
        audience fellows: sharesGroup;
        action mention: send_message;
        barrier b: hasTag(A) <-> hasTag(B);
        user a {}
        user b { accepts { start_chat: nobody; } }
        user c { accepts { send_message: fellows; } }
        user d { tags: [B]; }
        user e { peers: fellows; }
        user f { permissions { mention: false; } }
        group g { creator: a; members: [c]; }
        group h { creator: a; members: [d]; }
    ";
    let cases = [
        (
            "users: { b: { tags: [A] } }",
            "subject: a, action: start_chat, resource: b, reason: not_in_audience",
        ),
        (
            "users: { b: { accepts: { voice_call: everyone } } }",
            "subject: a, action: start_chat, resource: b, allow: true",
        ),
        ("users: { a: {} }", "subject: a, action: send_message, resource: c, allow: true"),
        (
            "users: { b: {} }",
            "subject: b, action: send_message, resource: c, reason: not_in_audience",
        ),
        (
            "users: { e: { tags: [A] } }",
            "subject: a, action: start_chat, resource: e, reason: peers_resource",
        ),
        (
            "groups: { h: { members: [d, e] } }",
            "subject: d, action: start_chat, resource: e, allow: true",
        ),
        (
            "users: { b: { tags: [A] } }",
            "subject: a, action: add_member, resource: h, member: b, reason: barrier",
        ),
        (
            "users: { a: { tags: [A] } }",
            "subject: f, action: mention, resource: a, reason: permission_off",
        ),
        (
            "users: { f: { permissions: { mention: true } } }",
            "subject: f, action: mention, resource: a, allow: true",
        ),
    ];
    for (given, expectation) in cases {
        for more in ["", ", { subject: a, action: block, reaches: [b, c, d, e, f] }"] {
            let tests = format!(
                "tests: [{{ name: t, given: {{ {given} }}, expect: [{{ {expectation} }}{more}] }}]"
            );
            let folder = folder(&[("p.peerage", policy), ("t.test.yaml", &tests)]);
            let output = run(&[&path(&folder, "")]);
            let reported = (text(&output.stdout), text(&output.stderr));
            assert_eq!(output.status.code(), Some(0), "{tests}: {reported:?}");
        }
    }
}

/// Of a long list, those who are alike are followed once, and all that there is is reached.
#[test]
fn coverage_of_lists_is_that_of_each_who_is_on_them() {
    let policy = "
        peers { hasTag(A): contacts; default: all; }
        permissions { incoming: true; }
        rule a: hasTag(S) -> [A]; rule b: hasTag(S) -> [B]; rule c: hasTag(S) -> [C];
        user s { tags: [S]; }
        user a1 { tags: [A]; contacts: [s]; } user a2 { tags: [A]; contacts: [s]; }
        user b1 { tags: [B]; permissions { incoming: true; } }
        user b2 { tags: [B]; peers: all; permissions { incoming: true; } }
    ";
    let reaches = |list: &str| {
        let list = format!("{{ subject: s, action: start_chat, reaches: [{list}] }}");
        reached_in("p.peerage", policy, &format!("tests: [{{ name: t, expect: [{list}] }}]"))
    };
    assert_eq!(
        reaches("a1, a2, b1, b2"),
        ["peers.modes[0]", "peers.default", "permissions.incoming", "a", "b"]
    );
}

/// What is said of two users: rules of sets, audiences, barriers.
#[test]
fn statements_between_two_users_are_reached_by_those_whom_they_concern() {
    let policy = "
        rule_set colleagues {
          rule shared: hasTag(S) -> hasTag(S) between sharesTag(team-*);
          rule staff: hasTag(S) -> everyone;
        }
        audience fans: inverse(contact);
        accepts start_chat { hasTag(shy): contacts; hasTag(star): fans locked; default: everyone; }
        accepts voice_call { default: contacts; otherwise: request; }
        barrier apart: hasTag(x) <-> hasTag(y) { unless: mutual(contact); }
        barrier one_way: hasTag(y) -> hasTag(x) { actions: [start_chat]; }
        user a { tags: [S, team-1]; contacts: [star]; }
        user b { tags: [S, team-1]; }
        user shy { tags: [shy, S]; }
        user star { tags: [star]; accepts { start_chat: everyone; } }
        user own { accepts { start_chat: nobody; } }
        user x { tags: [x, S]; }
        user y { tags: [y]; }
        group g { creator: b; members: [x]; }
    ";
    for (expectation, expected) in [
        (
            "subject: a, action: start_chat, resource: b, allow: true",
            &["shared", "staff", "accepts.start_chat.default"] as &[&str],
        ),
        // No rule opens what is denied, and the gates after the closed one are not asked.
        (
            "subject: a, action: start_chat, resource: shy, reason: not_in_audience",
            &["accepts.start_chat.modes[0]"],
        ),
        // Users' own audiences stand in place of the policy's, but of a locked one.
        ("subject: a, action: start_chat, resource: own, reason: not_in_audience", &[]),
        (
            "subject: b, action: start_chat, resource: star, reason: not_in_audience",
            &["accepts.start_chat.modes[1]"],
        ),
        (
            "subject: a, action: voice_call, resource: b, obligations: [request]",
            &["shared", "staff", "accepts.start_chat.default", "accepts.voice_call.default"],
        ),
        (
            "subject: x, action: send_message, resource: y, context: { conversation: existing }, \
             reason: barrier",
            &["barriers.apart"],
        ),
        (
            "subject: y, action: start_chat, resource: x, reason: barrier",
            &["accepts.start_chat.default", "barriers.apart", "barriers.one_way"],
        ),
        (
            "subject: b, action: add_member, resource: g, member: y, reason: barrier",
            &["barriers.apart"],
        ),
    ] {
        let tests = format!("tests: [{{ name: t, expect: [{{ {expectation} }}] }}]");
        assert_eq!(reached_in("p.peerage", policy, &tests), expected, "{expectation}");
    }
}

/// Users are followed each for themselves where what they share or set themselves tells them apart.
#[test]
fn coverage_of_lists_tells_apart_who_shares_groups_and_who_accepts_what() {
    let policy = "
        rule apart: hasTag(S) -> [A];
        rule shared: hasTag(S) -> everyone between sharesGroup;
        accepts start_chat { default: everyone; }
        user s { tags: [S]; }
        user a1 { tags: [A]; accepts { start_chat: everyone; } }
        user a2 { tags: [A]; accepts { start_chat: everyone; } }
        user a3 { tags: [A]; }
        group g { creator: s; members: [a2]; }
    ";
    let reaches = |given: &str, list: &str| {
        let tests = format!(
            "tests: [{{ name: t, given: {{ {given} }}, \
             expect: [{{ subject: s, action: start_chat, reaches: [{list}] }}] }}]"
        );
        reached_in("p.peerage", policy, &tests)
    };
    assert_eq!(reaches("", "a1, a2, a3"), ["apart", "shared", "accepts.start_chat.default"]);
    let none = "groups: { g: { members: [] } }";
    assert_eq!(reaches(none, "a1, a2, a3"), ["apart", "accepts.start_chat.default"]);
    let others = "users: { a1: { accepts: {} }, a2: { accepts: {} } }";
    assert_eq!(reaches(others, "a1, a2, a3"), ["apart", "shared", "accepts.start_chat.default"]);
}
