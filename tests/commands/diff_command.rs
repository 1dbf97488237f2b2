//! `peerage diff` and `peerage replay` as commands.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail by it"
)]

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

const OLD: &str = "\
rules:
  - { name: down, condition: hasTag(A), outcome: [B] }
  - { name: up, condition: hasTag(B), outcome: [A] }
matrices:
  team: { add_member: allow }
users:
  a: { tags: [A] }
  b: { tags: [B] }
  c: { tags: [B], blocked: [a] }
groups:
  g: { creator: a, matrix: team }
";

fn new_text() -> String {
    OLD.replace("hasTag(B)", "hasTag(C)").replace("allow }", "allow_if_admin }")
}

fn peerage(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peerage"))
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.email=a@example.org", "-c", "user.name=A"];
    let done = Command::new("git").current_dir(folder).args(identity).args(arguments).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// A folder that holds both policies.
fn both() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.yaml"), OLD).unwrap();
    fs::write(folder.path().join("new.yaml"), new_text()).unwrap();
    folder
}

#[test]
fn programs_read_integers() {
    let folder = both();
    let output = peerage(folder.path(), &["diff", "--format", "json", "old.yaml", "new.yaml"]);
    assert_eq!(output.status.code(), Some(0));
    let reported = json(&output);
    // b and c lose a; c blocks a, so that c could not begin a conversation before either.
    for (action, lost) in [("start_chat", 1), ("send_message", 1), ("add_member", 1), ("read", 0)] {
        assert_eq!(reported["actions"][action]["gained"], 0, "{action}");
        assert_eq!(reported["actions"][action]["lost"], lost, "{action}");
    }
    assert_eq!(reported["compared"], 17 * 6);
    assert_eq!(reported["lost"], 5);
    assert_eq!(reported["actions"]["start_chat"]["because"][0], "rule `up`");
    let witness = &reported["actions"]["start_chat"]["kinds"][0]["witnesses"][0];
    assert_eq!(witness["subject"], "b");
    assert_eq!(witness["new"]["reason"], "no_rule");
    assert_eq!(witness["old"]["rules"][0]["name"], "up");
    let cut = &reported["actions"]["send_message"]["contact"]["reach_nobody_now"];
    assert_eq!(cut["users"], 1);
    let cell = &reported["matrices"][0]["cells"][0];
    assert_eq!(cell["permission"], "add_member");
    assert_eq!(cell["roles"]["member"]["new"], "no");
}

#[test]
fn limits_make_the_exit_code() {
    let folder = both();
    let cases: [(&[&str], i32); 8] = [
        (&["--max-lost", "5"], 0),
        (&["--max-lost", "4"], 1),
        (&["--max-gained", "0"], 0),
        (&["--max-changed", "5.0%"], 0),
        (&["--max-changed", "4.9%"], 1),
        (&["--max-changed", "8"], 2),
        (&["--max-changed", "101%"], 2),
        (&["--format", "github", "--max-lost", "0"], 1),
    ];
    for (limits, code) in cases {
        let arguments = [&["diff", "old.yaml", "new.yaml"], limits].concat();
        let output = peerage(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(code), "{limits:?}");
    }
    let back = peerage(folder.path(), &["diff", "new.yaml", "old.yaml", "--max-gained", "4"]);
    assert_eq!(back.status.code(), Some(1));
}

#[test]
fn a_comment_and_annotations() {
    let folder = both();
    let print = |format: &str, old: &str| {
        let output = peerage(folder.path(), &["diff", "--format", format, old, "new.yaml"]);
        String::from_utf8(output.stdout).unwrap()
    };
    let comment = print("markdown", "old.yaml");
    assert!(comment.starts_with("### This change opens 0 and closes 5 pairs\n"), "{comment}");
    assert!(comment.contains("| `start_chat` | 0 | 1 | rule `up` |"), "{comment}");
    assert!(comment.contains("- add_member: allow -> allow_if_admin; member: yes -> no"));
    assert!(print("markdown", "new.yaml").starts_with("### Nobody's conversations change\n"));
    let annotation = print("github", "old.yaml");
    assert!(annotation.starts_with("::notice title=peerage diff::0 pairs gained, 5 lost: 4.90%25"));
    let refused = peerage(folder.path(), &["check", "--format", "markdown", "old.yaml"]);
    assert_eq!(refused.status.code(), Some(2));
}

