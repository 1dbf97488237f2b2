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
    told(&rig.ask("POST", "/backend/", JSON, request.to_string().as_bytes()))
}

#[track_caller]
fn told(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

/// The same, which must succeed.
#[track_caller]
fn done(rig: &Rig, request: Value) -> Value {
    let told = ask(rig, request);
    assert_eq!(told["result"], true, "{told}");
    told
}

/// The same, which must be refused with this error and code.
#[track_caller]
fn refused(rig: &Rig, request: Value, error: &str, code: u16) -> Value {
    let op = request["op"].clone();
    let told = ask(rig, request);
    assert_refusal(&told, error, code);
    assert_eq!(told["op"], op);
    told
}

#[track_caller]
fn assert_refusal(told: &Value, error: &str, code: u16) {
    assert_eq!(told["result"], false, "{told}");
    assert_eq!((&told["error"], &told["code"]), (&json!(error), &json!(code)), "{told}");
    assert!(told["message"].as_str().is_some_and(|message| message.len() > 10), "{told}");
}

/// Makes users with these addresses.
#[track_caller]
fn add(rig: &Rig, addresses: &[&str]) {
    for address in addresses {
        done(rig, json!({ "op": "useradd", "user": { "address": address } }));
    }
}
