//! Rules and users that files state.

use std::fs;

use serde_json::{Value, json};

use super::{fault, fine, send};
use crate::dialects::rig::Rig;

/// Line 4 states a rule, by its name, line 8 a user with tags, line 9 one without.
pub(super) const POLICY: &str = r#"preset: flip
rules:
  - rule_id: 18f71bae-0498-4edc-8091-dc6720f4359e
    name: headquarters
    condition: "hasTag( Stuttgart )"
    outcome: [Berlin, Munich, Stuttgart]
users:
  "2": { tags: [Stuttgart] }
  "3": {}
"#;

#[test]
fn the_place_is_reported() {
    let rig = Rig::start(POLICY);
    let path = "/sync/interaction-rules/18f71bae-0498-4edc-8091-dc6720f4359e";
    let rule = json!({ "condition": "hasTag(A)", "outcome": ["B"] });
    for (method, path, body, line) in [
        ("PUT", path, rule, 4),
        ("DELETE", path, Value::Null, 4),
        ("PUT", "/sync/users/2/tags", json!(["Berlin"]), 8),
    ] {
        let error = fault(&send(&rig, method, path, &body), 409, "stated_by_file");
        let file = error["place"]["file"].as_str().unwrap();
        assert!(file.ends_with("policy.yaml"), "{file}");
        let place = format!("{file}:{}", error["place"]["line"]);
        assert!(error["message"].as_str().unwrap().contains(&place), "{error:#}");
        assert_eq!(error["place"]["line"], line);
    }
}

/// They stand among the others in the order of ids, wherever the page of the store ends.
#[test]
fn many_of_files_and_many_of_the_api() {
    let id = |number: u32| uuid::Uuid::from_u128(u128::from(number)).to_string();
    let ids: Vec<String> = (1..=300).map(id).collect();
    let policy = ids.iter().step_by(3).fold("preset: flip\nrules:\n".to_owned(), |text, id| {
        text + &format!("  - {{ rule_id: {id}, condition: hasTag(A), outcome: [B] }}\n")
    });
    let rig = Rig::start(&policy);
    let others = ids.iter().enumerate().filter(|(at, _)| at % 3 != 0).map(|(_, id)| {
        json!({ "op": "put_rule", "rule_id": id, "condition": "hasTag(A)", "outcome": ["B"] })
    });
    rig.write(&others.collect());
    let reported = fine(&rig, "GET", "/sync/interaction-rules", &Value::Null);
    let listed: Vec<&str> = reported["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["rule_id"].as_str().unwrap())
        .collect();
    assert_eq!(listed, ids);
    // The native list shows them the same, page by page.
    let mut after = String::new();
    let mut paged = Vec::new();
    loop {
        let path = format!("/v1/facts/rules?limit=7{after}");
        let page = rig.ask("GET", &path, &crate::dialects::rig::bearer(), b"").json();
        let rules = page["rules"].as_array().unwrap();
        paged.extend(rules.iter().map(|it| it["rule_id"].as_str().unwrap().to_owned()));
        match page["next"].as_str().unwrap() {
            "" => break,
            next => after = format!("&after={next}"),
        }
    }
    assert_eq!(paged, ids);
}

/// A rule of the API that a file states later is the file's; it is reported once.
#[test]
fn a_file_that_states_a_rule_of_the_api() {
    let rig = Rig::start("preset: flip\n");
    let path = "/sync/interaction-rules";
    let made = fine(&rig, "POST", path, &json!({ "condition": "hasTag(A)", "outcome": ["B"] }));
    let id = made["rule_id"].as_str().unwrap();
    let policy =
        format!("preset: flip\nrules: [{{ rule_id: {id}, condition: hasTag(C), outcome: [D] }}]\n");
    fs::write(rig.folder.path().join("policy/policy.yaml"), policy).unwrap();
    assert_eq!(rig.ask("POST", "/v1/reload", &crate::dialects::rig::bearer(), b"").status, 200);
    let reported = fine(&rig, "GET", path, &Value::Null);
    let stated = json!({ "rule_id": id, "condition": "hasTag(C)", "outcome": ["D"] });
    assert_eq!(reported, json!({ "rules": [stated] }));
    fault(&send(&rig, "DELETE", &format!("{path}/{id}"), &Value::Null), 409, "stated_by_file");
}
