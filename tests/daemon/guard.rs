//! A policy that changes too much is held back until someone insists.

use std::{fs, path::Path};

use serde_json::Value;

use crate::daemon::{Daemon, serve};

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
        let header =
            token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let path = format!("/v1/reload{query}");
        let answer = self.daemon.connect().ask("POST", &path, &header, b"");
        (answer.status, answer.json())
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

    // Who asks without insisting is told the same.
    let (status, told) = guarded.reload("", Some(TOKEN));
    assert_eq!((status, &told["outcome"]), (409, &"held".into()));
    for token in [None, Some("wrong"), Some("0123456789abcdef-tokem"), Some("")] {
        assert_eq!(guarded.reload("?force=true", token).0, 401, "{token:?}");
    }
    assert_eq!(guarded.reload("?force=perhaps", Some(TOKEN)).0, 400);
    assert!(guarded.daemon.answers());

    let (status, told) = guarded.reload("?force=true", Some(TOKEN));
    assert_eq!((status, &told["outcome"]), (200, &"swapped".into()));
    assert!(!guarded.daemon.answers());
    assert_eq!(guarded.status()["last_reload"]["diff"], Value::Null);
    assert_eq!(guarded.reload("", Some(TOKEN)).1["outcome"], "unchanged");
    assert_eq!(guarded.daemon.get("/v1/reload").status, 405);
}

/// The policy is compared over the users that are served, also where these change with it.
#[test]
fn users_that_change_too_hide_nothing() {
    let guarded = Guarded::start(&["--max-changed", "5%"]);
    let users = "users: { '2': { tags: [B] }, '3': { tags: [A, C] } }\n";
    replace(&guarded.policy(), &(SHUT.to_owned() + users));
    assert_eq!(guarded.wait_for("held")["diff"]["lost"], 5);
    replace(&guarded.policy(), &(GOOD.to_owned() + users));
    guarded.wait_for("swapped");
}

#[test]
fn a_hangup_forces_only_if_told_so() {
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
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains("--admin-token-file"));
    // A token that is too short to be one keeps it from starting.
    fs::write(folder.path().join("token"), "short").unwrap();
    let mut command = serve();
    command.arg(&policy).arg("--admin-token-file").arg(folder.path().join("token"));
    assert_eq!(crate::daemon::run(&mut command).status.code(), Some(2));
}
