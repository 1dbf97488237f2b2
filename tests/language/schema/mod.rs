//! The JSON Schemas that editors get: what is right is valid, and what is not valid is a mistake to
//! `check` too.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

mod cases;

use crate::support::json_schema;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use jsonschema::Validator;
use peerage::{
    compile,
    diagnostic::Report,
    inspect, policy,
    source::{Notation, Sources},
};
use regex::Regex;
use serde_json::{Value, json};

use cases::{MISTAKES, RELATIONS, RIGHT, WRONG_RELATIONS};
use json_schema::{validator, violations};

/// A document as an editor reads it.
fn yaml(text: &str) -> Value {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options)
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn policies() -> Validator {
    validator(&policy::schema())
}

fn tests() -> Validator {
    validator(&inspect::test_schema(policy::schema()))
}

/// What `check` says of a file of this text.
fn checked(notation: Notation, text: &str) -> Report {
    compile::build(&Sources::single("policy", notation, text).into(), None).report
}

#[track_caller]
fn assert_valid(schema: &Validator, text: &str, of: &str) {
    let found = violations(schema, &yaml(text));
    assert!(found.is_empty(), "{of}: {found:#?}");
}

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn the_example_policies_and_their_tests_are_valid() {
    let (policies, tests) = (policies(), tests());
    let mut seen = (0, 0);
    for path in files("policies".as_ref()) {
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let name = path.to_str().unwrap();
        let is_test = name.ends_with(".test.yaml");
        let text = fs::read_to_string(&path).unwrap();
        assert_valid(if is_test { &tests } else { &policies }, &text, name);
        *if is_test { &mut seen.0 } else { &mut seen.1 } += 1;
    }
    assert!(seen.0 > 12 && seen.1 > 10, "{seen:?}");
}

