//! `group_add`, `group_delete` and `group_get`.

use serde_json::{Value, json};

use super::{add, call, error, failed, fault, fine, nothing, results, rig};
use crate::dialects::rig::Rig;

fn get(rig: &Rig, more: &[(&str, Value)]) -> Value {
    let mut body = json!({ "From_Account": "alice" });
    for (name, value) in more {
        body[*name] = value.clone();
    }
    fine(rig, "sns/group_get", &body)
}

#[test]
fn groups_with_friends_and_without() {
    let rig = rig();
    add(&rig, "alice", &["bob", "carol"]);
    let reported = fine(
        &rig,
        "sns/group_add",
        &json!({ "From_Account": "alice", "GroupName": ["Work", "Play"] }),
    );
    assert_eq!(reported["CurrentSequence"], reported["CurruentSequence"]);
    assert_eq!(reported.get("ResultItem"), None, "nobody was named");
    let first = reported["CurrentSequence"].as_u64().unwrap();
    let body = json!({
        "From_Account": "alice", "GroupName": ["Work", "Home"],
        "To_Account": ["bob", "dave", "zoe", "alice", "carol"],
    });
    let reported = call(&rig, "sns/group_add", &body);
    assert_eq!(
        results(&reported),
        [
            nothing(),
            error(32216, "GroupAdd_ToTinyId_Not_Friend"),
            error(30003, "GroupAdd_To_Account_Not_Exist"),
            error(30001, "GroupAdd_To_Account_Is_From_Account"),
            nothing(),
        ]
    );
    assert!(reported["CurrentSequence"].as_u64().unwrap() > first);
    let names: Vec<&str> = reported.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names[..4], ["CurrentSequence", "CurruentSequence", "ResultItem", "Fail_Account"]);
    // A friend stays in the groups that they are in.
    fine(
        &rig,
        "sns/group_add",
        &json!({ "From_Account": "alice", "GroupName": ["Play"], "To_Account": ["bob"] }),
    );
    let reported = get(&rig, &[("NeedFriend", "Need_Friend_Type_Yes".into())]);
    assert_eq!(
        reported["ResultItem"],
        json!([
            { "GroupName": "Play", "FriendNumber": 1, "To_Account": ["bob"] },
            { "GroupName": "Work", "FriendNumber": 2, "To_Account": ["bob", "carol"] },
            { "GroupName": "Home", "FriendNumber": 2, "To_Account": ["bob", "carol"] },
        ])
    );
    for more in [vec![], vec![("NeedFriend", Value::from("Need_Friend_Type_No"))]] {
        assert_eq!(
            get(&rig, &more)["ResultItem"][1],
            json!({ "GroupName": "Work", "FriendNumber": 2 })
        );
    }
    let some = get(&rig, &[("GroupName", json!(["Home", "None"]))]);
    assert_eq!(some["ResultItem"], json!([{ "GroupName": "Home", "FriendNumber": 2 }]));
    let now = some["CurrentSequence"].clone();
    assert_eq!(
        get(&rig, &[("LastSequence", now.clone())])["ResultItem"],
        json!([]),
        "nothing changed"
    );
    let reported = fine(
        &rig,
        "sns/group_delete",
        &json!({ "From_Account": "alice", "GroupName": ["Work", "Home"] }),
    );
    assert!(reported["CurrentSequence"].as_u64() > now.as_u64());
    let left = get(&rig, &[("LastSequence", now)]);
    assert_eq!(left["ResultItem"], json!([{ "GroupName": "Play", "FriendNumber": 1 }]));
    assert_eq!(super::friends(&rig, "alice"), ["bob", "carol"]);
}

#[test]
fn groups_are_limited() {
    let rig =
        Rig::start("preset: tencent\nlimits: { friend_lists: 3 }\nusers: { alice: {}, bob: {} }");
    let add = |names: &[&str]| {
        call(&rig, "sns/group_add", &json!({ "From_Account": "alice", "GroupName": names }))
    };
    assert_eq!(add(&["a", "b", "a"])["ErrorCode"], 0);
    assert_eq!(failed(&add(&["c", "d"])), error(30011, "GroupAdd_Group_Num_Exceed_Threshold"));
    assert_eq!(get(&rig, &[])["ResultItem"].as_array().unwrap().len(), 2, "all or none");
    assert_eq!(add(&["b", "c"])["ErrorCode"], 0, "what is there takes no room");
    super::add(&rig, "alice", &["bob"]);
    let item = json!({ "To_Account": "bob", "SnsItem": [{ "Tag": "Tag_SNS_IM_Group", "Value": ["a", "d"] }] });
    let body = json!({ "From_Account": "alice", "UpdateItem": [item] });
    let reported = results(&call(&rig, "sns/friend_update", &body));
    assert_eq!(reported, [error(30011, "FriendUpdate_Group_Num_Exceed_Threshold")]);
}

#[test]
fn names_and_words_that_are_wrong() {
    let rig = rig();
    for (command, body, code) in [
        ("sns/group_add", json!({ "From_Account": "alice" }), 30001),
        ("sns/group_add", json!({ "From_Account": "alice", "GroupName": [] }), 30001),
        ("sns/group_add", json!({ "From_Account": "alice", "GroupName": "Work" }), 30001),
        ("sns/group_add", json!({ "From_Account": "alice", "GroupName": [""] }), 30001),
        ("sns/group_add", json!({ "From_Account": "alice", "GroupName": ["x".repeat(31)] }), 30001),
        (
            "sns/group_add",
            json!({ "From_Account": "alice", "GroupName": ["a"], "To_Account": [] }),
            30001,
        ),
        ("sns/group_add", json!({ "From_Account": "zoe", "GroupName": ["a"] }), 30003),
        ("sns/group_delete", json!({ "From_Account": "zoe", "GroupName": ["a"] }), 30003),
        ("sns/group_delete", json!({ "From_Account": "alice" }), 30001),
        ("sns/group_get", json!({ "From_Account": "zoe" }), 30003),
        ("sns/group_get", json!({ "From_Account": "alice", "NeedFriend": true }), 30001),
        ("sns/group_get", json!({ "From_Account": "alice", "NeedFriend": "Yes" }), 30001),
        ("sns/group_get", json!({ "From_Account": "alice", "LastSequence": -1 }), 30001),
    ] {
        assert_eq!(fault(&rig, command, &body).0, code, "{command} {body}");
    }
}
