//! Groups, their members, and what they are there.

use serde_json::{Value, json};

use super::{POLICY, add, ask, done, refused};
use crate::dialects::rig::Rig;

#[test]
fn members_and_roles_decide() {
    let rig = Rig::start(POLICY);
    add(&rig, &["1", "2", "3", "4"]);
    let gid = done(
        &rig,
        json!({ "op": "groupadd", "group": { "name": "G", "members": { "m": "1,2" } } }),
    )["group"]["gid"]
        .to_string();
    let edit = |members: Value| {
        let gid: u64 = gid.parse().unwrap();
        done(&rig, json!({ "op": "groupeditmembers", "group": { "gid": gid, "members": members } }))
    };
    let may = |subject: &str, action: &str, member: &str| {
        rig.in_group(subject, action, &gid, &format!("&member={member}")).1
    };
    assert_eq!(rig.in_group("1", "send_message", &gid, "").1, "allowed");
    assert_eq!(rig.in_group("3", "send_message", &gid, "").1, "not_member");
    assert_eq!(may("1", "add_member", "3"), "needs_admin", "plain members add nobody");
    edit(json!({ "m": "2", "admin": { "adduser": true } }));
    assert_eq!(may("2", "add_member", "3"), "allowed");
    assert_eq!(may("2", "add_admin", "1"), "needs_super_admin");
    edit(json!({ "m": "1", "admin": { "owner": true } }));
    assert_eq!(may("1", "add_admin", "2"), "allowed");
    edit(json!({ "m": "2", "admin": { "callcontrol": true, "adduser": false } }));
    assert_eq!(may("2", "add_member", "3"), "needs_admin", "what is left administers nothing here");
    edit(json!({ "m": "2", "flags": 0x101f }));
    assert_eq!(may("2", "add_member", "3"), "allowed");
    edit(json!({ "m": "2", "remove": true }));
    assert_eq!(rig.in_group("2", "send_message", &gid, "").1, "not_member");
    // Nobody can take the last owner away, and none of a refused request takes effect.
    let members = json!([{ "m": "3" }, { "m": "1", "admin": 0 }]);
    let gid_number: u64 = gid.parse().unwrap();
    refused(
        &rig,
        json!({ "op": "groupeditmembers", "group": { "gid": gid_number, "members": members } }),
        "OWNER",
        409,
    );
    assert_eq!(rig.in_group("3", "send_message", &gid, "").1, "not_member");
    done(&rig, json!({ "op": "groupdel", "group": { "gid": gid_number } }));
    assert_eq!(rig.in_group("1", "send_message", &gid, "").1, "unknown_resource");
}

#[test]
fn who_may_not_send_is_muted() {
    let rig = Rig::start(POLICY);
    add(&rig, &["1", "2", "3", "4"]);
    let quiet = json!({ "m": "2", "permissions": { "send": false } });
    let members = json!([{ "m": "1", "admin": { "adduser": true } }, quiet, { "m": "3" }]);
    done(&rig, json!({ "op": "groupadd", "group": { "gid": 7, "members": members } }));
    let sends = |user: &str| rig.in_group(user, "send_message", "7", "").1;
    let edit = |members: Value| {
        done(&rig, json!({ "op": "groupeditmembers", "group": { "gid": 7, "members": members } }));
    };
    let set =
        |flags: u64| done(&rig, json!({ "op": "groupset", "group": { "gid": 7, "flags": flags } }));
    assert_eq!(["1", "2", "3"].map(sends), ["allowed", "muted", "allowed"]);
    edit(json!({ "m": "2", "permissions": { "send": true } }));
    edit(json!({ "m": "3", "flags": 0x1e }));
    assert_eq!(["1", "2", "3"].map(sends), ["allowed", "allowed", "muted"]);
    // What is said of other rights leaves it.
    edit(json!({ "m": "3", "permissions": { "list": false } }));
    assert_eq!(sends("3"), "muted");
    // What was said of a member goes with them.
    edit(json!({ "m": "3", "remove": true }));
    edit(json!({ "m": "3" }));
    assert_eq!(sends("3"), "allowed");
    // Selected members send, and those who manage the group.
    set(1);
    assert_eq!(["1", "2", "3"].map(sends), ["allowed", "allowed", "muted"]);
    edit(json!({ "m": "4" }));
    assert_eq!(sends("4"), "muted");
    edit(json!({ "m": "4", "permissions": { "send": true } }));
    assert_eq!(sends("4"), "allowed");
    set(0);
    assert_eq!(["1", "2", "3"].map(sends), ["allowed", "allowed", "allowed"]);
    let members = json!([{ "m": "1", "permissions": { "send": true } }, { "m": "2" }]);
    done(&rig, json!({ "op": "groupadd", "group": { "gid": 8, "flags": 1, "members": members } }));
    let sends = |user: &str| rig.in_group(user, "send_message", "8", "").1;
    assert_eq!(["1", "2"].map(sends), ["allowed", "muted"]);
}

