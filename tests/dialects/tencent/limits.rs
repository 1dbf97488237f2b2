//! Limits of the lists, under any concurrency.

use std::thread;

use serde_json::{Value, json};

use super::{adding, blocked, call, call_on, error, friends, results};
use crate::rig::Rig;

#[test]
fn lists_take_as_many_as_the_policy_says() {
    let rig = Rig::start(
        "preset: tencent\nlimits: { friends: 3, blocked: 2 }\n\
         users: { alice: {}, b: {}, c: {}, d: {}, e: {}, f: {}, full: { friends: [b, c, d] } }",
    );
    let codes = |told: &Value| results(told).iter().map(|it| it.0).collect::<Vec<_>>();
    let told = call(&rig, "sns/friend_add", &adding("alice", &["full", "b", "c", "d", "e"]));
    assert_eq!(codes(&told), [30014, 0, 0, 0, 30010], "whose list is full is told of each");
    let mut one_way = adding("e", &["full"]);
    one_way["AddType"] = "Add_Type_Single".into();
    assert_eq!(
        codes(&call(&rig, "sns/friend_add", &one_way)),
        [0],
        "the other's list does not grow"
    );
    let block = json!({ "From_Account": "alice", "To_Account": ["d", "e", "f"] });
    let told = results(&call(&rig, "sns/black_list_add", &block));
    assert_eq!(told[2], error(30013, "BlackListAdd_Black_Num_Exceed_Threshold"));
    assert_eq!((blocked(&rig, "alice").len(), friends(&rig, "alice").len()), (2, 2));
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
                let told = call_on(&mut client, "sns/friend_add", &adding(&from, &["alice"]));
                results(&told)[0].0
            })
        };
        let all: Vec<_> = (0..40).map(adding_one).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(found.iter().filter(|&&code| code == 0).count(), LIMIT);
    assert!(found.iter().all(|code| [0, 30014].contains(code)), "{found:?}");
    assert_eq!(friends(&rig, "alice").len(), LIMIT);
}
