//! Pages of a search.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{ACTION, RESOURCE, SUBJECT, post, user};
use crate::support::daemon::{Daemon, stores};

/// Whom 5 may reach: 2, 3, 4 and 6.
fn search() -> Value {
    json!({
        "subject": user("5"), "action": { "name": "start_chat" }, "resource": { "type": "user" },
    })
}

fn with_page(mut body: Value, page: Value) -> Value {
    body["page"] = page;
    body
}

fn ids(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().unwrap();
    results.iter().map(|result| result["id"].as_str().unwrap()).collect()
}

#[track_caller]
fn token(daemon: &Daemon, path: &str, body: &Value) -> String {
    let answer = post(daemon, path, body).json();
    answer["page"]["next_token"].as_str().unwrap().to_owned()
}

#[test]
fn pages_follow_each_other() {
    let daemon = Daemon::serve(stores());
    let first = post(&daemon, RESOURCE, &with_page(search(), json!({ "limit": 3 }))).json();
    assert_eq!(ids(&first), ["2", "3", "4"]);
    assert_eq!((&first["page"]["count"], &first["page"]["total"]), (&json!(3), &json!(4)));
    let token = first["page"]["next_token"].as_str().unwrap();
    assert!(!token.is_empty());
    for page in [json!({ "token": token }), json!({ "token": token, "limit": 3 })] {
        let last = post(&daemon, RESOURCE, &with_page(search(), page)).json();
        assert_eq!(ids(&last), ["6"]);
        assert_eq!(last["page"], json!({ "next_token": "", "count": 1, "total": 4 }));
    }
    for page in [
        json!(null),
        json!({}),
        json!({ "limit": 4 }),
        json!({ "limit": u64::MAX }),
        json!({ "token": "" }),
        json!({ "token": null, "limit": null, "properties": { "a": 1 }, "colour": 7 }),
    ] {
        let whole = post(&daemon, RESOURCE, &with_page(search(), page)).json();
        assert_eq!(ids(&whole), ["2", "3", "4", "6"]);
        assert_eq!(whole["page"]["next_token"], "");
    }
}

#[test]
fn a_limit_of_nothing_counts() {
    let daemon = Daemon::serve(stores());
    let answer = post(&daemon, RESOURCE, &with_page(search(), json!({ "limit": 0 }))).json();
    assert_eq!(ids(&answer), [""; 0]);
    assert_eq!((&answer["page"]["count"], &answer["page"]["total"]), (&json!(0), &json!(4)));
    let token = answer["page"]["next_token"].as_str().unwrap();
    assert!(!token.is_empty(), "what is left out must be told");
    let again = with_page(search(), json!({ "token": token }));
    assert_eq!(post(&daemon, RESOURCE, &again).json()["page"]["count"], 0);
    let mut nobody = with_page(search(), json!({ "limit": 0 }));
    nobody["subject"] = user("1");
    assert_eq!(token_of(&post(&daemon, RESOURCE, &nobody).json()), "");
}

fn token_of(answer: &Value) -> &str {
    answer["page"]["next_token"].as_str().unwrap()
}

#[test]
fn all_pages_make_up_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.peerage");
    let mut text = "rule: hasTag(a) -> [a];\n".to_owned();
    for number in 0..500 {
        writeln!(text, "user \"{}\u{e9} {number}\" {{ tags: [a]; }}", number % 7).unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let daemon = Daemon::serve(&path);
    for (path, subject, resource) in [
        (RESOURCE, user("3\u{e9} 10"), json!({ "type": "user" })),
        (SUBJECT, json!({ "type": "user" }), user("3\u{e9} 10")),
    ] {
        let body = json!({
            "subject": subject, "action": { "name": "start_chat" }, "resource": resource,
        });
        let whole = post(&daemon, path, &body).json()["results"].as_array().unwrap().clone();
        assert_eq!(whole.len(), 499);
        for limit in [1, 7, 498, 499, 1000] {
            let mut page = json!({ "limit": limit });
            let mut found = Vec::new();
            loop {
                let answer = post(&daemon, path, &with_page(body.clone(), page)).json();
                assert_eq!(answer["page"]["total"], 499);
                found.extend(answer["results"].as_array().unwrap().iter().cloned());
                match token_of(&answer) {
                    "" => break,
                    token => page = json!({ "token": token }),
                }
            }
            assert_eq!(found, whole, "{limit}");
        }
    }
}

