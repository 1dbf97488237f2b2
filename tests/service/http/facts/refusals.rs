//! Refusals: their statuses, and that nothing of them takes effect.

use serde_json::{Value, json};

use super::{Kept, TOKEN, authorization};
use crate::support::daemon::{Daemon, stores};

#[test]
fn who_shows_no_token_is_refused() {
    let kept = Kept::start();
    let batch = br#"{"commands":[]}"#;
    let json = "Content-Type: application/json\r\n";
    for (headers, status) in [
        (String::new(), 401),
        (format!("Authorization: Bearer {TOKEN}x\r\n"), 401),
        (format!("Authorization: Basic {TOKEN}\r\n"), 401),
        (authorization(), 200),
    ] {
        let headers = headers + json;
        let answer = kept.daemon.connect().ask("POST", "/v1/facts", &headers, batch);
        assert_eq!(answer.status, status, "{headers}");
        for path in ["/v1/facts", "/v1/facts/users", "/v1/facts/users/ann", "/v1/facts/export"] {
            if status == 401 {
                kept.daemon.connect().ask("GET", path, &headers, b"").refusal(401);
            }
        }
        if status == 401 {
            let path = "/v1/store/backup?to=/tmp/x";
            kept.daemon.connect().ask("POST", path, &headers, b"").refusal(401);
        }
    }
}

#[test]
fn without_a_token_or_a_store_it_is_said_how_to_get_them() {
    let daemon = Daemon::serve(stores());
    let answer = daemon.connect().post("/v1/facts", br#"{"commands":[]}"#);
    answer.refusal(403);
    assert!(answer.text().contains("--admin-token-file"), "{}", answer.text());

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), TOKEN).unwrap();
    let mut command = crate::support::daemon::serve();
    command.arg(stores()).args(["--listen", "127.0.0.1:0"]);
    let daemon = Daemon::start(command.arg("--admin-token-file").arg(folder.path().join("token")));
    let headers = authorization() + "Content-Type: application/json\r\n";
    for (method, path, body) in [
        ("POST", "/v1/facts", &br#"{"commands":[]}"#[..]),
        ("GET", "/v1/facts/export", b""),
        ("POST", "/v1/store/backup?to=/tmp/x", b""),
    ] {
        let answer = daemon.connect().ask(method, path, &headers, body);
        answer.refusal(403);
        assert!(answer.text().contains("--store"), "{}", answer.text());
    }
    // What files state can be read all the same.
    let answer = daemon.connect().ask("GET", "/v1/facts/users/3", &authorization(), b"");
    assert_eq!((answer.status, &answer.json()["tags"]), (200, &json!(["Berlin"])));
    let answer = daemon.connect().ask("GET", "/v1/facts", &authorization(), b"");
    assert_eq!(answer.json()["store"]["kind"], "none");
}

