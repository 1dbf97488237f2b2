//! Rules, here and in other APIs.

use serde_json::{Value, json};

use super::{ON, fault, fine, identified, send};
use crate::dialects::rig::{Rig, bearer};

const RULES: &str = "/sync/interaction-rules";

fn made(rig: &Rig, rule: &Value) -> String {
    fine(rig, "POST", RULES, rule)["rule_id"].as_str().unwrap().to_owned()
}

#[test]
fn members_come_in_the_order_of_the_document() {
    let rig = Rig::start(ON);
    let rule =
        json!({ "outcome": ["B", "A", "B"], "description": "d", "condition": "hasTag( A )" });
    let id = made(&rig, &rule);
    let reported = format!(
        "{{\"rule_id\":\"{id}\",\"condition\":\"hasTag( A )\",\"outcome\":[\"B\",\"A\",\"B\"],\
         \"description\":\"d\"}}"
    );
    let listed = identified(rig.ask("GET", RULES, &bearer(), b""));
    assert_eq!(listed.text(), format!("{{\"rules\":[{reported}]}}"));
    let put = identified(rig.ask("PUT", &format!("{RULES}/{id}"), &bearer(), reported.as_bytes()));
    assert_eq!((put.status, put.text()), (200, &*reported));
}

#[test]
fn a_rule_that_is_made_says_where_it_is() {
    let rig = Rig::start(ON);
    for path in [RULES, "/api/external/v1/sync/interaction-rules"] {
        let rule = json!({ "condition": "hasTag(A)", "outcome": ["B"] });
        let answer = send(&rig, "POST", path, &rule);
        assert_eq!(answer.status, 201);
        let place = answer.header("location").unwrap();
        assert_eq!(place, format!("{path}/{}", answer.json()["rule_id"].as_str().unwrap()));
        assert_eq!(send(&rig, "DELETE", place, &Value::Null).status, 204);
    }
}

#[test]
fn each_answer_has_another_id() {
    let rig = Rig::start(ON);
    let id = || {
        let answer = rig.ask("GET", RULES, &bearer(), b"");
        answer.header("flip-request-id").unwrap().to_owned()
    };
    assert_ne!(id(), id());
}

#[test]
fn a_put_makes_no_rule() {
    let rig = Rig::start(ON);
    let rule = json!({ "condition": "hasTag(A)", "outcome": ["B"] });
    let nowhere = format!("{RULES}/728c1541-d6d1-4290-9a53-cdf01dd32d60");
    fault(&send(&rig, "PUT", &nowhere, &rule), 404, "unknown_rule");
    fault(&send(&rig, "DELETE", &nowhere, &Value::Null), 404, "unknown_rule");
    let path = format!("{RULES}/{}", made(&rig, &rule));
    assert_eq!(send(&rig, "DELETE", &path, &Value::Null).status, 204);
    fault(&send(&rig, "PUT", &path, &rule), 404, "unknown_rule");
    fault(&send(&rig, "DELETE", &path, &Value::Null), 404, "unknown_rule");
    assert_eq!(fine(&rig, "GET", RULES, &Value::Null), json!({ "rules": [] }));
}

/// A refused PUT leaves what is there.
#[test]
fn a_put_takes_effect_whole_or_not_at_all() {
    let rig = Rig::start(ON);
    let rule = json!({ "condition": "hasTag(A)", "outcome": ["B"], "description": "d" });
    let id = made(&rig, &rule);
    let path = format!("{RULES}/{id}");
    let bad = json!({ "condition": "hasTag(A", "outcome": ["C"] });
    fault(&send(&rig, "PUT", &path, &bad), 400, "invalid_condition");
    let reported = fine(&rig, "GET", RULES, &Value::Null);
    assert_eq!(reported["rules"][0]["condition"], "hasTag(A)");
    assert_eq!(reported["rules"][0]["description"], "d");
}

#[test]
fn the_native_api_sees_what_was_made_here() {
    let rig = Rig::start(ON);
    let rule = json!({ "condition": "hasTag( A )", "outcome": ["B", "B"], "description": "d" });
    let id = made(&rig, &rule);
    let reported = rig.ask("GET", &format!("/v1/facts/rules/{id}"), &bearer(), b"").json();
    assert_eq!(reported["condition"], "hasTag( A )");
    assert_eq!(reported["outcome"], json!(["B", "B"]));
    assert_eq!(reported["description"], "d");
}

