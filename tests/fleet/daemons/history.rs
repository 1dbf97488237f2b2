//! The history of a fleet: each daemon tells what was done at any.

use serde_json::{Value, json};

use crate::{
    daemons::fleet::{DAEMONS, Fleet},
    support::writer::post,
};

const POLICY: &str = "users: { ann: {}, bob: {} }\n";

#[test]
fn each_daemon_tells_what_was_done_at_any() {
    let fleet = Fleet::start(POLICY);
    let ops = ["ban", "reactivate", "silence"];
    for (at, op) in ops.iter().enumerate() {
        let body = json!({ "commands": [{ "op": op, "user": "bob" }] }).to_string();
        let answer = post(&mut fleet.client(at % DAEMONS), op, body.as_bytes()).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        // Under the same key, nothing is done or told again, by any daemon.
        let again = post(&mut fleet.client((at + 1) % DAEMONS), op, body.as_bytes()).unwrap();
        assert_eq!(again.status, 200, "{}", again.text());
    }
    // More commands than records: the history takes the room that etcd's limits leave.
    let turns = |count: usize| -> Vec<Value> {
        let op = |at: usize| if at.is_multiple_of(2) { "ban" } else { "reactivate" };
        (0..count).map(|at| json!({ "op": op(at), "user": "ann" })).collect()
    };
    let too_many = json!({ "commands": turns(900) }).to_string();
    let answer = post(&mut fleet.client(0), "too-many", too_many.as_bytes()).unwrap();
    let problem = "a batch of so many records can have at most 793 commands in this store";
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(answer.text().contains(problem), "{}", answer.text());
    let many = turns(500);
    let wide: Vec<Value> =
        (0..100).map(|at| json!({ "op": "put_user", "user": format!("u{at:03}") })).collect();
    for (key, commands) in [("many", many), ("wide", wide)] {
        let body = json!({ "commands": commands }).to_string();
        let answer = post(&mut fleet.client(0), key, body.as_bytes()).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for daemon in 0..DAEMONS {
        let told = |query: &str| -> Vec<Value> {
            let path = format!("/v1/facts/history?{query}");
            let answer = fleet.client(daemon).ask("GET", &path, "", b"");
            assert_eq!(answer.status, 200, "{}", answer.text());
            answer.json()["entries"].as_array().unwrap().clone()
        };
        let bob = told("user=bob");
        let names: Vec<&Value> = bob.iter().map(|entry| &entry["op"]).collect();
        assert_eq!(names, ["silence", "reactivate", "ban"], "{daemon}");
        assert!(bob.iter().all(|entry| entry["by"] == "socket"), "{bob:?}");
        assert_eq!(told("user=ann").len(), 500);
        assert_eq!(told("by=socket").len(), 603);
        assert_eq!(told("user=u099").len(), 1);
    }
}
