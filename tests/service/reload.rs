//! The answers of a running daemon follow the files, whatever changes them, and never a bad policy.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

use crate::support::daemon;
use crate::support::files;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use daemon::{Daemon, serve};
use files::{save, swap, write};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// 3 may start a chat with 2, and with none else.
const OPEN: &str = "rule: hasTag(a) -> [b];\nuser 3 { tags: [a]; }\nuser 2 { tags: [b]; }\n";

/// 3 may start a chat with nobody.
const CLOSED: &str = "rule: hasTag(b) -> [a];\nuser 3 { tags: [a]; }\nuser 2 { tags: [b]; }\n";

/// A poll so slow that what is noticed was reported by an event.
const EVENTS: &str = "3600000";

/// A poll that would notice without any event.
const POLL: &str = "20";

fn start(path: &Path, poll: &str) -> Daemon {
    Daemon::start(serve().arg(path).args(["--listen", "127.0.0.1:0", "--poll", poll]))
}

#[track_caller]
fn until(daemon: &Daemon, expected: bool) {
    daemon.wait_for(expected, |daemon| (daemon.answers() == expected).then_some(()));
}

/// A folder with an open policy, and the name of its file.
fn open() -> (TempDir, PathBuf) {
    let folder = tempdir().unwrap();
    let file = folder.path().join("policy.peerage");
    write(&file, OPEN);
    (folder, file)
}

#[test]
fn edits_and_saves() {
    for poll in [EVENTS, POLL] {
        let (folder, file) = open();
        let daemon = start(folder.path(), poll);
        assert!(daemon.answers());
        save(&file, CLOSED);
        until(&daemon, false);
        write(&file, OPEN);
        until(&daemon, true);
        fs::rename(&file, folder.path().join("policy.peerage~")).unwrap();
        write(&file, CLOSED);
        until(&daemon, false);
    }
}

#[test]
fn files_and_folders_come_and_go() {
    for poll in [EVENTS, POLL] {
        let (folder, file) = open();
        write(&file, &OPEN.replace("rule: hasTag(a) -> [b];", "rule: hasTag(c) -> [c];"));
        let daemon = start(folder.path(), poll);
        assert!(!daemon.answers());
        let rule = "rule: hasTag(a) -> [b];";
        let (new, deep) =
            (folder.path().join("new.peerage"), folder.path().join("x/y/deep.peerage"));
        write(&new, rule);
        until(&daemon, true);
        fs::remove_file(&new).unwrap();
        until(&daemon, false);
        write(&deep, rule);
        until(&daemon, true);
        fs::remove_dir_all(folder.path().join("x")).unwrap();
        until(&daemon, false);
        write(&deep, rule);
        until(&daemon, true);
        fs::rename(folder.path().join("x"), folder.path().join(".hidden")).unwrap();
        until(&daemon, false);
    }
}

#[test]
fn a_config_map() {
    for poll in [EVENTS, POLL] {
        let folder = tempdir().unwrap();
        let root = folder.path();
        write(root.join("..0/policy.peerage"), OPEN);
        symlink("..0", root.join("..data")).unwrap();
        symlink("..data/policy.peerage", root.join("policy.peerage")).unwrap();
        let daemon = start(root, poll);
        assert!(daemon.answers());
        for version in 1..6 {
            let is_open = version % 2 == 0;
            let name = format!("..{version}");
            write(root.join(&name).join("policy.peerage"), if is_open { OPEN } else { CLOSED });
            swap(root.join("..data"), &name);
            fs::remove_dir_all(root.join(format!("..{}", version - 1))).unwrap();
            until(&daemon, is_open);
        }
    }
}

#[test]
fn a_worktree() {
    for poll in [EVENTS, POLL] {
        let folder = tempdir().unwrap();
        let root = folder.path();
        let policy = |version: u32| root.join(format!(".worktrees/{version}/policies/a.peerage"));
        write(policy(0), OPEN);
        symlink(".worktrees/0", root.join("current")).unwrap();
        let daemon = start(&root.join("current/policies"), poll);
        assert!(daemon.answers());
        for version in 1..6 {
            let is_open = version % 2 == 0;
            write(policy(version), if is_open { OPEN } else { CLOSED });
            swap(root.join("current"), &format!(".worktrees/{version}"));
            fs::remove_dir_all(root.join(format!(".worktrees/{}", version - 1))).unwrap();
            until(&daemon, is_open);
        }
    }
}

