//! Revisions: requested, waited for, and kept over a restart; batches that are sent again.

use serde_json::json;

use super::Kept;

#[test]
fn a_batch_for_another_revision_is_refused() {
    let kept = Kept::start();
    let ban = json!([{ "op": "ban", "user": "ann" }]);
    let answer = kept.post(&json!({ "commands": ban, "if_revision": 1 }), "");
    assert_eq!(answer.status, 409);
    let body = answer.json();
    assert_eq!(
        (&body["error"]["reason"], &body["revision"]),
        (&json!("revision_changed"), &json!(0))
    );
    assert_eq!(kept.reason("ann sign_in"), "allowed");
    let answer = kept.post(&json!({ "commands": ban, "if_revision": 0 }), "");
    assert_eq!((answer.status, &answer.json()["revision"]), (200, &json!(1)));
    assert_eq!(kept.reason("ann sign_in"), "banned");
}

#[test]
fn a_batch_that_is_sent_again_takes_effect_once() {
    let kept = Kept::start();
    let batch = json!({ "commands": [
        { "op": "put_rule", "condition": "hasTag(a)", "outcome": ["boss"] },
    ] });
    let key = "Idempotency-Key: once\r\n";
    let first = kept.post(&batch, key);
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, None));
    let rules = || kept.reported("/v1/facts/rules")["rules"].as_array().unwrap().len();
    assert_eq!(rules(), 2);
    let again = kept.post(&batch, key);
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    assert_eq!(again.json()["outcomes"], first.json()["outcomes"]);
    assert_eq!(rules(), 2);
    let other = kept.post(&json!({ "commands": [] }), key);
    assert_eq!(other.status, 422);
    assert_eq!(other.json()["error"]["reason"], "idempotency_key_reused");

    let kept = kept.restarted();
    let again = kept.post(&batch, key);
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    assert_eq!(again.json()["outcomes"], first.json()["outcomes"]);
    assert_eq!(kept.reported("/v1/facts/rules")["rules"].as_array().unwrap().len(), 2);
    for key in
        ["Idempotency-Key: \r\n".to_owned(), format!("Idempotency-Key: {}\r\n", "x".repeat(256))]
    {
        assert_eq!(kept.post(&batch, &key).refusal(400), "Idempotency-Key");
    }
}

#[test]
fn a_later_revision_can_be_asked_for() {
    let kept = Kept::with(super::POLICY, &["--at-least-wait", "30"]);
    let ask = |at_least: &str| {
        let headers = format!("Peerage-At-Least: {at_least}\r\n");
        let path = "/v1/decide?subject=ann&action=sign_in";
        kept.daemon.connect().ask("GET", path, &headers, b"")
    };
    let answer = kept.send(&json!([{ "op": "ban", "user": "ann" }]));
    let whole = answer.revision().to_owned();
    for at_least in ["0", "1", &whole] {
        let answer = ask(at_least);
        assert_eq!(
            (answer.status, &answer.json()["reason"]),
            (200, &json!("banned")),
            "{at_least}"
        );
    }
    for at_least in ["2", "18446744073709551615"] {
        assert_eq!(ask(at_least).refusal(503), "Peerage-At-Least");
    }
    for at_least in ["x", "-1", "1.x", ""] {
        assert_eq!(ask(at_least).refusal(400), "Peerage-At-Least", "{at_least}");
    }
}

#[test]
fn a_restart_restores_all() {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "put_user", "user": "dan", "tags": ["a"], "peers": "contacts", "contacts": ["ann"],
          "permissions": { "outgoing": "hasTag(a)" }, "attributes": { "name": "Dan" } },
        { "op": "add_friend", "from": "ann", "to": "dan", "remark": "D" },
        { "op": "put_group", "group": "g", "creator": "dan", "members": ["ann", "bob"] },
        { "op": "update_metadata", "group": "g", "field": "group_name", "value": "G" },
        { "op": "update_permissions", "group": "g", "permission": "add_member", "value": "deny" },
        { "op": "open_conversation", "users": ["dan", "cyd"] },
        { "op": "ban", "user": "bob" },
    ]));
    let paths = [
        "/v1/facts/users",
        "/v1/facts/users/dan",
        "/v1/facts/users/ann",
        "/v1/facts/users/bob",
        "/v1/facts/groups/g",
        "/v1/facts/groups/club",
        "/v1/facts/rules",
        "/v1/facts/conversations",
    ];
    let reported = |kept: &Kept| paths.map(|path| kept.reported(path));
    let before = reported(&kept);
    let kept = kept.restarted();
    assert_eq!(reported(&kept), before);
    assert_eq!(kept.reason("ann add_member g cyd"), "denied_by_matrix");
    assert_eq!(kept.reason("bob sign_in"), "banned");
}
