//! With `--max-stale`, a policy that was not read well for so long is stale, and everything says so.

use std::fs;

use serde_json::{Value, json};

use crate::{
    http::facts::{Kept, authorization},
    support::client::Answer,
    support::daemon::{Daemon, run, serve},
    support::files::{save, write},
};

const POLICY: &str = "
users: { alice: { tags: [A] }, bob: { tags: [B] }, carol: { tags: [C] } }
rules: [{ condition: hasTag(A), outcome: [B] }]
";

/// What follows the section that refuses, so that a policy without it is held.
const HELD: &str = "users: { alice: { tags: [A] }, bob: { tags: [B] }, carol: { tags: [C] } }\n";

struct Folder {
    folder: tempfile::TempDir,
    daemon: Daemon,
}

impl Folder {
    fn serve(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policies = folder.path().join("policies");
        write(policies.join("policy.yaml"), POLICY);
        let mut command = serve();
        command.arg(&policies).args(["--listen", "127.0.0.1:0", "--poll", "50"]).args(more);
        Self { daemon: Daemon::start(&mut command), folder }
    }

    fn save(&self, text: &str) {
        save(self.folder.path().join("policies/policy.yaml"), text);
    }

    fn status(&self) -> Value {
        self.daemon.get("/v1/status").json()
    }

    fn metric(&self) -> bool {
        let text = self.daemon.get("/metrics").text().to_owned();
        let line = text.lines().find(|line| line.starts_with("peerage_stale "));
        line.unwrap_or_else(|| panic!("{text}")) == "peerage_stale 1"
    }

    #[track_caller]
    fn wait_for_outcome(&self, outcome: &str) {
        self.daemon.wait_for(outcome, |_| {
            (self.status()["last_reload"]["outcome"] == outcome).then_some(())
        });
    }

    #[track_caller]
    fn wait_for_stale(&self, stale: bool) {
        self.daemon.wait_for(("stale", stale), |_| (self.status()["stale"] == stale).then_some(()));
    }
}

#[test]
fn what_is_not_read_well_becomes_stale_and_current_again() {
    let folder = Folder::serve(&["--max-stale", "500ms"]);
    let status = folder.status();
    assert_eq!(status["stale"], false, "{status}");
    assert_eq!(status["staleness"]["max_stale_seconds"], 0.5, "{status}");
    assert_eq!(status["staleness"]["on_stale"], "serve", "{status}");
    assert_eq!(status["staleness"]["reasons"], json!([]), "{status}");
    assert!(!folder.metric());

    folder.save("rules: [");
    folder.wait_for_stale(true);
    let status = folder.status();
    let reasons = status["staleness"]["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 1, "{status}");
    assert_eq!(reasons[0]["input"], "policy", "{status}");
    assert!(reasons[0]["why"].as_str().unwrap().contains("hold errors"), "{status}");
    let since = reasons[0]["since"].as_u64().unwrap();
    assert!(since >= status["started_at"].as_u64().unwrap(), "{status}");
    assert!(folder.metric());
    let ready = folder.daemon.get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("the policy is stale"), "{}", ready.text());
    assert_eq!(folder.daemon.get("/healthz").status, 200);

    folder.save(POLICY);
    folder.wait_for_stale(false);
    assert_eq!(folder.daemon.get("/readyz").status, 200);
    assert!(!folder.metric());

    // What is not there can't be read either.
    let policies = folder.folder.path().join("policies");
    let away = folder.folder.path().join("away");
    fs::rename(&policies, &away).unwrap();
    folder.wait_for_stale(true);
    fs::rename(&away, &policies).unwrap();
    folder.wait_for_stale(false);
}

#[test]
fn what_is_held_was_read_well() {
    let folder = Folder::serve(&["--max-stale", "100ms"]);
    folder.save(HELD);
    folder.wait_for_outcome("held");
    // An error and then a policy that is held again: the error alone makes it stale.
    folder.save("rules: [");
    folder.wait_for_stale(true);
    folder.save(HELD);
    folder.wait_for_stale(false);
    folder.wait_for_outcome("held");
    assert_eq!(folder.daemon.get("/readyz").status, 200);
}

