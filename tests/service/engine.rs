//! The engine that programs embed, and the example that does.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver},
};

use peerage::{Action, Engine, EngineError, LatestReload, Reason, ReloadOutcome, Request};
use tempfile::TempDir;

use crate::support::daemon::NEVER;

const ONE_WAY: &str = "rules: [{ condition: hasTag(a), outcome: [b] }]\n";
const BOTH_WAYS: &str = "rules: [{ condition: \"any(hasTag(a), hasTag(b))\", outcome: [a, b] }]\n";
const USERS: &str = "users:\n  ann: { tags: [a] }\n  bob: { tags: [b] }\n";

/// A folder with a policy of two users.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("users.yaml"), USERS).unwrap();
    save(folder.path(), ONE_WAY);
    folder
}

/// Replaces the rules at once, as editors do.
fn save(folder: &Path, rules: &str) {
    fs::write(folder.join(".rules.new"), rules).unwrap();
    fs::rename(folder.join(".rules.new"), folder.join("rules.yaml")).unwrap();
}

fn ask(engine: &Engine, subject: &str, resource: &str) -> Reason {
    engine.decide(&Request::new(subject, Action::StartChat, resource)).reason
}

fn follow(folder: &Path) -> (Engine, Receiver<LatestReload>) {
    let (tell, reloads) = mpsc::channel();
    let engine = Engine::follow([folder], move |reload| drop(tell.send(reload.clone()))).unwrap();
    (engine, reloads)
}

#[test]
fn a_policy_is_opened_and_asked() {
    let folder = folder();
    let engine = Engine::open([folder.path()]).unwrap();
    assert_eq!(ask(&engine, "ann", "bob"), Reason::Allowed);
    assert_eq!(ask(&engine, "bob", "ann"), Reason::NoRule);
    let snapshot = engine.snapshot();
    let reach = |id: &str| {
        let request = Request::new(id, Action::StartChat, id);
        let ids = |reach: peerage::Reach<'_>| reach.ids().map(str::to_owned).collect::<Vec<_>>();
        (ids(snapshot.reach(&request)), ids(snapshot.reached_by(&request)))
    };
    assert_eq!(reach("ann"), (vec!["bob".to_owned()], vec![]));
    assert_eq!(reach("bob"), (vec![], vec!["ann".to_owned()]));
    let explanation = engine.explain(&Request::new("ann", Action::StartChat, "bob"));
    assert_eq!(explanation.rules.len(), 1);
}

#[test]
fn a_snapshot_stays_what_it_is() {
    let folder = folder();
    let engine = Engine::open([folder.path()]).unwrap();
    let before = engine.snapshot();
    save(folder.path(), BOTH_WAYS);
    assert_eq!(engine.reload().outcome, ReloadOutcome::Swapped);
    assert_eq!(engine.reload().outcome, ReloadOutcome::Unchanged);
    let back = Request::new("bob", Action::StartChat, "ann");
    assert_eq!(before.decide(&back).reason, Reason::NoRule);
    assert_eq!(engine.snapshot().decide(&back).reason, Reason::Allowed);
    assert_ne!(before.revision(), engine.snapshot().revision());
}

#[test]
fn errors_are_a_report_and_leave_what_was_there() {
    let folder = folder();
    let engine = Engine::open([folder.path()]).unwrap();
    save(folder.path(), "rules: [{ condition: hasTag(a), outcome: [c] }]\nrulez: []\n");
    let reload = engine.reload();
    assert_eq!(reload.outcome, ReloadOutcome::Refused);
    let places = |report: &peerage::Report| {
        report.diagnostics.iter().filter(|it| it.place.is_some()).count()
    };
    assert!(places(&reload.report) > 0);
    assert_eq!(ask(&engine, "ann", "bob"), Reason::Allowed);
    let Err(EngineError::Policy(report)) = Engine::open([folder.path()]) else {
        panic!("a policy with errors was opened");
    };
    assert!(places(&report) > 0);
}

#[test]
fn what_would_open_is_held_until_it_is_forced() {
    let folder = folder();
    let engine = Engine::open([folder.path()]).unwrap();
    fs::remove_file(folder.path().join("rules.yaml")).unwrap();
    let reload = engine.reload();
    assert_eq!(reload.outcome, ReloadOutcome::Held);
    assert!(reload.held.is_some());
    assert_eq!(ask(&engine, "bob", "ann"), Reason::NoRule);
    assert_eq!(engine.reload_forced().outcome, ReloadOutcome::Swapped);
    assert_eq!(ask(&engine, "bob", "ann"), Reason::Allowed);
}

#[test]
fn files_are_followed() {
    let folder = folder();
    let (engine, reloads) = follow(folder.path());
    save(folder.path(), "rules: [\n");
    assert_eq!(reloads.recv_timeout(NEVER).unwrap().outcome, ReloadOutcome::Refused);
    assert_eq!(ask(&engine, "ann", "bob"), Reason::Allowed);
    save(folder.path(), BOTH_WAYS);
    while reloads.recv_timeout(NEVER).unwrap().outcome != ReloadOutcome::Swapped {}
    assert_eq!(ask(&engine, "bob", "ann"), Reason::Allowed);
    assert_eq!(engine.latest_reload().outcome, ReloadOutcome::Swapped);
    drop(engine);
    // Its threads have ended, and with them what they told to.
    assert!(reloads.iter().count() < 10);
}

#[test]
fn the_example_answers_as_its_files_change() {
    let folder = folder();
    // Cargo builds examples for a run of all tests alone.
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--example", "embed"])
        .status()
        .unwrap();
    assert!(built.success());
    let tests = std::env::current_exe().unwrap();
    let example = tests.ancestors().nth(2).unwrap().join("examples/embed");
    let mut example = Command::new(example)
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = example.stdin.take().unwrap();
    let mut output = BufReader::new(example.stdout.take().unwrap()).lines();
    let mut reloads = BufReader::new(example.stderr.take().unwrap()).lines();
    writeln!(input, "bob").unwrap();
    assert_eq!(output.next().unwrap().unwrap(), "may reach 0: ");
    assert_eq!(output.next().unwrap().unwrap(), "reached by 1: ann");
    save(folder.path(), BOTH_WAYS);
    assert_eq!(reloads.next().unwrap().unwrap(), "policy swapped");
    writeln!(input, "bob ann").unwrap();
    assert_eq!(output.next().unwrap().unwrap(), "allow allowed");
    drop(input);
    assert!(example.wait().unwrap().success());
}
