//! Limits of the lists, under any concurrency.

use std::thread;

use serde_json::{Value, json};

use super::{adding, blocked, call, call_on, error, friends, results};
use crate::dialects::rig::Rig;

#[test]
fn lists_take_as_many_as_the_policy_says() {
    let rig = Rig::start(
        "preset: tencent\nlimits: { friends: 3, blocked: 2 }\n\
         users: { alice: {}, b: {}, c: {}, d: {}, e: {}, f: {}, full: { friends: [b, c, d] } }",
    );
    let codes = |reported: &Value| results(reported).iter().map(|it| it.0).collect::<Vec<_>>();
    let reported = call(&rig, "sns/friend_add", &adding("alice", &["full", "b", "c", "d", "e"]));
    assert_eq!(codes(&reported), [30014, 0, 0, 0, 30010], "whose list is full is told of each");
    let mut one_way = adding("e", &["full"]);
    one_way["AddType"] = "Add_Type_Single".into();
    assert_eq!(
        codes(&call(&rig, "sns/friend_add", &one_way)),
        [0],
        "the other's list does not grow"
    );
    let block = json!({ "From_Account": "alice", "To_Account": ["d", "e", "f"] });
    let reported = results(&call(&rig, "sns/black_list_add", &block));
    assert_eq!(reported[2], error(30013, "BlackListAdd_Black_Num_Exceed_Threshold"));
    assert_eq!((blocked(&rig, "alice").len(), friends(&rig, "alice").len()), (2, 2));
}

/// A big record that many commands of a batch change is not kept once for each of them.
#[cfg(target_os = "linux")]
#[test]
fn a_batch_takes_no_more_memory_than_its_records() {
    const MEGABYTES: usize = 2;
    let users: Vec<String> = (0..300).map(|at| format!("u{at}: {{}}")).collect();
    let rig =
        Rig::start(&format!("preset: tencent\nusers: {{ alice: {{}}, {} }}", users.join(", ")));
    for part in 0..4 * MEGABYTES {
        let attributes: serde_json::Map<String, Value> =
            (0..16).map(|at| (format!("a{part}x{at}"), "x".repeat(16_000).into())).collect();
        rig.write(&json!([{ "op": "put_user", "user": "alice", "attributes": attributes }]));
    }
    let ids: Vec<String> = (0..300).map(|at| format!("u{at}")).collect();
    let body = json!({ "From_Account": "alice", "To_Account": ids });
    assert!(results(&call(&rig, "sns/black_list_add", &body)).iter().all(|it| it.0 == 0));
    let status = std::fs::read_to_string(format!("/proc/{}/status", rig.daemon.id())).unwrap();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let most: usize = most.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(most < MEGABYTES * 1024 * 100, "{most} kB");
}

#[test]
fn many_at_once_never_go_beyond_a_limit() {
    const LIMIT: usize = 5;
    let users: Vec<String> = (0..40).map(|at| format!("u{at}: {{}}")).collect();
    let policy = format!(
        "preset: tencent\nlimits: {{ friends: {LIMIT} }}\nusers: {{ alice: {{}}, {} }}",
        users.join(", ")
    );
    let rig = Rig::start(&policy);
    let found: Vec<u64> = thread::scope(|scope| {
        let adding_one = |at: usize| {
            let rig = &rig;
            scope.spawn(move || {
                let mut client = rig.daemon.connect();
                let from = format!("u{at}");
                let reported = call_on(&mut client, "sns/friend_add", &adding(&from, &["alice"]));
                results(&reported)[0].0
            })
        };
        let all: Vec<_> = (0..40).map(adding_one).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(found.iter().filter(|&&code| code == 0).count(), LIMIT);
    assert!(found.iter().all(|code| [0, 30014].contains(code)), "{found:?}");
    assert_eq!(friends(&rig, "alice").len(), LIMIT);
}
