//! `POST /access/v1/evaluations`.

use serde_json::{Value, json};

use super::{EVALUATIONS as PATH, post, question, user, with_options};
use crate::support::daemon::{Daemon, stores};

/// From the stores: 3 may reach 2 and not 4.
fn items(resources: &[&str]) -> Value {
    resources.iter().map(|id| json!({ "resource": user(id) })).collect()
}

fn batch(evaluations: Value) -> Value {
    let mut body = question("3", "2");
    body.as_object_mut().unwrap().remove("resource");
    body["evaluations"] = evaluations;
    body
}

#[track_caller]
fn decisions(daemon: &Daemon, body: &Value) -> Vec<bool> {
    let answer = post(daemon, PATH, body);
    assert_eq!(answer.status, 200, "{body}: {answer:?}");
    let answer = answer.json();
    assert!(answer.get("decision").is_none(), "{answer}");
    let items = answer["evaluations"].as_array().unwrap();
    items.iter().map(|item| item["decision"].as_bool().unwrap()).collect()
}

#[test]
fn answers_stand_in_the_order_of_the_questions() {
    let daemon = Daemon::serve(stores());
    let answer = post(&daemon, PATH, &batch(items(&["2", "4", "3"])));
    assert_eq!(
        answer.text(),
        r#"{"evaluations":[{"decision":true,"context":{"reason":"allowed"}},{"decision":false,"context":{"reason":"no_rule"}},{"decision":false,"context":{"reason":"self"}}]}"#
    );
    let whole = json!({ "evaluations": [question("3", "4"), question("5", "4")] });
    assert_eq!(decisions(&daemon, &whole), [false, true]);
}

#[test]
fn defaults_are_replaced_whole() {
    let daemon = Daemon::serve(stores());
    let mut body = question("3", "2");
    body["subject"]["properties"] = json!({ "tags": [] });
    body["context"] = json!({ "explain": true });
    body["evaluations"] = json!([
        {},
        { "subject": user("3") },
        { "subject": null, "action": null, "resource": null, "context": null },
        { "subject": { "id": "3" } },
        { "subject": { "type": "user" } },
        { "resource": user("4") },
        { "subject": user("4"), "resource": user("5") },
        { "subject": user("3"), "context": {} },
        { "subject": user("3"), "action": { "name": "fly" } },
        { "colour": "red", "evaluations": 1, "options": 1, "subject": user("3") },
    ]);
    assert_eq!(
        decisions(&daemon, &body),
        [false, true, false, false, false, false, true, true, false, true]
    );
    let answers = post(&daemon, PATH, &body).json()["evaluations"].clone();
    let is_explained = |at: usize| answers[at]["context"].get("gates").is_some();
    assert!(is_explained(0) && is_explained(1) && is_explained(2) && !is_explained(7));
}

#[test]
fn a_mistake_in_one_is_none_of_the_others() {
    let daemon = Daemon::serve(stores());
    let tags = json!({ "type": "user", "id": "3", "properties": { "peerage": { "tags": ["Berlin", "b c"] } } });
    let body = batch(json!([
        { "resource": user("2") },
        {},
        { "resource": "2" },
        { "resource": { "type": "user" } },
        { "resource": { "type": "user", "id": 2 } },
        { "resource": user("2"), "subject": tags },
        { "resource": user("2"), "context": { "conversation": "old" } },
        { "resource": user("2"), "action": { "name": 1 } },
        { "resource": user("2"), "action": { "name": "fly" } },
        1,
        null,
        "x",
        [],
        { "resource": user("4") },
        { "resource": user("2") },
    ]));
    let answer = post(&daemon, PATH, &body);
    assert_eq!(answer.status, 200);
    let answers = answer.json()["evaluations"].as_array().unwrap().clone();
    assert_eq!(answers.len(), 15);
    for (number, at) in [
        (1, Some("evaluations[1].resource")),
        (2, Some("evaluations[2]")),
        (3, Some("evaluations[3].resource.id")),
        (4, Some("evaluations[4]")),
        (5, Some("evaluations[5].subject.properties.peerage.tags[1]")),
        (6, Some("evaluations[6].context.conversation")),
        (7, Some("evaluations[7]")),
        (8, None),
        (9, Some("evaluations[9]")),
        (10, Some("evaluations[10]")),
        (11, Some("evaluations[11]")),
        (12, Some("evaluations[12]")),
    ] {
        let answer = &answers[number];
        assert_eq!(answer["decision"], false, "{number}");
        let error = &answer["context"]["error"];
        assert_eq!(error["status"], 400, "{number}");
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{number}");
        assert_eq!(error["at"].as_str(), at, "{number}");
    }
    let reasons = [0, 13, 14].map(|at| answers[at]["context"]["reason"].clone());
    assert_eq!(reasons, ["allowed", "no_rule", "allowed"]);

    let alone = json!({ "evaluations": [{ "action": { "name": "start_chat" } }] });
    assert_eq!(decisions(&daemon, &alone), [false]);

    let silent = with_options(stores(), &["--authzen-context", "off"]);
    let body = batch(json!([{}, { "resource": user("2") }, 1, { "action": { "name": "fly" } }]));
    assert_eq!(
        post(&silent, PATH, &body).text(),
        r#"{"evaluations":[{"decision":false},{"decision":true},{"decision":false},{"decision":false}]}"#
    );
}

