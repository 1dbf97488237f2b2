//! A policy that changes too much is held back until someone insists.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    support::client::Answer,
    support::daemon::{Daemon, serve},
};

const TOKEN: &str = "0123456789abcdef-token";
const GOOD: &str = "rules: [{ condition: hasTag(A), outcome: [B] }]\n";
const SHUT: &str = "rules: [{ condition: hasTag(C), outcome: [B] }]\n";
const USERS: &str = "users: { '2': { tags: [B] }, '3': { tags: [A] } }\n";

struct Guarded {
    folder: tempfile::TempDir,
    daemon: Daemon,
}

impl Guarded {
    fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("policy.yaml"), GOOD.to_owned() + USERS).unwrap();
        fs::write(folder.path().join("token.txt"), TOKEN.to_owned() + "\n").unwrap();
        let policy = folder.path().join("policy.yaml");
        let mut command = serve();
        command.arg(&policy).args(["--listen", "127.0.0.1:0", "--poll", "60000"]).args(more);
        command.arg("--admin-token-file").arg(folder.path().join("token.txt"));
        Self { daemon: Daemon::start(&mut command), folder }
    }

    fn policy(&self) -> std::path::PathBuf {
        self.folder.path().join("policy.yaml")
    }

    fn status(&self) -> Value {
        self.daemon.get("/v1/status").json()
    }

    fn wait_for(&self, outcome: &str) -> Value {
        self.daemon.wait_for(outcome, |_| {
            let last = self.status()["last_reload"].clone();
            (last["outcome"] == outcome).then_some(last)
        })
    }

    fn reload(&self, query: &str, token: Option<&str>) -> (u16, Value) {
        let answer = self.ask_reload(query, token);
        (answer.status, answer.json())
    }

    fn ask_reload(&self, query: &str, token: Option<&str>) -> Answer {
        let header =
            token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let path = format!("/v1/reload{query}");
        self.daemon.connect().ask("POST", &path, &header, b"")
    }
}

fn replace(path: &Path, text: &str) {
    let next = path.with_extension("next");
    fs::write(&next, text).unwrap();
    fs::rename(next, path).unwrap();
}