#[test]
fn the_folder_goes_and_comes_back() {
    for poll in [EVENTS, POLL] {
        let folder = tempdir().unwrap();
        let root = folder.path().join("policies");
        write(root.join("a.peerage"), OPEN);
        let daemon = start(&root, poll);
        for is_open in [false, true, false] {
            fs::remove_dir_all(&root).unwrap();
            daemon.wait_for("a refusal", |daemon| (!status(daemon).0).then_some(()));
            assert_eq!(daemon.answers(), !is_open, "the last good policy is served");
            write(root.join("a.peerage"), if is_open { OPEN } else { CLOSED });
            until(&daemon, is_open);
            daemon.wait_for("a good report", |daemon| status(daemon).0.then_some(()));
        }
    }
}

#[test]
fn a_hangup_reloads_at_once() {
    let (folder, _) = open();
    let daemon = start(folder.path(), EVENTS);
    for count in 1..4 {
        daemon.signal("HUP");
        // Nothing has changed: what shows is that it was read.
        daemon.wait_for("a reload", |daemon| {
            let status = daemon.get("/v1/status").json();
            assert_eq!(status["reloads"]["swapped"], 0);
            (status["last_reload"]["outcome"] == "unchanged").then_some(())
        });
        assert!(daemon.answers(), "after {count}");
    }
}

/// Whether the last reload went well, and what it told.
fn status(daemon: &Daemon) -> (bool, Value) {
    let last = daemon.get("/v1/status").json()["last_reload"].clone();
    (last["ok"].as_bool().unwrap(), last["diagnostics"].clone())
}

fn is_current(daemon: &Daemon) -> bool {
    let answer = daemon.get("/metrics");
    answer.text().lines().any(|line| line == "peerage_policy_current 1")
}

#[test]
fn a_bad_policy_never_replaces_a_good_one() {
    let (folder, file) = open();
    let daemon = start(folder.path(), EVENTS);
    let revision = daemon.get("/healthz").revision().to_owned();
    assert!(is_current(&daemon));
    for bad in
        ["rule hasTag(a) -> [b];\n", "\nrule: any() -> [b];\n", "user 3 { colour: red; }\n", "\0"]
    {
        save(&file, bad);
        let reported = daemon.wait_for(bad, |daemon| {
            let (ok, reported) = status(daemon);
            (!ok).then_some(reported)
        });
        assert!(daemon.answers());
        assert_eq!(daemon.get("/healthz").revision(), revision);
        assert_eq!(daemon.get("/readyz").status, 200);
        assert!(!is_current(&daemon));
        let first = &reported["diagnostics"][0];
        assert!(first["code"].as_str().is_some_and(|code| !code.is_empty()), "{reported}");
        assert!(first["message"].as_str().is_some_and(|text| !text.is_empty()), "{reported}");
        save(&file, &format!("{OPEN}// {}\n", bad.len()));
        daemon.wait_for("a good policy", |daemon| status(daemon).0.then_some(()));
        assert!(is_current(&daemon));
        assert_eq!(daemon.get("/healthz").revision(), revision);
    }
    save(&file, "\nrule: any() -> [b];\n");
    let reported = daemon.wait_for("a refusal", |daemon| {
        let (ok, reported) = status(daemon);
        (!ok).then_some(reported)
    });
    let place = &reported["diagnostics"][0];
    let text = place.to_string();
    assert!(text.contains("policy.peerage") && text.contains("\"line\":2"), "{text}");
    save(&file, CLOSED);
    until(&daemon, false);
    daemon.wait_for("a good report", |daemon| status(daemon).0.then_some(()));
    assert!(is_current(&daemon));
    assert_ne!(daemon.get("/healthz").revision(), revision);
}