/// The users of the new side count, or those of `--facts`; facts that the old policy could not hold
/// are no mistakes of its.
#[test]
fn both_sides_have_the_same_users() {
    let folder = both();
    let path = folder.path();
    fs::write(path.join("bare.yaml"), "tags: [A]\nrules: []\nusers: { x: {}, y: {} }").unwrap();
    let reported = json(&peerage(path, &["diff", "--format", "json", "bare.yaml", "old.yaml"]));
    assert_eq!(reported["users"], 3);
    assert_eq!(reported["actions"]["start_chat"]["gained"], 2);
    let facts = "users: { u: { tags: [A] }, v: { tags: [B, Z] } }\nrules: [{ condition: hasTag(Z), outcome: [Z] }]";
    fs::write(path.join("facts.yaml"), facts).unwrap();
    let arguments = ["diff", "--format", "json", "--facts", "facts.yaml", "bare.yaml", "old.yaml"];
    let reported = json(&peerage(path, &arguments));
    assert_eq!(reported["users"], 2);
    assert_eq!(reported["actions"]["start_chat"]["gained"], 2);
    assert_eq!(reported["changes"].as_array().unwrap().len(), 2, "{}", reported["changes"]);
}

#[test]
fn a_revision_is_read_as_a_folder_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    git(path, &["init", "-q", "-b", "main", "."]);
    fs::create_dir_all(path.join("policies/.old")).unwrap();
    fs::write(path.join("policies/policy.yaml"), OLD).unwrap();
    fs::write(path.join("policies/.old/policy.yaml"), "rules: [broken").unwrap();
    fs::write(path.join("policies/policy.test.yaml"), "tests: [").unwrap();
    fs::write(path.join("policies/README.md"), "no policy").unwrap();
    fs::write(path.join("more.txt"), "no policy").unwrap();
    fs::write(path.join("policies/more.txt"), "{\"id\":\"d\",\"tags\":[\"B\"]}").unwrap();
    std::os::unix::fs::symlink("more.txt", path.join("policies/more.ndjson")).unwrap();
    git(path, &["add", "-A", "."]);
    git(path, &["commit", "-q", "-m", "first"]);
    fs::write(path.join("policies/policy.yaml"), new_text()).unwrap();
    let before = fs::read(path.join(".git/index")).unwrap();
    for old in ["main:policies", "main:policies/", "HEAD:./policies", "main:"] {
        let output = peerage(path, &["diff", "--format", "json", old, "policies"]);
        assert_eq!(json(&output)["actions"]["send_message"]["lost"], 2, "{old}");
    }
    // A link counts on both sides: the user behind it is one of the old side's too.
    let reported = json(&peerage(path, &["diff", "--format", "json", "policies", "main:policies"]));
    assert_eq!(reported["users"], 4);
    assert_eq!(reported["actions"]["send_message"]["gained"], 2);
    let below = path.join("policies");
    let output = peerage(&below, &["diff", "main:policies/policy.yaml", "."]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(fs::read(path.join(".git/index")).unwrap(), before);
    for (old, said) in [
        ("nowhere:policies", "unknown revision `nowhere`"),
        ("main:nothing", "no path `nothing` in the revision `main`"),
        ("main:more.txt", "ending"),
        ("main:policies/.old/x", "path"),
        ("--help-me:x", "unexpected argument"),
    ] {
        let output = peerage(path, &["diff", old, "policies"]);
        assert_eq!(output.status.code(), Some(2), "{old}");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(errors.contains(said), "{old}: {errors}");
    }
}

