//! The steps of the GitHub action, run as its runner does.

use std::{
    collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command,
};

use tempfile::TempDir;

use crate::{integration::step, integration::text};

/// A repository with a policy that was changed, and commands that stand in for those of the
/// runner: they write down how they were called.
struct Runner {
    folder: TempDir,
    base: String,
}

impl Runner {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for inner in ["repo/policies", "repo/more", "bin", "temp"] {
            fs::create_dir_all(folder.path().join(inner)).unwrap();
        }
        let runner = Self { folder, base: String::new() };
        runner.tool(
            "peerage",
            "echo \"peerage $*\" >> \"$CALLS\"\n\
             case \"$*\" in *${FAILS:-nothing}*) code=1 ;; *) code=0 ;; esac\n\
             echo \"| what changed in $2 |\"\nexit $code",
        );
        runner.tool(
            "gh",
            "case \"$*\" in\n\
             *graphql*) echo gh asks what there is >> \"$CALLS\"; echo \"$EARLIER\" ;;\n\
             *) echo \"gh $*\" >> \"$CALLS\"; exit ${GH:-0} ;;\nesac",
        );
        runner.git(&["init", "--quiet"]);
        fs::write(runner.path("repo/policies/a.yaml"), "users: {}\n").unwrap();
        runner.git(&["add", "policies"]);
        runner.git(&["commit", "--quiet", "-m", "first"]);
        let base = runner.git(&["rev-parse", "HEAD"]);
        Self { base, ..runner }
    }

    fn path(&self, inner: &str) -> PathBuf {
        self.folder.path().join(inner)
    }

    fn tool(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        let output = git.args(arguments).current_dir(self.path("repo")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs a step as the runner does: its exit code, the calls it made and the summary it wrote.
    fn run(&self, name: &str, variables: &[(&str, &str)]) -> (i32, Vec<String>, String) {
        let script = self.path("temp/script");
        fs::write(&script, text(&step(name), "run")).unwrap();
        for written in ["calls", "summary"] {
            fs::write(self.path(written), "").unwrap();
        }
        let system = std::env::var("PATH").unwrap();
        let mut bash = Command::new("bash");
        let output = bash
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(&script)
            .current_dir(self.path("repo"))
            .env("PATH", format!("{}:{system}", self.path("bin").display()))
            .env("CALLS", self.path("calls"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary"))
            .env("GITHUB_PATH", self.path("added"))
            .env("GITHUB_REPOSITORY", "us/chat")
            .env("RUNNER_TEMP", self.path("temp"))
            .envs([("BASE", self.base.as_str()), ("MAX_CHANGED", ""), ("COMMENT", "true")])
            .envs([("GITHUB_EVENT_NAME", "pull_request"), ("EVENT_BASE", self.base.as_str())])
            .envs([("GITHUB_SHA", "the merge, which is not what is checked out")])
            .envs([("NUMBER", "7"), ("PATHS", "policies\n")])
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let read = |name: &str| fs::read_to_string(self.path(name)).unwrap();
        let calls = read("calls").lines().map(str::to_owned).collect();
        let code = output.status.code().unwrap();
        assert!(code < 2, "{output:?}");
        fs::write(self.path("printed"), output.stdout).unwrap();
        (code, calls, read("summary"))
    }
}

#[test]
fn every_policy_is_checked_and_tested() {
    let runner = Runner::new();
    for (name, call) in [("check", "check % --format github"), ("test", "test %")] {
        let calls = |paths: &[&str]| -> Vec<String> {
            paths.iter().map(|path| format!("peerage {}", call.replace('%', path))).collect()
        };
        let done = runner.run(name, &[]);
        assert_eq!((done.0, done.1), (0, calls(&["policies"])));
        let two = ("PATHS", "policies\n\na b\n");
        let done = runner.run(name, &[two]);
        assert_eq!((done.0, done.1), (0, calls(&["policies", "a b"])));
        let done = runner.run(name, &[two, ("FAILS", "policies")]);
        assert_eq!((done.0, done.1), (1, calls(&["policies", "a b"])), "the second is not lost");
    }
}

#[test]
fn what_changes_is_said_on_the_pull_request() {
    let runner = Runner::new();
    let base = &runner.base;
    let compared = format!("peerage diff {base}:./policies policies --format markdown");
    let requested = "gh asks what there is";
    let body = format!("--field body=@{}", runner.path("temp/peerage.md.short").display());
    let new = format!("gh api --silent --method POST repos/us/chat/issues/7/comments {body}");
    let edited = format!("gh api --silent --method PATCH repos/us/chat/issues/comments/34 {body}");
    for (variables, code, calls) in [
        (&[][..], 0, &[&compared, requested, &new][..]),
        (&[("EARLIER", "34")], 0, &[&compared, requested, &edited]),
        (&[("NUMBER", "")], 0, &[&compared]),
        (&[("COMMENT", "false")], 0, &[&compared]),
        // A token that may not comment fails nothing.
        (&[("GH", "1")], 0, &[&compared, requested, &new]),
        (
            &[("PATHS", "./policies")],
            0,
            &[&compared.replace("policies", "./policies"), requested, &new],
        ),
        // Past the limit it fails, and says why all the same.
        (
            &[("MAX_CHANGED", "1%"), ("FAILS", "diff")],
            1,
            &[&format!("{compared} --max-changed 1%"), requested, &new],
        ),
    ] {
        let (done, called, summary) = runner.run("compare", variables);
        assert_eq!((done, called), (code, calls.iter().map(ToString::to_string).collect()));
        let (marker, summary_of_all) = summary.split_once('\n').unwrap();
        assert!(marker.starts_with("<!-- peerage ") && marker.ends_with(" -->"), "{summary}");
        assert!(summary_of_all.starts_with("### `"), "{summary}");
        let changed = summary.lines().filter(|line| line.starts_with("| what changed in "));
        assert_eq!(changed.count(), 1, "{summary}");
        let comment = fs::read_to_string(runner.path("temp/peerage.md.short"));
        assert!(calls.len() == 1 || comment.unwrap() == summary);
    }
    let (code, called, summary) = runner.run("compare", &[("PATHS", "more"), ("NUMBER", "")]);
    assert_eq!((code, called.len()), (0, 0));
    assert!(summary.contains("### `more`\n\nThis policy is new.\n"), "{summary}");
}

/// What others merged since the event is no part of the change: a merge is compared with the base
/// that it was merged into.
#[test]
fn a_merge_is_compared_with_what_it_was_merged_into() {
    let runner = Runner::new();
    runner.git(&["checkout", "--quiet", "-b", "change"]);
    runner.git(&["commit", "--quiet", "--allow-empty", "-m", "the change"]);
    runner.git(&["checkout", "--quiet", "-B", "main", &runner.base]);
    runner.git(&["commit", "--quiet", "--allow-empty", "-m", "of others"]);
    let others = runner.git(&["rev-parse", "HEAD"]);
    runner.git(&["merge", "--quiet", "--no-ff", "-m", "merge\n\nparent nobody", "change"]);
    let merge = runner.git(&["rev-parse", "HEAD"]);
    for (variables, base) in [
        (&[("GITHUB_SHA", merge.as_str())][..], &others),
        (&[("GITHUB_SHA", &merge), ("GITHUB_EVENT_NAME", "pull_request_target")], &runner.base),
        (&[("GITHUB_SHA", &merge), ("EVENT_BASE", "another than was asked for")], &runner.base),
        (&[], &runner.base),
    ] {
        let (code, calls, _) = runner.run("compare", variables);
        assert_eq!(code, 0);
        assert!(calls[0].contains(&format!(" {base}:./policies ")), "{calls:?} {variables:?}");
    }
}

/// The steps with the command itself, on a change that closes a chat.
#[test]
fn the_steps_work_with_the_command() {
    let runner = Runner::new();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_peerage"), runner.path("peerage")).unwrap();
    fs::rename(runner.path("peerage"), runner.path("bin/peerage")).unwrap();
    let write = |name: &str, text: &str| fs::write(runner.path("repo/policies").join(name), text);
    write("a.yaml", "rules: [{ condition: hasTag(A), outcome: [A] }]\nusers: { 1: { tags: [A] }, 2: { tags: [A] } }\n").unwrap();
    write(
        "a.test.yaml",
        "tests: [{ name: t, expect: [{ subject: 1, action: start_chat, resource: 2, allow: true }] }]\n",
    )
    .unwrap();
    runner.git(&["add", "."]);
    runner.git(&["commit", "--quiet", "-m", "second"]);
    let base = runner.git(&["rev-parse", "HEAD"]);
    let base = ("BASE", base.as_str());
    assert_eq!(runner.run("check", &[]).0, 0);
    assert_eq!(runner.run("test", &[]).0, 0);
    let same = runner.run("compare", &[base, ("MAX_CHANGED", "0%")]);
    assert_eq!(same.0, 0, "{}", same.2);

    // What stands between is no command, and nobody can guess what ends it.
    let printed = || fs::read_to_string(runner.path("printed")).unwrap();
    let mut ends = BTreeSet::new();
    for _ in 0..2 {
        assert_eq!(runner.run("test", &[]).0, 0);
        let printed = printed();
        let lines: Vec<&str> = printed.lines().collect();
        let end = lines[0].strip_prefix("::stop-commands::").unwrap();
        assert_eq!(lines.last(), Some(&format!("::{end}::").as_str()));
        assert!(ends.insert(end.to_owned()) && end.len() == 32 && lines.len() > 2, "{printed}");
    }

    write("a.yaml", "rules: []\nusers: { 1: { tags: [A] }, 2: { tags: [A] } }\n").unwrap();
    assert_eq!(runner.run("test", &[]).0, 1);
    for path in ["policies", "./policies/", "."] {
        let (code, _, summary) = runner.run("compare", &[base, ("PATHS", path)]);
        assert_eq!(code, 0, "{summary}");
        assert!(summary.contains("start_chat"), "{path}: {summary}");
    }
    let (code, _, summary) = runner.run("compare", &[base, ("MAX_CHANGED", "0%")]);
    assert!(code == 1 && summary.contains("**Too much:**"), "{summary}");

    write("a.yaml", "rule: []\n").unwrap();
    assert_eq!(runner.run("check", &[]).0, 1);
    let (code, _, summary) = runner.run("compare", &[base]);
    assert!(code == 1 && summary.contains("It could not be compared"), "{summary}");
}

#[test]
fn a_base_that_is_not_there_is_fetched() {
    let runner = Runner::new();
    runner.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let origin = format!("file://{}", runner.path("repo").display());
    runner.git(&["commit", "--quiet", "--allow-empty", "-m", "second"]);
    let moved = runner.path("origin");
    fs::rename(runner.path("repo"), &moved).unwrap();
    let cloned = Command::new("git")
        .args(["clone", "--quiet", "--depth=1"])
        .arg(origin.replace("/repo", "/origin"))
        .arg(runner.path("repo"))
        .status()
        .unwrap();
    assert!(cloned.success());
    let (code, called, _) = runner.run("compare", &[("NUMBER", "")]);
    assert_eq!((code, called.len()), (0, 1));
}

#[test]
fn what_was_built_is_built_once() {
    let runner = Runner::new();
    runner.tool(
        "cargo",
        "echo \"cargo $*\" >> \"$CALLS\"\nmkdir -p \"$6/bin\"\n\
         printf '' > \"$6/bin/peerage\"\nchmod +x \"$6/bin/peerage\"",
    );
    let home = runner.path("home");
    let source = std::env::current_dir().unwrap();
    let variables =
        [("HOME", home.to_str().unwrap()), ("GITHUB_ACTION_PATH", source.to_str().unwrap())];
    let (code, first, _) = runner.run("install peerage", &variables);
    assert_eq!((code, first.len()), (0, 1));
    let begin = format!("cargo install --locked --path {} --root ", source.display());
    let root = first[0].strip_prefix(&begin).unwrap_or_else(|| panic!("{first:?}"));
    let (code, second, _) = runner.run("install peerage", &variables);
    assert_eq!((code, second.len()), (0, 0));
    let added = fs::read_to_string(runner.path("added")).unwrap();
    assert_eq!(added, format!("{root}/bin\n{root}/bin\n"));
    assert!(root.starts_with(&format!("{}/.cache/peerage/", home.display())));
}
