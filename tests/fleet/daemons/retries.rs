//! Batches that are sent more than once, at daemons that know nothing of each other's answers, and
//! batches for one revision only.

use std::thread;

use serde_json::json;

use crate::{
    daemons::faults::POLICY,
    daemons::fleet::{DAEMONS, Fleet},
    support::script::foundations,
    support::writer::{command, post},
};

#[test]
fn a_key_takes_effect_once_wherever_it_is_sent() {
    let fleet = Fleet::start(POLICY);
    command(&fleet.socket(0), &foundations());
    for round in 0..20 {
        // The second rule would have another id.
        let body = json!({ "commands": [
            { "op": "put_rule", "condition": "hasTag(a)", "outcome": ["a"], "name": format!("r{round}") },
            { "op": "update_metadata", "group": "all", "field": "round", "value": round },
        ]});
        let body = body.to_string();
        let answers: Vec<_> = thread::scope(|scope| {
            let send = |at: usize| {
                let (fleet, body) = (&fleet, &body);
                move || {
                    let mut client = fleet.client(at % DAEMONS);
                    post(&mut client, &format!("k{round}"), body.as_bytes()).unwrap()
                }
            };
            let all: Vec<_> = (0..6).map(|at| scope.spawn(send(at))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let first = answers[0].json()["outcomes"].clone();
        let mut first_answers = 0;
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.json()["outcomes"], first);
            first_answers += u32::from(answer.header("idempotency-replayed").is_none());
        }
        assert_eq!(first_answers, 1, "of round {round}");
        let other =
            post(&mut fleet.client(round % DAEMONS), &format!("k{round}"), b"{\"commands\":[]}");
        assert_eq!(other.unwrap().status, 422);
    }
}

/// Of those who change what they read at a revision, one wins.
#[test]
fn a_revision_is_of_the_whole_fleet() {
    let fleet = Fleet::start(POLICY);
    let mut revision = command(&fleet.socket(0), &foundations());
    for round in 0..20 {
        let answers: Vec<_> = thread::scope(|scope| {
            let send = |at: usize| {
                let fleet = &fleet;
                // They have nothing in common but the revision.
                let op = json!({ "op": "put_user", "user": format!("{round}-{at}") });
                let body = json!({ "commands": [op], "if_revision": revision }).to_string();
                move || fleet.client(at % DAEMONS).post("/v1/facts", body.as_bytes())
            };
            let all: Vec<_> = (0..6).map(|at| scope.spawn(send(at))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let taken: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(taken.len(), 1, "{answers:?}");
        assert!(answers.iter().all(|answer| answer.status == 200 || answer.status == 409));
        revision = taken[0].json()["revision"].as_u64().unwrap();
    }
}
