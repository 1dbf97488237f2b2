//! The results of checks, by the documentation's four tables.

use serde_json::{Value, json};

use super::{add, call, fault, fine, rig};

/// Whether A has B in the list and whether B has A, the mode, and what is found.
const FRIENDS: [(bool, bool, &str, &str); 8] = [
    (false, false, "CheckResult_Type_Single", "CheckResult_Type_NoRelation"),
    (false, true, "CheckResult_Type_Single", "CheckResult_Type_NoRelation"),
    (true, false, "CheckResult_Type_Single", "CheckResult_Type_AWithB"),
    (true, true, "CheckResult_Type_Single", "CheckResult_Type_AWithB"),
    (false, false, "CheckResult_Type_Both", "CheckResult_Type_NoRelation"),
    (false, true, "CheckResult_Type_Both", "CheckResult_Type_BWithA"),
    (true, false, "CheckResult_Type_Both", "CheckResult_Type_AWithB"),
    (true, true, "CheckResult_Type_Both", "CheckResult_Type_BothWay"),
];

const BLACK_LIST: [(bool, bool, &str, &str); 8] = [
    (false, false, "BlackCheckResult_Type_Single", "BlackCheckResult_Type_NO"),
    (false, true, "BlackCheckResult_Type_Single", "BlackCheckResult_Type_NO"),
    (true, false, "BlackCheckResult_Type_Single", "BlackCheckResult_Type_AWithB"),
    (true, true, "BlackCheckResult_Type_Single", "BlackCheckResult_Type_AWithB"),
    (false, false, "BlackCheckResult_Type_Both", "BlackCheckResult_Type_NO"),
    (false, true, "BlackCheckResult_Type_Both", "BlackCheckResult_Type_BWithA"),
    (true, false, "BlackCheckResult_Type_Both", "BlackCheckResult_Type_AWithB"),
    (true, true, "BlackCheckResult_Type_Both", "BlackCheckResult_Type_BothWay"),
];

/// Puts one into the list of the other, as it is asked, and checks.
#[track_caller]
fn each(table: &[(bool, bool, &str, &str)], draw: (&str, &str), command: &str, items: &str) {
    let rig = rig();
    let (op, on) = draw;
    for &(there, back, mode, expected) in table {
        let (a, b) = (format!("a{there}{back}{mode}"), format!("b{there}{back}{mode}"));
        let mut commands =
            vec![json!({ "op": "put_user", "user": a }), json!({ "op": "put_user", "user": b })];
        for (is, from, to) in [(there, &a, &b), (back, &b, &a)] {
            if is {
                commands.push(json!({ "op": op, "from": from, "to": to }));
            }
        }
        for command in &mut commands {
            if command["op"] == on {
                command["both"] = false.into();
            }
        }
        rig.write(&commands.into());
        let requested = json!({ "From_Account": a, "To_Account": [b], "CheckType": mode });
        let reported = fine(&rig, command, &requested);
        let expected = json!({
            items: [{ "To_Account": b, "Relation": expected, "ResultCode": 0, "ResultInfo": "" }],
            "ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "", "ErrorDisplay": "",
        });
        assert_eq!(reported, expected, "{there} {back} {mode}");
    }
}

#[test]
fn every_state_of_two_friend_lists() {
    each(&FRIENDS, ("add_friend", "add_friend"), "sns/friend_check", "InfoItem");
}

#[test]
fn every_state_of_two_blocklists() {
    each(&BLACK_LIST, ("block", ""), "sns/black_list_check", "BlackListCheckItem");
}

#[test]
fn accounts_of_whom_nothing_can_be_said() {
    let rig = rig();
    assert_eq!(add(&rig, "alice", &["bob"])[0].0, 0);
    for (command, items, prefix, none, call) in [
        ("sns/friend_check", "InfoItem", "CheckResult", "NoRelation", "FriendCheck"),
        ("sns/black_list_check", "BlackListCheckItem", "BlackCheckResult", "NO", "BlackListCheck"),
    ] {
        let mode = format!("{prefix}_Type_Both");
        let to = json!(["nobody", "bob", "alice", "", "bob"]);
        let requested = json!({ "From_Account": "alice", "To_Account": to, "CheckType": mode });
        let reported = fine(&rig, command, &requested);
        assert_eq!(reported["Fail_Account"], json!(["nobody", "alice", ""]));
        let found = reported[items].as_array().unwrap();
        let codes: Vec<&Value> = found.iter().map(|it| &it["ResultCode"]).collect();
        assert_eq!(codes, [30003, 0, 30001, 30001, 0]);
        assert_eq!(found[1], found[4]);
        let names = ["To_Account_Not_Exist", "To_Account_Is_From_Account", "To_Account_Invalid"];
        for (item, name) in [&found[0], &found[2], &found[3]].into_iter().zip(names) {
            assert_eq!(item["Relation"], format!("{prefix}_Type_{none}"));
            assert_eq!(item["ResultInfo"], format!("Err_SNS_{call}_{name}"));
        }
    }
}

#[test]
fn checks_that_ask_for_nothing() {
    let rig = rig();
    let many: Vec<String> = (0..1001).map(|at| format!("u{at}")).collect();
    let type_ = "CheckResult_Type_Both";
    for (body, code, says) in [
        (json!({}), 30001, "`From_Account`"),
        (json!({ "From_Account": "alice", "CheckType": type_ }), 30001, "`To_Account`"),
        (json!({ "From_Account": "alice", "To_Account": ["bob"] }), 30001, "`CheckType`"),
        (
            json!({ "From_Account": "alice", "To_Account": [], "CheckType": type_ }),
            30001,
            "1 to 1000",
        ),
        (json!({ "From_Account": "alice", "To_Account": many, "CheckType": type_ }), 30001, "1001"),
        (
            json!({ "From_Account": "alice", "To_Account": "bob", "CheckType": type_ }),
            30001,
            "an array",
        ),
        (
            json!({ "From_Account": "alice", "To_Account": [1], "CheckType": type_ }),
            30001,
            "string",
        ),
        (json!({ "From_Account": 1, "To_Account": ["bob"], "CheckType": type_ }), 30001, "string"),
        (
            json!({ "From_Account": "alice", "To_Account": ["bob"], "CheckType": "BlackCheckResult_Type_Both" }),
            30001,
            "CheckResult_Type_Single",
        ),
        (
            json!({ "From_Account": "zoe", "To_Account": ["bob"], "CheckType": type_ }),
            30003,
            "`zoe`",
        ),
        (
            json!({ "From_Account": "", "To_Account": ["bob"], "CheckType": type_ }),
            30001,
            "`From_Account`",
        ),
        (json!(["alice", ["bob"], type_]), 30001, "an object"),
        (json!("alice"), 30001, "check"),
    ] {
        let (reported, info) = fault(&rig, "sns/friend_check", &body);
        assert_eq!(reported, code, "{body}");
        assert!(info.contains(says), "{info}");
    }
    let reported = call(
        &rig,
        "sns/friend_check",
        &json!({
            "From_Account": "alice", "To_Account": ["bob"], "CheckType": type_, "More": [1],
        }),
    );
    assert_eq!(reported["ErrorCode"], 0, "what is not asked for is passed over");
}
