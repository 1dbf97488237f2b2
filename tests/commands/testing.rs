//! `peerage test` as it is typed: what it prints, in which form, and its exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail by it"
)]

mod coverage;

use std::{
    fs,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    command.arg("test").args(arguments).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command.stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = run(&[arguments, &["--format", "json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn assert_reads(name: &str, shown: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, shown));
}

const FAILING: &str = "tests/commands/testing/failing";

/// A folder of files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

const POLICY: &str = "rule r: hasTag(A) -> [B]; user 1 { tags: [A]; } user 2 { tags: [B]; }";
const PASSES: &str = "tests: [{ name: it passes, expect: [{ subject: 1, action: start_chat, resource: 2, allow: true }] }]";
const FAILS: &str = "tests: [{ name: it fails, expect: [{ subject: 2, action: start_chat, resource: 1, allow: true }] }]";

#[test]
fn failures_and_coverage_are_reported_to_people() {
    let output = run(&[FAILING]);
    assert_eq!(output.status.code(), Some(1));
    assert_reads("failing", text(&output.stdout));
    assert!(output.stderr.is_empty());
}

#[test]
fn mistakes_are_reported_as_those_of_policies() {
    let output = run(&["tests/commands/testing/mistakes"]);
    assert_eq!(output.status.code(), Some(1));
    assert_reads("mistakes", text(&output.stderr));
    assert!(output.stdout.is_empty());
    let reported = json(&["tests/commands/testing/mistakes"]);
    assert_eq!(reported["diagnostics"].as_array().unwrap().len(), reported["errors"]);
}

#[test]
fn programs_get_everything_as_json() {
    let reported = json(&[FAILING]);
    assert_eq!((&reported["passed"], &reported["failed"]), (&1.into(), &3.into()));
    let failures = |file: usize, test: usize| &reported["files"][file]["tests"][test]["failures"];
    let first = &failures(0, 0)[0];
    assert_eq!(first["line"], 5);
    assert_eq!(first["expected"], "deny, no_rule");
    assert_eq!(first["actual"], "allow");
    assert_eq!(first["explanations"][0]["gates"].as_array().unwrap().len(), 11);
    let list = &failures(0, 1)[0];
    assert_eq!(list["missing"], serde_json::json!(["dee"]));
    assert_eq!(list["extra"], serde_json::json!(["cem"]));
    assert_eq!(list["explanations"][0]["about"], "dee");
    assert_eq!(list["explanations"][1]["about"], "cem");
    assert_eq!(failures(1, 0).as_array().unwrap().len(), 0);

    let coverage = &reported["coverage"];
    let all = coverage["all"].as_array().unwrap();
    let unreached = coverage["unreached"].as_array().unwrap();
    let reached = all.iter().filter(|it| it["reached"] == true).count();
    assert_eq!(coverage["reached"], reached);
    assert_eq!(coverage["total"], all.len());
    assert_eq!(unreached.len(), all.len() - reached);
    let percent = coverage["percent"].as_f64().unwrap();
    assert!(percent > 0.0 && percent < 100.0);
    assert_eq!(reported["coverage"]["min"], Value::Null);
}

#[test]
fn exit_codes() {
    let folder = folder(&[
        ("good/p.peerage", POLICY),
        ("good/deep/a.test.yaml", PASSES),
        ("good/b.test.yml", PASSES),
        ("failing/p.peerage", POLICY),
        ("failing/a.test.yaml", PASSES),
        ("failing/b.test.yaml", FAILS),
        ("untested/p.peerage", POLICY),
        ("bad/p.peerage", "rule: hasTag(A) -> [];"),
        ("bad/a.test.yaml", PASSES),
        ("empty/p.peerage", POLICY),
        ("empty/a.test.yaml", ""),
        ("only/a.test.yaml", PASSES),
    ]);
    let cases: [(&str, &[&str], i32); 21] = [
        ("", &["good"], 0),
        ("", &["failing"], 1),
        ("", &["untested"], 2),
        ("", &["bad"], 1),
        ("", &["empty"], 1),
        ("", &["only"], 2),
        ("", &["missing"], 2),
        // Several paths are one policy and its tests.
        ("", &["untested", "only"], 0),
        ("", &["untested", "failing/b.test.yaml"], 1),
        ("", &["untested/p.peerage", "good/b.test.yml"], 0),
        ("--filter passes", &["failing"], 0),
        ("--filter fails", &["failing"], 1),
        ("--filter nothing", &["failing"], 2),
        ("--min-coverage 50", &["good"], 1),
        ("--min-coverage 25", &["good"], 0),
        ("--min-coverage 25%", &["good"], 0),
        ("--min-coverage 25", &["failing"], 1),
        ("--min-coverage 101", &["good"], 2),
        ("--format junit", &["good"], 0),
        ("--format junit", &["failing"], 1),
        ("--format xml", &["good"], 2),
    ];
    for (options, paths, expected) in cases {
        let paths: Vec<String> = paths.iter().map(|name| path(&folder, name)).collect();
        let mut arguments: Vec<&str> = options.split_whitespace().collect();
        arguments.extend(paths.iter().map(String::as_str));
        let output = run(&arguments);
        let reported = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(expected), "{options} {paths:?}: {reported:?}");
    }
}

#[test]
fn commands_refuse_formats_that_they_do_not_have() {
    let output = Command::new(env!("CARGO_BIN_EXE_peerage"))
        .args(["check", "--format", "junit", "policies/stores"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let reported = text(&output.stderr);
    assert!(
        reported.contains("'junit'") && reported.contains("human, json, sarif, github"),
        "{reported}"
    );
    assert!(output.stdout.is_empty());
}

/// An element of XML: its name, its attributes, what is in it, and its text.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn get(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no {name} in {self:?}")).1
    }

    fn number(&self, name: &str) -> usize {
        self.get(name).parse().unwrap()
    }
}

/// Reads XML, as strictly as it takes to find what is not escaped.
fn xml(text: &str) -> Element {
    let mut rest = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap().trim();
    let mut open = vec![Element {
        name: String::new(),
        attributes: Vec::new(),
        children: Vec::new(),
        text: String::new(),
    }];
    while !rest.is_empty() {
        let (before, tag) = rest.split_once('<').unwrap();
        open.last_mut().unwrap().text.push_str(&unescaped(before));
        let (tag, after) = tag.split_once('>').unwrap();
        assert!(!tag.contains('<'));
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop().unwrap();
            assert_eq!(closed.name, name);
            open.last_mut().unwrap().children.push(closed);
            continue;
        }
        let (tag, is_empty) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let (name, mut list) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = Vec::new();
        while let Some((key, value)) = list.trim().split_once("=\"") {
            let (value, after) = value.split_once('"').unwrap();
            attributes.push((key.to_owned(), unescaped(value)));
            list = after;
        }
        assert!(list.trim().is_empty(), "{list}");
        let element =
            Element { name: name.into(), attributes, children: Vec::new(), text: String::new() };
        if is_empty {
            open.last_mut().unwrap().children.push(element);
        } else {
            open.push(element);
        }
    }
    assert_eq!(open.len(), 1);
    open.pop().unwrap().children.pop().unwrap()
}

fn unescaped(text: &str) -> String {
    assert!(!text.contains(['<', '>']));
    for part in text.split('&').skip(1) {
        let entity = part.split_once(';').unwrap().0;
        assert!(["amp", "lt", "gt", "quot", "#10", "#9"].contains(&entity), "{entity}");
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&#10;", "\n").replace("&#9;", "\t").replace("&amp;", "&")
}

#[test]
fn junit_has_a_suite_for_each_file_and_a_case_for_each_test() {
    let output = run(&["--format", "junit", FAILING]);
    let suites = xml(text(&output.stdout));
    assert_eq!(suites.name, "testsuites");
    assert_eq!((suites.number("tests"), suites.number("failures")), (4, 3));
    let files: Vec<&str> = suites.children.iter().map(|suite| suite.get("name")).collect();
    assert_eq!(
        files,
        [
            "tests/commands/testing/failing/chats.test.yaml",
            "tests/commands/testing/failing/groups.test.yaml"
        ]
    );
    for suite in &suites.children {
        assert_eq!(suite.name, "testsuite");
        assert_eq!(suite.number("tests"), suite.children.len());
        let failed = suite.children.iter().filter(|case| !case.children.is_empty()).count();
        assert_eq!(suite.number("failures"), failed);
        for case in &suite.children {
            assert_eq!(case.name, "testcase");
            assert_eq!(case.get("classname"), suite.get("name"));
            assert!(case.number("line") > 1);
            assert!(case.get("time").parse::<f64>().unwrap() >= 0.0);
        }
    }
    let case = &suites.children[0].children[0];
    assert_eq!(case.get("name"), "staff & guests < \"all\"");
    let failure = &case.children[0];
    assert_eq!(failure.name, "failure");
    assert!(failure.get("message").contains("expected deny, no_rule, actual allow"));
    for reported in
        ["chats.test.yaml:5:", "chats.test.yaml:6:", "outgoing_off", "opened by `guests"]
    {
        assert!(failure.text.contains(reported), "{reported}: {}", failure.text);
    }
}

#[test]
fn junit_tells_mistakes_as_errors() {
    let output = run(&["--format", "junit", "tests/commands/testing/mistakes"]);
    assert_eq!(output.status.code(), Some(1));
    let suites = xml(text(&output.stdout));
    let errors = json(&["tests/commands/testing/mistakes"])["errors"].as_u64().unwrap();
    assert_eq!(suites.number("errors") as u64, errors);
    for case in &suites.children[0].children {
        assert_eq!(case.children[0].name, "error");
        assert!(case.children[0].text.contains(case.children[0].get("message")));
    }
}

#[test]
fn hostile_test_files_are_refused() {
    let bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned()
        + "b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
        + "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
        + "d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
        + "e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n"
        + "f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\n"
        + "tests: [*f, *f]\n";
    let deep = format!("tests: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let errors = format!("tests:\n{}", "- name: [}\n".repeat(10_000));
    for (content, code) in [
        (bomb.as_bytes(), "too-many-aliases"),
        (deep.as_bytes(), "too-deep"),
        (errors.as_bytes(), "unbalanced"),
        (b"tests: [\0]", "nul-byte"),
        (b"tests: [\xff]", "invalid-utf8"),
        (b"tests: &t [*t]", "syntax"),
        (b"tests: *nothing", "syntax"),
        (b"- tests", "wrong-type"),
        (b"tests: x", "wrong-type"),
        (b"tests: {", "unbalanced"),
    ] {
        let folder = folder(&[("p.peerage", POLICY)]);
        fs::write(folder.path().join("t.test.yaml"), content).unwrap();
        let output = run(&["--format", "json", &path(&folder, "")]);
        assert_eq!(output.status.code(), Some(1), "{code}");
        let reported: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = reported["diagnostics"].as_array().unwrap();
        assert!(found.iter().any(|it| it["code"] == code), "{code}: {found:?}");
        assert!(found.len() <= 1_000, "{code}: {}", found.len());
    }
}

/// What `check` refuses is not green here.
#[test]
fn a_broken_invariant_fails_though_all_tests_pass() {
    let invariant = "never start_chat kept: hasTag(A) -> hasTag(B);";
    let policy = format!("{POLICY}\n{invariant}");
    let folder = folder(&[("p.peerage", &policy), ("t.test.yaml", PASSES)]);
    let at = path(&folder, "");
    let output = run(&[&at]);
    let reported = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{reported}");
    assert!(
        reported.contains("error[broken-invariant]") && reported.contains("`kept`"),
        "{reported}"
    );
    assert_eq!(json(&[&at])["diagnostics"][0]["code"], "broken-invariant");
    let junit = run(&[&at, "--format", "junit"]);
    assert_eq!(junit.status.code(), Some(1));
    assert!(text(&junit.stdout).contains("broken-invariant"), "{}", text(&junit.stdout));
    let kept = policy
        .replace("hasTag(B);", "hasTag(B) scope population;")
        .replace("hasTag(A) -> hasTag(B) scope", "hasTag(B) -> hasTag(A) scope");
    fs::write(folder.path().join("p.peerage"), kept).unwrap();
    let output = run(&[&at]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}
