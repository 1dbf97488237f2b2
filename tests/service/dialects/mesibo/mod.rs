//! The API of mesibo.

mod admission;
mod black_box;
mod hostile;
mod members;
mod multipart;
mod scripts;
mod unwritten;

use serde_json::{Value, json};

use crate::{
    dialects::rig::{Rig, TOKEN},
    support::client::Answer,
};

const POLICY: &str = "preset: mesibo\n";

const JSON: &str = "Content-Type: application/json\r\n";

/// Asks as an administrator does; it is always 200.
#[track_caller]
fn ask(rig: &Rig, mut request: Value) -> Value {
    request["token"] = TOKEN.into();
    reported(&rig.ask("POST", "/backend/", JSON, request.to_string().as_bytes()))
}

#[track_caller]
fn reported(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

/// The same, which must succeed.
#[track_caller]
fn done(rig: &Rig, request: Value) -> Value {
    let reported = ask(rig, request);
    assert_eq!(reported["result"], true, "{reported}");
    reported
}

/// The same, which must be refused with this error and code.
#[track_caller]
fn refused(rig: &Rig, request: Value, error: &str, code: u16) -> Value {
    let op = request["op"].clone();
    let reported = ask(rig, request);
    assert_refusal(&reported, error, code);
    assert_eq!(reported["op"], op);
    reported
}

#[track_caller]
fn assert_refusal(reported: &Value, error: &str, code: u16) {
    assert_eq!(reported["result"], false, "{reported}");
    assert_eq!(
        (&reported["error"], &reported["code"]),
        (&json!(error), &json!(code)),
        "{reported}"
    );
    assert!(reported["message"].as_str().is_some_and(|message| message.len() > 10), "{reported}");
}

/// Makes users with these addresses.
#[track_caller]
fn add(rig: &Rig, addresses: &[&str]) {
    for address in addresses {
        done(rig, json!({ "op": "useradd", "user": { "address": address } }));
    }
}