#[test]
fn nothing_is_stale_without_a_limit() {
    let folder = Folder::serve(&[]);
    folder.save("rules: [");
    folder.wait_for_outcome("refused");
    let status = folder.status();
    assert_eq!(status["stale"], false, "{status}");
    assert_eq!(status["staleness"], Value::Null, "{status}");
    assert_eq!(folder.daemon.get("/readyz").status, 200);
    assert!(!folder.metric());
}

#[test]
fn options_that_say_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path().join("policy.yaml"), POLICY);
    for (more, says) in [
        (&["--max-stale", "0"][..], "above 0"),
        (&["--max-stale", "soon"], "whole number"),
        (&["--on-stale", "deny"], "--max-stale"),
    ] {
        let mut command = serve();
        let output = run(command.arg(folder.path()).args(["--listen", "127.0.0.1:0"]).args(more));
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{more:?}: {text}");
        assert!(text.contains(says), "{more:?}: {text}");
    }
}

/// Requests that decide or list: the path, the body of a POST, and the place of the mark in the answer.
const QUESTIONS: &[(&str, &str, &str)] = &[
    ("/v1/decide?subject=alice&action=start_chat&resource=bob", "", "/stale"),
    ("/v1/decide?subject=alice&action=start_chat&resource=bob&explain=true", "", "/stale"),
    ("/v1/reach?subject=alice&action=start_chat", "", "/stale"),
    ("/v1/reach?action=start_chat&resource=bob&limit=1", "", "/stale"),
    ("/v1/reach?subject=alice&action=send_message&resource_type=group", "", "/stale"),
    (
        "/access/v1/evaluation",
        r#"{"subject":{"type":"user","id":"alice"},"action":{"name":"start_chat"},"resource":{"type":"user","id":"bob"}}"#,
        "/context/stale",
    ),
    (
        "/access/v1/evaluation",
        r#"{"subject":{"type":"user","id":"alice"},"action":{"name":"start_chat"},"resource":{"type":"user","id":"bob"},"context":{"explain":true}}"#,
        "/context/stale",
    ),
    (
        "/access/v1/evaluation",
        r#"{"subject":{"type":"robot","id":"alice"},"action":{"name":"start_chat"},"resource":{"type":"user","id":"bob"}}"#,
        "/context/stale",
    ),
    (
        "/access/v1/evaluations",
        r#"{"subject":{"type":"user","id":"alice"},"action":{"name":"start_chat"},"evaluations":[{"resource":{"type":"user","id":"bob"}},{"resource":{"type":"user","id":"carol"}}]}"#,
        "/evaluations/1/context/stale",
    ),
    (
        "/access/v1/search/subject",
        r#"{"subject":{"type":"user"},"action":{"name":"start_chat"},"resource":{"type":"user","id":"bob"}}"#,
        "/context/stale",
    ),
    (
        "/access/v1/search/resource",
        r#"{"subject":{"type":"user","id":"alice"},"action":{"name":"start_chat"},"resource":{"type":"user"}}"#,
        "/context/stale",
    ),
    (
        "/access/v1/search/action",
        r#"{"subject":{"type":"user","id":"alice"},"resource":{"type":"user","id":"bob"}}"#,
        "/context/stale",
    ),
];

fn ask(daemon: &Daemon, &(path, body, _): &(&str, &str, &str)) -> Answer {
    match body {
        "" => daemon.get(path),
        body => daemon.connect().post(path, body.as_bytes()),
    }
}

const ALLOW: &str = "/v1/allow?subject=alice&action=start_chat&resource=bob";

#[test]
fn answers_say_that_they_are_stale() {
    let folder = Folder::serve(&["--max-stale", "100ms"]);
    let daemon = &folder.daemon;
    let before: Vec<Value> = QUESTIONS
        .iter()
        .map(|question| {
            let answer = ask(daemon, question);
            assert_eq!(answer.header("peerage-stale"), None, "{question:?}");
            assert!(!answer.text().contains("stale"), "{}", answer.text());
            answer.json()
        })
        .collect();
    assert_eq!(daemon.get(ALLOW).header("peerage-stale"), None);
    folder.save("rules: [");
    folder.wait_for_stale(true);
    for (question, before) in QUESTIONS.iter().zip(before) {
        let answer = ask(daemon, question);
        assert_eq!(answer.header("peerage-stale"), Some("true"), "{question:?}");
        let mut now = answer.json();
        assert_eq!(now.pointer(question.2), Some(&Value::Bool(true)), "{now}");
        unmark(&mut now);
        assert_eq!(now, before, "{question:?}");
    }
    let allow = daemon.get(ALLOW);
    assert_eq!((allow.status, allow.header("peerage-stale")), (204, Some("true")));
}