#[test]
fn a_policy_that_breaks_an_invariant_never_replaces_a_good_one() {
    let never = "never start_chat closed: hasTag(b) -> hasTag(a) scope population;\n";
    let (folder, file) = open();
    save(&file, &format!("{OPEN}{never}"));
    let daemon = start(folder.path(), EVENTS);
    let revision = daemon.get("/healthz").revision().to_owned();
    save(&file, &format!("{CLOSED}{never}"));
    let reported = daemon.wait_for("a refusal", |daemon| {
        let (ok, reported) = status(daemon);
        (!ok).then_some(reported)
    });
    assert!(daemon.answers(), "the last good policy is served");
    assert!(!is_current(&daemon));
    assert_eq!(daemon.get("/healthz").revision(), revision);
    let first = &reported["diagnostics"][0];
    assert_eq!(first["code"], "broken-invariant", "{reported}");
    assert_eq!(first["line"], 4, "{reported}");
    let label = first["label"].as_str().unwrap();
    assert_eq!(label, "1 pair breaks it: `2` may start a chat with `3`", "{reported}");
    save(&file, CLOSED);
    until(&daemon, false);
    daemon.wait_for("a good report", |daemon| status(daemon).0.then_some(()));
}

#[test]
fn a_policy_that_breaks_an_invariant_is_not_served_at_all() {
    let (folder, file) = open();
    save(&file, &format!("{OPEN}never start_chat: hasTag(a) -> hasTag(b);\n"));
    let mut command = serve();
    let output = command.arg(folder.path()).args(["--listen", "127.0.0.1:0"]).output().unwrap();
    assert!(!output.status.success());
    let reported = String::from_utf8_lossy(&output.stderr);
    assert!(reported.contains("broken-invariant"), "{reported}");
}

/// What the two versions answer, by revision: each question has one answer in each of them.
type Answers = BTreeMap<(String, usize), String>;

const QUESTIONS: [&str; 5] = [
    "/v1/decide?subject=3&action=start_chat&resource=2",
    "/v1/decide?subject=3&action=start_chat&resource=2&explain=true",
    "/v1/decide?subject=2&action=start_chat&resource=3&explain=true",
    "/v1/reach?subject=3&action=start_chat",
    "/v1/reach?resource=3&action=start_chat",
];

#[test]
fn under_load_each_answer_is_of_one_policy() {
    const CLIENTS: usize = 4;
    const FLIPS: usize = 40;
    let folder = tempdir().unwrap();
    let root = folder.path();
    // Over two files, so that a torn reading would show.
    for (version, text) in [("0", OPEN), ("1", CLOSED)] {
        let (rules, users) = text.split_once('\n').unwrap();
        write(root.join(format!(".versions/{version}/rules.peerage")), rules);
        write(root.join(format!(".versions/{version}/users.peerage")), users);
    }
    symlink(".versions/0", root.join("current")).unwrap();
    let daemon = start(&root.join("current"), EVENTS);
    let mut control = daemon.connect();
    let mut learn = || -> Answers {
        let answers = QUESTIONS.iter().enumerate().map(|(number, path)| {
            let answer = control.get(path);
            ((answer.revision().to_owned(), number), answer.text().to_owned())
        });
        answers.collect()
    };
    let mut known = learn();
    swap(root.join("current"), ".versions/1");
    until(&daemon, false);
    known.extend(learn());
    assert_eq!(known.len(), 2 * QUESTIONS.len());

    let (ended, requested) = (AtomicBool::new(false), AtomicU64::new(0));
    let seen = Mutex::new(BTreeMap::<String, u64>::new());
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (ended, requested, seen, known, daemon) =
                (&ended, &requested, &seen, &known, &daemon);
            scope.spawn(move || {
                let mut connection = daemon.connect();
                let mut number = client;
                while !ended.load(Ordering::Relaxed) {
                    number = (number + 1) % QUESTIONS.len();
                    let answer = connection.get(QUESTIONS[number]);
                    assert_eq!(answer.status, 200);
                    let revision = answer.revision().to_owned();
                    *seen.lock().unwrap().entry(revision.clone()).or_default() += 1;
                    let expected = known.get(&(revision, number));
                    assert_eq!(expected.map(String::as_str), Some(answer.text()));
                    requested.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let flipped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for flip in 0..FLIPS {
                swap(root.join("current"), &format!(".versions/{}", flip % 2));
                until(&daemon, flip % 2 == 0);
            }
        }));
        ended.store(true, Ordering::Relaxed);
        flipped.unwrap();
    });
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), 2);
    assert!(seen.values().all(|&count| count > 100), "{seen:?}");
    assert!(requested.into_inner() > 2000);
    let reloads = daemon.wait_for("the last reload's report", |daemon| {
        let reloads = daemon.get("/v1/status").json()["reloads"].clone();
        (reloads["swapped"] == FLIPS + 1).then_some(reloads)
    });
    assert_eq!(reloads["refused"], 0);
}
