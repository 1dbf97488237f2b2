//! Fields that policy files state: they are shown, and stay.

use std::fs;

use serde_json::{Value, json};

use super::{accounts, call, failed, fault, fine, friends, results};
use crate::{
    dialects::rig::{Rig, TOKEN},
    support::daemon::{Daemon, serve},
};

const POLICY: &str = "
preset: tencent
users:
  alice: { friends: [bob], blocked: [carol], approval: need_confirm }
  bob: { friends: [alice] }
  carol: {}
  dave: {}
";

#[test]
fn what_files_state_is_listed_and_stays() {
    let rig = Rig::start(POLICY);
    assert_eq!(friends(&rig, "alice"), ["bob"]);
    assert_eq!(super::blocked(&rig, "alice"), ["carol"]);
    let stated = |reported: &Value, code: u64| {
        let items = results(reported);
        assert_eq!(items[0].0, code, "{items:?}");
        assert!(items[0].1.contains("policy.yaml:"), "{items:?}");
    };
    let one = |to: &str| json!({ "From_Account": "alice", "To_Account": [to] });
    stated(&call(&rig, "sns/friend_delete", &one("bob")), 30001);
    stated(&call(&rig, "sns/black_list_delete", &one("carol")), 30001);
    // A block of a friend is taken: while it stands, the friendship counts as ended, on both sides.
    assert_eq!(results(&call(&rig, "sns/black_list_add", &one("bob")))[0].0, 0);
    assert_eq!((friends(&rig, "alice"), friends(&rig, "bob")), (vec![], vec![]));
    let requested = json!({ "From_Account": "alice", "To_Account": ["bob"], "CheckType": "CheckResult_Type_Both" });
    let reported = call(&rig, "sns/friend_check", &requested);
    assert_eq!(reported["InfoItem"][0]["Relation"], "CheckResult_Type_NoRelation", "{reported}");
    assert_eq!(rig.decide("bob", "send_message", "alice").1, "blocked_by_resource");
    assert_eq!(results(&call(&rig, "sns/black_list_delete", &one("bob")))[0].0, 0);
    assert_eq!(rig.decide("bob", "send_message", "alice").1, "allowed");
    assert_eq!(
        (friends(&rig, "alice"), friends(&rig, "bob")),
        (vec!["bob".into()], vec!["alice".into()])
    );
    let reported = call(&rig, "sns/friend_delete_all", &json!({ "From_Account": "alice" }));
    let (code, info) = failed(&reported);
    assert_eq!(code, 30001);
    assert!(info.contains("policy.yaml:"), "{info}");
    let item = json!({ "Tag": "Tag_Profile_IM_AllowType", "Value": "AllowType_Type_DenyAny" });
    let (code, info) = fault(
        &rig,
        "profile/portrait_set",
        &json!({ "From_Account": "alice", "ProfileItem": [item] }),
    );
    assert_eq!(code, 40008);
    assert!(info.contains("policy.yaml:"), "{info}");
    assert_eq!(friends(&rig, "alice"), ["bob"]);
    // What is kept of such a friend is no file's.
    let item =
        json!({ "To_Account": "bob", "SnsItem": [{ "Tag": "Tag_SNS_IM_Remark", "Value": "B" }] });
    let reported =
        call(&rig, "sns/friend_update", &json!({ "From_Account": "alice", "UpdateItem": [item] }));
    assert_eq!(results(&reported)[0].0, 0);
}

/// Files change without records: so a sequence number must be another one then, too.
#[test]
fn sequence_numbers_follow_files() {
    let rig = Rig::start(POLICY);
    let get = |seen: &Value| {
        let requested = json!({ "From_Account": "alice", "StartIndex": 0, "StandardSequence": seen, "CustomSequence": seen });
        fine(&rig, "sns/friend_get", &requested)
    };
    let reload = |policy: &str| {
        fs::write(rig.folder.path().join("policy/policy.yaml"), policy).unwrap();
        let answer = rig.ask("POST", "/v1/reload", &crate::dialects::rig::bearer(), b"");
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    let first = get(&json!(0));
    let seen = &first["StandardSequence"];
    assert!(seen.as_u64().unwrap() <= 0x7fff_ffff);
    assert_eq!(accounts(&get(seen)["UserDataItem"]), [""; 0]);
    reload(&POLICY.replace("friends: [bob]", "friends: [bob, dave]"));
    let second = get(seen);
    assert_eq!(accounts(&second["UserDataItem"]), ["bob", "dave"]);
    reload(&POLICY.replace("friends: [bob], ", ""));
    let third = get(&second["StandardSequence"]);
    assert_ne!(third["StandardSequence"], second["StandardSequence"]);
    // A friend of the record who is no user any more.
    assert_eq!(super::add(&rig, "dave", &["carol"])[0].0, 0);
    let of_dave = |seen: &Value| {
        let requested = json!({ "From_Account": "dave", "StartIndex": 0, "StandardSequence": seen, "CustomSequence": seen });
        fine(&rig, "sns/friend_get", &requested)
    };
    let seen = of_dave(&json!(0))["StandardSequence"].clone();
    reload("preset: tencent\nusers: { alice: {}, bob: {}, dave: {} }");
    let reported = of_dave(&seen);
    assert_eq!((&reported["FriendNum"], reported["StandardSequence"] == seen), (&json!(0), false));
}

#[test]
fn without_a_store_all_is_read_and_nothing_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("policy")).unwrap();
    fs::write(path("policy/policy.yaml"), POLICY).unwrap();
    fs::write(path("token"), TOKEN).unwrap();
    let mut command = serve();
    command.arg(path("policy")).args(["--listen", "127.0.0.1:0", "--dialect", "tencent"]);
    command.arg("--admin-token-file").arg(path("token"));
    let rig = Rig { daemon: Daemon::start(&mut command), folder };
    assert_eq!(friends(&rig, "alice"), ["bob"]);
    let one = json!({ "From_Account": "alice", "To_Account": ["dave"] });
    for (command, body) in [
        ("sns/friend_add", super::adding("alice", &["dave"])),
        ("sns/friend_import", super::adding("alice", &["dave"])),
        ("sns/friend_delete", one.clone()),
        ("sns/friend_delete_all", json!({ "From_Account": "alice" })),
        ("sns/black_list_add", one.clone()),
        ("sns/black_list_delete", one),
        ("sns/group_add", json!({ "From_Account": "alice", "GroupName": ["a"] })),
        ("sns/group_delete", json!({ "From_Account": "alice", "GroupName": ["a"] })),
        (
            "profile/portrait_set",
            json!({ "From_Account": "dave", "ProfileItem": [{ "Tag": "Tag_Profile_IM_Nick", "Value": "x" }] }),
        ),
        ("im_open_login_svc/account_import", json!({ "UserID": "x" })),
        ("im_open_login_svc/multiaccount_import", json!({ "Accounts": ["x"] })),
    ] {
        let (code, info) = fault(&rig, command, &body);
        assert_eq!(code, 60017, "{command}");
        assert!(info.contains("--store"), "{info}");
    }
}
