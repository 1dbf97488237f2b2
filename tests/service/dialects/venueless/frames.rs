//! Frames and the answers to them, as data.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Socket, token, world};
use crate::dialects::replay::matches;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    on: String,
    send: Option<String>,
    receive: Value,
}

#[test]
fn what_the_document_prints_is_answered_so() {
    let rig = world(&[]);
    let named = |id: &str, name: &str| {
        let profile = json!({ "display_name": name });
        json!({ "op": "put_user", "user": id, "attributes": { "venueless.profile": profile } })
    };
    rig.write(&json!([named("1234", "Alice"), named("5679", "Bob")]));
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/service/dialects/venueless/frames.yaml");
    let script: Script = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let moderator = token(&json!({ "uid": "mod", "traits": ["moderator"] }));
    let mut known = BTreeMap::from([("token".to_owned(), Value::from(moderator))]);
    let mut sockets: BTreeMap<String, Socket> = BTreeMap::new();
    for (at, step) in script.steps.iter().enumerate() {
        let socket = sockets
            .entry(step.on.clone())
            .or_insert_with(|| Socket::open(&rig, "/ws/world/sample"));
        if let Some(text) = &step.send {
            let text = known.iter().fold(text.clone(), |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default())
            });
            socket.send_text(&text);
        }
        let reported = socket.next();
        assert!(
            matches(&reported, &step.receive, &mut known),
            "step {}: {:?}: {reported}\nnot {}",
            at + 1,
            step.send,
            step.receive
        );
    }
}
