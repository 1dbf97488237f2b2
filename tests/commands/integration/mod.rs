//! The integrations for other repositories: the hooks of pre-commit and the GitHub action, which
//! call the command as it is, and do what they say.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

mod action;

use std::{collections::BTreeSet, fs, process::Command};

use regex::Regex;
use serde_json::Value;

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key}: {value}"))
}

#[test]
fn hooks_are_what_pre_commit_takes() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let hooks = hooks.as_array().unwrap();
    let ids: Vec<&str> = hooks.iter().map(|hook| text(hook, "id")).collect();
    assert_eq!(ids, ["peerage-check", "peerage-fmt", "peerage-test"]);
    for hook in hooks {
        for key in hook.as_object().unwrap().keys() {
            let known = [
                "id",
                "name",
                "description",
                "entry",
                "args",
                "language",
                "files",
                "pass_filenames",
                "require_serial",
            ];
            assert!(known.contains(&key.as_str()), "{key}");
        }
        assert!(!text(hook, "name").is_empty());
        assert_eq!(text(hook, "language"), "rust", "built by cargo from a clone");
        assert_eq!(text(hook, "entry").replace(' ', "-"), text(hook, "id"));
        assert_eq!(hook["args"], serde_json::json!(["policies"]));
        // A policy is judged whole, whichever of its files changed.
        assert_eq!(hook["pass_filenames"], false);
        let files = Regex::new(text(hook, "files")).unwrap();
        for name in ["policies/a.yaml", "p/a.yml", "b.json", "c.peerage", "a.test.yaml"] {
            assert!(files.is_match(name), "{name}");
        }
        assert!(!files.is_match("README.md"));
    }
}

fn steps() -> Vec<Value> {
    yaml("action.yml")["runs"]["steps"].as_array().unwrap().clone()
}

fn step(name: &str) -> Value {
    steps().into_iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn the_action_is_what_github_takes() {
    let action = yaml("action.yml");
    assert_eq!(text(&action["runs"], "using"), "composite");
    let inputs = action["inputs"].as_object().unwrap();
    for (name, input) in inputs {
        assert!(!text(input, "description").is_empty(), "{name}");
        assert!(input["default"].is_string(), "{name} is text, as all inputs are");
    }
    assert!(steps().iter().any(|step| step["id"] == "install"));
    let mut used = BTreeSet::new();
    let input = Regex::new(r"inputs\.([a-z-]+)").unwrap();
    for step in steps() {
        let step = step.as_object().unwrap();
        assert_eq!(step["shell"], "bash");
        assert!(!step.contains_key("uses"), "no action of others");
        let run = step["run"].as_str().unwrap();
        assert!(!run.contains("${{"), "what others wrote never becomes a part of a script");
        used.extend(
            input
                .captures_iter(&Value::from(step.clone()).to_string())
                .map(|found| found[1].to_owned()),
        );
    }
    assert_eq!(used, inputs.keys().cloned().collect());
}

/// What `--help` says of a command, if there is such a command.
fn help(command: &str) -> Option<String> {
    let mut peerage = Command::new(env!("CARGO_BIN_EXE_peerage"));
    let output = peerage.args([command, "--help"]).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

fn is_there(command: &str, flag: &str) -> bool {
    let flags = Regex::new(r"--[a-z-]+").unwrap();
    help(command).is_some_and(|help| {
        flag.is_empty() || flags.find_iter(&help).any(|found| found.as_str() == flag)
    })
}

/// The commands and flags of `peerage` that a text calls.
fn calls(text: &str) -> BTreeSet<(String, String)> {
    // In the action the limit is put together before it is handed on.
    let text = text.replace("limit=(--", "peerage diff (--").replace("\\\n", " ");
    let call = Regex::new(r"(?m)\bpeerage ([a-z]+)\b([^|>#\n]*)").unwrap();
    let flag = Regex::new(r"--[a-z-]+").unwrap();
    let mut found = BTreeSet::new();
    for call in call.captures_iter(&text) {
        let flags = flag.find_iter(&call[2]).map(|flag| flag.as_str());
        found.extend(flags.chain([""]).map(|flag| (call[1].to_owned(), flag.to_owned())));
    }
    found
}

#[test]
fn every_command_that_is_called_is_there() {
    let mut called = BTreeSet::new();
    for hook in yaml(".pre-commit-hooks.yaml").as_array().unwrap() {
        called.extend(calls(text(hook, "entry")));
    }
    for step in steps().iter().filter(|step| step["name"] != "install peerage") {
        called.extend(calls(text(step, "run")));
    }
    let tutorial = fs::read_to_string("docs/tutorial.md").unwrap();
    // The code in it, and not the text between.
    for code in tutorial.split("```").skip(1).step_by(2) {
        called.extend(calls(code));
    }
    for (command, flag) in [("check", "--format"), ("test", ""), ("diff", "--max-changed")] {
        assert!(called.contains(&(command.to_owned(), flag.to_owned())), "{command} {flag}");
    }
    for (command, flag) in called {
        assert!(is_there(&command, &flag), "peerage {command} {flag}");
    }
}
