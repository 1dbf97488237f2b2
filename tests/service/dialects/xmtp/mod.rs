//! XMTP's group calls.

mod agree;
mod hostile;
mod wire;

use serde_json::Value;

use crate::{
    dialects::replay::replay,
    dialects::rig::{Rig, bearer},
    support::client::Answer,
};

const PEOPLE: &str = "
preset: xmtp
limits: { group_members: 5 }
users: { ann: {}, bob: {}, cat: {}, dan: {}, eve: {}, ida: {}, fay: { moderation: banned }, hal: { permissions: { incoming: false } } }
groups: { staff: { matrix: admins_only, creator: ann, admins: [bob] } }
";

/// A call of a group, with its arguments as JSON.
#[track_caller]
fn call(rig: &Rig, group: &str, call: &str, arguments: &Value) -> Answer {
    let path = format!("/xmtp/groups/{group}/{call}");
    rig.ask("POST", &path, &bearer(), arguments.to_string().as_bytes())
}

/// The same of one that must be fine; its result.
#[track_caller]
fn fine(rig: &Rig, group: &str, name: &str, arguments: &Value) -> Value {
    let answer = call(rig, group, name, arguments);
    assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    answer.json()["result"].clone()
}

#[test]
fn what_the_document_prints() {
    replay(&Rig::start("preset: xmtp\n"), "xmtp/document.yaml");
}

#[test]
fn what_is_wrong() {
    replay(&Rig::start(PEOPLE), "xmtp/errors.yaml");
}

#[test]
fn roles_and_metadata() {
    replay(&Rig::start(PEOPLE), "xmtp/rules.yaml");
}

#[test]
fn conversations_of_two() {
    replay(&Rig::start(PEOPLE), "xmtp/dm.yaml");
}

#[test]
fn policy_sets() {
    replay(&Rig::start(PEOPLE), "xmtp/policies.yaml");
}

#[test]
fn names_of_every_sdk_and_numbers_of_two() {
    let policy = PEOPLE.replace("group_members: 5", "group_members: 9");
    replay(&Rig::start(&policy), "xmtp/names.yaml");
}
