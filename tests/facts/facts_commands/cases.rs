//! Cases as data: earlier commands, a batch, its outcomes, and the records after it.

use std::fs;

use peerage::{
    facts::{Authority, Command, RecordKey},
    request::{Approval, BlockMode, Reason},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::facts_commands::double::{Double, files};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    settings: Given,
    /// Subject, action and what it is about, and why not.
    #[serde(default)]
    denied: Vec<(String, String, String, String)>,
    #[serde(default)]
    obligations: Vec<String>,
    #[serde(default)]
    managers: Vec<String>,
    #[serde(default)]
    protected: Vec<String>,
    /// Whether what is asked comes from a dialect, what was done before being an administrator's.
    #[serde(default)]
    from_dialect: bool,
    /// Done before.
    #[serde(default)]
    given: Vec<Value>,
    when: Vec<Value>,
    /// What is answered; where it `says` something, the message holds it.
    then: Vec<Map<String, Value>>,
    /// Records as they are after it, by their keys; `null` where there is none.
    #[serde(default)]
    kept: Map<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Given {
    friends: Option<u32>,
    blocked: Option<u32>,
    friend_lists: Option<u32>,
    group_members: Option<u32>,
    approval: Option<Approval>,
    blocks: Option<String>,
    blocks_end_friendship: bool,
}

fn world(case: &Case) -> Double {
    let mut world = Double::new(files());
    let given = &case.settings;
    let limits = &mut world.settings.limits;
    limits.friends = given.friends;
    limits.blocked = given.blocked;
    limits.friend_lists = given.friend_lists;
    limits.group_members = given.group_members;
    world.settings.approval = given.approval.unwrap_or(Approval::AllowAny);
    if let Some(blocks) = &given.blocks {
        world.settings.blocks = blocks.parse::<BlockMode>().unwrap();
    }
    world.settings.blocks_end_friendship = given.blocks_end_friendship;
    world.managers = case.managers.iter().cloned().collect();
    world.protected = case.protected.iter().cloned().collect();
    world.obligations = case.obligations.iter().map(|it| it.parse().unwrap()).collect();
    for (subject, action, about, reason) in &case.denied {
        let key = (subject.clone(), action.parse().unwrap(), about.clone());
        world.denied.insert(key, reason.parse::<Reason>().unwrap());
    }
    let people =
        ["ann", "bob", "cat", "dan"].map(|id| serde_json::json!({ "op": "put_user", "user": id }));
    let given = Command::decode(&people).unwrap();
    let ran = world.run(&given);
    assert!(ran.changes.is_some());
    for command in &case.given {
        let command = Command::decode(std::slice::from_ref(command)).unwrap();
        let ran = world.run(&command);
        assert!(ran.changes.is_some(), "{}: given {command:?}: {:?}", case.name, ran.outcomes);
    }
    world
}

fn check(case: &Case) {
    let mut world = world(case);
    if case.from_dialect {
        world.sender.authority = Authority::Dialect;
    }
    let before = world.committed.clone();
    let commands = Command::decode(&case.when).unwrap_or_else(|errors| {
        panic!("{}: {errors:?}", case.name);
    });
    let ran = world.run(&commands);
    assert_eq!(ran.outcomes.len(), case.then.len(), "{}", case.name);
    for (outcome, then) in ran.outcomes.iter().zip(&case.then) {
        let mut outcome = outcome.as_object().unwrap().clone();
        let mut then = then.clone();
        let message = outcome.remove("message");
        let says = then.remove("says");
        assert_eq!(Value::Object(outcome), Value::Object(then), "{}: {message:?}", case.name);
        if let Some(Value::String(says)) = says {
            let message = message.unwrap();
            assert!(message.as_str().unwrap().contains(&says), "{}: {message}", case.name);
        }
    }
    if ran.changes.is_none() {
        assert_eq!(world.committed, before, "{}", case.name);
    }
    for (key, kept) in &case.kept {
        let key: RecordKey = key.replace('+', "\0").parse().unwrap();
        let found = world
            .record(&key)
            .map_or(Value::Null, |record| serde_json::from_slice(&record.encode()).unwrap());
        assert_eq!(&found, kept, "{}: {key:?}", case.name);
    }
}

fn check_all(file: &str) {
    let text = fs::read_to_string(format!("tests/facts/facts_commands/{file}.yaml")).unwrap();
    let options = serde_saphyr::options! { strict_booleans: true };
    let cases: Vec<Case> = serde_saphyr::from_str_with_options(&text, options).unwrap();
    assert!(cases.len() > 5);
    cases.iter().for_each(check);
}

#[test]
fn users() {
    check_all("users");
}

#[test]
fn ends() {
    check_all("ends");
}

#[test]
fn relations() {
    check_all("relations");
}

#[test]
fn friends() {
    check_all("friends");
}

#[test]
fn groups() {
    check_all("groups");
}

#[test]
fn conversations_and_rules() {
    check_all("rules");
}

#[test]
fn on_behalf() {
    check_all("behalf");
}