#[test]
fn a_large_change_is_held_back_until_it_is_forced() {
    let guarded = Guarded::start(&["--max-changed", "5%"]);
    assert!(guarded.daemon.answers());
    replace(&guarded.policy(), &(SHUT.to_owned() + USERS));
    let last = guarded.wait_for("held");
    assert_eq!(last["ok"], false);
    assert_eq!(last["diff"]["lost"], 5, "{last}");
    assert_eq!(last["diff"]["max_changed"], 0.05);
    assert!(last["diff"]["summary"].as_str().unwrap().contains("start_chat +0 -1"));
    assert!(guarded.daemon.answers());
    let metrics = guarded.daemon.get("/metrics");
    let metrics = metrics.text();
    assert!(metrics.contains("peerage_policy_current 0"), "{metrics}");
    assert!(metrics.contains("peerage_reloads_total{outcome=\"held\"} 1"), "{metrics}");

    // Who asks without insisting is reported the same.
    let (status, reported) = guarded.reload("", Some(TOKEN));
    assert_eq!((status, &reported["outcome"]), (409, &"held".into()));
    for token in [None, Some("wrong"), Some("0123456789abcdef-tokem"), Some("")] {
        let answer = guarded.ask_reload("?force=true", token);
        assert_eq!(answer.status, 401, "{token:?}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    for query in ["?force=perhaps", "?force=", "?force"] {
        assert_eq!(guarded.reload(query, Some(TOKEN)).0, 400, "{query}");
    }
    assert!(guarded.daemon.answers());

    let (status, reported) = guarded.reload("?force=true", Some(TOKEN));
    assert_eq!((status, &reported["outcome"]), (200, &"swapped".into()));
    assert!(!guarded.daemon.answers());
    assert_eq!(guarded.status()["last_reload"]["diff"], Value::Null);
    assert_eq!(guarded.reload("", Some(TOKEN)).1["outcome"], "unchanged");
    assert_eq!(guarded.daemon.get("/v1/reload").status, 405);
}

/// What counts is what becomes of those who are served, whether it comes from rules or records.
#[test]
fn users_count_as_rules_do() {
    let guarded = Guarded::start(&["--max-changed", "5%"]);
    let held = |text: &str, [gained, lost, vanished]: [u64; 3]| {
        replace(&guarded.policy(), text);
        let last = guarded.wait_for("held");
        let diff = &last["diff"];
        let reported = ["gained", "lost", "vanished"].map(|name| diff[name].as_u64().unwrap());
        assert_eq!(reported, [gained, lost, vanished], "{text}: {diff}");
        assert_eq!(diff["estimate"], false);
        assert!(guarded.daemon.answers());
        assert_eq!(guarded.status()["counts"]["users"], 2);
        // What was served is what the files say again.
        replace(&guarded.policy(), &(GOOD.to_owned() + USERS));
        let last = guarded.wait_for("unchanged");
        assert_eq!((&last["ok"], &last["diff"]), (&true.into(), &Value::Null));
    };
    // Of the 32 there are 27 that are allowed: nobody is a manager, and four take a rule.
    let all = 2 * 16 - 2 * 3 - 5;
    held(GOOD, [0, all, 2]);
    held(&format!("{GOOD}users: {{ '3': {{ tags: [A] }} }}\n"), [0, all, 1]);
    held(&format!("{GOOD}users: {{ '2': {{ tags: [B] }}, '3': {{}} }}\n"), [0, 5, 0]);
    held(
        &format!("{SHUT}users: {{ '2': {{ tags: [B] }}, '3': {{ tags: [A] }}, '4': {{}} }}\n"),
        [0, 5, 0],
    );
    // A block, and a ban: both are nobody's rules.
    let blocked = "users: { '2': { tags: [B], blocked: ['3'] }, '3': { tags: [A] } }\n";
    held(&(GOOD.to_owned() + blocked), [0, 7, 0]);
    let banned = "users: { '2': { tags: [B] }, '3': { tags: [A], moderation: banned } }\n";
    held(&(GOOD.to_owned() + banned), [0, 13, 0]);

    // Nothing comes out otherwise: the rule and the record change together, and users come.
    let users = "users: { '2': { tags: [B] }, '3': { tags: [C] }, '4': { tags: [C] } }\n";
    replace(&guarded.policy(), &(SHUT.to_owned() + users));
    guarded.wait_for("swapped");
    assert!(guarded.daemon.answers());
    assert_eq!(guarded.status()["counts"]["users"], 3);
}

/// A policy that is held back and one that has errors are two things, and neither outlives the next
/// good one.
#[test]
fn what_is_held_back_is_forgotten_with_the_files_that_said_it() {
    let guarded = Guarded::start(&["--max-changed", "50%"]);
    let metric = |name: &str| -> f64 {
        let metrics = guarded.daemon.get("/metrics");
        let line = metrics.text().lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name}")).split(' ').nth(1).unwrap().parse().unwrap()
    };
    replace(&guarded.policy(), GOOD);
    let last = guarded.wait_for("held");
    assert!(last["diff"]["summary"].as_str().unwrap().starts_with("2 of 2 users vanish; "));
    assert!(last["diff"]["share"].as_f64().unwrap() > 0.5);
    assert!(metric("peerage_held_changed_share") > 0.5);
    assert!(metric("peerage_policy_current") < 0.5);

    replace(&guarded.policy(), "rules: [{ condition: hasTag(, outcome: [B] }]\n");
    let last = guarded.wait_for("refused");
    assert_eq!(last["diff"], Value::Null);
    assert!(last["diagnostics"]["errors"].as_u64().unwrap() > 0);
    assert!(metric("peerage_held_changed_share").abs() < f64::EPSILON);
    // No one can insist on a policy with errors.
    let (status, reported) = guarded.reload("?force=true", Some(TOKEN));
    assert_eq!((status, &reported["outcome"]), (409, &"refused".into()));
    assert!(guarded.daemon.answers());

    // Five of 32: less than half.
    replace(&guarded.policy(), &(SHUT.to_owned() + USERS));
    let last = guarded.wait_for("swapped");
    assert_eq!((&last["ok"], &last["diff"]), (&true.into(), &Value::Null));
    assert!(metric("peerage_policy_current") > 0.5);
    assert!(!guarded.daemon.answers());
    let reloads = &guarded.status()["reloads"];
    assert_eq!(["swapped", "refused", "held"].map(|it| reloads[it].as_u64().unwrap()), [1, 2, 1]);
}

#[test]
fn the_log_tells_what_is_held_back() {
    let guarded = Guarded::start(&["--max-changed", "0%"]);
    replace(&guarded.policy(), GOOD);
    guarded.wait_for("held");
    guarded.daemon.signal("TERM");
    let ended = guarded.daemon.ended();
    assert!(ended.errors.contains("2 of 2 users vanish; "), "{}", ended.errors);
    assert!(ended.errors.contains("--max-changed"), "{}", ended.errors);
}

#[test]
fn a_hangup_forces_only_if_reported_so() {
    for (more, outcome) in [(&[][..], "held"), (&["--sighup-forces"], "swapped")] {
        let guarded = Guarded::start(&[&["--max-changed", "5%"], more].concat());
        replace(&guarded.policy(), &(SHUT.to_owned() + USERS));
        guarded.wait_for("held");
        let held = |status: &Value| status["reloads"]["held"].as_u64().unwrap();
        let before = held(&guarded.status());
        guarded.daemon.signal("HUP");
        guarded.daemon.wait_for(outcome, |_| {
            let status = guarded.status();
            let is_done = held(&status) > before || status["last_reload"]["outcome"] == "swapped";
            is_done.then(|| assert_eq!(status["last_reload"]["outcome"], outcome))
        });
    }
}

#[test]
fn without_a_token_nobody_may() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    fs::write(&policy, GOOD.to_owned() + USERS).unwrap();
    let daemon = Daemon::serve(&policy);
    let answer = daemon.connect().post("/v1/reload", b"");
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("www-authenticate"), None);
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains("--admin-token-file"));
    // A token that is too short to be one keeps it from starting.
    fs::write(folder.path().join("token"), "short").unwrap();
    let mut command = serve();
    command.arg(&policy).arg("--admin-token-file").arg(folder.path().join("token"));
    assert_eq!(crate::support::daemon::run(&mut command).status.code(), Some(2));
}
