//! Mistakes as other tools read them: SARIF, and commands to GitHub's runner.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

use crate::support::json_schema;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use insta::assert_snapshot;
use jsonschema::Validator;
use peerage::{
    diagnostic::{Code, Diagnostic, Diagnostics, Report, render_github, render_sarif},
    source::{Notation, Source, SourceId, Sources, Span},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use json_schema::{validator, violations};

const ROOT: &str = "/repo";

/// A report of an error in a file of this name, at a place that is in two lines and one that is in
/// one, and of a warning without a place.
fn report(name: &str) -> Report {
    let source = Source::new(name, Notation::Yaml, "users:\n  ünal: {}\n  ünal: {}\n");
    let sources = Sources::new(vec![source]);
    let id = SourceId(0);
    let mut problems = Diagnostics::default();
    problems.push(
        Diagnostic::error(Code::DuplicateUser, Span::new(id, 21, 26), "100% twice:\r\na, b")
            .label("again")
            .related(Span::new(id, 9, 14), "first")
            .hint("keep one"),
    );
    problems.push(Diagnostic::warning(Code::DuplicateKey, Span::new(id, 0, 14), "two lines"));
    problems.push(Diagnostic::global(Code::NoFiles, "nothing there"));
    Report::new(problems, &sources)
}

#[test]
fn github_commands() {
    assert_snapshot!(render_github(&report("/repo/a/./b,c:d.yaml"), ROOT.as_ref()), @r"
    ::error title=no-files::nothing there
    ::warning file=a/b%2Cc%3Ad.yaml,line=1,endLine=2,title=duplicate-key::two lines
    ::error file=a/b%2Cc%3Ad.yaml,line=3,col=3,endLine=3,endColumn=7,title=duplicate-user::100%25 twice:%0D%0Aa, b%0Aagain%0Aa/b,c:d.yaml:2:3: first%0Ahelp: keep one
    ");
}

#[test]
fn what_is_left_out_is_counted() {
    let mut problems = Diagnostics::default();
    for number in 0..Diagnostics::MAX_KEPT + 2 {
        problems.push(Diagnostic::global(Code::TooLarge, format!("{number}")));
    }
    let report = Report::new(problems, &Sources::new(Vec::new()));
    let commands = render_github(&report, ROOT.as_ref());
    assert_eq!(commands.lines().count(), Diagnostics::MAX_KEPT + 1);
    assert_eq!(commands.lines().last(), Some("::notice::2 more than are shown"));
    assert_eq!(render_sarif(&report, ROOT.as_ref())["runs"][0]["properties"]["leftOut"], 2);
}

#[test]
fn files_are_named_from_the_root() {
    for (name, path, uri, is_relative) in [
        ("policies/a.yaml", "policies/a.yaml", "policies/a.yaml", true),
        ("./policies/a.yaml", "policies/a.yaml", "policies/a.yaml", true),
        ("../a.yaml", "../a.yaml", "../a.yaml", true),
        ("/repo/a b/ü.yaml", "a b/ü.yaml", "a%20b/%C3%BC.yaml", true),
        ("/repository/a.yaml", "/repository/a.yaml", "file:///repository/a.yaml", false),
        ("a:b.yaml", "a%3Ab.yaml", "a%3Ab.yaml", true),
        ("50%.yaml", "50%25.yaml", "50%25.yaml", true),
    ] {
        let report = report(name);
        let command = render_github(&report, ROOT.as_ref());
        assert!(command.contains(&format!(" file={path},line=3,col=3,endLine=3,")), "{command}");
        let log = render_sarif(&report, ROOT.as_ref());
        let places = log["runs"][0]["results"].as_array().unwrap().iter();
        let mut checked = 0;
        for place in places.flat_map(|it| it["locations"].as_array().unwrap()) {
            let artifact = &place["physicalLocation"]["artifactLocation"];
            assert_eq!(artifact["uri"], uri);
            assert_eq!(artifact.get("uriBaseId").is_some(), is_relative, "{name}");
            checked += 1;
        }
        assert_eq!(checked, 2);
    }
}

/// The schema that OASIS publishes of SARIF 2.1.0.
fn schema() -> Validator {
    let text = fs::read_to_string("tests/language/formats/sarif-schema-2.1.0.json").unwrap();
    // In the pattern of languages it has a bracket that nothing opens.
    validator(&serde_json::from_str(&text.replace("{2}]?$", "{2}$")).unwrap())
}

#[test]
fn sarif_logs_are_valid() {
    let schema = schema();
    let log = render_sarif(&report("/repo/a.yaml"), ROOT.as_ref());
    assert_eq!(violations(&schema, &log), [""; 0]);
    assert_snapshot!(serde_json::to_string_pretty(&log["runs"][0]["results"]).unwrap());

    // Every case of a mistake that there is, and none.
    let mut logs = vec![render_sarif(&Report::default(), ROOT.as_ref())];
    for folder in ["tests/language/diagnostics", "policies"] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let (output, log) = checked(&path, "sarif");
            assert!(output.stderr.is_empty(), "{}", path.display());
            let (_, plain) = checked(&path, "json");
            let results = log["runs"][0]["results"].as_array().unwrap().len();
            assert_eq!(results, plain["diagnostics"].as_array().unwrap().len());
            assert_eq!(log["runs"][0]["properties"]["leftOut"], plain["left_out"]);
            logs.push(log);
        }
    }
    assert!(logs.len() > 30);
    for log in &logs {
        assert_eq!(violations(&schema, log), [""; 0]);
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().unwrap() {
            let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!(rule["id"], result["ruleId"]);
            let code = Code::ALL.iter().find(|code| result["ruleId"] == code.as_str()).unwrap();
            assert_eq!(rule["shortDescription"]["text"], code.meaning());
            // What GitHub demands, and viewers show.
            assert_eq!(rule["fullDescription"]["text"], code.meaning());
            for form in ["text", "markdown"] {
                let help = rule["help"][form].as_str().unwrap();
                assert!(help.contains(code.meaning()), "{help}");
                assert_eq!(help.contains("allow:"), Code::LINTS.contains(code), "{help}");
            }
            let home = run["tool"]["driver"]["informationUri"].as_str().unwrap();
            let uri: hyper::Uri = rule["helpUri"].as_str().unwrap().parse().unwrap();
            assert_eq!((uri.scheme_str(), uri.path()), (Some("https"), "/peerage"));
            assert!(rule["helpUri"].as_str().unwrap() == format!("{home}#{code}"));
            let name = rule["name"].as_str().unwrap();
            assert!(
                name.starts_with(|c: char| c.is_ascii_uppercase()) && !name.contains('-'),
                "{name}"
            );
        }
    }
}