/// Takes the marks out, and a context that holds nothing else.
fn unmark(json: &mut Value) {
    match json {
        Value::Object(members) => {
            members.remove("stale");
            members.values_mut().for_each(unmark);
            members
                .retain(|name, value| name != "context" || !value.as_object().unwrap().is_empty());
        }
        Value::Array(items) => items.iter_mut().for_each(unmark),
        _ => {}
    }
}

#[test]
fn everything_stale_is_denied_on_demand() {
    let folder = Folder::serve(&["--max-stale", "100ms", "--on-stale", "deny"]);
    let daemon = &folder.daemon;
    assert_eq!(daemon.get(ALLOW).status, 204);
    folder.save("rules: [");
    folder.wait_for_stale(true);
    assert_eq!(folder.status()["staleness"]["on_stale"], "deny");
    let allow = daemon.get(ALLOW);
    assert_eq!((allow.status, allow.header("peerage-reason")), (403, Some("stale")));
    assert_eq!(allow.header("peerage-stale"), Some("true"));
    for question in QUESTIONS {
        let answer = ask(daemon, question);
        let (text, json) = (answer.text().to_owned(), answer.json());
        assert_eq!(answer.status, 200, "{text}");
        assert_eq!(json.pointer(question.2), Some(&Value::Bool(true)), "{text}");
        assert!(!text.contains(r#""decision":true"#), "{text}");
        for list in ["users", "groups", "results"] {
            assert!(
                json.get(list).is_none_or(|list| list.as_array().unwrap().is_empty()),
                "{text}"
            );
        }
        assert!(!text.contains("bob") && !text.contains("alice"), "{text}");
        if text.contains("decision") {
            assert!(text.contains(r#""reason":"stale""#) || text.contains("error"), "{text}");
        } else {
            assert!(text.contains(r#""total":0"#), "{text}");
        }
    }
    // Unknown users are denied for the same reason.
    let unknown = daemon.get("/v1/decide?subject=nobody&action=start_chat&resource=bob").json();
    assert_eq!(unknown["reason"], "stale", "{unknown}");
    let metrics = daemon.get("/metrics").text().to_owned();
    assert!(metrics.contains(r#"reason="stale""#), "{metrics}");

    folder.save(POLICY);
    folder.wait_for_stale(false);
    assert_eq!(daemon.get(ALLOW).status, 204);
}

#[test]
fn commands_on_behalf_of_users_are_denied_and_those_of_operators_are_not() {
    let policy = "preset: xmtp\nusers: { ann: {}, bob: {} }\n";
    let more = ["--dialect", "xmtp", "--max-stale", "100ms", "--on-stale", "deny"];
    let kept = Kept::with(policy, &more);
    let write = |command: &Value| kept.send(&json!([command]));
    let create = json!({ "op": "put_group", "group": "g1", "as": "ann", "creator": "ann" });
    assert_eq!(write(&create).status, 200);
    assert_eq!(kept.reload("users: [").status, 409);
    kept.daemon.wait_for("stale", |daemon| {
        (daemon.get("/v1/status").json()["stale"] == true).then_some(())
    });
    let refused =
        write(&json!({ "op": "add_member", "group": "g1", "member": "bob", "as": "ann" }));
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(refused.json()["outcomes"][0]["reason"], "stale", "{}", refused.text());
    assert_eq!(write(&json!({ "op": "ban", "user": "bob" })).status, 200);
    let mut client = kept.daemon.connect();
    let path = "/xmtp/groups/g1/leaveGroup";
    let carried = client.ask("POST", path, &authorization(), br#"{"caller":"ann"}"#);
    assert_eq!(carried.status, 403, "{}", carried.text());
    assert_eq!(carried.header("peerage-stale"), Some("true"));
}