/// Flip knows of no names, so a PUT says nothing of them.
#[test]
fn a_name_that_was_given_elsewhere_stays() {
    let rig = Rig::start(ON);
    let id = "728c1541-d6d1-4290-9a53-cdf01dd32d60";
    rig.write(&json!([{
        "op": "put_rule", "rule_id": id, "name": "n", "condition": "hasTag(A)", "outcome": ["B"],
        "description": "d",
    }]));
    let reported = fine(&rig, "GET", RULES, &Value::Null);
    let listed = json!({
        "rule_id": id, "condition": "hasTag(A)", "outcome": ["B"], "description": "d",
    });
    assert_eq!(reported, json!({ "rules": [listed] }));
    let rule = json!({ "condition": "hasTag(C)", "outcome": ["D"] });
    let reported = fine(&rig, "PUT", &format!("{RULES}/{id}"), &rule);
    assert_eq!(reported, json!({ "rule_id": id, "condition": "hasTag(C)", "outcome": ["D"] }));
    let reported = rig.ask("GET", &format!("/v1/facts/rules/{id}"), &bearer(), b"").json();
    assert_eq!(reported["name"], "n");
    assert_eq!(reported["description"], Value::Null);
}

/// Without a `rules` section the feature is off: nothing is restricted, and rules wait.
#[test]
fn rules_wait_until_the_feature_is_on() {
    let rig = Rig::start("users: { a: { tags: [A] }, b: { tags: [B] } }\n");
    let answer = send(&rig, "POST", RULES, &json!({ "condition": "hasTag(A)", "outcome": ["C"] }));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("peerage-rules-in-force"), Some("false"));
    let listed = send(&rig, "GET", RULES, &Value::Null);
    assert_eq!(listed.header("peerage-rules-in-force"), Some("false"));
    assert_eq!(listed.json()["rules"].as_array().unwrap().len(), 1);
    assert!(rig.decide("a", "start_chat", "b").0);

    let on = Rig::start(ON);
    let answer = send(&on, "POST", RULES, &json!({ "condition": "hasTag(A)", "outcome": ["C"] }));
    assert_eq!(answer.header("peerage-rules-in-force"), None);
}

#[test]
fn all_are_listed_however_many_there_are() {
    let rig = Rig::start(ON);
    let mut ids = Vec::new();
    for first in [0_u128, 99, 100, 101, 1001] {
        let upto = if first == 1001 { 2100 } else { first };
        let more: Vec<String> = (ids.len() as u128..upto)
            .map(|number| uuid::Uuid::from_u128(number + 1).to_string())
            .collect();
        for part in more.chunks(1000) {
            let put = part.iter().map(|id| {
                json!({
                    "op": "put_rule", "rule_id": id, "condition": "hasTag(A)", "outcome": ["B"],
                })
            });
            rig.write(&put.collect());
        }
        ids.extend(more);
        let reported = fine(&rig, "GET", RULES, &Value::Null);
        let listed = reported["rules"].as_array().unwrap().iter();
        let listed: Vec<&str> = listed.map(|rule| rule["rule_id"].as_str().unwrap()).collect();
        assert_eq!(listed, ids);
    }
}

#[test]
fn descriptions_keep_their_lines() {
    let rig = Rig::start(ON);
    let mut rule = json!({ "condition": "hasTag(A)", "outcome": ["B"], "description": "a\r\n\tb" });
    assert_eq!(fine(&rig, "POST", RULES, &rule)["description"], "a\r\n\tb");
    rule["description"] = "d".repeat(10_001).into();
    let error = fault(&send(&rig, "POST", RULES, &rule), 400, "too_long");
    assert_eq!(
        error["message"],
        "a rule's description can have at most 10000 bytes; this has 10001"
    );
}

/// What is looked for in a condition is found in one pass, however long that is.
#[test]
fn long_conditions_are_refused_at_once() {
    let rig = Rig::start(ON);
    for part in [",", ", ", "\n", "/ ", "(", "\u{3000}"] {
        let rule = json!({ "condition": part.repeat(200_000), "outcome": ["B"] });
        fault(&send(&rig, "POST", RULES, &rule), 400, "too_long");
    }
    let condition = format!("any({}hasTag(A),)", "hasTag(B), ".repeat(100));
    let rule = json!({ "condition": condition, "outcome": ["B"] });
    let error = fault(&send(&rig, "POST", RULES, &rule), 400, "invalid_condition");
    assert_eq!(error["position"], json!({ "line": 1, "column": 1114 }));
    let (line, caret) = error["caret"].as_str().unwrap().split_once('\n').unwrap();
    assert!(line.starts_with('…') && line.ends_with(",)"), "{line}");
    assert_eq!(line.chars().nth(caret.len() - 1), Some(','), "{line}");
}