#[test]
fn a_log_that_is_wrong_is_not_valid() {
    let schema = schema();
    let right = render_sarif(&report("a.yaml"), ROOT.as_ref());
    for (place, wrong) in [
        ("/version", json!("2.2")),
        ("/runs/0/results/0/message", json!("text")),
        ("/runs/0/results/1/level", json!("fatal")),
        ("/runs/0/results/1/locations/0/physicalLocation/region/startLine", json!(0)),
        ("/runs/0/results/1/locations/0/physicalLocation/artifactLocation/uri", json!("a b")),
        ("/runs/0/tool/driver", json!({})),
    ] {
        let mut log = right.clone();
        *log.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = wrong;
        assert_eq!(violations(&schema, &log).len(), 1, "{place}");
    }
}

/// What `check` prints of a policy in a format that is JSON.
fn checked(path: &Path, format: &str) -> (Output, Value) {
    let output = peerage(&["check", "--format", format, path.to_str().unwrap()], ".".as_ref());
    let log = serde_json::from_slice(&output.stdout).unwrap();
    (output, log)
}

fn peerage(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    command.args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn check_has_them() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("good.yaml"), "users: { a: {} }\n").unwrap();
    fs::write(folder.path().join("bad.yaml"), "user: { a: {} }\n").unwrap();
    let absolute = folder.path().canonicalize().unwrap().join("bad.yaml");
    for (policy, code, lines) in [
        ("good.yaml", 0, 0),
        ("bad.yaml", 1, 1),
        (absolute.to_str().unwrap(), 1, 1),
        ("missing.yaml", 2, 1),
    ] {
        let output = peerage(&["check", "--format", "github", policy], folder.path());
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{policy}: {text}");
        assert_eq!(text.lines().count(), lines, "{text}");
        assert!(text.lines().all(|line| line.starts_with("::error ")), "{text}");
        if code == 1 {
            assert!(text.starts_with("::error file=bad.yaml,line=1,col=1,endLine=1,endColumn=5,"));
        }
        let output = peerage(&["check", "--format", "sarif", policy], folder.path());
        assert_eq!(output.status.code(), Some(code));
        let log: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), lines);
    }
}

