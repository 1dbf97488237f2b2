//! Policies from standard input and pipes, and files that are passed over, as commands see them.

#![allow(clippy::unwrap_used, reason = "a test may fail by it")]

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

const YAML: &str = "rules: [{ condition: hasTag(a), outcome: [b] }]\nusers: { '1': { tags: [a] }, '2': { tags: [b] } }\n";
const DSL: &str = "rule: hasTag(a) -> [b];\nuser 1 { tags: [a]; }\nuser 2 { tags: [b]; }\n";

fn peerage(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = peerage(arguments).current_dir(folder).stdin(Stdio::piped()).spawn().unwrap();
    // A command that does not read may be gone.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[track_caller]
fn assert_says(output: &Output, code: i32, said: &str) {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    let all = String::from_utf8_lossy(&all);
    assert_eq!(output.status.code(), Some(code), "{all}");
    assert!(all.contains(said), "{said}: {all}");
}

#[test]
fn standard_input_is_a_policy() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("more.yaml"), "users: { '3': { tags: [a] } }\n").unwrap();
    let decide = ["decide", "-s", "1", "-r", "2"];
    for (arguments, input, code, said) in [
        (vec!["check", "-"], YAML, 0, "ok"),
        (vec!["check", "-"], DSL, 0, "ok"),
        (vec!["check", "/dev/stdin"], DSL, 0, "ok"),
        (vec!["check", "/dev/fd/0"], YAML, 0, "ok"),
        (vec!["check", "-", "more.yaml"], YAML, 0, "users 3"),
        (vec!["check", "-"], "", 1, "empty-file"),
        (vec!["check", "--deny-warnings", "-"], "# nothing\n", 1, "no-statement"),
        (vec!["check", "-"], "rules: [oops\n", 1, "<stdin>:1:"),
        (vec!["check", "--stdin-name", "users.csv", "-"], "id,tags\n1,a\n", 0, "users 1"),
        (vec!["check", "--stdin-name", "p.yaml", "-"], DSL, 1, "p.yaml:1:"),
        (vec!["check", "--stdin-name", "p.txt", "-"], YAML, 2, "unknown-ending"),
        (vec!["compile", "-"], YAML, 0, "rule"),
        ([&decide[..], &["-"]].concat(), DSL, 0, "allow"),
        (vec!["reach", "-s", "1", "-"], DSL, 0, "2"),
        (vec!["diff", "-", "more.yaml"], YAML, 0, ""),
        (vec!["replay", "-", "--policy", "-"], YAML, 2, "standard input"),
    ] {
        assert_says(&run(temp.path(), &arguments, input), code, said);
    }
    // A file as standard input.
    let input = File::open(temp.path().join("more.yaml")).unwrap();
    assert_says(&peerage(&["check", "/dev/stdin"]).stdin(input).output().unwrap(), 0, "users 1");
}

#[test]
fn a_shell_puts_pipes_in_the_place_of_files() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("p.yaml"), YAML).unwrap();
    let bash = |script: &str| {
        let program = env!("CARGO_BIN_EXE_peerage");
        let mut command = Command::new("bash");
        command.current_dir(temp.path()).args(["-c", script, "bash", program]).output().unwrap()
    };
    assert_says(&bash("\"$1\" check <(cat p.yaml)"), 0, "ok");
    assert_says(&bash("\"$1\" check <(cat p.yaml) <(echo 'user 3 {}')"), 0, "users 3");
    assert_says(&bash("\"$1\" diff <(cat p.yaml) p.yaml"), 0, "");
}

