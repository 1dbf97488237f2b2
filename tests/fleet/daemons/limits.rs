//! Limits and invariants under daemons that race for them.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use serde_json::{Value, json};

use crate::{
    daemons::fleet::{DAEMONS, Fleet},
    support::script::foundations,
    support::writer::{command, post},
};

const POLICY: &str = "limits: { friends: 5, blocked: 4, group_members: 6 }\n";

/// Sends commands to daemons in turn, all at once; how many were taken, and why the others were not.
fn race(fleet: &Fleet, name: &str, commands: &[Value], reason: &str) -> usize {
    let taken = AtomicUsize::new(0);
    thread::scope(|scope| {
        for (at, op) in commands.iter().enumerate() {
            let taken = &taken;
            scope.spawn(move || {
                let body = json!({ "commands": [op] }).to_string();
                let mut client = fleet.client(at % DAEMONS);
                loop {
                    let key = format!("{name}-{at}");
                    let answer = post(&mut client, &key, body.as_bytes()).unwrap();
                    match answer.status {
                        200 => drop(taken.fetch_add(1, Ordering::Relaxed)),
                        409 => assert_eq!(answer.json()["outcomes"][0]["reason"], reason, "{op}"),
                        503 => continue,
                        _ => panic!("{}", answer.text()),
                    }
                    return;
                }
            });
        }
    });
    taken.into_inner()
}

#[test]
fn limits_hold_between_daemons() {
    let fleet = Fleet::start(POLICY);
    let mut setup = foundations();
    let all = setup.as_array_mut().unwrap();
    all.extend((0..24).map(|at| json!({ "op": "put_user", "user": format!("u{at}") })));
    let rounds = 8;
    for round in 0..rounds {
        all.push(json!({ "op": "put_user", "user": format!("hub{round}") }));
        all.push(json!({
            "op": "put_group", "group": format!("g{round}"), "creator": "root",
        }));
        all.push(json!({
            "op": "put_group", "group": format!("s{round}"),
            "super_admins": ["u0", "u1", "u2"], "members": ["u3"],
        }));
    }
    let mut revision = 0;
    for some in all.chunks(50) {
        revision = command(&fleet.socket(0), &json!(some));
    }
    (0..DAEMONS).for_each(|at| fleet.reaches(at, revision));
    for round in 0..rounds {
        let ops = |make: &dyn Fn(usize) -> Value| (0..12).map(make).collect::<Vec<_>>();
        let hub = format!("hub{round}");
        let befriend = |at: usize| {
            let user = format!("u{}", at + 12 * (round % 2));
            json!({ "op": "add_friend", "from": hub, "to": user, "both": false, "force": true })
        };
        let taken = race(&fleet, &format!("f{round}"), &ops(&befriend), "friend_list_full");
        assert_eq!(taken, 5, "friends of {hub}");
        let block = |at: usize| json!({ "op": "block", "from": hub, "to": format!("u{at}") });
        let taken = race(&fleet, &format!("b{round}"), &ops(&block), "block_list_full");
        assert_eq!(taken, 4, "blocked by {hub}");
        let group = format!("g{round}");
        let add =
            |at: usize| json!({ "op": "add_member", "group": group, "member": format!("u{at}") });
        let taken = race(&fleet, &format!("g{round}"), &ops(&add), "group_full");
        assert_eq!(taken, 5, "members of {group} besides its creator");
        let group = format!("s{round}");
        let remove: Vec<Value> = (0..3)
            .map(|at| {
                json!({ "op": "remove_super_admin", "group": group, "member": format!("u{at}") })
            })
            .collect();
        let taken = race(&fleet, &format!("s{round}"), &remove, "last_super_admin");
        assert_eq!(taken, 2, "super admins of {group} who went");
    }
    fleet.agrees(&fleet.held());
}
