//! The JSON form of an explanation, the same in the native API, AuthZEN and the command line.

use serde_json::{Map, Value, json};

use crate::decide::{Explanation, GateFinding, RuleRef};

/// The JSON form of an explanation: the decision with its reason, the user whom a denial is about,
/// the first rules that allow it with the number of the others, and the finding of every gate.
pub fn explanation_json(explanation: &Explanation) -> Value {
    let Explanation { decision, findings, rules, more_rules, concerned_user } = explanation;
    let mut object = Map::new();
    object.insert("decision".to_owned(), json!(decision.allow));
    object.insert("reason".to_owned(), json!(decision.reason.as_str()));
    if !decision.obligations.is_empty() {
        let obligations = decision.obligations.iter().map(|it| json!(it.as_str()));
        object.insert("obligations".to_owned(), obligations.collect());
    }
    if let Some(user) = concerned_user {
        object.insert("user".to_owned(), json!(user));
    }
    object.insert("rules".to_owned(), rules.iter().map(rule_json).collect());
    if *more_rules > 0 {
        object.insert("more_rules".to_owned(), json!(more_rules));
    }
    object.insert("gates".to_owned(), findings.iter().map(gate_json).collect());
    Value::Object(object)
}

fn gate_json(finding: &GateFinding) -> Value {
    let GateFinding { gate, closed, detail } = finding;
    match closed {
        None => json!({ "gate": gate.as_str(), "open": true, "detail": detail }),
        Some(reason) => json!({
            "gate": gate.as_str(), "open": false, "reason": reason.as_str(), "detail": detail,
        }),
    }
}

fn rule_json(rule: &RuleRef) -> Value {
    let RuleRef { id, name, description } = rule;
    let mut object = Map::new();
    object.insert("rule_id".to_owned(), json!(id.to_string()));
    for (key, text) in [("name", name), ("description", description)] {
        if let Some(text) = text {
            object.insert(key.to_owned(), json!(text));
        }
    }
    Value::Object(object)
}
