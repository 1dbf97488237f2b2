//! Calls that no client of Flip sends.

use serde_json::Value;

use super::{ON, fault, fine, identified};
use crate::{
    dialects::hostile::attack,
    dialects::rig::{Rig, bearer},
};

const RULES: &str = "/sync/interaction-rules";
const RULE: &str = "/sync/interaction-rules/728c1541-d6d1-4290-9a53-cdf01dd32d60";
const TAGS: &str = "/sync/users/7/tags";

fn more() -> Vec<Vec<u8>> {
    let rule = |condition: &str| {
        serde_json::json!({ "condition": condition, "outcome": ["A"] }).to_string().into_bytes()
    };
    vec![
        rule(""),
        rule("\0"),
        rule(&"not(".repeat(50_000)),
        rule(&format!("{}hasTag(A){}", "not(".repeat(5000), ")".repeat(5000))),
        rule(&format!("any({})", vec!["hasTag(A)"; 50_000].join(","))),
        rule("hasTag(\u{202e}A)"),
        rule(&"?".repeat(60_000)),
        br#"{"condition":"hasTag(A)","outcome":["A"],"condition":"hasTag(B)"}"#.to_vec(),
        br#"{"condition":{"a":[]},"outcome":["A"]}"#.to_vec(),
        br#"{"condition":"hasTag(A)","outcome":{"A":1}}"#.to_vec(),
        br#"{"condition":"hasTag(A)","outcome":[["A"]]}"#.to_vec(),
        br#"{"condition":"hasTag(A)","outcome":"A"}"#.to_vec(),
        br#"{"condition":"hasTag(A)","outcome":["A"],"description":5}"#.to_vec(),
        br#"{"condition":"hasTag(\ud800)","outcome":["A"]}"#.to_vec(),
        format!(r#"{{"condition":"hasTag(A)","outcome":["A"{}]}}"#, ",\"A\"".repeat(1000)).into(),
        format!(
            r#"{{"condition":"hasTag(A)","outcome":["A"],"description":"{}"}}"#,
            "x".repeat(10_001)
        )
        .into(),
        br#"{"condition":"hasTag(A)","outcome":["A"],"description":"\u0007"}"#.to_vec(),
        br"condition=hasTag(A)&outcome=A".to_vec(),
        format!(r#"{{"tags":["{}"]}}"#, "x".repeat(51)).into(),
        br#"{"tags":[1]}"#.to_vec(),
        br#"{"tags":{}}"#.to_vec(),
        br"[null]".to_vec(),
        br#"{"tags":["A"],"tags":["B"]}"#.to_vec(),
        br#"{"id":"7"}"#.to_vec(),
    ]
}

#[test]
fn bodies_of_all_kinds() {
    let rig = Rig::start(ON);
    for (method, path) in [("POST", RULES), ("PUT", RULE), ("PUT", TAGS)] {
        attack(&rig, (method, path, &bearer()), &more(), |body, answer| {
            let body = String::from_utf8_lossy(body);
            let shown: String = body.chars().take(100).collect();
            identified(answer.clone());
            // An empty list is an array of tags.
            if path == TAGS && body == "[]" {
                assert_eq!(answer.status, 200, "{shown}");
                return;
            }
            let expected: &[u16] = match method {
                _ if body.len() > 1 << 20 => &[413],
                // A rule that is none of what there is.
                "PUT" if path == RULE => &[400, 404],
                _ => &[400],
            };
            assert!(expected.contains(&answer.status), "{path} {shown}: {}", answer.text());
            let error = &answer.json()["error"];
            fault(answer, answer.status, error["code"].as_str().unwrap());
        });
    }
    assert_eq!(fine(&rig, "GET", RULES, &Value::Null)["rules"], serde_json::json!([]));
}

/// What is called with a body that it does not take passes it over.
#[test]
fn bodies_where_none_is_asked_for() {
    let rig = Rig::start(ON);
    for (method, path, status) in [("GET", RULES, 200), ("DELETE", RULE, 404)] {
        let answer = identified(rig.ask(method, path, &bearer(), b"{\"a\":"));
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

#[test]
fn methods_that_are_none() {
    let rig = Rig::start(ON);
    for (path, allowed) in
        [(RULES, "GET, HEAD, POST"), (RULE, "PUT, DELETE"), (TAGS, "GET, HEAD, PUT")]
    {
        let known: Vec<&str> = allowed.split(", ").collect();
        let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get"];
        for method in methods.iter().filter(|method| !known.contains(method)) {
            let answer = rig.ask(method, path, &bearer(), b"");
            fault(&answer, 405, "wrong_method");
            assert_eq!(answer.header("allow"), Some(allowed));
        }
    }
}

#[test]
fn paths_that_lead_nowhere() {
    let rig = Rig::start(ON);
    for path in [
        "/sync",
        "/sync/",
        "/sync/interaction-rules/",
        "/sync/interaction-rule",
        "/sync/Interaction-Rules",
        "/sync//interaction-rules",
        "/sync/interaction-rules//",
        "/sync/interaction-rules/a/b",
        "/sync/../sync/interaction-rules",
        "/sync/users",
        "/sync/users/",
        "/sync/users/7",
        "/sync/users//tags",
        "/sync/users/7/tags/",
        "/sync/users/7/tags/x",
        "/api/external/v1",
        "/api/external/v1/",
        "/api/external/v1/interaction-rules",
        "/api/external/v1/api/external/v1/sync/interaction-rules",
    ] {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            fault(&rig.ask(method, path, &bearer(), b"{}"), 404, "not_found");
        }
    }
    // What is not below is not Flip's.
    for path in ["/synced", "/api/external/v2/sync/interaction-rules", "/api/external/v10"] {
        let answer = rig.ask("GET", path, &bearer(), b"");
        assert_eq!(answer.status, 404);
        assert_eq!(answer.header("flip-request-id"), None, "{path}");
    }
}