#[test]
fn invariants_and_lints_are_reported_in_each() {
    let folder = TempDir::new().unwrap();
    let text = "rules:\n  - { name: a, condition: hasTag(a), outcome: [b] }\n  \
                - { name: double, condition: hasTag(a), outcome: [b] }\ninvariants:\n  \
                - { never: start_chat, from: hasTag(a), to: hasTag(b) }\n\
                users: { ann: { tags: [a] }, bob: { tags: [b] } }\n";
    fs::write(folder.path().join("p.yaml"), text).unwrap();
    let reported = [
        (
            "implied-rule",
            "warning",
            3,
            "every user who meets this condition meets that of the other rule",
        ),
        ("broken-invariant", "error", 5, "1 pair breaks it: `ann` may start a chat with `bob`"),
    ];
    let check = |format: &str| {
        let output = peerage(&["check", "--format", format, "p.yaml"], folder.path());
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let json: Value = serde_json::from_str(&check("json")).unwrap();
    let sarif: Value = serde_json::from_str(&check("sarif")).unwrap();
    let (github, human) = (check("github"), check("human"));
    assert_eq!(violations(&schema(), &sarif), [""; 0]);
    for (at, (code, severity, line, label)) in reported.into_iter().enumerate() {
        let found = &json["diagnostics"][at];
        assert_eq!((&found["code"], &found["severity"]), (&code.into(), &severity.into()));
        assert_eq!((&found["line"], &found["label"]), (&line.into(), &label.into()), "{found}");
        let result = &sarif["runs"][0]["results"][at];
        assert_eq!((&result["ruleId"], &result["level"]), (&code.into(), &severity.into()));
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!(region["startLine"], line);
        assert!(result["message"]["text"].as_str().unwrap().contains(label), "{result}");
        let command = github.lines().nth(at).unwrap();
        assert!(
            command.starts_with(&format!("::{severity} file=p.yaml,line={line},")),
            "{command}"
        );
        assert!(command.contains(label) && command.contains(code), "{command}");
        assert!(human.contains(label) && human.contains(code), "{human}");
    }
}

#[test]
fn a_format_that_a_command_does_not_have_is_refused() {
    for (arguments, has) in [
        (&["check", "policies/stores"][..], &["human", "json", "sarif", "github"][..]),
        (&["compile", "policies/stores"], &["human", "json"]),
        (&["decide", "-s", "3", "-r", "2", "policies/stores"], &["human", "json"]),
        (&["reach", "-s", "3", "policies/stores"], &["human", "json"]),
        (&["fmt", "--check", "policies/stores"], &["human", "json"]),
        (&["serve", "/nowhere"], &[]),
    ] {
        for format in ["human", "json", "sarif", "github", "junit", "markdown"] {
            let output = peerage(&[&["--format", format], arguments].concat(), ".".as_ref());
            let reported = String::from_utf8(output.stderr).unwrap();
            if has.contains(&format) {
                assert_eq!(output.status.code(), Some(0), "{arguments:?} {format}: {reported}");
            } else {
                assert_eq!(output.status.code(), Some(2), "{arguments:?} {format}");
                assert!(output.stdout.is_empty() || arguments[0] == "serve");
            }
            if !has.contains(&format) && !has.is_empty() {
                assert_eq!(
                    reported,
                    format!(
                        "error: this command has no format `{format}`; use one of `{}`\n",
                        has.join("`, `")
                    )
                );
            }
        }
    }
}