/// What `git` itself advises, and what it does not say.
#[test]
fn what_helps_with_git_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let origin = folder.path().join("origin");
    fs::create_dir_all(origin.join("policies")).unwrap();
    git(&origin, &["init", "-q", "-b", "main", "."]);
    for text in [OLD.to_owned(), new_text()] {
        fs::write(origin.join("policies/policy.yaml"), text).unwrap();
        git(&origin, &["add", "-A", "."]);
        git(&origin, &["commit", "-q", "-m", "one"]);
    }
    let url = format!("file://{}", origin.display());
    let refused = |path: &Path, old: &str, variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
        command.current_dir(path).args(["diff", old, "policies"]).envs(variables.iter().copied());
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        errors
    };

    git(folder.path(), &["clone", "-q", "--depth", "1", &url, "shallow"]);
    let shallow = folder.path().join("shallow");
    let reported = refused(&shallow, "HEAD~1:policies", &[]);
    assert!(
        reported.contains("git fetch --unshallow") && reported.contains("fetch-depth: 0"),
        "{reported}"
    );

    // As in a checkout of a pull request: the branch is there, but not by its own name.
    git(folder.path(), &["clone", "-q", &url, "branch"]);
    let branch = folder.path().join("branch");
    git(&branch, &["checkout", "-q", "--detach"]);
    git(&branch, &["branch", "-q", "-D", "main"]);
    let reported = refused(&branch, "main:policies", &[]);
    assert!(reported.contains("write `origin/main:policies`"), "{reported}");
    let reported = refused(&branch, "HEAD:policy", &[]);
    assert!(reported.contains("root of the repository"), "{reported}");

    let stranger = [("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1"), ("HOME", "/nonexistent")];
    let reported = refused(&origin, "main:policies", &stranger);
    assert!(reported.contains("dubious ownership"), "{reported}");
    assert!(reported.contains("git config --global --add safe.directory"), "{reported}");
}

#[test]
fn a_broken_side_is_reported() {
    let folder = both();
    fs::write(folder.path().join("broken.yaml"), "rules: [{ condition: hasTag( }]").unwrap();
    for sides in [["broken.yaml", "new.yaml"], ["old.yaml", "broken.yaml"]] {
        let output = peerage(folder.path(), &[&["diff"], &sides[..]].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains("broken.yaml"));
    }
}

const LOG: &str = r#"{"subject":"b","action":"start_chat","resource":"a","decision":true,"reason":"allowed"}