#[test]
fn what_the_book_shows_is_valid() {
    let pages = ["rules", "relations", "settings", "users", "tests", "invariants"];
    let pages = pages.map(|page| format!("docs/policies/{page}.md"));
    let pages = pages.iter().map(String::as_str).chain(["docs/tutorial.md"]);
    let book: String = pages.map(|page| fs::read_to_string(page).unwrap()).collect();
    let (policies, tests) = (policies(), tests());
    let mut seen = 0;
    for block in book.split("\n```yaml\n").skip(1) {
        let text = block.split("\n```").next().unwrap();
        // The settings of another tool begin with their place in a repository.
        if text.starts_with("# .") {
            continue;
        }
        let schema = if text.contains("tests:\n") { &tests } else { &policies };
        assert_valid(schema, text, text);
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn what_is_right_is_valid() {
    let schema = policies();
    for &text in RIGHT {
        assert_valid(&schema, text, text);
        let report = checked(Notation::Yaml, text);
        assert_eq!(report.errors, 0, "{text}: {report:?}");
    }
}

#[test]
fn what_is_not_valid_is_a_mistake() {
    let schema = policies();
    for &text in MISTAKES {
        // The value that is left open is what an editor sees too, but not its YAML.
        let value = if text.contains("hasTag(A, outcome") {
            json!({ "rules": [{ "condition": "hasTag(A", "outcome": ["B"] }] })
        } else {
            yaml(text)
        };
        assert!(!violations(&schema, &value).is_empty(), "{text} is valid");
        let report = checked(Notation::Yaml, text);
        assert!(report.errors > 0, "{text} is no mistake");
    }
}

#[test]
fn invariants_and_lints_are_known() {
    let schema = policies();
    for text in [
        "invariants: [{ name: externals never reach the board, never: start_chat, \
         from: hasTag(external), to: hasTag(board) }]",
        "invariants: [{ always: send_message, from: hasTag(A), to: not(hasTag(B)), \
         scope: population, description: why }]",
        "invariants: [{ every: hasTag(A), reaches: hasTag(B), by: voice_call, scope: all }]",
        "invariants: [{ never: send_message, from: everyone, to: hasTag(B), conversation: existing }]",
        "lints: { allow: [dead-now, not-decided] }",
    ] {
        assert_valid(&schema, text, text);
    }
}

#[test]
fn what_is_between_two_users_is_known() {
    let schema = policies();
    for text in RELATIONS {
        assert_valid(&schema, text, text);
    }
    for text in WRONG_RELATIONS {
        assert!(!violations(&schema, &yaml(text)).is_empty(), "{text} is valid");
    }
}

#[test]
fn records_are_those_of_bulk_files() {
    let schema = validator(&policy::record_schema());
    let valid = |line: &str| violations(&schema, &serde_json::from_str(line).unwrap()).is_empty();
    for (line, right) in [
        (r#"{"id": "alice", "tags": ["Berlin"], "peers": 2}"#, true),
        (r#"{"id": "a b", "permissions": {"outgoing": false, "incoming": "hasTag(A)"}}"#, true),
        (r#"{"id": "a", "moderation": "silenced", "approval": "deny_any", "blocked": []}"#, true),
        (r#"{"tags": ["Berlin"]}"#, false),
        (r#"{"id": ""}"#, false),
        (r#"{"id": "a", "name": "Alice"}"#, false),
        (r#"{"id": "a", "tags": "Berlin"}"#, false),
        (r#"{"id": "a", "peers": 4}"#, false),
        (r#"{"id": "a", "accepts": {"start_chat": "contacts"}}"#, true),
        (r#"{"id": "a", "accepts": "contacts"}"#, false),
        (r#"{"id": "a", "permissions": {"outgoing": "on"}}"#, false),
    ] {
        assert_eq!(valid(line), right, "{line}");
        assert_eq!(checked(Notation::Ndjson, line).errors == 0, right, "{line}");
    }
}

#[test]
fn tests_that_prove_nothing_are_not_valid() {
    let schema = tests();
    let valid = |text: &str| violations(&schema, &yaml(text)).is_empty();
    for text in [
        "tests: []",
        "tests: [{ name: t, expect: [] }]",
        "tests: [{ name: t }]",
        "tests: [{ expect: [{ subject: '3', action: start_chat, resource: '2', allow: true }] }]",
        "test: []",
        "tests: [{ name: t, given: { user: {} }, expect: [{ subject: 3, action: sign_in, \
         allow: true }] }]",
        "tests: [{ name: t, given: { users: { '3': { tag: [] } } }, expect: [{ subject: 3, \
         action: sign_in, allow: true }] }]",
    ] {
        assert!(!valid(text), "{text}");
    }
    for (expectation, right) in [
        ("{ subject: '3', action: start_chat, resource: 2, allow: true }", true),
        ("{ subject: '3', action: start_chat, resource: '2', reason: no_rule }", true),
        ("{ subject: '3', action: start_chat, resource: '2', obligations: [] }", true),
        ("{ subject: '3', action: start_chat, reaches: ['2', 6] }", true),
        ("{ resource: '3', action: start_chat, reached_by: [] }", true),
        ("{ action: sign_in, reached_by: ['3'] }", true),
        (
            "{ subject: '3', action: start_chat, resource: '2', allow: true, \
          context: { conversation: new }, subject_properties: { tags: [A], role: admin, \
          permissions: { outgoing: false } }, resource_properties: { peers: all } }",
            true,
        ),
        ("{ subject: '3', action: start_chat, resource: '2' }", false),
        ("{ subject: '3', action: start_chat, resource: '2', alow: true }", false),
        ("{ subject: '3', action: start_chat, resource: '2', allow: maybe }", false),
        ("{ subject: '3', action: mention, resource: '2', allow: true }", true),
        ("{ subject: '3', action: start chat, resource: '2', allow: true }", false),
        ("{ subject: '3', resource: '2', allow: true }", false),
        ("{ subject: '3', action: start_chat, resource: '2', reason: norule }", false),
        ("{ subject: '3', action: start_chat, resource: '2', obligations: [confrim] }", false),
        ("{ subject: '3', action: start_chat, reached_by: ['2'] }", false),
        ("{ resource: '3', action: start_chat, reaches: ['2'] }", false),
        ("{ subject: '3', action: start_chat, reaches: ['2'], allow: true }", false),
        ("{ subject: '3', action: start_chat, reaches: '2' }", false),
        ("{ subject: '3', action: sign_in, allow: true, context: { chat: new } }", false),
        ("{ subject: '3', action: sign_in, allow: true, subject_properties: { tag: [] } }", false),
    ] {
        assert_eq!(
            valid(&format!("tests: [{{ name: t, expect: [{expectation}] }}]")),
            right,
            "{expectation}"
        );
    }
}

/// Holds `names` to those that `check` knows in the place of the `x` of a text: it counts as many
/// where it does not know `x`, and knows each of them.
fn check_known(text: &str, names: &BTreeSet<String>) {
    let report = checked(Notation::Yaml, text);
    let hints = report.diagnostics.iter().filter_map(|found| found.hint.as_ref());
    let lists: Vec<&str> = hints.filter_map(|hint| hint.strip_prefix("expected ")).collect();
    assert_eq!(lists.len(), 1, "{text}: {report:?}");
    let list = lists[0].split("; ").next().unwrap();
    let listed: BTreeSet<String> =
        list.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect();
    let more = list.strip_suffix(" more").and_then(|list| list.rsplit(' ').next());
    let more: usize = more.map_or(0, |count| count.parse().unwrap());
    assert!(listed.is_subset(names), "{text}: {listed:?}");
    assert_eq!(listed.len() + more, names.len(), "{text}: {list}");
    for name in names {
        let report = checked(Notation::Yaml, &text.replace('x', name));
        let unknown = ["has no field", "unknown section", "unknown lint", "unknown scope"];
        let mut messages = report.diagnostics.iter().map(|found| &found.message);
        let refused = messages.find(|message| unknown.iter().any(|part| message.contains(part)));
        assert_eq!(refused, None, "{text}: {name}");
    }
}

/// What is completed is what is read: each kind of mapping, where a key is wrong on purpose.
#[test]
fn fields_are_those_that_are_read() {
    let schema = policy::schema();
    for (text, place) in [
        ("rules: [{ condition: hasTag(A), outcome: [B], x: 1 }]", "/properties/rules/items"),
        ("moderation: { x: hasTag(A) }", "/properties/moderation"),
        ("permissions: { x: true }", "/properties/permissions"),
        ("blocks: { x: off }", "/properties/blocks"),
        ("peers: { x: all }", "/properties/peers"),
        (
            "peers: { modes: [{ when: hasTag(A), mode: all, x: 1 }] }",
            "/properties/peers/properties/modes/items",
        ),
        ("friendship: { x: allow_any }", "/properties/friendship"),
        ("limits: { x: 1 }", "/properties/limits"),
        ("users: { a: { x: 1 } }", "/definitions/user"),
        ("groups: { g: { x: 1 } }", "/definitions/group"),
        ("invariants: [{ x: 1 }]", "/properties/invariants/items"),
        ("lints: { x: 1 }", "/properties/lints"),
        ("rule_sets: { a: { x: 1 } }", "/properties/rule_sets/additionalProperties"),
        (
            "rule_sets: { a: { rules: [{ condition: hasTag(A), outcome: [B], x: 1 }] } }",
            "/definitions/rule",
        ),
        (
            "barriers: [{ name: a, between: [hasTag(A), hasTag(B)], x: 1 }]",
            "/properties/barriers/items",
        ),
        ("accepts: { start_chat: { x: 1 } }", "/properties/accepts/additionalProperties"),
        (
            "accepts: { start_chat: { modes: [{ when: hasTag(A), audience: everyone, x: 1 }] } }",
            "/properties/accepts/additionalProperties/properties/modes/items",
        ),
        (
            "actions: { a: { like: send_message, x: 1 } }",
            "/properties/actions/additionalProperties",
        ),
    ] {
        let properties = schema.pointer(&format!("{place}/properties")).unwrap();
        check_known(text, &properties.as_object().unwrap().keys().cloned().collect());
    }
    let invariant = "never: start_chat, from: hasTag(A), to: hasTag(A)";
    for (text, place) in [
        ("lints: { allow: [x] }", "/properties/lints/properties/allow/items/enum"),
        (
            &format!("invariants: [{{ {invariant}, scope: x }}]"),
            "/properties/invariants/items/properties/scope/enum",
        ),
        (
            &format!("invariants: [{{ {invariant}, conversation: x }}]"),
            "/properties/invariants/items/properties/conversation/enum",
        ),
    ] {
        let words = schema.pointer(place).unwrap().as_array().unwrap().iter();
        check_known(text, &words.map(|word| word.as_str().unwrap().to_owned()).collect());
    }
    // An editor is reported which schema a file has by a key that is no section.
    let sections = schema["properties"].as_object().unwrap().keys();
    let sections = sections.filter(|name| !name.starts_with('$')).cloned().collect();
    check_known("x: 1", &sections);
}

/// What the schema says holds if nothing is said compiles to the same.
#[test]
fn defaults_are_what_holds() {
    let schema = policy::schema();
    let compiled = |text: &str| {
        // A file of nothing is an error.
        let text = format!("{text}\n");
        let outcome =
            compile::build(&Sources::single("policy", Notation::Yaml, &*text).into(), None);
        outcome.view.unwrap_or_else(|| panic!("{text}: {:?}", outcome.report)).revision
    };
    let invariant = "{ never: start_chat, from: hasTag(A), to: hasTag(B), scope: ?, name: x }";
    let mut cases = vec![
        ("/properties/unknown_users".to_owned(), "unknown_users: ?".to_owned()),
        ("/properties/peers/properties/default".to_owned(), "peers: { default: ? }".to_owned()),
        (
            "/properties/friendship/properties/default_approval".to_owned(),
            "friendship: { default_approval: ? }".to_owned(),
        ),
        (
            "/properties/invariants/items/properties/scope".to_owned(),
            format!("rules: []\ninvariants: [{invariant}]"),
        ),
        (
            "/definitions/group/properties/matrix".to_owned(),
            "groups: { g: { matrix: ? } }".to_owned(),
        ),
        (
            "/definitions/user/properties/moderation".to_owned(),
            "users: { a: { moderation: ? } }".to_owned(),
        ),
    ];
    let accepts = "/properties/accepts/additionalProperties/properties";
    let modes = "modes: [{ when: hasTag(A), audience: contacts, locked: ? }]";
    cases.extend([
        (
            "/properties/rule_sets/additionalProperties/properties/asked".to_owned(),
            "rule_sets: { a: { rules: [], asked: ? } }".to_owned(),
        ),
        (
            "/properties/barriers/items/properties/groups".to_owned(),
            "barriers: [{ name: x, between: [hasTag(A), hasTag(B)], groups: ? }]".to_owned(),
        ),
        (format!("{accepts}/default"), "accepts: { start_chat: { default: ? } }".to_owned()),
        (format!("{accepts}/asked"), "accepts: { start_chat: { asked: ? } }".to_owned()),
        (format!("{accepts}/otherwise"), "accepts: { start_chat: { otherwise: ? } }".to_owned()),
        (
            format!("{accepts}/modes/items/properties/locked"),
            format!("accepts: {{ start_chat: {{ {modes} }} }}"),
        ),
    ]);
    let switches = schema.pointer("/properties/permissions/properties").unwrap();
    for switch in switches.as_object().unwrap().keys() {
        let place = format!("/properties/permissions/properties/{switch}");
        cases.push((place, format!("permissions: {{ {switch}: ? }}")));
    }
    let setting = Regex::new(r"[a-z_]+: \?,?").unwrap();
    for (place, text) in &cases {
        let default = &schema.pointer(place).unwrap()["default"];
        assert!(!default.is_null(), "{place}");
        let without = setting.replace(text, "");
        let with = text.replace('?', &default.to_string());
        assert_eq!(compiled(&with), compiled(&without), "{with}\n{without}");
    }
    let reported = serde_json::to_string(&schema).unwrap();
    assert_eq!(
        reported.matches(r#""default":"#).count(),
        cases.len() + 2,
        "`peers` and `accepts` have a key of the name"
    );
}

#[test]
fn every_reference_leads_somewhere_and_every_field_says_what_it_is() {
    fn walk(root: &Value, at: &str, value: &Value, silent: &mut Vec<String>) {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            assert!(root.pointer(target.strip_prefix('#').unwrap()).is_some(), "{at}: {target}");
        }
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    walk(root, &format!("{at}/{name}"), field, silent);
                }
                let properties = fields.get("properties").and_then(Value::as_object);
                for (name, field) in properties.into_iter().flatten() {
                    if field.get("description").is_none() && field.get("$ref").is_none() {
                        silent.push(format!("{at}/{name}"));
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(root, at, item, silent)),
            _ => {}
        }
    }
    let mut silent = Vec::new();
    let tests = inspect::test_schema(policy::schema());
    for schema in [policy::schema(), policy::record_schema(), tests] {
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert!(jsonschema::meta::validate(&schema).is_ok(), "{schema}");
        walk(&schema, "", &schema, &mut silent);
    }
    assert_eq!(silent, [""; 0]);
}

#[test]
fn the_command_prints_them() {
    for (arguments, schema) in [
        (&["schema"][..], policy::schema()),
        (&["schema", "--of", "policy"], policy::schema()),
        (&["schema", "--of", "tests"], inspect::test_schema(policy::schema())),
        (&["schema", "--of", "record", "--format", "json"], policy::record_schema()),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_peerage")).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), schema);
    }
}
