//! Calls that no backend sends.

use serde_json::json;

use super::{failed, fault, rig, url};
use crate::dialects::hostile;

const COMMANDS: [&str; 22] = [
    "sns/friend_add",
    "sns/friend_import",
    "sns/friend_update",
    "sns/friend_delete",
    "sns/friend_delete_all",
    "sns/friend_check",
    "sns/friend_get",
    "sns/friend_get_all",
    "sns/friend_get_list",
    "sns/black_list_add",
    "sns/black_list_delete",
    "sns/black_list_get",
    "sns/black_list_check",
    "sns/group_add",
    "sns/group_delete",
    "sns/group_get",
    "profile/portrait_set",
    "profile/portrait_get",
    "im_open_login_svc/account_import",
    "im_open_login_svc/multiaccount_import",
    "im_open_login_svc/account_delete",
    "im_open_login_svc/account_check",
];

#[test]
fn bodies_that_nobody_can_read() {
    let rig = rig();
    let deep = |count: usize| {
        let (open, close) = ("[".repeat(count), "]".repeat(count));
        format!(r#"{{"From_Account":"alice","To_Account":["bob"],"X":{open}{close}}}"#).into_bytes()
    };
    let more = [
        br#"{"From_Account":"alice","From_Account":"bob"}"#.to_vec(),
        br#"{"From_Account":{"a":"b"}}"#.to_vec(),
        br#"{"From_Account":"alice","To_Account":{"0":"bob"}}"#.to_vec(),
        br#"{"From_Account":"alice","To_Account":[null]}"#.to_vec(),
        br#"{"From_Account":"alice","To_Account":["bob"],"StartIndex":-1,"DeleteType":0,"TagList":1,"GroupName":1,"CheckType":[]}"#.to_vec(),
        br#"{"From_Account":"ali\u0000ce"}"#.to_vec(),
        deep(1000),
    ];
    for command in COMMANDS {
        hostile::attack(&rig, ("POST", &url(command), ""), &more, |body, answer| {
            assert_eq!(answer.status, 200, "{command}");
            let reported = answer.json();
            if reported["ActionStatus"] == "OK" {
                // Some members are not asked for by each.
                assert!(body.starts_with(br#"{"From_Account":"alice","To_Account":"#), "{command}");
                return;
            }
            let (code, _) = failed(&reported);
            let shown =
                String::from_utf8_lossy(body.get(..60.min(body.len())).unwrap()).into_owned();
            let family = match command.split_once('/').unwrap().0 {
                "sns" => 30001,
                "profile" => 40001,
                _ => 70402,
            };
            assert!([family, 60002, 60003].contains(&code), "{command} {shown}: {code}");
        });
    }
}

#[test]
fn what_is_no_json_and_what_is_too_large_say_so() {
    let rig = rig();
    let send = |body: &[u8]| failed(&rig.ask("POST", &url("sns/friend_check"), "", body).json());
    for body in [&b""[..], b"{", b"From_Account=alice", b"{\"From_Account\":\"\xff\"}", b"{'a':1}"]
    {
        assert_eq!(send(body).0, 60003);
    }
    assert_eq!(send(&vec![b' '; (1 << 20) + 1]).0, 60002);
    let (code, info) = send(b"{\"From_Account\":\"alice\",\n \"To_Account\":7}");
    assert_eq!(code, 30001);
    assert!(info.contains("line 2"), "{info}");
}

#[test]
fn paths_and_methods_that_there_are_not() {
    let rig = rig();
    for path in [
        "/v4/",
        "/v4/sns",
        "/v4/sns/",
        "/v4/sns/friend_fly",
        "/v4/sns/friend_add/",
        "/v4/other/friend_add",
        "/v4//",
        "/v4/%73ns/friend_add",
        "/v4/SNS/friend_add",
    ] {
        let reported = rig.ask("POST", &url("x").replace("/v4/x", path), "", b"{}");
        assert_eq!(reported.status, 200);
        assert_eq!(failed(&reported.json()).0, 60009, "{path}");
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let reported = rig.ask(method, &url("sns/friend_check"), "", b"{}");
        assert_eq!(reported.status, 200, "{method}");
        assert_eq!(failed(&reported.json()).0, 60002, "{method}");
    }
    assert_eq!(rig.daemon.get("/v4").status, 404, "it is nobody's");
}

#[test]
fn ids_of_all_kinds() {
    let rig = rig();
    let long = "x".repeat(256);
    for id in ["", "a\nb", "\u{7f}", long.as_str()] {
        let (code, info) = fault(&rig, "sns/friend_get", &json!({ "From_Account": id }));
        assert_eq!(code, 30001, "{info}");
        let reported = super::add(&rig, "alice", &[id]);
        assert_eq!(reported, [super::error(30001, "FriendAdd_To_Account_Invalid")]);
    }
    for id in ["  ", "ü@x%20", "\"'<>", "漢字"] {
        rig.write(&json!([{ "op": "put_user", "user": id }]));
        assert_eq!(super::add(&rig, "alice", &[id]), [super::nothing()]);
    }
    assert_eq!(super::friends(&rig, "alice").len(), 4);
    let get = |start: &str| {
        let body = format!(r#"{{"From_Account":"alice","StartIndex":{start}}}"#);
        rig.ask("POST", &url("sns/friend_get"), "", body.as_bytes()).json()
    };
    assert_eq!(get("18446744073709551615")["CompleteFlag"], 1);
    assert_eq!(get("1.5")["ErrorCode"], 30001);
    assert!(get("1e2")["ErrorInfo"].as_str().unwrap().contains("a whole number"));
    assert_eq!(get("18446744073709551616")["ErrorCode"], 30001);
}
