//! `friend_add` and `friend_import`.

use serde_json::{Value, json};

use super::{add, adding, blocked, call, error, fault, fine, friends, nothing, results, rig};
use crate::dialects::rig::Rig;

#[test]
fn friends_on_both_sides_or_one() {
    let rig = rig();
    assert_eq!(add(&rig, "alice", &["bob"]), [nothing()]);
    assert_eq!(
        (friends(&rig, "alice"), friends(&rig, "bob")),
        (vec!["bob".into()], vec!["alice".into()])
    );
    let mut one_way = adding("alice", &["carol"]);
    one_way["AddType"] = "Add_Type_Single".into();
    assert_eq!(results(&call(&rig, "sns/friend_add", &one_way)), [nothing()]);
    assert_eq!(friends(&rig, "alice"), ["bob", "carol"]);
    assert_eq!(friends(&rig, "carol"), [""; 0]);
    let mut both = adding("bob", &["carol"]);
    both["AddType"] = "Add_Type_Both".into();
    assert_eq!(results(&call(&rig, "sns/friend_add", &both)), [nothing()]);
    assert_eq!(friends(&rig, "carol"), ["bob"]);
}

/// What is so between alice and bob, and what comes of adding bob then: the earlier goes before the
/// later.
#[test]
fn one_reason_goes_before_the_other() {
    let rig = Rig::start(
        "preset: tencent\nlimits: { friends: 1 }\nusers: { alice: {}, bob: {}, x: {}, y: {} }",
    );
    let forbid = |word: &str| profile("alice", "AdminForbidType", word);
    let own_block = json!({ "op": "block", "from": "alice", "to": "bob" });
    let their_block = json!({ "op": "block", "from": "bob", "to": "alice" });
    let states: Vec<(Value, (u64, String))> = vec![
        (
            json!([{ "op": "put_user", "user": "bob", "approval": "need_confirm" }]),
            error(30539, "FriendAdd_Need_Confirm"),
        ),
        (
            json!([{ "op": "add_friend", "from": "bob", "to": "y", "both": false }]),
            error(30014, "FriendAdd_Peer_Friend_Num_Exceed_Threshold"),
        ),
        (
            json!([{ "op": "add_friend", "from": "alice", "to": "x", "both": false }]),
            error(30010, "FriendAdd_My_Friend_Num_Exceed_Threshold"),
        ),
        (
            json!([{ "op": "put_user", "user": "bob", "approval": "deny_any" }]),
            error(30516, "FriendAdd_Friend_Allow_Type_Forbid"),
        ),
        (
            json!([{ "op": "put_user", "user": "alice", "friends": ["bob"] }]),
            error(30001, "FriendAdd_Friend_Exist"),
        ),
        (json!([their_block]), error(30525, "FriendAdd_Me_In_Peer_Black_List")),
        (json!([own_block]), error(30515, "FriendAdd_Peer_In_My_Black_List")),
    ];
    for (commands, expected) in states {
        rig.write(&commands);
        assert_eq!(add(&rig, "alice", &["bob"]), [expected]);
    }
    fine(&rig, "profile/portrait_set", &forbid("AdminForbid_Type_SendOut"));
    assert_eq!(add(&rig, "alice", &["bob"]), [error(30009, "FriendAdd_Forbid_By_Admin")]);
    assert_eq!(add(&rig, "alice", &["zoe"]), [error(30003, "FriendAdd_To_Account_Not_Exist")]);
    let wrong = json!({ "From_Account": "alice", "AddFriendItem": [{ "To_Account": "zoe" }] });
    assert_eq!(results(&call(&rig, "sns/friend_add", &wrong))[0].0, 30001);
    fine(&rig, "profile/portrait_set", &forbid("AdminForbid_Type_None"));
    assert_eq!(add(&rig, "alice", &["bob"])[0].0, 30515);
}

fn profile(user: &str, field: &str, word: &str) -> Value {
    let item = json!({ "Tag": format!("Tag_Profile_IM_{field}"), "Value": word });
    json!({ "From_Account": user, "ProfileItem": [item] })
}

#[test]
fn either_block_stops_requests_of_both() {
    let rig = rig();
    rig.write(&json!([{ "op": "block", "from": "alice", "to": "bob" }]));
    assert_eq!(add(&rig, "alice", &["bob"])[0].0, 30515);
    assert_eq!(add(&rig, "bob", &["alice"])[0].0, 30525);
    rig.write(&json!([{ "op": "block", "from": "bob", "to": "alice" }]));
    assert_eq!(add(&rig, "alice", &["bob"])[0].0, 30515);
    assert_eq!(add(&rig, "bob", &["alice"])[0].0, 30515);
}