#[test]
fn semantics() {
    let daemon = Daemon::serve(stores());
    let (yes, no) = (true, false);
    let error = json!([{ "resource": user("2") }, 1, { "resource": user("2") }]);
    for (semantic, evaluations, expected) in [
        (None, items(&["2", "4", "2"]), &[yes, no, yes][..]),
        (Some("execute_all"), items(&["2", "4", "2"]), &[yes, no, yes]),
        (Some("execute_all"), error.clone(), &[yes, no, yes]),
        (Some("deny_on_first_deny"), items(&["2", "4", "2"]), &[yes, no]),
        (Some("deny_on_first_deny"), items(&["4", "2"]), &[no]),
        (Some("deny_on_first_deny"), items(&["2", "2"]), &[yes, yes]),
        (Some("deny_on_first_deny"), error.clone(), &[yes, no]),
        (Some("permit_on_first_permit"), items(&["4", "2", "2"]), &[no, yes]),
        (Some("permit_on_first_permit"), items(&["2", "4"]), &[yes]),
        (Some("permit_on_first_permit"), items(&["4", "4"]), &[no, no]),
        (Some("permit_on_first_permit"), json!([1, { "resource": user("2") }, 1]), &[no, yes]),
    ] {
        let mut body = batch(evaluations);
        body["options"] = json!({ "evaluations_semantic": semantic, "colour": [1] });
        assert_eq!(decisions(&daemon, &body), expected, "{body}");
    }
}

#[test]
fn without_evaluations_it_is_one() {
    let daemon = Daemon::serve(stores());
    for evaluations in [json!(null), json!([])] {
        for (resource, said) in [
            ("2", r#"{"decision":true,"context":{"reason":"allowed"}}"#),
            ("4", r#"{"decision":false,"context":{"reason":"no_rule"}}"#),
        ] {
            let mut body = question("3", resource);
            body["evaluations"] = evaluations.clone();
            body["options"] = json!({ "evaluations_semantic": "deny_on_first_deny" });
            assert_eq!(post(&daemon, PATH, &body).text(), said);
        }
        let mut body = batch(evaluations);
        assert_eq!(post(&daemon, PATH, &body).refusal(400), "resource");
        body["resource"] = json!({ "type": "user" });
        assert_eq!(post(&daemon, PATH, &body).refusal(400), "resource.id");
    }
}

#[test]
fn what_is_wrong_with_the_whole_is_refused() {
    let daemon = Daemon::serve(stores());
    let good = batch(items(&["2", "4"]));
    for (name, wrong) in [
        ("evaluations", json!({})),
        ("evaluations", json!("x")),
        ("evaluations", json!(1)),
        ("options", json!([])),
        ("options", json!("x")),
        ("options", json!({ "evaluations_semantic": "first" })),
        ("options", json!({ "evaluations_semantic": "" })),
        ("options", json!({ "evaluations_semantic": "Execute_all" })),
        ("options", json!({ "evaluations_semantic": 1 })),
        ("options", json!({ "evaluations_semantic": ["execute_all"] })),
        ("subject", json!("3")),
        ("subject", json!({ "type": "user" })),
        ("resource", json!([])),
        ("action", json!({ "name": 1 })),
        ("context", json!("x")),
        ("context", json!({ "conversation": "old" })),
    ] {
        let mut body = good.clone();
        body[name] = wrong;
        post(&daemon, PATH, &body).refusal(400);
    }
    let mut body = question("3", "2");
    body["options"] = json!({ "evaluations_semantic": "first" });
    assert_eq!(post(&daemon, PATH, &body).refusal(400), "options.evaluations_semantic");
}

#[test]
fn there_may_be_a_thousand() {
    let daemon = Daemon::serve(stores());
    let mut body = question("3", "2");
    body["evaluations"] = vec![json!({}); 1000].into();
    assert_eq!(decisions(&daemon, &body), [true; 1000]);
    body["evaluations"] = vec![json!({}); 1001].into();
    assert_eq!(post(&daemon, PATH, &body).refusal(400), "evaluations");
}
