//! Profiles, and the accounts that have them.

use std::thread;

use serde_json::{Value, json};

use super::{add, call, fault, fine, rig};
use crate::dialects::rig::{Rig, bearer};

fn set(rig: &Rig, user: &str, items: &[(&str, Value)]) -> Value {
    let items: Vec<Value> =
        items.iter().map(|(tag, value)| json!({ "Tag": tag, "Value": value })).collect();
    call(rig, "profile/portrait_set", &json!({ "From_Account": user, "ProfileItem": items }))
}

#[test]
fn the_allow_type_changes_decisions() {
    let rig = rig();
    let decide = || {
        let answer = rig.daemon.get("/v1/decide?subject=alice&action=friend_request&resource=bob");
        answer.json()
    };
    let allow = |word: &str| {
        let reported = set(&rig, "bob", &[("Tag_Profile_IM_AllowType", word.into())]);
        assert_eq!(
            reported,
            json!({ "ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "", "ErrorDisplay": "" })
        );
    };
    assert_eq!(decide()["reason"], "allowed");
    allow("AllowType_Type_NeedConfirm");
    let reported = decide();
    assert_eq!(reported["decision"], true);
    assert!(reported.to_string().contains("confirm"), "{reported}");
    assert_eq!(add(&rig, "alice", &["bob"])[0].0, 30539);
    allow("AllowType_Type_DenyAny");
    assert_eq!(decide()["reason"], "requests_refused");
    assert_eq!(add(&rig, "alice", &["bob"])[0].0, 30516);
    allow("AllowType_Type_AllowAny");
    assert_eq!(add(&rig, "alice", &["bob"])[0].0, 0);
}

#[test]
fn what_else_is_said_is_kept() {
    let rig = rig();
    set(
        &rig,
        "bob",
        &[("Tag_Profile_IM_Nick", "Bobby".into()), ("Tag_Profile_IM_BirthDay", 19_800_101.into())],
    );
    let reported = set(
        &rig,
        "bob",
        &[
            ("Tag_Profile_IM_Nick", "Bob".into()),
            ("Tag_Profile_IM_AllowType", "AllowType_Type_DenyAny".into()),
            ("Tag_Profile_Custom_Job_1", 7.into()),
        ],
    );
    assert_eq!(reported["ErrorCode"], 0, "{reported}");
    let facts = rig.ask("GET", "/v1/facts/users/bob", &bearer(), b"").json();
    assert_eq!(
        facts["attributes"]["tencent"],
        json!({
            "Tag_Profile_IM_Nick": "Bob", "Tag_Profile_IM_BirthDay": 19_800_101, "Tag_Profile_Custom_Job_1": 7,
        })
    );
    assert_eq!(facts["approval"], "deny_any");
    let requested = json!({ "To_Account": ["bob", "zoe"], "TagList": ["Tag_Profile_IM_Nick", "Tag_Profile_IM_AllowType"] });
    assert_eq!(
        fine(&rig, "profile/portrait_get", &requested),
        json!({
            "UserProfileItem": [
                { "To_Account": "bob", "ProfileItem": [
                    { "Tag": "Tag_Profile_IM_AllowType", "Value": "AllowType_Type_DenyAny" },
                    { "Tag": "Tag_Profile_IM_Nick", "Value": "Bob" },
                ], "ResultCode": 0, "ResultInfo": "" },
                { "To_Account": "zoe", "ProfileItem": [], "ResultCode": 40003,
                  "ResultInfo": "Err_Profile_PortraitGet_Account_Not_Exist" },
            ],
            "Fail_Account": ["zoe"],
            "ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "", "ErrorDisplay": "",
        })
    );
}

#[test]
fn values_are_of_their_fields_kind() {
    let rig = rig();
    for (tag, value, code) in [
        ("Tag_Profile_IM_AllowType", json!("AllowType_Type_Any"), 40605),
        ("Tag_Profile_IM_AllowType", json!("AllowAny"), 40605),
        ("Tag_Profile_IM_AllowType", json!(1), 40610),
        ("Tag_Profile_IM_AdminForbidType", json!("SendOut"), 40605),
        ("Tag_Profile_IM_Gender", json!("Gender_Type_Male"), 0),
        ("Tag_Profile_IM_Gender", json!("male"), 40605),
        ("Tag_Profile_IM_Nick", json!("x".repeat(500)), 0),
        ("Tag_Profile_IM_Nick", json!("x".repeat(501)), 40601),
        ("Tag_Profile_IM_Nick", json!(1), 40610),
        ("Tag_Profile_IM_Level", json!("1"), 40610),
        ("Tag_Profile_IM_Level", json!(-1), 40610),
        ("Tag_Profile_IM_Other", json!("x"), 40009),
        ("Tag_Profile_Custom_", json!("x"), 40009),
        ("Tag_SNS_IM_Remark", json!("x"), 40009),
        ("Tag_Profile_Custom_A", json!([]), 40610),
        ("Tag_Profile_IM_Nick", json!(null), 40001),
    ] {
        let reported = set(&rig, "bob", &[(tag, value.clone())]);
        assert_eq!(reported["ErrorCode"], code, "{tag} {value}: {reported}");
    }
    let nick = json!({ "Tag": "Tag_Profile_IM_Nick", "Value": "x" });
    for (body, code) in [
        (json!({ "From_Account": "zoe", "ProfileItem": [nick] }), 40003),
        (json!({ "ProfileItem": [nick] }), 40001),
        (json!({ "From_Account": "bob" }), 40001),
        (json!({ "From_Account": "bob", "ProfileItem": [] }), 40001),
        (json!({ "From_Account": "bob", "ProfileItem": [nick, nick] }), 40001),
        (json!({ "From_Account": "bob", "ProfileItem": ["x"] }), 40001),
    ] {
        assert_eq!(fault(&rig, "profile/portrait_set", &body).0, code, "{body}");
    }
    assert!(
        !rig.daemon.get("/v1/decide?subject=zoe&action=sign_in").text().contains("true"),
        "nobody was made"
    );
}

/// Two who say different things of one user at once are both heard.
#[test]
fn fields_that_are_set_at_once_are_all_kept() {
    let rig = rig();
    thread::scope(|scope| {
        for at in 0..8 {
            let rig = &rig;
            scope.spawn(move || {
                for turn in 0..10 {
                    let tag = format!("Tag_Profile_Custom_F{at}{turn}");
                    assert_eq!(set(rig, "bob", &[(tag.as_str(), at.into())])["ErrorCode"], 0);
                }
            });
        }
    });
    let facts = rig.ask("GET", "/v1/facts/users/bob", &bearer(), b"").json();
    assert_eq!(facts["attributes"]["tencent"].as_object().unwrap().len(), 80);
}

/// A write about a user who is deleted meanwhile does not make them again.
#[test]
fn nobody_is_made_by_his_profile() {
    let rig = rig();
    for round in 0..30 {
        let id = format!("w{round}");
        fine(&rig, "im_open_login_svc/account_import", &json!({ "UserID": id }));
        thread::scope(|scope| {
            for at in 0..6 {
                let (rig, id) = (&rig, &id);
                scope.spawn(move || {
                    if at == 3 {
                        let body = json!({ "DeleteItem": [{ "UserID": id }] });
                        let reported = fine(rig, "im_open_login_svc/account_delete", &body);
                        assert_eq!(reported["ResultItem"][0]["ResultCode"], 0, "{reported}");
                        return;
                    }
                    let reported = set(rig, id, &[("Tag_Profile_IM_Nick", "x".into())]);
                    assert!(
                        [0, 40003].contains(&reported["ErrorCode"].as_u64().unwrap()),
                        "{reported}"
                    );
                });
            }
        });
        let reported = fine(
            &rig,
            "im_open_login_svc/account_check",
            &json!({ "CheckItem": [{ "UserID": id }] }),
        );
        assert_eq!(reported["ResultItem"][0]["AccountStatus"], "NotImported");
    }
}

#[test]
fn accounts_are_made_and_deleted() {
    let rig = rig();
    let import = |body: Value| call(&rig, "im_open_login_svc/account_import", &body);
    let ok = json!({ "ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "", "ErrorDisplay": "" });
    assert_eq!(import(json!({ "UserID": "erin", "Nick": "Erin", "FaceUrl": "http://x/y" })), ok);
    assert_eq!(import(json!({ "Identifier": "frank" })), ok);
    assert_eq!(import(json!({ "UserID": "erin" })), ok, "again");
    assert_eq!(add(&rig, "erin", &["frank"])[0].0, 0);
    let reported = fine(
        &rig,
        "profile/portrait_get",
        &json!({ "To_Account": ["erin"], "TagList": ["Tag_Profile_IM_Image", "Tag_Profile_IM_Nick"] }),
    );
    assert_eq!(reported["UserProfileItem"][0]["ProfileItem"].as_array().unwrap().len(), 2);
    for body in [
        json!({}),
        json!({ "UserID": "" }),
        json!({ "UserID": 1 }),
        json!({ "UserID": "g", "Nick": 1 }),
        json!({ "UserID": "g", "Nick": "x".repeat(501) }),
    ] {
        assert_eq!(import(body.clone())["ErrorCode"], 70402, "{body}");
    }
    let many = |body: Value| call(&rig, "im_open_login_svc/multiaccount_import", &body);
    assert_eq!(many(json!({ "Accounts": ["gina", "", "hans"] }))["FailAccounts"], json!([""]));
    assert_eq!(
        many(json!({ "AccountList": [{ "UserID": "ines", "Nick": "I" }] }))["FailAccounts"],
        json!([])
    );
    assert_eq!(many(json!({ "Accounts": vec!["x"; 101] }))["ErrorCode"], 70402);
    let check = |ids: &[&str]| -> Vec<String> {
        let items: Vec<Value> = ids.iter().map(|id| json!({ "UserID": id })).collect();
        let reported =
            fine(&rig, "im_open_login_svc/account_check", &json!({ "CheckItem": items }));
        let items = reported["ResultItem"].as_array().unwrap().iter();
        items.map(|it| it["AccountStatus"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        check(&["gina", "hans", "ines", "zoe"]),
        ["Imported", "Imported", "Imported", "NotImported"]
    );
    let body =
        json!({ "DeleteItem": [{ "UserID": "gina" }, { "UserID": "zoe" }, { "UserID": "alice" }] });
    let reported = fine(&rig, "im_open_login_svc/account_delete", &body);
    let codes: Vec<&Value> =
        reported["ResultItem"].as_array().unwrap().iter().map(|it| &it["ResultCode"]).collect();
    assert_eq!(codes, [0, 70107, 70402]);
    assert!(
        reported["ResultItem"][2]["ResultInfo"].as_str().unwrap().contains("policy.yaml:"),
        "{reported}"
    );
    assert_eq!(check(&["gina", "alice"]), ["NotImported", "Imported"]);
}
