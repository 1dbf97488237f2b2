//! Windows over HTTP: conditions that the API sets, and the number of the view in every answer.

use std::fs;

use serde_json::json;

use crate::http::facts::{Kept, POLICY, authorization};

fn policy() -> String {
    format!("{POLICY}windows:\n  school: {{ from: \"00:00\", to: \"24:00\", zone: UTC }}\n")
}

fn number(answer: &crate::support::client::Answer) -> u64 {
    answer.header("peerage-view").expect("each answer has it").parse().unwrap()
}

#[test]
fn every_answer_says_which_view_it_is_of_and_each_served_view_has_a_greater_number() {
    let kept = Kept::with(&policy(), &["--dialect", "all"]);
    let mut client = kept.daemon.connect();
    let first = number(&client.get("/healthz"));
    for path in [
        "/v1/decide?subject=ann&action=sign_in",
        "/v1/allow?subject=ann&action=sign_in",
        "/v1/reach?subject=ann&action=start_chat",
        "/v1/decide?subject=ann",
        "/v1/status",
        "/metrics",
        "/healthz",
        "/nothing",
        "/v1/facts",
        "/api.php",
    ] {
        assert_eq!(number(&client.get(path)), first, "{path}");
    }
    let written = kept.send(&json!([{ "op": "put_user", "user": "dan", "tags": ["a"] }]));
    assert_eq!(number(&written), first + 1);
    let unchanged = client.ask("POST", "/v1/reload", &authorization(), b"");
    let after = number(&client.get("/healthz"));
    assert_eq!(unchanged.status, 200);
    fs::write(kept.path("policy.yaml"), policy().replace("ann: { tags: [a] }", "ann: {}")).unwrap();
    client.ask("POST", "/v1/reload", &authorization(), b"");
    // The watch may have reloaded it besides.
    let last = number(&client.get("/healthz"));
    assert!((after + 1..=after + 2).contains(&last), "{last} after {after}");
}

#[test]
fn conditions_of_the_api_name_windows_that_there_are() {
    let kept = Kept::with(&policy(), &[]);
    let rule = |condition: &str| json!([{ "op": "put_rule", "name": "r", "condition": condition, "outcome": ["boss"] }]);
    let id = kept.send(&rule("all(hasTag(a), during(school))"));
    assert_eq!(id.status, 200, "{}", id.text());
    assert_eq!(kept.reason("ann start_chat cyd"), "allowed");
    let id = id.json()["outcomes"][0]["rule_id"].as_str().unwrap().to_owned();
    let read = kept.reported(&format!("/v1/facts/rules/{id}"));
    assert_eq!(read["condition"], "all(hasTag(a), during(school))");
    let refused = kept.send(&json!([
        { "op": "put_rule", "condition": "not(during(scool))", "outcome": ["boss"] },
    ]));
    let outcome = &refused.json()["outcomes"][0];
    assert_eq!((refused.status, &outcome["reason"]), (409, &json!("invalid_condition")));
    let message = outcome["message"].as_str().unwrap();
    assert!(message.contains("no window `scool` is defined"), "{message}");
    assert!(message.contains("school"), "{message}");
    for (op, reason) in [
        (
            json!({ "op": "put_user", "user": "eve", "permissions": { "outgoing": "during(x)" } }),
            "invalid_condition",
        ),
        (
            json!({ "op": "put_group", "group": "g", "creator": "ann", "matrix": "team", "permissions": { "add_member": "during(x)" } }),
            "invalid_value",
        ),
    ] {
        let refused = kept.send(&json!([op]));
        assert_eq!(refused.json()["outcomes"][0]["reason"], reason, "{}", refused.text());
    }
}