#[test]
fn what_is_ignored_is_so_for_every_command() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.email=a@example.org", "-c", "user.name=A"];
        let done = Command::new("git").current_dir(root).args(identity).args(arguments).output();
        assert!(done.unwrap().status.success(), "{arguments:?}");
    };
    fs::create_dir_all(root.join("p/overlays")).unwrap();
    fs::write(root.join("p/p.yaml"), YAML).unwrap();
    fs::write(root.join("p/kustomization.yaml"), "resources: []\n").unwrap();
    fs::write(root.join("p/overlays/x.yaml"), "patches: []\n").unwrap();
    fs::write(root.join("log.ndjson"), "").unwrap();
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "a"]);
    let all: [&[&str]; 8] = [
        &["check", "p"],
        &["compile", "p"],
        &["decide", "-s", "1", "-r", "2", "p"],
        &["reach", "-s", "1", "p"],
        &["diff", "HEAD:p", "p"],
        &["diff", "p", "HEAD:p"],
        &["fmt", "p"],
        &["replay", "log.ndjson", "--policy", "p"],
    ];
    for arguments in all {
        let ignoring = ["--ignore", "kustomization.yaml", "--ignore=/overlays/"];
        assert_ne!(run(root, arguments, "").status.code(), Some(0), "{arguments:?}");
        assert_says(&run(root, &[arguments, &ignoring].concat(), ""), 0, "");
    }
    fs::write(root.join("p/.peerageignore"), "kustomization.yaml\noverlays\n").unwrap();
    git(&["add", "."]);
    git(&["commit", "-qm", "b"]);
    for arguments in all {
        assert_says(&run(root, arguments, ""), 0, "");
    }
    assert_says(&run(root, &["check", "--ignore", "a{b", "p"], ""), 2, "a{b");
    // In a revision too, links stay below the path.
    fs::write(root.join("outside.yaml"), "users: { '9': {} }\n").unwrap();
    std::os::unix::fs::symlink("../outside.yaml", root.join("p/link.yaml")).unwrap();
    git(&["add", "."]);
    git(&["commit", "-qm", "c"]);
    assert_says(&run(root, &["diff", "HEAD:p", "HEAD~1:p"], ""), 1, "link-outside");
    assert_says(&run(root, &["check", "p"], ""), 1, "link-outside");
}

/// Nobody says nothing by an empty file.
#[test]
fn what_states_nothing_is_reported_of() {
    for (name, nothing) in [
        ("p.yaml", "# nothing\n---\n"),
        ("p.yml", "{}\n"),
        ("p.json", "{}"),
        ("p.JSON", "{}"),
        ("p.peerage", "// nothing\n"),
        ("p.ndjson", "\n\n"),
        ("p.csv", "id,tags\n"),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let check = |more: &[&str]| run(temp.path(), &[&["check", "."], more].concat(), "");
        fs::write(temp.path().join("users.peerage"), "user 1 {}\n").unwrap();
        fs::write(temp.path().join(name), "").unwrap();
        assert_says(&check(&[]), 1, "error[empty-file]");
        fs::write(temp.path().join(name), nothing).unwrap();
        assert_says(&check(&[]), 0, "warning[no-statement]");
        assert_says(&check(&["--deny-warnings"]), 1, "warning[no-statement]");
        // A side whose users are not asked for has no empty files.
        fs::write(temp.path().join(name), "").unwrap();
        let is_bulk = ["p.ndjson", "p.csv"].contains(&name);
        let old = run(temp.path(), &["diff", name, "users.peerage"], "");
        let code = i32::from(!is_bulk);
        assert_eq!(old.status.code(), Some(code), "{name}");
    }
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("p.peerage"), "user 1 {}\n").unwrap();
    fs::write(temp.path().join("a.test.yaml"), "").unwrap();
    assert_says(&run(temp.path(), &["test", "."], ""), 1, "error[empty-file]");
}

/// A hole of 8 GB is reported of within 1 GB of memory.
#[test]
fn a_hole_takes_no_memory() {
    let temp = tempfile::tempdir().unwrap();
    File::create(temp.path().join("users.ndjson")).unwrap().set_len(8 << 30).unwrap();
    let program = env!("CARGO_BIN_EXE_peerage");
    let script = "ulimit -v 1000000; exec \"$0\" check users.ndjson";
    let mut shell = Command::new("sh");
    let output = shell.current_dir(temp.path()).args(["-c", script, program]).output().unwrap();
    assert_says(&output, 1, "only NUL bytes from line 1 on");
}
