//! Blocklists, and what they do to friends and decisions.

use serde_json::{Value, json};

use super::{add, blocked, call, error, fault, fine, friends, nothing, results, rig};

fn block(rig: &crate::dialects::rig::Rig, from: &str, to: &[&str]) -> Vec<(u64, String)> {
    results(&call(rig, "sns/black_list_add", &json!({ "From_Account": from, "To_Account": to })))
}

fn unblock(rig: &crate::dialects::rig::Rig, from: &str, to: &[&str]) -> Vec<(u64, String)> {
    results(&call(rig, "sns/black_list_delete", &json!({ "From_Account": from, "To_Account": to })))
}

#[test]
fn a_block_ends_friendship_on_both_sides_for_good() {
    let rig = rig();
    add(&rig, "alice", &["bob", "carol"]);
    assert_eq!(block(&rig, "alice", &["bob"]), [nothing()]);
    assert_eq!(friends(&rig, "alice"), ["carol"]);
    assert_eq!(friends(&rig, "bob"), [""; 0]);
    assert_eq!(blocked(&rig, "alice"), ["bob"]);
    assert_eq!(unblock(&rig, "alice", &["bob"]), [nothing()]);
    assert_eq!(blocked(&rig, "alice"), [""; 0]);
    assert_eq!(friends(&rig, "alice"), ["carol"]);
}

#[test]
fn a_block_is_seen_by_decisions_and_by_facts() {
    let rig = rig();
    assert!(rig.decide("bob", "send_message", "alice").0);
    block(&rig, "alice", &["bob"]);
    assert_eq!(rig.decide("bob", "send_message", "alice"), (false, "blocked_by_resource".into()));
    assert_eq!(rig.decide("alice", "send_message", "bob"), (true, "allowed".into()));
    assert_eq!(rig.decide("bob", "friend_request", "alice"), (false, "blocked_by_resource".into()));
    assert_eq!(rig.decide("alice", "friend_request", "bob"), (false, "blocked_by_subject".into()));
    unblock(&rig, "alice", &["bob"]);
    assert!(rig.decide("bob", "send_message", "alice").0);
    rig.write(&json!([{ "op": "block", "from": "carol", "to": "bob" }]));
    assert_eq!(blocked(&rig, "carol"), ["bob"]);
}

#[test]
fn what_is_there_already_or_is_not_there() {
    let rig = rig();
    assert_eq!(
        block(&rig, "alice", &["bob", "bob", "alice", "zoe", ""]),
        [
            nothing(),
            error(30001, "BlackListAdd_Already_Exist"),
            error(30001, "BlackListAdd_To_Account_Is_From_Account"),
            error(30003, "BlackListAdd_To_Account_Not_Exist"),
            error(30001, "BlackListAdd_To_Account_Invalid"),
        ]
    );
    assert_eq!(
        unblock(&rig, "alice", &["bob", "bob", "alice", "zoe"]),
        [
            nothing(),
            error(30001, "BlackListDelete_Not_Exist"),
            error(30001, "BlackListDelete_To_Account_Is_From_Account"),
            error(30003, "BlackListDelete_To_Account_Not_Exist"),
        ]
    );
    for command in ["sns/black_list_add", "sns/black_list_delete"] {
        let many = vec!["bob"; 1001];
        for (body, code) in [
            (json!({ "From_Account": "zoe", "To_Account": ["bob"] }), 30003),
            (json!({ "From_Account": "alice" }), 30001),
            (json!({ "From_Account": "alice", "To_Account": [] }), 30001),
            (json!({ "From_Account": "alice", "To_Account": many }), 30001),
            (json!({ "From_Account": "alice", "To_Account": [1] }), 30001),
            (json!({ "From_Account": "alice", "To_Account": "bob" }), 30001),
        ] {
            assert_eq!(fault(&rig, command, &body).0, code, "{body}");
        }
    }
}

#[test]
fn a_blocklist_in_pages() {
    let rig = rig();
    let ids: Vec<String> = (0..250).map(|at| format!("u{at:03}")).collect();
    let made: Vec<Value> = ids.iter().map(|id| json!({ "op": "put_user", "user": id })).collect();
    rig.write(&made.into());
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert!(block(&rig, "alice", &names).iter().all(|it| it.0 == 0));
    let get = |start: u64, most: u64, last: u64| {
        let requested = json!({ "From_Account": "alice", "StartIndex": start, "MaxLimited": most, "LastSequence": last });
        fine(&rig, "sns/black_list_get", &requested)
    };
    let (mut found, mut start, mut last) = (Vec::new(), 0, 0);
    let mut sizes = Vec::new();
    loop {
        let page = get(start, 100, last);
        let listed = super::accounts(&page["BlackListItem"]);
        sizes.push(listed.len());
        found.extend(listed);
        for item in page["BlackListItem"].as_array().unwrap() {
            let since = item["AddBlackTimeStamp"].as_u64().unwrap();
            assert!((1_700_000_000..10_000_000_000).contains(&since), "seconds: {since}");
        }
        assert_eq!(page["CurruentSequence"], page["CurrentSequence"]);
        // As clients do, of the page before.
        last = page["CurruentSequence"].as_u64().unwrap();
        start = page["StartIndex"].as_u64().unwrap();
        if start == 0 {
            break;
        }
    }
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(found, ids);
    assert_eq!(get(0, 1000, 0)["BlackListItem"].as_array().unwrap().len(), 250);
    assert_eq!(get(9999, 10, 0)["BlackListItem"], json!([]));
    unblock(&rig, "alice", &["u200"]);
    assert_eq!(get(100, 100, last)["CurruentSequence"], last, "it is another list by now");
    assert_eq!(super::accounts(&get(0, 1000, last)["BlackListItem"]).len(), 249);
    last = get(0, 1000, last)["CurruentSequence"].as_u64().unwrap();
    let same = get(0, 30, last);
    assert_eq!(
        (&same["BlackListItem"], &same["StartIndex"]),
        (&json!([]), &json!(0)),
        "nothing changed"
    );
    unblock(&rig, "alice", &["u000"]);
    let changed = get(0, 30, last);
    assert!(changed["CurruentSequence"].as_u64().unwrap() > last);
    assert_eq!(changed["BlackListItem"][0]["To_Account"], "u001");
    assert_eq!(changed["StartIndex"], 30);
    let names: Vec<&str> = changed.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "BlackListItem",
            "StartIndex",
            "CurruentSequence",
            "CurrentSequence",
            "ActionStatus",
            "ErrorCode",
            "ErrorInfo",
            "ErrorDisplay",
        ]
    );
}
