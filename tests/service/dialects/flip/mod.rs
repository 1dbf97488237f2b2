//! Flip's Sync API.

mod auth;
mod crowd;
mod hostile;
mod rules;
mod scenario;
mod stated;
mod stores;
mod tags;

use serde_json::Value;

use crate::{
    dialects::replay::replay,
    dialects::rig::{Rig, bearer},
    support::client::Answer,
};

/// The feature on, and no rule stated.
const ON: &str = "preset: flip\n";

#[test]
fn what_the_document_prints() {
    replay(&Rig::start(ON), "flip/document.yaml");
}

#[test]
fn the_same_below_the_public_base() {
    replay(&Rig::start(ON), "flip/base.yaml");
}

#[test]
fn conditions_that_are_none() {
    replay(&Rig::start(ON), "flip/conditions.yaml");
}

#[test]
fn bodies_that_are_no_rules() {
    replay(&Rig::start(ON), "flip/bodies.yaml");
}

#[test]
fn tags_that_are_not_declared() {
    replay(&Rig::start("preset: flip\ntags: [Berlin, Munich, Stuttgart]\n"), "flip/declared.yaml");
}

#[test]
fn ids_and_paths() {
    replay(&Rig::start(ON), "flip/paths.yaml");
}

#[test]
fn tags_of_users() {
    replay(&Rig::start(ON), "flip/tags.yaml");
}

#[test]
fn what_files_state() {
    replay(&Rig::start(stated::POLICY), "flip/stated.yaml");
}

/// Sends a body as an administrator.
#[track_caller]
fn send(rig: &Rig, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    identified(rig.ask(method, path, &bearer(), body.as_bytes()))
}

/// The same, of what is expected to be fine.
#[track_caller]
fn fine(rig: &Rig, method: &str, path: &str, body: &Value) -> Value {
    let answer = send(rig, method, path, body);
    assert!((200..300).contains(&answer.status), "{}", answer.text());
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

/// Each answer has an id of its own.
#[track_caller]
fn identified(answer: Answer) -> Answer {
    let id = answer.header("flip-request-id").unwrap_or_else(|| panic!("no id: {answer:?}"));
    assert!(uuid::Uuid::parse_str(id).is_ok() && id.len() == 36, "{id}");
    answer
}

/// Asserts an error in Flip's form; what is at fault.
#[track_caller]
fn fault(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    assert!(answer.header("flip-request-id").is_some(), "{answer:?}");
    let error = answer.json()["error"].clone();
    assert_eq!(error["code"], code, "{error:#}");
    assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{error:#}");
    error
}
