//! The command as it is typed: exit codes, what goes to which stream, and in which form.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by it")]

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

fn peerage(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    command.args(arguments).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

fn run(arguments: &[&str]) -> Output {
    peerage(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn assert_reads(name: &str, shown: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, shown));
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Policies on disk, good and bad.
struct Policies(TempDir);

impl Policies {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for (name, content) in [
            ("good.peerage", "rule: hasTag(A) -> [B]; user 1 { tags: [A]; } user 2 { tags: [B]; }"),
            ("bad.peerage", "rule: hasTag(A) -> [];\nrule: hasTagg(A) -> [B];\n"),
            ("empty/nothing.txt", "no policy"),
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
}

/// What is only warned about keeps no policy from being used.
#[test]
fn warnings_alone_are_no_failure() {
    let policy = "tests/language/diagnostics/warnings-alone";
    for (arguments, found) in [
        (vec!["check", policy], "ok "),
        (vec!["compile", policy], "matrices\n"),
        (vec!["decide", "-s", "bob", "-a", "sign_in", policy], "allow"),
        (vec!["reach", "-s", "alice", "-a", "start_chat", policy], "bob"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(text(&output.stdout).contains(found), "{output:?}");
    }
    let output = run(&["check", "--format", "json", policy]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!((&json(&output)["errors"], &json(&output)["warnings"]), (&0.into(), &5.into()));
}

#[test]
fn exit_codes() {
    let policies = Policies::new();
    let cases: [(&str, &str, i32); 60] = [
        ("check", "good.peerage", 0),
        ("check", "bad.peerage", 1),
        ("check", "missing.peerage", 2),
        ("check", "empty", 2),
        ("check", "empty/nothing.txt", 2),
        ("check --format json", "bad.peerage", 1),
        ("check --format json", "missing.peerage", 2),
        ("check --format xml", "good.peerage", 2),
        ("check --no-such-flag", "good.peerage", 2),
        ("compile", "good.peerage", 0),
        ("compile", "bad.peerage", 1),
        ("compile", "missing.peerage", 2),
        ("decide -s 1 -r 2", "good.peerage", 0),
        ("decide -s 2 -r 1", "good.peerage", 1),
        ("decide -s 1 -r 1", "good.peerage", 1),
        ("decide -s nobody -r 1", "good.peerage", 1),
        ("decide -s 1 -r 2 -a start_chat", "good.peerage", 0),
        ("decide -s 2 -r 1 --subject-tags A --resource-tags B,C", "good.peerage", 0),
        ("decide -s 1 -r 2 --subject-tags", "good.peerage", 2),
        ("decide -s 1 -r 2 --subject-tags=", "good.peerage", 1),
        ("decide -s 1 -r 2 --subject-tags A,", "good.peerage", 2),
        ("decide -s 1 -r 2 -a start_chats", "good.peerage", 2),
        ("decide -s 1 -r 2 --subject-tags a!b", "good.peerage", 2),
        ("decide -s 1", "good.peerage", 2),
        ("decide -s 1 -r 2", "bad.peerage", 2),
        ("decide -s 1 -r 2", "missing.peerage", 2),
        ("decide -s 1 -a sign_in", "good.peerage", 0),
        ("decide -s nobody -a sign_in", "good.peerage", 1),
        ("decide -a sign_in", "good.peerage", 2),
        ("decide -s 1 -a sign_in -r 2", "good.peerage", 2),
        ("decide -s 1 -a sign_in -r 2 --resource-type session", "good.peerage", 0),
        ("decide -s 1 -r 2 --resource-type group", "good.peerage", 2),
        ("decide -s 1 -r 2 --conversation new", "good.peerage", 0),
        ("decide -s 1 -r 2 --conversation old", "good.peerage", 2),
        ("decide -s 1 -r g -a leave", "good.peerage", 1),
        ("decide -s 1 -r g -a leave --resource-tags A", "good.peerage", 2),
        ("decide -s 1 -r g -a add_member", "good.peerage", 2),
        ("decide -s 1 -r g -a add_member --member 2", "good.peerage", 1),
        ("decide -s 1 -r g -a update_metadata", "good.peerage", 2),
        ("decide -s 1 -r g -a leave --subject-role boss", "good.peerage", 2),
        ("decide -s 1 -r 2 --subject-role admin", "good.peerage", 0),
        ("reach -a sign_in", "good.peerage", 0),
        ("reach -s 1 -a sign_in", "good.peerage", 2),
        ("reach -s 1 -a leave", "good.peerage", 0),
        ("reach -s 1 -a add_member -r g", "good.peerage", 0),
        ("reach -s 1 -a add_member", "good.peerage", 2),
        ("reach -s 1", "good.peerage", 0),
        ("reach -r nobody", "good.peerage", 0),
        ("reach", "good.peerage", 2),
        ("reach -s 1 -r 2", "good.peerage", 2),
        ("reach -s 1 --limit 0", "good.peerage", 2),
        ("reach --matrix", "good.peerage", 0),
        ("reach --matrix -a read --width 1", "good.peerage", 0),
        ("reach --matrix -a leave", "good.peerage", 2),
        ("reach --matrix -a sign_in", "good.peerage", 2),
        ("reach --matrix -s 1", "good.peerage", 2),
        ("reach --matrix --width wide", "good.peerage", 2),
        ("reach --matrix", "bad.peerage", 1),
        ("reach -s 1", "bad.peerage", 1),
        ("reach -s 1", "missing.peerage", 2),
    ];
    for (typed, policy, code) in cases {
        let path = policies.path(policy);
        let mut arguments: Vec<&str> = typed.split(' ').collect();
        arguments.push(&path);
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(code), "{typed} {policy}: {output:?}");
        assert!(!output.stderr.is_empty() || !output.stdout.is_empty(), "{typed} {policy}");
        if code == 2 && !typed.contains("json") && !typed.starts_with("check") {
            assert!(output.stdout.is_empty(), "{typed} {policy}: no result, so nothing on stdout");
        }
    }
    assert_eq!(run(&[]).status.code(), Some(2));
    assert_eq!(run(&["chek", "policies"]).status.code(), Some(2));
    assert_eq!(run(&["check"]).status.code(), Some(2), "a policy is needed");
}

#[test]
fn the_policy_that_is_bad_is_reported() {
    let policies = Policies::new();
    let path = policies.path("bad.peerage");
    for command in [&["check"][..], &["compile"], &["decide", "-s", "1", "-r", "2"]] {
        let output = run(&[command, &[&path]].concat());
        let said = [text(&output.stdout), text(&output.stderr)].concat();
        assert!(said.contains("bad.peerage:1:"), "{command:?}: {said}");
        assert!(said.contains("bad.peerage:2:"), "{command:?}: every mistake is told: {said}");
    }
    let report = json(&run(&["check", "--format", "json", &path]));
    assert_eq!(report["errors"], 2);
    let codes: Vec<_> =
        report["diagnostics"].as_array().unwrap().iter().map(|found| &found["code"]).collect();
    assert_eq!(codes, ["empty-outcome", "unknown-function"]);
}

const STORES: &str = "policies/stores";
const CLUB: &str = "tests/service/http/club.yaml";

#[test]
fn results_for_people() {
    let cases = [
        &["check", STORES][..],
        &["decide", "-s", "5", "-r", "4", STORES],
        &["decide", "-s", "3", "-r", "4", "--explain", STORES],
        &["decide", "-s", "3", "-r", "2", "--explain", STORES],
        &["decide", "-s", "7", "-r", "7", "--explain", STORES],
        &["decide", "-s", "1", "-r", "2", "--subject-tags", "Munich", "--explain", STORES],
        &["reach", "-s", "5", STORES],
        &["reach", "-r", "2", "--limit", "2", "--after", "3", STORES],
        &["reach", "-s", "1", STORES],
        &["reach", "-r", "7", STORES],
        &["decide", "-s", "ann", "-a", "friend_request", "-r", "eve", CLUB],
        &["decide", "-s", "bob", "-r", "eve", "--explain", CLUB],
        &["decide", "-s", "dan", "-a", "post", "--explain", CLUB],
        &["decide", "-s", "bob", "-a", "leave", "-r", "g2", "--explain", CLUB],
        &["decide", "-s", "bob", "-a", "add_member", "-r", "g1", "--member", "ann", CLUB],
        &["decide", "-s", "bob", "-a", "update_metadata", "-r", "g1", "--field", "name", CLUB],
        &["decide", "-s", "bob", "-a", "send_message", "-r", "cat", CLUB],
        &["decide", "-s", "bob", "-a", "send_message", "-r", "cat", "--conversation", "new", CLUB],
        &["decide", "-s", "bob", "-a", "add_member", "-r", "g1", CLUB],
        &["decide", "-s", "bob", "-a", "sign_in", "-r", "cat", CLUB],
        &["reach", "-s", "bob", "-a", "leave", CLUB],
        &["reach", "-s", "bob", "-a", "send_message", "--resource-type", "group", CLUB],
        &["reach", "-s", "eve", "-a", "add_member", "-r", "g1", CLUB],
        &["reach", "-a", "add_member", "-r", "g1", "--member", "gus", CLUB],
        &["reach", "-a", "create_group", CLUB],
        &["reach", "-a", "leave", "-r", "g9", CLUB],
        &["reach", CLUB],
        &["reach", "--matrix", STORES],
        &["reach", "--matrix", "-a", "send_message", "--conversation", "new", CLUB],
        &["reach", "--matrix", "-a", "ban", "--limit", "1", CLUB],
        &["reach", "--matrix", "-a", "leave", CLUB],
        &["reach", "--matrix", "-a", "list_users", CLUB],
    ];
    let mut shown = String::new();
    for arguments in cases {
        let output = run(arguments);
        write!(
            shown,
            "$ peerage {}\n{}{}[{}]\n\n",
            arguments.join(" "),
            text(&output.stdout),
            text(&output.stderr).replace('\n', " (stderr)\n"),
            output.status.code().unwrap()
        )
        .unwrap();
    }
    assert_reads("results-for-people", &shown);
}

#[test]
fn results_for_programs() {
    let mut shown = String::new();
    for arguments in [
        &["check", STORES][..],
        &["decide", "-s", "5", "-r", "4", STORES],
        &["decide", "-s", "3", "-r", "4", "--explain", STORES],
        &["reach", "-s", "5", "--limit", "3", STORES],
        &["reach", "-s", "1", STORES],
        &["decide", "-s", "ann", "-a", "friend_request", "-r", "eve", CLUB],
        &["decide", "-s", "dan", "-a", "post", CLUB],
        &["reach", "-s", "bob", "-a", "send_message", "--resource-type", "group", CLUB],
        &["reach", "--matrix", CLUB],
    ] {
        let output = run(&[arguments, &["--format", "json"]].concat());
        let result = json(&output);
        write!(shown, "$ peerage {}\n{result:#}\n\n", arguments.join(" ")).unwrap();
    }
    assert_reads("results-for-programs", &shown);

    let compiled = json(&run(&["compile", "--format", "json", STORES]));
    assert_eq!(compiled["users"], 6);
    assert_eq!(compiled["rules"].as_array().unwrap().len(), 4);
    assert_eq!(compiled["tags"][0]["members"]["users"], serde_json::json!(["3", "5", "6"]));
    let decided = json(&run(&["decide", "-s", "5", "-r", "4", "--format", "json", STORES]));
    let digest = compiled["digest"].as_str().unwrap();
    assert_eq!(decided["revision"], format!("{}.0", digest.get(..16).unwrap()));
}

#[test]
fn the_same_files_compile_to_the_same_bytes() {
    let folder = TempDir::new().unwrap();
    let stores = fs::read_to_string("policies/stores-dsl/stores.peerage").unwrap();
    let (rules, users) = stores.split_at(stores.find("user 1").unwrap());
    let apart: Vec<PathBuf> = [("b/users.peerage", users), ("a.peerage", rules)]
        .into_iter()
        .map(|(name, content)| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            path
        })
        .collect();
    let [users, rules] = [0, 1].map(|at| apart[at].to_str().unwrap());
    for format in ["human", "json"] {
        let whole = run(&["compile", "--format", format, STORES]);
        assert!(whole.status.success());
        for paths in [&[STORES][..], &[users, rules], &[rules, users]] {
            let again = run(&[&["compile", "--format", format], paths].concat());
            assert_eq!(text(&again.stdout), text(&whole.stdout), "{paths:?}");
        }
        let folder = run(&["compile", "--format", format, folder.path().to_str().unwrap()]);
        assert_eq!(text(&folder.stdout), text(&whole.stdout));
    }
}

const COMMANDS: [&str; 11] = [
    "check", "compile", "decide", "reach", "diff", "fmt", "schema", "test", "replay", "serve",
    "health",
];

#[test]
fn every_help_has_an_example_and_the_exit_codes() {
    for command in COMMANDS {
        for flag in ["--help", "-h"] {
            let output = run(&[command, flag]);
            assert!(output.status.success());
            let help = text(&output.stdout);
            let example = format!("peerage {command} ");
            assert!(help.contains("Example") && help.contains(&example), "{help}");
            assert!(help.contains("\nExit codes: 0"), "{help}");
        }
    }
    let help = run(&["--help"]);
    assert!(text(&help.stdout).contains("Exit codes"));
    assert!(COMMANDS.iter().all(|command| text(&help.stdout).contains(command)));
    assert_eq!(text(&run(&["-V"]).stdout), concat!("peerage ", env!("CARGO_PKG_VERSION"), "\n"));
    let version = run(&["--version"]);
    let lines: Vec<&str> = text(&version.stdout).lines().collect();
    assert_eq!(lines[0], concat!("peerage ", env!("CARGO_PKG_VERSION")));
    for (line, name) in lines[1..].iter().zip(["commit: ", "date: ", "features: "]) {
        assert!(line.starts_with(name) && line.len() > name.len(), "{lines:?}");
    }
    assert_eq!(lines.len(), 4);
}

/// The help of a command names the formats that it has, and no others.
#[test]
fn every_help_names_the_formats_of_its_command() {
    for command in COMMANDS {
        let more: &[&str] = match command {
            "check" => &["sarif", "github"],
            "test" => &["junit"],
            "diff" => &["markdown", "github"],
            _ => &[],
        };
        let output = run(&[command, "--help"]);
        let help = text(&output.stdout).split_once("--format <FORMAT>").unwrap().1;
        let help = help.split_once("-h, --help").unwrap().0;
        for format in ["human", "json", "sarif", "github", "junit", "markdown"] {
            let has = ["human", "json"].contains(&format) || more.contains(&format);
            assert_eq!(help.contains(&format!("- {format}:")), has, "{command} {format}");
        }
    }
}

/// The command lines that a help shows: blanks separate a line from the text behind it.
fn examples(help: &str) -> impl Iterator<Item = &str> {
    let (_, help) = help.split_once("\nExample").unwrap();
    let lines = help.lines().filter_map(|line| line.split_once("peerage "));
    lines.map(|(_, line)| line.split("  ").next().unwrap())
}

/// Types each example of the helps, in a repository that is like this one.
#[test]
fn the_examples_work() {
    let folder = tempfile::tempdir().unwrap();
    let sh = |line: &str| {
        let mut shell = std::process::Command::new("sh");
        let binary = std::path::Path::new(env!("CARGO_BIN_EXE_peerage")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        shell.args(["-c", line]).current_dir(folder.path()).env("PATH", path).output().unwrap()
    };
    let prepared = sh(&format!(
        "set -e; cp -r '{}/policies' .; git init -q -b main; git add .; \
         git -c user.name=a -c user.email=a@b commit -q -m first; \
         printf 'rules: []\n' > old.yaml; printf 'users: {{ 3: {{}} }}\n' > new.yaml; \
         printf '{{\"id\": \"3\"}}\n' > users.ndjson; \
         printf '{{\"subject\":\"3\",\"action\":\"start_chat\",\"resource\":\"2\",\
         \"decision\":true,\"reason\":\"allowed\"}}\n' > decisions.ndjson",
        env!("CARGO_MANIFEST_DIR")
    ));
    assert!(prepared.status.success(), "{prepared:?}");
    let mut typed = 0;
    for command in COMMANDS.iter().filter(|command| !["serve", "health"].contains(command)) {
        let help = run(&[command, "--help"]);
        for example in examples(text(&help.stdout)) {
            let output = sh(&format!("peerage {example}"));
            assert_eq!(output.status.code(), Some(0), "{example}: {output:?}");
            typed += 1;
        }
    }
    assert!(typed > 25, "{typed}");
}

#[test]
fn colours_are_for_terminals() {
    let policies = Policies::new();
    let bad = policies.path("bad.peerage");
    for arguments in
        [&["check", STORES][..], &["decide", "-s", "5", "-r", "4", STORES], &["check", &bad]]
    {
        let plain = run(arguments);
        assert!(!plain.stdout.contains(&0x1b) && !plain.stderr.contains(&0x1b), "{arguments:?}");
        let never = run(&[arguments, &["--color", "never"]].concat());
        assert_eq!(never.stdout, plain.stdout);
        let always = run(&[arguments, &["--color", "always"]].concat());
        assert!(always.stdout.contains(&0x1b), "{arguments:?}");
        let json = run(&[arguments, &["--color", "always", "--format", "json"]].concat());
        assert!(!json.stdout.contains(&0x1b), "JSON has no colours");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = TempDir::new().unwrap();
    let mut users = String::from("rule: hasTag(A) -> [A];\n");
    for user in 0..20_000 {
        writeln!(users, "user {user} {{ tags: [A]; }}").unwrap();
    }
    let path = folder.path().join("users.peerage");
    fs::write(&path, users).unwrap();
    for command in [&["reach", "-s", "7"][..], &["reach", "-s", "7", "--format", "json"]] {
        let mut child = peerage(&[command, &[path.to_str().unwrap()]].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        // The list is larger than a pipe holds, so it is cut off when the reader is dropped.
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(!text(&output.stderr).contains("error"), "{output:?}");
    }
}

#[test]
fn what_is_unknown_is_named_with_what_is_known() {
    let unknown = run(&["decide", "-s", "1", "-r", "2", "-a", "start_chats", STORES]);
    let said = text(&unknown.stderr);
    assert!(said.contains("start_chats") && said.contains("did you mean `start_chat`?"), "{said}");
    let unknown = run(&["compile", "--fromat", "json", STORES]);
    let said = text(&unknown.stderr);
    assert!(said.contains("--fromat") && said.contains("--format"), "{said}");
    let missing = run(&["check", "policies/no-such-folder"]);
    let said = [text(&missing.stdout), text(&missing.stderr)].concat();
    assert!(said.contains("policies/no-such-folder"), "{said}");
}

/// However many kinds there are and whatever they are called, the table keeps to its width.
#[test]
fn tables_fit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("kinds.peerage");
    let long = "x".repeat(50);
    let kinds: Vec<String> = (0..70)
        .map(|kind| {
            let tags: Vec<String> = match kind % 4 {
                0 => Vec::new(),
                1 => vec![long.clone(), format!("t{kind}")],
                2 => vec![format!("t{kind}"), long.clone()],
                _ => (0..kind).map(|tag| format!("t{tag}")).collect(),
            };
            format!("user u{kind} {{ tags: [{}]; }}", tags.join(", "))
        })
        .collect();
    let kinds = kinds.join("\n");
    fs::write(&path, format!("rule: hasTag({long}) -> [t1];\n{kinds}")).unwrap();
    let path = path.to_str().unwrap();
    for (width, shown) in [(1, 1), (48, 1), (80, 6), (200, 26), (1000, 53)] {
        let output = run(&["reach", "--matrix", "--width", &width.to_string(), path]);
        let table = text(&output.stdout);
        let (_, table) = table.split_once('\n').unwrap();
        assert_eq!(table.lines().count(), shown + 1, "{width}: {table}");
        let longest = table.lines().map(str::len).max().unwrap();
        assert!(longest <= width.max(48), "{longest} > {width}: {table}");
        assert!(table.lines().all(|line| line == line.trim_end()), "{table:?}");
        assert_eq!(output.stderr.is_empty(), shown == 53);
    }
    let piped = run(&["reach", "--matrix", path]);
    let hundred = run(&["reach", "--matrix", "--width", "100", path]);
    assert_eq!(text(&piped.stdout), text(&hundred.stdout));

    let nobody = folder.path().join("nobody.peerage");
    fs::write(&nobody, "rules: [];").unwrap();
    let output = run(&["reach", "--matrix", nobody.to_str().unwrap()]);
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("", "no users\n"));
}

#[test]
fn warnings_can_be_denied() {
    let policies = Policies::new();
    fs::write(policies.path("warned.peerage"), "rule: all(hasTag(a), not(hasTag(a))) -> [b];\n")
        .unwrap();
    let path = policies.path("warned.peerage");
    assert_eq!(run(&["check", &path]).status.code(), Some(0));
    assert_eq!(run(&["check", "--deny-warnings", &path]).status.code(), Some(1));
    let silenced = "rule: all(hasTag(a), not(hasTag(a))) -> [b]; // allow: dead-always\n";
    fs::write(policies.path("warned.peerage"), silenced).unwrap();
    assert_eq!(run(&["check", "--deny-warnings", &path]).status.code(), Some(0));
}

#[test]
fn a_broken_invariant_is_an_error_everywhere() {
    let policies = Policies::new();
    let rules = "rule: hasTag(a) -> [b];\nnever start_chat: hasTag(a) -> hasTag(b);\n";
    fs::write(policies.path("broken.peerage"), rules).unwrap();
    let path = policies.path("broken.peerage");
    assert_eq!(run(&["check", &path]).status.code(), Some(1));
    let decided = run(&["decide", "-s", "1", "-r", "2", &path]);
    assert!(text(&decided.stderr).contains("broken-invariant"));
}

#[test]
fn the_examples_are_without_warnings() {
    for entry in fs::read_dir("policies").unwrap() {
        let path = entry.unwrap().path();
        let output = run(&["check", "--deny-warnings", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    }
}

#[test]
fn actions_that_the_policy_declares() {
    let folder = TempDir::new().unwrap();
    let (old, new) = (folder.path().join("old.peerage"), folder.path().join("new.peerage"));
    let common = "action mention: send_message; user ann {} user bob { tags: [muted]; }\n";
    fs::write(&old, format!("{common}blocks {{ mention: off; }}")).unwrap();
    fs::write(&new, format!("{common}permissions {{ mention: not(hasTag(muted)); }}")).unwrap();
    let [old, new] = [&old, &new].map(|path| path.to_str().unwrap());

    let decided = run(&["decide", "-s", "bob", "-a", "mention", "-r", "ann", new]);
    assert_eq!(decided.status.code(), Some(1));
    assert!(text(&decided.stdout).contains("permission_off"), "{}", text(&decided.stdout));
    assert_eq!(
        run(&["decide", "-s", "bob", "-a", "mention", "-r", "ann", old]).status.code(),
        Some(0)
    );
    let reached = run(&["reach", "-r", "bob", "-a", "mention", new]);
    assert_eq!(text(&reached.stdout), "ann\n");
    let table = run(&["reach", "--matrix", "-a", "mention", "--format", "json", new]);
    assert_eq!(json(&table)["action"], "mention");
    let unknown = run(&["decide", "-s", "bob", "-a", "mentoin", "-r", "ann", new]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("did you mean `mention`?"), "{}", text(&unknown.stderr));

    let difference = run(&["diff", "--format", "json", old, new]);
    let difference = json(&difference);
    assert_eq!(difference["actions"]["mention"]["lost"], 1, "{difference}");
    assert_eq!(difference["actions"]["send_message"]["lost"], 0);

    let log = folder.path().join("log.ndjson");
    fs::write(&log, r#"{"subject":"bob","action":"mention","resource":"ann","decision":true}"#)
        .unwrap();
    let replayed =
        json(&run(&["replay", "--format", "json", log.to_str().unwrap(), "--policy", new]));
    assert_eq!(
        (&replayed["closed"], &replayed["groups"][0]["action"]),
        (&1.into(), &"mention".into())
    );

    let listed = run(&["compile", new]);
    assert!(
        text(&listed.stdout).contains("mention: like send_message"),
        "{}",
        text(&listed.stdout)
    );
    fs::write(folder.path().join("plain.peerage"), "action wave: start_chat;").unwrap();
    let plain = run(&["check", folder.path().join("plain.peerage").to_str().unwrap()]);
    assert!(
        text(&plain.stderr).contains("plain-action")
            || text(&plain.stdout).contains("plain-action")
    );
}