#[test]
fn malformed_batches() {
    let kept = Kept::with(super::POLICY, &["--body-limit", "10000"]);
    let cases: [(&str, u16); 11] = [
        ("", 400),
        ("[]", 400),
        (r#"{"commands":{}}"#, 400),
        (r#"{"commands":[],"more":1}"#, 400),
        (r#"{"commands":[],"if_revision":-1}"#, 400),
        (r#"{"commands":[{"op":"fly"}]}"#, 400),
        (r#"{"commands":[{"op":"ban","user":""}]}"#, 400),
        (r#"{"commands":[{"op":"ban"}]}"#, 400),
        (r#"{"commands":[1]}"#, 400),
        (r#"{"commands":[{"op":"ban","user":"ann","user":"bob"}]}"#, 400),
        (r#"{"commands":[{"op":"put_user","user":"ann","attributes":{"a":{"b":1,"b":2}}}]}"#, 400),
    ];
    let headers = authorization() + "Content-Type: application/json\r\n";
    for (body, status) in cases {
        let answer = kept.daemon.connect().ask("POST", "/v1/facts", &headers, body.as_bytes());
        assert_eq!(answer.status, status, "{body} {}", answer.text());
    }
    // In our words, each name once.
    for (body, reported) in [
        ("[[],1]", "expected an object, found an array"),
        ("[1,2]", "expected an object, found an array"),
        ("5", "expected an object, found the number `5`"),
        ("{}", "missing field `commands`"),
        (r#"{"comands":[]}"#, "did you mean `commands`?"),
        (
            r#"{"commands":[],"if_revision":"x"}"#,
            "expected a whole number from 0, found the string",
        ),
        (r#"{"commands":[],}"#, "trailing comma before a closing bracket"),
        (r#"{"commands":["#, "unexpected end within an array"),
        (r#"{"commands":[{"op":"bann"}]}"#, "unknown op `bann`; did you mean `ban`?"),
        (r#"{"commands":[{"op":"ban","user":"ann","ass":"bob"}]}"#, "did you mean `as`?"),
        (r#"{"commands":[{"op":"put_user","user":"ann","tgas":[]}]}"#, "did you mean `tags`?"),
    ] {
        let answer = kept.daemon.connect().ask("POST", "/v1/facts", &headers, body.as_bytes());
        assert_eq!(answer.status, 400, "{body}");
        let message = answer.json()["error"]["message"].as_str().map_or_else(
            || answer.json()["outcomes"][0]["message"].as_str().unwrap().to_owned(),
            str::to_owned,
        );
        assert!(message.contains(reported), "{body}: {message}");
    }
    // All that is wrong is reported, and nothing is done.
    let answer = kept.send(&json!([
        { "op": "ban", "user": "ann" }, { "op": "ban" }, { "op": "block", "from": "ann", "to": 1 },
    ]));
    assert_eq!(answer.status, 400);
    let outcomes = answer.json()["outcomes"].clone();
    let reasons: Vec<&str> =
        outcomes.as_array().unwrap().iter().map(|it| it["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["not_applied", "malformed", "malformed"]);
    assert_eq!((&outcomes[1]["field"], &outcomes[2]["field"]), (&json!("user"), &json!("to")));
    assert_eq!(kept.reason("ann sign_in"), "allowed");

    let large = json!({ "op": "put_user", "user": "x", "attributes": { "a": "b".repeat(10_000) } });
    kept.send(&json!([large])).refusal(413);
    kept.daemon.connect().ask("DELETE", "/v1/facts", &authorization(), b"").refusal(405);
    kept.daemon.connect().ask("POST", "/v1/facts/users", &authorization(), b"").refusal(405);
    kept.daemon.connect().ask("GET", "/v1/store/backup", &authorization(), b"").refusal(405);
    for path in [
        "/v1/facts//",
        "/v1/facts/users/nobody",
        "/v1/facts/groups/none",
        "/v1/facts/rules/00000000-0000-4000-8000-00000000000f",
        "/v1/facts/other",
        "/v1/facts/other/x",
    ] {
        kept.read(path).refusal(404);
    }
    for path in [
        "/v1/facts/users/%zz",
        "/v1/facts/users/%ff",
        "/v1/facts/rules/x",
        "/v1/facts/users?limit=0",
        "/v1/facts/users?limits=1",
        "/v1/facts/rules?after=x",
        "/v1/facts/conversations?after=x",
        "/v1/facts/users/a%00b",
    ] {
        kept.read(path).refusal(400);
    }
}

#[test]
fn what_a_file_states_names_its_line() {
    let kept = Kept::start();
    let cases = [
        (json!({ "op": "put_user", "user": "ann", "tags": ["b"] }), 7),
        (json!({ "op": "add_tags", "user": "bob", "tags": ["a"] }), 8),
        (json!({ "op": "put_user", "user": "cyd", "peers": "paired" }), 9),
        (json!({ "op": "put_user", "user": "cyd", "permissions": { "video_call": true } }), 9),
        (json!({ "op": "unblock", "from": "cyd", "to": "bob" }), 9),
        (json!({ "op": "delete_user", "user": "bob" }), 8),
        (json!({ "op": "put_group", "group": "club", "matrix": "dm" }), 11),
        (json!({ "op": "remove_member", "group": "club", "member": "bob" }), 11),
        (json!({ "op": "add_admin", "group": "club", "member": "bob" }), 11),
        (json!({ "op": "delete_group", "group": "club" }), 11),
        (json!({ "op": "close_conversation", "users": ["bob", "ann"] }), 13),
    ];
    let check = |added: u64| {
        for (command, line) in &cases {
            let answer = kept.send(&json!([command]));
            assert_eq!(answer.status, 409, "{command} {}", answer.text());
            let outcome = answer.json()["outcomes"][0].clone();
            assert_eq!(outcome["reason"], "stated_by_file", "{command} {outcome}");
            assert_eq!(outcome["place"]["line"], *line + added, "{command} {outcome}");
            let file = outcome["place"]["file"].as_str().unwrap();
            assert!(file.ends_with("policy.yaml"), "{outcome}");
            assert!(outcome["message"].as_str().unwrap().contains(file));
        }
    };
    check(0);
    // Lines above it move what is stated, and nothing else changes.
    assert_eq!(kept.reload(&format!("# one\n# two\n{}", super::POLICY)).status, 200);
    check(2);
}

#[test]
fn a_batch_takes_effect_whole_or_not_at_all() {
    let kept = Kept::start();
    let answer = kept.send(&json!([
        { "op": "ban", "user": "ann" },
        { "op": "ban", "user": "nobody" },
        { "op": "put_user", "user": "dan" },
    ]));
    assert_eq!(answer.status, 409);
    let body = answer.json();
    assert_eq!(body["revision"], 0);
    let reasons: Vec<&Value> =
        body["outcomes"].as_array().unwrap().iter().map(|outcome| &outcome["reason"]).collect();
    assert_eq!(reasons, ["not_applied", "unknown_subject", "not_applied"]);
    assert_eq!(kept.reason("ann sign_in"), "allowed");
    assert_eq!(kept.reason("dan sign_in"), "unknown_subject");
    kept.read("/v1/facts/users/dan").refusal(404);

    // What one command does, the next one sees.
    kept.done(&json!([
        { "op": "put_user", "user": "dan" },
        { "op": "block", "from": "dan", "to": "ann" },
    ]));
}

#[test]
fn limits_hold() {
    let kept = Kept::start();
    let users: Vec<Value> = (0..5)
        .map(|at| json!({ "op": "put_user", "user": format!("u{at}"), "tags": ["a"] }))
        .collect();
    kept.done(&json!(users));
    let fill = |command: &dyn Fn(usize) -> Value, reason: &str, most: usize| {
        for at in 0..most {
            kept.done(&json!([command(at)]));
        }
        let outcome = kept.send(&json!([command(most)])).json()["outcomes"][0].clone();
        assert_eq!(outcome["reason"], reason, "{outcome}");
    };
    fill(
        &|at| json!({ "op": "block", "from": "ann", "to": format!("u{at}") }),
        "block_list_full",
        3,
    );
    fill(
        &|at| json!({ "op": "add_friend", "from": "bob", "to": format!("u{at}") }),
        "friend_list_full",
        3,
    );
    fill(
        &|at| json!({ "op": "add_friend_list", "user": "ann", "list": format!("l{at}") }),
        "friend_lists_full",
        2,
    );
    // Two of its members are a file's.
    fill(
        &|at| json!({ "op": "add_member", "group": "club", "member": format!("u{at}") }),
        "group_full",
        2,
    );
}
