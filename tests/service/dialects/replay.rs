//! Requests and the answers to them, as data.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

use crate::dialects::rig::{Rig, TOKEN};

/// What is sent in turn, each after the answer to the one before.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    steps: Vec<Step>,
}

/// A request and what must be answered. `{name}` stands for what was remembered under that name;
/// `{token}` is the admin token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// The method and the path.
    send: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    status: u16,
    /// The answer's JSON, exactly; in it the text `<any>` stands for anything, and `<name>` for what
    /// is remembered under that name, or is from now on.
    #[serde(default)]
    answer: Option<Value>,
    /// What the answer's text holds.
    #[serde(default)]
    contains: Vec<String>,
}

/// Sends what a file under `tests/service/dialects` says, in order.
#[track_caller]
pub(crate) fn replay(rig: &Rig, file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/service/dialects").join(file);
    let script: Script = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut known = BTreeMap::from([("token".to_owned(), Value::from(TOKEN))]);
    for (at, step) in script.steps.iter().enumerate() {
        let at = format!("{file}, step {}: {}", at + 1, step.send);
        let (method, path) = step.send.split_once(' ').unwrap();
        let (path, body) = (filled(path, &known), filled(&step.body, &known));
        let headers = step.headers.iter().fold(String::new(), |headers, (name, value)| {
            headers + &format!("{name}: {}\r\n", filled(value, &known))
        });
        let answer = rig.ask(method, &path, &headers, body.as_bytes());
        assert_eq!(answer.status, step.status, "{at}: {}", answer.text());
        if let Some(expected) = &step.answer {
            let reported = answer.json();
            assert!(
                matches(&reported, expected, &mut known),
                "{at}: {reported:#}\nnot {expected:#}"
            );
        }
        for part in &step.contains {
            assert!(answer.text().contains(part), "{at}: no {part:?} in {}", answer.text());
        }
    }
}

fn filled(text: &str, known: &BTreeMap<String, Value>) -> String {
    known.iter().fold(text.to_owned(), |text, (name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.replace(&format!("{{{name}}}"), &value)
    })
}

/// Whether an answer is as expected. Also used of frames.
pub(crate) fn matches(
    reported: &Value,
    expected: &Value,
    known: &mut BTreeMap<String, Value>,
) -> bool {
    match (reported, expected) {
        (reported, Value::String(text)) if text.starts_with('<') && text.ends_with('>') => {
            let name = text.trim_matches(['<', '>']);
            name == "any"
                || known.entry(name.to_owned()).or_insert_with(|| reported.clone()) == reported
        }
        (Value::Array(reported), Value::Array(expected)) => {
            reported.len() == expected.len()
                && reported.iter().zip(expected).all(|(one, other)| matches(one, other, known))
        }
        (Value::Object(reported), Value::Object(expected)) => {
            reported.len() == expected.len()
                && expected.iter().all(|(name, value)| {
                    reported.get(name).is_some_and(|reported| matches(reported, value, known))
                })
        }
        (reported, expected) => reported == expected,
    }
}
