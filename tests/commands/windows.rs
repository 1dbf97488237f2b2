//! Windows of time in the commands, at the moment that they are given.

use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const POLICY: &str = "\
window work { days: [mon, tue, wed, thu, fri]; from: \"08:00\"; to: \"16:00\"; zone: \"Europe/Berlin\"; }
rule r: all(hasTag(a), during(work)) -> [b];
user 1 { tags: [a]; }
user 2 { tags: [b]; }
";

const TESTS: &str = "\
tests:
  - name: at work
    at: 2026-11-30T09:00:00+01:00
    expect: [{ subject: 1, action: start_chat, resource: 2, allow: true }]
  - name: at home
    at: 2026-11-30T18:00:00+01:00
    expect: [{ subject: 1, action: start_chat, resource: 2, allow: false, reason: no_rule }]
  - name: with a window of the test
    at: 2026-11-30T18:00:00+01:00
    given:
      windows: { evening: { from: \"17:00\", to: \"20:00\", zone: Europe/Berlin } }
      rules: [{ condition: \"all(hasTag(b), during(evening))\", outcome: [a] }]
    expect: [{ subject: 2, action: start_chat, resource: 1, allow: true }]
  - name: with a window of the policy at other hours
    at: 2026-11-30T18:00:00+01:00
    given:
      windows: { work: { from: \"17:00\", to: \"20:00\", zone: Europe/Berlin } }
    expect:
      - { subject: 1, action: start_chat, resource: 2, allow: true }
      - { subject: 1, action: start_chat, reaches: [2] }
";

const AT_WORK: &str = "2026-11-30T07:00:00Z";
const AT_HOME: &str = "2026-11-30T15:00:00Z";

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("policy.peerage", POLICY);
    write("t.test.yaml", TESTS);
    folder
}

fn peerage(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    command.current_dir(folder.path()).args(arguments).stdin(Stdio::null());
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_decision_is_of_the_moment_that_it_is_given() {
    let folder = folder();
    for (at, code) in [(AT_WORK, 0), (AT_HOME, 1)] {
        let arguments =
            ["decide", "-s", "1", "-a", "start_chat", "-r", "2", "policy.peerage", "--at", at];
        assert_eq!(peerage(&folder, &arguments).status.code(), Some(code), "{at}");
    }
}

#[test]
fn tests_ask_at_their_moments() {
    let folder = folder();
    let output = peerage(&folder, &["test", "policy.peerage", "t.test.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn a_listing_shows_windows_and_their_states() {
    let folder = folder();
    let listed = text(&peerage(&folder, &["compile", "policy.peerage", "--at", AT_WORK]));
    let window = "1 window\n  work mon, tue, wed, thu, fri 08:00 to 16:00 Europe/Berlin\n    open until 2026-11-30T15:00:00Z\n";
    assert!(listed.contains(window), "{listed}");
    let arguments = ["compile", "policy.peerage", "--format", "json", "--at", AT_HOME];
    let listed: Value = serde_json::from_slice(&peerage(&folder, &arguments).stdout).unwrap();
    let window = serde_json::json!({
        "name": "work", "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "16:00",
        "zone": "Europe/Berlin", "open": false, "until": "2026-12-01T07:00:00Z",
    });
    assert_eq!(listed["windows"], serde_json::json!([window]));
}

#[test]
fn a_diff_is_of_one_moment_and_names_the_windows_that_changed() {
    let folder = folder();
    std::fs::write(folder.path().join("new.peerage"), POLICY.replace("16:00", "17:00")).unwrap();
    let diff = |at: &str| {
        let arguments = ["diff", "policy.peerage", "new.peerage", "--at", at];
        text(&peerage(&folder, &arguments))
    };
    let changed = "windows.work";
    let (at_work, at_home) = (diff(AT_WORK), diff(AT_HOME));
    assert!(at_work.contains(changed) && at_home.contains(changed), "{at_work}\n{at_home}");
    assert!(!at_work.contains("may now"), "{at_work}");
    assert!(at_home.contains("1 pair gained") || at_home.contains("+1"), "{at_home}");
}
