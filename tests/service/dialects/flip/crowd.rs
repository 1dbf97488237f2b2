//! Many clients at once.

use std::{collections::BTreeSet, thread};

use serde_json::{Value, json};

use super::{ON, fine, send};
use crate::{
    dialects::rig::{Rig, bearer},
    support::client::Client,
};

const RULES: &str = "/sync/interaction-rules";
const CLIENTS: usize = 12;
const EACH: usize = 20;

#[test]
fn no_rule_of_many_is_lost() {
    let rig = Rig::start(ON);
    let made: BTreeSet<(String, String)> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let rig = &rig;
                scope.spawn(move || {
                    let mut link = Client::tcp(rig.daemon.address());
                    let rules = (0..EACH).map(|number| {
                        let tag = format!("T{client}-{number}");
                        let rule =
                            json!({ "condition": format!("hasTag({tag})"), "outcome": [tag] });
                        let body = rule.to_string();
                        let answer = link.ask("POST", RULES, &bearer(), body.as_bytes());
                        assert_eq!(answer.status, 201, "{}", answer.text());
                        (answer.json()["rule_id"].as_str().unwrap().to_owned(), tag)
                    });
                    rules.collect::<Vec<_>>()
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(made.len(), CLIENTS * EACH);
    let reported = fine(&rig, "GET", RULES, &Value::Null);
    let listed: BTreeSet<(String, String)> = reported["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&rule["rule_id"]), text(&rule["outcome"][0]))
        })
        .collect();
    assert_eq!(listed, made);
}

/// Of a rule that some replace while another deletes it, nothing is left: no replacing makes it again.
#[test]
fn a_rule_that_is_deleted_stays_so() {
    let rig = Rig::start(ON);
    let rule = json!({ "condition": "hasTag(A)", "outcome": ["B"] });
    for _ in 0..20 {
        let made = fine(&rig, "POST", RULES, &rule);
        let path = format!("{RULES}/{}", made["rule_id"].as_str().unwrap());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..4 {
                        let status = send(&rig, "PUT", &path, &rule).status;
                        assert!([200, 404].contains(&status), "{status}");
                    }
                });
            }
            scope.spawn(|| assert_eq!(send(&rig, "DELETE", &path, &Value::Null).status, 204));
        });
        assert_eq!(fine(&rig, "GET", RULES, &Value::Null), json!({ "rules": [] }));
    }
}
