//! Venueless: over WebSockets, with a client library that is not the daemon's.

mod bounds;
mod decisions;
mod frames;
mod guests;
mod hostile;
mod login;
mod moderation;
mod options;
mod people;
mod socket;
mod token;
mod unwritten;
mod upgrade;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::dialects::rig::Rig;
pub(crate) use socket::Socket;
pub(crate) use token::ISSUERS;
use token::token;

/// A world in which those who have the trait `moderator` manage the others.
const POLICY: &str = "
preset: venueless
moderation: { managers: hasTag(moderator) }
users:
  filed: { tags: [attendee] }
  jailed: { moderation: banned }
";

/// With issuers of tokens, and these arguments.
#[track_caller]
fn world(more: &[&str]) -> Rig {
    let mut all = vec!["--dialect", "venueless", "--venueless-jwt-file", "{}/issuers"];
    all.extend(more);
    Rig::prepared(POLICY, &all, |folder: &TempDir| {
        std::fs::write(folder.path().join("issuers"), ISSUERS).unwrap();
    })
}

/// A socket on which the user of that name asks to be let in, who has these traits; the answer.
#[track_caller]
pub(crate) fn enter(rig: &Rig, name: &str, traits: &[&str]) -> (Socket, Value) {
    let mut socket = Socket::open(rig, "/ws/world/sample/");
    let token = token(&json!({ "uid": name, "traits": traits }));
    let reply = socket.ask(&json!(["authenticate", { "token": token }]));
    (socket, reply)
}

/// The same, who is let in.
#[track_caller]
fn user(rig: &Rig, name: &str, traits: &[&str]) -> Socket {
    let (socket, reply) = enter(rig, name, traits);
    assert_eq!(reply[0], "authenticated", "{reply}");
    assert_eq!(reply[1]["user.config"]["id"], name);
    socket
}

/// A socket of one who manages the others.
#[track_caller]
fn moderator(rig: &Rig) -> Socket {
    user(rig, "mod", &["moderator"])
}

/// A socket of a user without a token, and their id.
#[track_caller]
fn guest(rig: &Rig, client: &str) -> (Socket, String) {
    let mut socket = Socket::open(rig, "/ws/world/sample/");
    let reply = socket.ask(&json!(["authenticate", { "client_id": client }]));
    assert_eq!(reply[0], "authenticated", "{reply}");
    let id = reply[1]["user.config"]["id"].as_str().unwrap().to_owned();
    (socket, id)
}

/// Whether someone may do what is done to nobody, and why.
#[track_caller]
fn alone(rig: &Rig, subject: &str, action: &str) -> (bool, String) {
    let reported = rig.daemon.get(&format!("/v1/decide?subject={subject}&action={action}")).json();
    (reported["decision"].as_bool().unwrap(), reported["reason"].as_str().unwrap().to_owned())
}

fn success(data: Value) -> Value {
    Value::Array(vec!["success".into(), 1.into(), data])
}

fn error(code: &str) -> Value {
    json!(["error", 1, { "code": code }])
}

fn denied() -> Value {
    json!(["error", 1, { "code": "auth.denied", "message": "Permission denied." }])
}
