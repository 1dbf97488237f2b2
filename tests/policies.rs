//! Runs the tests that policies bring along, as their authors write them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by it")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use peerage::{
    compile,
    inspect::Listing,
    snapshot::View,
    source::{self, Sources},
};
use support::run;

fn sources(folder: &Path) -> Sources {
    let loaded = source::load(&[folder]);
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    loaded.sources
}

fn view(folder: &str) -> View {
    let outcome = compile::build(&source::load(&[folder]), None);
    assert!(outcome.report.diagnostics.is_empty(), "{:?}", outcome.report);
    outcome.view.unwrap()
}

/// All test files below a folder, in order.
fn test_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(test_files(&path));
        } else if path.to_str().is_some_and(|path| path.ends_with(".test.yaml")) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn policies_pass_their_own_tests() {
    let files = test_files("policies".as_ref());
    assert!(files.iter().any(|file| file.ends_with("stores/stores.test.yaml")));
    for file in files {
        let policy = sources(file.parent().unwrap());
        let done = run(&fs::read_to_string(&file).unwrap(), &policy);
        assert!(done.is_ok(), "{}: {:#?}", file.display(), done.unwrap_err());
    }
}

#[test]
fn the_stores_are_the_same_in_both_notations() {
    let (yaml, dsl) = (view("policies/stores"), view("policies/stores-dsl"));
    assert_eq!(yaml.revision, dsl.revision);
    assert_eq!(Listing::of(&yaml).to_string(), Listing::of(&dsl).to_string());
    let json = |view| serde_json::to_string(&Listing::of(view)).unwrap();
    assert_eq!(json(&yaml), json(&dsl));
    let tests = fs::read_to_string("policies/stores/stores.test.yaml").unwrap();
    let checked = run(&tests, &sources("policies/stores-dsl".as_ref())).unwrap();
    assert_eq!(checked, 2 * (36 + 6 + 6) + 4);
}

/// What a test file of this content comes to, for the stores.
fn outcome(text: &str) -> Result<usize, Vec<String>> {
    run(text, &sources("policies/stores-dsl".as_ref()))
}

fn test_of(expectation: &str) -> String {
    format!("tests: [{{ name: t, expect: [{expectation}] }}]")
}

#[test]
fn a_test_that_proves_nothing_fails() {
    for text in [
        "tests: []",
        "tests: [{ name: t, expect: [] }]",
        "tests: [{ name: t }]",
        "tests: [{ expect: [{ subject: '3', action: start_chat, resource: '2', allow: true }] }]",
        "tests: [{ name: t, exepct: [], expect: [{ subject: '3', action: start_chat, resource: '2', \
         allow: true }] }]",
        "test: []",
        "",
        "tests: [{ name: t, given: { user: {} }, expect: [{ subject: '3', action: start_chat, \
         resource: '2', allow: true }] }]",
        "tests: [{ name: t, given: { users: { '3': { tag: [] } } }, expect: [{ subject: '3', \
         action: start_chat, resource: '2', allow: true }] }]",
    ] {
        assert!(outcome(text).is_err(), "{text}");
    }
    for expectation in [
        "{ subject: '3', action: start_chat, resource: '2' }",
        "{ subject: '3', action: start_chat, resource: '2', alow: true }",
        "{ subject: '3', action: start_chat, resource: '2', allow: true, reson: allowed }",
        "{ subject: '3', action: start_chat, resource: '2', allow: true, context: { chat: new } }",
        "{ subject: '3', action: start_chat, resource: '2', allow: yes please }",
        "{ subject: '3', resource: '2', allow: true }",
        "{ subject: '3', action: start_chats, resource: '2', allow: true }",
        "{ subject: '3', action: start_chat, allow: true }",
        "{ subject: '3', action: start_chat, reached_by: ['2'] }",
        "{ subject: '3', action: start_chat, reaches: ['2', '6'], allow: true }",
    ] {
        assert!(outcome(&test_of(expectation)).is_err(), "{expectation}");
    }
}

#[test]
fn a_wrong_expectation_fails() {
    for (expectation, holds) in [
        ("{ subject: '3', action: start_chat, resource: '2', allow: true }", true),
        ("{ subject: 3, action: start_chat, resource: 2, reason: allowed }", true),
        ("{ subject: '3', action: start_chat, resource: '2', allow: false }", false),
        ("{ subject: '3', action: start_chat, resource: '2', reason: no_rule }", false),
        ("{ subject: '3', action: start_chat, resource: '4', allow: false, reason: self }", false),
        ("{ subject: '3', action: start_chat, reaches: ['6', '2'] }", true),
        ("{ subject: '3', action: start_chat, reaches: ['2'] }", false),
        ("{ subject: '3', action: start_chat, reaches: ['2', '6', '4'] }", false),
        ("{ resource: '3', action: start_chat, reached_by: ['2', '5', '6'] }", true),
        ("{ resource: '3', action: start_chat, reached_by: [] }", false),
        (
            "{ subject: '3', action: start_chat, resource: '2', allow: true, \
          context: { conversation: new } }",
            true,
        ),
    ] {
        let outcome = outcome(&test_of(expectation));
        assert_eq!(outcome.is_ok(), holds, "{expectation}: {outcome:?}");
    }
}

#[test]
fn what_is_given_lies_over_the_policy() {
    let with = |given: &str, reaches: &str| {
        let text = format!(
            "tests: [{{ name: t, given: {given}, \
             expect: [{{ subject: '3', action: start_chat, reaches: [{reaches}] }}] }}]"
        );
        let done = outcome(&text);
        assert!(done.is_ok(), "{given}: {done:?}");
    };
    with("{}", "'2', '6'");
    with("{ users: { '3': {} } }", "'2', '6'");
    with("{ users: { '3': { tags: [] } } }", "");
    with("{ users: { '9': { tags: [Stuttgart] } } }", "'2', '6', '9'");
    let rule = "condition: hasTag(Berlin), outcome: [Berlin]";
    with(&format!("{{ rules: [{{ name: added, {rule} }}] }}"), "'2', '5', '6'");
    with(&format!("{{ rules: [{{ name: stores to headquarters, {rule} }}] }}"), "'5', '6'");
    with(
        &format!("{{ rules: [{{ rule_id: 728c1541-d6d1-4290-9a53-cdf01dd32d60, {rule} }}] }}"),
        "'5', '6'",
    );
}