{"subject":{"type":"user","id":"c"},"action":{"name":"send_message"},"resource":{"type":"user","id":"a"},"decision":true,"extra":1}
{"subject":"a","action":"start_chat","resource":"b","decision":true,"reason":"allowed","context":{"conversation":"new"}}
{"subject":"b","action":"start_chat"
{"subject":"b","action":"wave","resource":"a","decision":true}
{"subject":"a","action":{"name":"add_member","properties":{"member":"b"}},"resource":"g","decision":true}
{"subject":{"type":"user","id":"z","properties":{"tags":["C"]}},"action":"start_chat","resource":"a","decision":false,"reason":"self"}
{"subject":"b","action":"start_chat","resource":"a"}
"#;

#[test]
fn decisions_are_asked_again() {
    let folder = both();
    let path = folder.path();
    fs::write(path.join("log.ndjson"), LOG).unwrap();
    let arguments = ["replay", "log.ndjson", "--format", "json", "--policy", "new.yaml"];
    let output = peerage(path, &arguments);
    assert_eq!(output.status.code(), Some(1));
    let reported = json(&output);
    let counts = ["decisions", "changed", "other_reasons", "malformed"]
        .map(|name| reported[name].as_u64().unwrap());
    assert_eq!(counts, [5, 2, 1, 3], "{reported:#}");
    let group = &reported["groups"][0];
    assert_eq!((&group["before"], &group["now"]), (&"allow".into(), &"no_rule".into()));
    assert_eq!(group["examples"][0]["line"], 1);
    let places: Vec<_> = reported["mistakes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mistake| (mistake["line"].as_u64().unwrap(), mistake["column"].as_u64().unwrap()))
        .collect();
    assert_eq!(places, [(5, 36), (6, 16), (9, 1)]);
    assert_eq!(reported["mistakes"][0]["message"], "invalid JSON: unexpected end within an object");

    let fine = LOG.lines().nth(3).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_peerage"))
        .current_dir(path)
        .args(["replay", "-", "--policy", "new.yaml"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(fine.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.starts_with(b"0 of 1 decisions differ: 0 would be allowed"));
    let missing = peerage(path, &["replay", "nothing", "--policy", "new.yaml"]);
    assert_eq!(missing.status.code(), Some(2));
}

/// A friendship that a file states counts as ended by a block under the preset alone that says so.
#[test]
fn friendships_end_by_each_policy_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let users = "users: { a: {}, b: { blocked: [a], friends: [a] }, c: {} }\n";
    let old = format!("preset: tencent\nblocks: {{ friend_request: \"off\" }}\n{users}");
    fs::write(folder.path().join("old.yaml"), old).unwrap();
    fs::write(folder.path().join("new.yaml"), users).unwrap();
    let reported =
        json(&peerage(folder.path(), &["diff", "--format", "json", "old.yaml", "new.yaml"]));
    let requests = &reported["actions"]["friend_request"];
    assert_eq!([&requests["gained"], &requests["lost"]], [0, 2]);
    assert_eq!(requests["kinds"][0]["pairs"], 2);
    assert_eq!(requests["kinds"].as_array().unwrap().len(), 1);
}

#[test]
fn restrictions_of_groups_that_changed_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let group = |rest: &str| {
        let users = OLD.split("groups:").next().unwrap();
        format!("{users}groups:\n  g: {{ creator: a, matrix: team, members: [b], {rest} }}\n")
    };
    let old = group("muted: [c, b], banned: [c]");
    let new = group("muted: [b, { user: c, until: 2083-01-01T00:00:00Z }], requires: hasTag(A)");
    fs::write(folder.path().join("old.yaml"), old).unwrap();
    fs::write(folder.path().join("new.yaml"), new).unwrap();
    let run = |arguments: &[&str]| peerage(folder.path(), arguments);
    let diff = json(&run(&["diff", "old.yaml", "new.yaml", "--format", "json"]));
    let changes = diff["changes"].as_array().unwrap();
    let of_groups = |it: &&Value| it.to_string().contains("groups.g.");
    let found: Vec<&Value> = changes.iter().filter(of_groups).collect();
    let values = |at: usize| [&found[at]["old"], &found[at]["new"]];
    assert_eq!(found.len(), 3, "{diff:#}");
    assert_eq!(values(0), [&Value::from("[c]"), &Value::Null], "{diff:#}");
    let muted = ["[b, c]", "[b, c until 2083-01-01T00:00:00Z]"].map(Value::from);
    assert_eq!(values(1), [&muted[0], &muted[1]], "{diff:#}");
    assert_eq!(values(2), [&Value::Null, &Value::from("hasTag(A)")], "{diff:#}");
    let human = String::from_utf8(run(&["diff", "old.yaml", "new.yaml"]).stdout).unwrap();
    assert!(human.contains("`groups.g.requires`: was nothing, is hasTag(A)"), "{human}");
    let same = json(&run(&["diff", "old.yaml", "old.yaml", "--format", "json"]));
    assert_eq!(same["changes"], serde_json::json!([]), "{same:#}");
    let facts = ["diff", "old.yaml", "new.yaml", "--facts", "new.yaml", "--format", "json"];
    let over = json(&run(&facts));
    assert!(!over["changes"].to_string().contains("groups.g."), "{over:#}");
}
