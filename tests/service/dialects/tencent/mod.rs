//! Tencent IM's relationship chain.

mod adding;
mod auth;
mod blacklist;
mod checks;
mod friends;
mod groups;
mod hostile;
mod limits;
mod profile;
mod replayed;
mod stated;
mod unwritten;

use std::net::TcpStream;

use serde_json::{Value, json};

use crate::{
    dialects::rig::{Rig, TOKEN},
    support::client::Client,
};

/// The system as it is without any setting, and a few accounts.
const POLICY: &str = "
preset: tencent
users:
  alice: {}
  bob: {}
  carol: {}
  dave: {}
";

fn rig() -> Rig {
    Rig::start(POLICY)
}

/// The URL of a call, such as `sns/friend_add`, as an administrator makes it.
fn url(command: &str) -> String {
    format!(
        "/v4/{command}?sdkappid=88888888&identifier=admin&usersig={TOKEN}&random=99999999&contenttype=json"
    )
}

/// Makes a call over a connection; its status is 200 whatever comes of it.
#[track_caller]
fn call_on(client: &mut Client<TcpStream>, command: &str, body: &Value) -> Value {
    let answer = client.post(&url(command), body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

/// Makes a call.
#[track_caller]
fn call(rig: &Rig, command: &str, body: &Value) -> Value {
    call_on(&mut rig.daemon.connect(), command, body)
}

/// Makes a call that is carried out.
#[track_caller]
fn fine(rig: &Rig, command: &str, body: &Value) -> Value {
    let reported = call(rig, command, body);
    assert_eq!(reported["ActionStatus"], "OK", "{reported:#}");
    assert_eq!(reported["ErrorCode"], 0, "{reported:#}");
    reported
}

/// Makes a call that comes to nothing, and says so in the system's form; the code, and why.
#[track_caller]
fn fault(rig: &Rig, command: &str, body: &Value) -> (u64, String) {
    failed(&call(rig, command, body))
}

/// The code of an answer that says that the call came to nothing, and why.
#[track_caller]
fn failed(reported: &Value) -> (u64, String) {
    let names: Vec<&str> = reported.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["ActionStatus", "ErrorCode", "ErrorInfo", "ErrorDisplay"], "{reported:#}");
    assert_eq!(reported["ActionStatus"], "FAIL", "{reported:#}");
    let info = reported["ErrorInfo"].as_str().unwrap().to_owned();
    assert!(!info.is_empty());
    (reported["ErrorCode"].as_u64().unwrap(), info)
}

/// The code and the text of each item of an answer, which lists those that failed.
#[track_caller]
fn results(reported: &Value) -> Vec<(u64, String)> {
    assert_eq!(reported["ActionStatus"], "OK", "{reported:#}");
    let items = reported["ResultItem"].as_array().unwrap();
    let failed: Vec<&Value> =
        items.iter().filter(|it| it["ResultCode"] != 0).map(|it| &it["To_Account"]).collect();
    match reported.get("Fail_Account") {
        None => assert!(failed.is_empty(), "{reported:#}"),
        Some(listed) => {
            assert!(!failed.is_empty(), "{reported:#}");
            assert_eq!(listed.as_array().unwrap().iter().collect::<Vec<_>>(), failed);
        }
    }
    items
        .iter()
        .map(|it| {
            let names: Vec<&str> = it.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, ["To_Account", "ResultCode", "ResultInfo"]);
            (it["ResultCode"].as_u64().unwrap(), it["ResultInfo"].as_str().unwrap().to_owned())
        })
        .collect()
}

/// Adds friends as the system does by default: on both sides.
#[track_caller]
fn add(rig: &Rig, from: &str, to: &[&str]) -> Vec<(u64, String)> {
    results(&call(rig, "sns/friend_add", &adding(from, to)))
}

fn adding(from: &str, to: &[&str]) -> Value {
    let items: Vec<Value> = to
        .iter()
        .map(|to| json!({ "To_Account": to, "AddSource": "AddSource_Type_Web" }))
        .collect();
    json!({ "From_Account": from, "AddFriendItem": items })
}

/// Who is in a friend list.
#[track_caller]
fn friends(rig: &Rig, of: &str) -> Vec<String> {
    let reported = fine(rig, "sns/friend_get", &json!({ "From_Account": of, "StartIndex": 0 }));
    accounts(&reported["UserDataItem"])
}

/// Who is in a blocklist.
#[track_caller]
fn blocked(rig: &Rig, of: &str) -> Vec<String> {
    let requested =
        json!({ "From_Account": of, "StartIndex": 0, "MaxLimited": 1000, "LastSequence": 0 });
    accounts(&fine(rig, "sns/black_list_get", &requested)["BlackListItem"])
}

fn accounts(items: &Value) -> Vec<String> {
    let items = items.as_array().unwrap().iter();
    items.map(|it| it["To_Account"].as_str().unwrap().to_owned()).collect()
}

fn nothing() -> (u64, String) {
    (0, String::new())
}

fn error(code: u64, name: &str) -> (u64, String) {
    (code, format!("Err_SNS_{name}"))
}