#[test]
fn force_passes_over_approval_alone() {
    let rig = Rig::start(
        "preset: tencent\nlimits: { friends: 2 }\nusers: { alice: {}, bob: { approval: deny_any }, \
         carol: { approval: need_confirm }, dave: {}, erin: {} }",
    );
    let forced = |to: &[&str]| {
        let mut body = adding("alice", to);
        body["ForceAddFlags"] = 1.into();
        results(&call(&rig, "sns/friend_add", &body))
    };
    assert_eq!(
        add(&rig, "alice", &["bob", "carol"]).iter().map(|it| it.0).collect::<Vec<_>>(),
        [30516, 30539]
    );
    rig.write(&json!([{ "op": "block", "from": "dave", "to": "alice" }]));
    assert_eq!(forced(&["dave"]), [error(30525, "FriendAdd_Me_In_Peer_Black_List")]);
    assert_eq!(forced(&["bob", "carol"]), [nothing(), nothing()]);
    assert_eq!(forced(&["bob"]), [error(30001, "FriendAdd_Friend_Exist")]);
    assert_eq!(forced(&["erin"]), [error(30010, "FriendAdd_My_Friend_Num_Exceed_Threshold")]);
    assert_eq!(friends(&rig, "alice"), ["bob", "carol"]);
    assert_eq!(friends(&rig, "carol"), ["alice"]);
    let reported =
        rig.ask("GET", "/v1/facts/users/carol", &crate::dialects::rig::bearer(), b"").json();
    assert_eq!(reported["requests"], json!({}), "the request was answered");
    for flag in [json!(2), json!("2"), json!(""), json!("+1"), json!(-1), json!(1.5), json!(true)] {
        let mut body = adding("alice", &["erin"]);
        body["ForceAddFlags"] = flag;
        assert_eq!(fault(&rig, "sns/friend_add", &body).0, 30001);
    }
}

/// Some clients write numbers as texts.
#[test]
fn numbers_may_be_texts() {
    let rig = Rig::start("preset: tencent\nusers: { alice: {}, bob: { approval: deny_any } }");
    let mut body = adding("alice", &["bob"]);
    body["ForceAddFlags"] = "0".into();
    assert_eq!(results(&call(&rig, "sns/friend_add", &body))[0].0, 30516);
    body["ForceAddFlags"] = "1".into();
    assert_eq!(results(&call(&rig, "sns/friend_add", &body)), [nothing()]);
    for (start, found) in [("0", 1), ("1", 0)] {
        let reported = fine(
            &rig,
            "sns/friend_get",
            &json!({ "From_Account": "alice", "StartIndex": start, "StandardSequence": "0" }),
        );
        assert_eq!(reported["UserDataItem"].as_array().unwrap().len(), found);
    }
}

#[test]
fn a_request_waits_and_is_seen_by_facts() {
    let rig = Rig::start("preset: tencent\nusers: { alice: {}, bob: { approval: need_confirm } }");
    let item = json!({
        "To_Account": "bob", "AddSource": "AddSource_Type_Android", "Remark": "Bobby",
        "GroupName": "Work", "AddWording": "hello",
    });
    let body =
        json!({ "From_Account": "alice", "AddFriendItem": [item], "AddType": "Add_Type_Single" });
    let reported = call(&rig, "sns/friend_add", &body);
    assert_eq!(results(&reported), [error(30539, "FriendAdd_Need_Confirm")]);
    assert_eq!(reported["Fail_Account"], json!(["bob"]));
    assert_eq!(friends(&rig, "alice"), [""; 0]);
    rig.write(&json!([{ "op": "accept_friend", "from": "alice", "to": "bob" }]));
    let reported =
        fine(&rig, "sns/friend_get", &json!({ "From_Account": "alice", "StartIndex": 0 }));
    let values = reported["UserDataItem"][0]["ValueItem"].as_array().unwrap();
    let expected = [
        json!({ "Tag": "Tag_SNS_IM_AddSource", "Value": "AddSource_Type_Android" }),
        json!({ "Tag": "Tag_SNS_IM_Remark", "Value": "Bobby" }),
        json!({ "Tag": "Tag_SNS_IM_Group", "Value": ["Work"] }),
        json!({ "Tag": "Tag_SNS_IM_AddWording", "Value": "hello" }),
    ];
    assert_eq!(values[..4], expected);
    assert_eq!(values[4]["Tag"], "Tag_SNS_IM_AddTime");
    assert!(
        values[4]["Value"]
            .as_u64()
            .is_some_and(|since| since > 1_700_000_000 && since < 10_000_000_000)
    );
    assert_eq!(friends(&rig, "bob"), [""; 0]);
}

