//! A daemon that is cut off from etcd: it answers from what it has and says so, refuses to write,
//! and catches up.

use serde_json::json;

use crate::{
    daemons::faults::POLICY,
    daemons::fleet::Fleet,
    support::cluster::wait_for,
    support::script::{STAR, foundations},
    support::writer::{command, is_allowed, post},
};

#[test]
fn who_is_cut_off_answers_and_catches_up() {
    let fleet = Fleet::start(POLICY);
    let sockets = [fleet.socket(0), fleet.socket(1)];
    command(&sockets[0], &foundations());
    let known = command(&sockets[0], &json!([{ "op": "put_user", "user": "ann" }]));
    fleet.reaches(1, known);
    let mut last = known;
    for round in 0..3 {
        let user = format!("bob{round}");
        command(&sockets[0], &json!([{ "op": "put_user", "user": user }]));
        let before = command(&sockets[0], &json!([{ "op": "unblock", "from": "ann", "to": STAR }]));
        fleet.reaches(1, before);
        fleet.cut(1);
        let status = wait_for("what it says of the cut", || {
            let status = fleet.client(1).get("/v1/status").json();
            let cut_off = status["store"]["cut_off"].clone();
            // Of a build whose status says nothing of the store, refusals tell.
            let is_reported = status["store"].is_null() || !cut_off.is_null();
            is_reported.then_some(status)
        });
        assert_ne!(status["store"]["cut_off"], json!(false));

        let blocked = json!([
            { "op": "block", "from": "ann", "to": STAR },
            { "op": "delete_user", "user": user },
            { "op": "put_user", "user": format!("cat{round}") },
        ]);
        last = command(&sockets[0], &blocked);
        if round > 0 {
            // The changes that it missed can't be reported one by one any more.
            let later = json!([{ "op": "put_user", "user": format!("dan{round}") }]);
            last = command(&sockets[0], &later);
            fleet.cluster.lock().unwrap().compact();
        }
        let mut client = fleet.client(1);
        let requested = (STAR, "send_message", "ann");
        assert_eq!(is_allowed(&mut client, requested, None).unwrap(), Some(true), "as it knows");
        assert_eq!(
            is_allowed(&mut client, requested, Some(last)).unwrap(),
            None,
            "it doesn't know"
        );
        // Whether it would change something or not, and even if it would be refused.
        for (at, op) in [
            json!({ "op": "put_user", "user": "eve" }),
            json!({ "op": "unblock", "from": "ann", "to": STAR }),
            json!({ "op": "add_tags", "user": "nobody", "tags": ["t"] }),
        ]
        .into_iter()
        .enumerate()
        {
            let body = json!({ "commands": [op] }).to_string();
            let answer = post(&mut client, &format!("{round}-{at}"), body.as_bytes()).unwrap();
            assert_eq!(answer.refusal(503), "", "{op}");
        }

        fleet.mend(1);
        fleet.reaches(1, last);
        let asked_again = is_allowed(&mut client, requested, Some(last)).unwrap();
        assert_eq!(asked_again, Some(false));
        let status = fleet.client(1).get("/v1/status").json();
        assert_eq!(status["store"]["cut_off"], json!(null));
        command(&sockets[1], &json!([{ "op": "add_tags", "user": "ann", "tags": ["t"] }]));
    }
    let held = fleet.held();
    assert!(held.revision >= last);
    fleet.agrees(&held);
}