#[test]
fn actions_have_pages_too() {
    let daemon = Daemon::serve(stores());
    let body = json!({ "subject": user("3"), "resource": user("2") });
    let whole = post(&daemon, ACTION, &body).json()["results"].as_array().unwrap().clone();
    let mut page = json!({ "limit": 1 });
    let mut found = Vec::new();
    loop {
        let answer = post(&daemon, ACTION, &with_page(body.clone(), page)).json();
        found.extend(answer["results"].as_array().unwrap().iter().cloned());
        match token_of(&answer) {
            "" => break,
            token => page = json!({ "token": token }),
        }
    }
    assert_eq!(found, whole);
}

#[test]
fn a_token_is_bound_to_its_search() {
    let daemon = Daemon::serve(stores());
    let token = token(&daemon, RESOURCE, &with_page(search(), json!({ "limit": 2 })));
    let page = json!({ "token": token });
    for (place, value) in [
        ("/subject/id", json!("6")),
        ("/subject/properties", json!({ "tags": ["Berlin", "Munich"] })),
        ("/subject/colour", json!("red")),
        ("/action/name", json!("send_message")),
        ("/action/properties", json!({})),
        ("/resource/type", json!("group")),
        ("/resource/properties", json!({})),
        ("/context", json!({ "conversation": "new" })),
    ] {
        let mut body = with_page(search(), page.clone());
        let (parent, name) = place.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        assert_eq!(post(&daemon, RESOURCE, &body).refusal(400), "page.token", "{body}");
    }
    for limit in [0, 1, 3] {
        let body = with_page(search(), json!({ "token": token, "limit": limit }));
        assert_eq!(post(&daemon, RESOURCE, &body).refusal(400), "page.limit");
    }
    let other = json!({
        "subject": { "type": "user" }, "action": { "name": "start_chat" }, "resource": user("5"),
    });
    assert_eq!(post(&daemon, SUBJECT, &with_page(other, page)).refusal(400), "page.token");

    // The same search in other words.
    let text = format!(
        r#"{{"page":{{"token":"{token}"}},"context":null,"resource":{{"id":"7","type":"user"}},
        "action":{{ "name" : "start_chat" }},"subject":{{"id":"\u0035","type":"user"}},"x":1}}"#
    );
    let answer = daemon.connect().post(RESOURCE, text.as_bytes());
    assert_eq!((answer.status, ids(&answer.json())), (200, vec!["4", "6"]));
    // Another daemon goes on where this one left off.
    let other = Daemon::serve(stores());
    let body = with_page(search(), json!({ "token": token }));
    assert_eq!(ids(&post(&other, RESOURCE, &body).json()), ["4", "6"]);
}

#[test]
fn wrong_pages_are_refused() {
    let daemon = Daemon::serve(stores());
    let token = token(&daemon, RESOURCE, &with_page(search(), json!({ "limit": 2 })));
    let changed: String = token.chars().rev().map(|c| if c == '0' { '1' } else { '0' }).collect();
    let longer = format!("{token}30");
    let cut = token.get(..token.len() - 1).unwrap();
    for wrong in ["x", "00", "\u{e9}", &changed, &longer, cut, &"0".repeat(1000)] {
        let body = with_page(search(), json!({ "token": wrong }));
        assert_eq!(post(&daemon, RESOURCE, &body).refusal(400), "page.token", "{wrong}");
    }
    for page in [
        json!([]),
        json!("x"),
        json!(1),
        json!({ "limit": -1 }),
        json!({ "limit": 1.5 }),
        json!({ "limit": "3" }),
        json!({ "limit": [] }),
        json!({ "token": 1 }),
        json!({ "token": {} }),
    ] {
        let body = with_page(search(), page);
        post(&daemon, RESOURCE, &body).refusal(400);
    }
}