/// The limits of the document, at them and one beyond.
#[test]
fn fields_are_as_long_as_documented() {
    let rig = rig();
    let x = |count: usize| "x".repeat(count);
    let cases = [
        ("Remark", x(96), 0),
        ("Remark", x(97), 30001),
        ("Remark", "ü".repeat(49), 30001),
        ("AddWording", x(256), 0),
        ("AddWording", x(257), 30001),
        ("GroupName", x(30), 0),
        ("GroupName", x(31), 30001),
        ("AddSource", "AddSource_Type_A".to_owned(), 0),
        ("AddSource", "AddSource_Type_Abcdefgh".to_owned(), 0),
        ("AddSource", "AddSource_Type_Abcdefghi".to_owned(), 30001),
        ("AddSource", "AddSource_Type_".to_owned(), 30001),
        ("AddSource", "AddSource_Type_Web1".to_owned(), 30001),
        ("AddSource", "Web".to_owned(), 30001),
    ];
    for (field, value, code) in cases {
        let mut item = json!({ "To_Account": "bob", "AddSource": "AddSource_Type_Web" });
        item[field] = value.as_str().into();
        let body = json!({ "From_Account": "alice", "AddFriendItem": [item] });
        let found = results(&call(&rig, "sns/friend_add", &body));
        assert_eq!(found[0].0, code, "{field} {value}: {found:?}");
        rig.write(&json!([{ "op": "put_user", "user": "alice", "friends": [], "friend_lists": [] }, { "op": "put_user", "user": "bob", "friends": [] }]));
    }
    for (field, value) in [
        ("Remark", json!(1)),
        ("AddWording", json!([])),
        ("AddSource", json!(null)),
        ("GroupName", json!(1)),
        ("GroupName", json!([1])),
    ] {
        let mut item = json!({ "To_Account": "bob", "AddSource": "AddSource_Type_Web" });
        item[field] = value;
        let body = json!({ "From_Account": "alice", "AddFriendItem": [item, { "To_Account": "carol", "AddSource": "AddSource_Type_Web" }] });
        let found = results(&call(&rig, "sns/friend_add", &body));
        assert_eq!(found[0].0, 30001);
        assert!(found[0].1.contains(&format!("AddFriendItem[0].{field}")), "{found:?}");
        rig.write(
            &json!([{ "op": "delete_friend", "from": "alice", "to": "carol", "both": true }]),
        );
    }
}

#[test]
fn an_import_is_one_way_and_asks_nobody() {
    let rig = Rig::start(
        "preset: tencent\nlimits: { friends: 2 }\nusers: { alice: {}, bob: { approval: deny_any }, \
         carol: { blocked: [alice] }, dave: {}, erin: {} }",
    );
    let item = json!({
        "To_Account": "bob", "AddSource": "AddSource_Type_Import", "Remark": "Bobby", "RemarkTime": 1_420_000_001,
        "GroupName": ["Work", "Play"], "AddWording": "hi", "AddTime": 1_420_000_002,
        "CustomItem": [{ "Tag": "Tag_SNS_Custom_Test", "Value": "test" }],
    });
    let plain = |to: &str| json!({ "To_Account": to, "AddSource": "AddSource_Type_Import" });
    let import = |items: Value| {
        let body = json!({ "From_Account": "alice", "AddFriendItem": items });
        results(&call(&rig, "sns/friend_import", &body))
    };
    let found = import(json!([item, plain("carol"), plain("zoe"), plain("alice")]));
    assert_eq!(
        found,
        [
            nothing(),
            error(30525, "FriendImport_Me_In_Peer_Black_List"),
            error(30003, "FriendImport_To_Account_Not_Exist"),
            error(30001, "FriendImport_To_Account_Is_From_Account"),
        ]
    );
    assert_eq!(import(json!([plain("bob")])), [error(30001, "FriendImport_Friend_Exist")]);
    assert_eq!(
        import(json!([plain("dave"), plain("erin")])),
        [nothing(), error(30010, "FriendImport_My_Friend_Num_Exceed_Threshold"),]
    );
    assert_eq!(friends(&rig, "bob"), [""; 0]);
    let reported =
        fine(&rig, "sns/friend_get", &json!({ "From_Account": "alice", "StartIndex": 0 }));
    assert_eq!(
        reported["UserDataItem"][0],
        json!({ "To_Account": "bob", "ValueItem": [
        { "Tag": "Tag_SNS_IM_AddSource", "Value": "AddSource_Type_Import" },
        { "Tag": "Tag_SNS_IM_Remark", "Value": "Bobby" },
        { "Tag": "Tag_SNS_IM_Group", "Value": ["Play", "Work"] },
        { "Tag": "Tag_SNS_IM_AddWording", "Value": "hi" },
        { "Tag": "Tag_SNS_IM_AddTime", "Value": 1_420_000_002 },
        { "Tag": "Tag_SNS_Custom_Test", "Value": "test" },
    ] })
    );
    let wrong = json!([{ "To_Account": "erin", "AddSource": "AddSource_Type_Import", "CustomItem": [{ "Tag": "Tag_SNS_IM_Remark", "Value": "x" }] }]);
    assert_eq!(import(wrong)[0].0, 30001);
}