#[test]
fn one_of_those_who_make_a_group_at_once_makes_it() {
    let rig = Rig::start(POLICY);
    add(&rig, &["0", "1", "2", "3"]);
    for gid in 1..=20 {
        let made: Vec<Value> = std::thread::scope(|scope| {
            let make = |user: usize| {
                let members = json!({ "m": user.to_string() });
                ask(&rig, json!({ "op": "groupadd", "group": { "gid": gid, "members": members } }))
            };
            let threads: Vec<_> = (0..4).map(|user| scope.spawn(move || make(user))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let winner = made.iter().position(|reported| reported["result"] == true).unwrap();
        for (user, reported) in made.iter().enumerate().filter(|&(user, _)| user != winner) {
            assert_eq!(
                (&reported["error"], &reported["code"]),
                (&json!("EXISTS"), &json!(409)),
                "{user}"
            );
        }
        let reported = done(&rig, json!({ "op": "groupgetmembers", "group": { "gid": gid } }));
        assert_eq!(reported["count"], 1, "{reported}");
        assert_eq!(reported["members"][0]["address"], winner.to_string());
    }
}

#[test]
fn many_members_come_and_go_at_once() {
    let rig = Rig::start(POLICY);
    let ids: Vec<String> = (0..1000).map(|at| format!("u{at}")).collect();
    rig.write(&ids.iter().map(|id| json!({ "op": "put_user", "user": id })).collect());
    let edit = |members: Value| {
        done(&rig, json!({ "op": "groupeditmembers", "group": { "gid": 5, "members": members } }));
        done(&rig, json!({ "op": "groupgetmembers", "group": { "gid": 5 } }))
    };
    done(&rig, json!({ "op": "groupadd", "group": { "gid": 5 } }));
    assert_eq!(edit(json!({ "m": ids }))["count"], 1000);
    let reported = edit(json!({ "m": ids, "admin": { "owner": true } }));
    assert!(
        reported["members"].as_array().unwrap().iter().all(|one| one["admin"]["owner"] == true)
    );
    // All owners but one; who is left stays.
    let (last, others) = ids.split_last().unwrap();
    assert_eq!(edit(json!({ "m": others, "remove": true }))["count"], 1);
    assert_eq!(edit(json!({ "m": last, "remove": true }))["count"], 0);
}

#[test]
fn the_owner_of_others_is_not_deleted() {
    let rig = Rig::start(POLICY);
    add(&rig, &["1", "2"]);
    let owner = json!({ "m": "1", "admin": { "owner": true } });
    done(
        &rig,
        json!({ "op": "groupadd", "group": { "gid": 5, "members": [owner, { "m": "2" }] } }),
    );
    let delete = json!({ "op": "userdel", "user": { "addr": "1" } });
    let reported = refused(&rig, delete.clone(), "OWNER", 409);
    assert!(reported["message"].as_str().unwrap().contains("`5`"), "{reported}");
    done(
        &rig,
        json!({ "op": "groupeditmembers", "group": { "gid": 5, "members": { "m": "2", "admin": { "owner": 1 } } } }),
    );
    done(&rig, delete);
    let reported = done(&rig, json!({ "op": "groupgetmembers", "group": { "gid": 5 } }));
    assert_eq!((&reported["count"], &reported["members"][0]["address"]), (&json!(1), &json!("2")));
}

#[test]
fn an_address_of_a_list_may_hold_a_comma() {
    let rig = Rig::start(POLICY);
    add(&rig, &["a", "a,b", " c "]);
    let members = json!({ "m": ["a,b", " c "] });
    done(&rig, json!({ "op": "groupadd", "group": { "gid": 5, "members": members } }));
    let reported = done(&rig, json!({ "op": "groupgetmembers", "group": { "gid": 5 } }));
    let all: Vec<&Value> =
        reported["members"].as_array().unwrap().iter().map(|one| &one["address"]).collect();
    assert_eq!(all, [" c ", "a,b"]);
    refused(
        &rig,
        json!({ "op": "groupeditmembers", "group": { "gid": 5, "members": { "m": "a,b" } } }),
        "NOUSER",
        404,
    );
}