#[test]
fn each_item_is_for_itself() {
    let rig = Rig::start(
        "preset: tencent\nusers: { alice: {}, denies: { approval: deny_any }, waits: { approval: need_confirm } }",
    );
    let ids: Vec<String> = (0..1000)
        .map(|at| match at % 5 {
            0 => "denies".to_owned(),
            1 => "waits".to_owned(),
            2 => format!("nobody{at}"),
            3 if at % 2 == 0 => "alice".to_owned(),
            _ => format!("u{at}"),
        })
        .collect();
    let known: Vec<Value> = ids
        .iter()
        .filter(|id| id.starts_with('u'))
        .map(|id| json!({ "op": "put_user", "user": id }))
        .collect();
    rig.write(&known.into());
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    let found = add(&rig, "alice", &names);
    assert_eq!(found.len(), 1000);
    for (id, (code, _)) in ids.iter().zip(&found) {
        let expected = match id.as_str() {
            "denies" => 30516,
            "waits" => 30539,
            "alice" => 30001,
            id if id.starts_with("nobody") => 30003,
            _ => 0,
        };
        assert_eq!(*code, expected, "{id}");
    }
    let reported =
        fine(&rig, "sns/friend_get", &json!({ "From_Account": "alice", "StartIndex": 0 }));
    assert_eq!(reported["FriendNum"], ids.iter().filter(|id| id.starts_with('u')).count());
    assert_eq!(blocked(&rig, "alice"), [""; 0]);
    let again = add(&rig, "alice", &["u3", "u3"]);
    assert!(again.iter().all(|it| it.0 == 30001), "each is answered");
    let many: Vec<&str> = std::iter::repeat_n("u3", 1001).collect();
    assert_eq!(fault(&rig, "sns/friend_add", &adding("alice", &many)).0, 30001);
}

#[test]
fn calls_that_say_too_little() {
    let rig = rig();
    let item = json!({ "To_Account": "bob", "AddSource": "AddSource_Type_Web" });
    for (body, code, says) in [
        (json!({ "AddFriendItem": [item] }), 30001, "`From_Account`"),
        (json!({ "From_Account": "", "AddFriendItem": [item] }), 30001, "`From_Account`"),
        (json!({ "From_Account": "zoe", "AddFriendItem": [item] }), 30003, "account_import"),
        (json!({ "From_Account": "alice" }), 30001, "`AddFriendItem`"),
        (json!({ "From_Account": "alice", "AddFriendItem": [] }), 30001, "empty"),
        (json!({ "From_Account": "alice", "AddFriendItem": {} }), 30001, "an array"),
        (json!({ "From_Account": "alice", "AddFriendItem": [["bob"]] }), 30001, "AddFriendItem[0]"),
        (
            json!({ "From_Account": "alice", "AddFriendItem": [{}] }),
            30001,
            "AddFriendItem[0].To_Account",
        ),
        (
            json!({ "From_Account": "alice", "AddFriendItem": [item], "AddType": "Both" }),
            30001,
            "Add_Type_Both",
        ),
    ] {
        for command in ["sns/friend_add", "sns/friend_import"] {
            if body.get("AddType").is_some() && command == "sns/friend_import" {
                continue;
            }
            let (reported, info) = fault(&rig, command, &body);
            assert_eq!(reported, code, "{body}");
            assert!(info.contains(says), "{info}");
        }
    }
}
