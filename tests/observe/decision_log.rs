//! The decision log: a line for each decision of any API.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::daemon::{Daemon, club, run, serve, stores};

/// A daemon with a decision log.
pub(crate) struct Logged {
    pub(crate) daemon: Daemon,
    folder: TempDir,
}

impl Logged {
    pub(crate) fn start(policy: &Path, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("decisions.ndjson");
        let mut command = serve();
        command.arg(policy).args(["--listen", "127.0.0.1:0", "--decision-log"]).arg(log);
        Self { daemon: Daemon::start(command.args(options)), folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("decisions.ndjson")
    }

    /// The lines of the log, once there are so many.
    #[track_caller]
    pub(crate) fn lines(&self, count: usize) -> Vec<Value> {
        self.daemon.wait_for(format!("{count} lines"), |_| {
            let text = fs::read_to_string(self.path()).unwrap_or_default();
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let lines: Vec<Value> =
                whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            (lines.len() >= count).then_some(lines)
        })
    }
}

/// The members of a line that differ from run to run, checked and taken away.
#[track_caller]
fn stable(line: &Value, revision: &str) -> Value {
    let mut line = line.clone();
    let members = line.as_object_mut().unwrap();
    let time = members.shift_remove("time").unwrap();
    assert!(time.as_str().is_some_and(|it| it.len() == 24 && it.ends_with('Z')), "{time}");
    assert!(members.shift_remove("took_us").unwrap().is_u64());
    assert_eq!(members.shift_remove("revision").unwrap(), revision);
    assert!(members.shift_remove("request_id").unwrap().as_str().is_some_and(|id| !id.is_empty()));
    line
}

#[test]
fn decisions_of_every_api_have_a_line() {
    let logged = Logged::start(&stores(), &["--dialect", "xmtp"]);
    let daemon = &logged.daemon;
    let answer = daemon.get("/v1/decide?subject=3&action=start_chat&resource=2");
    let revision = answer.revision().to_owned();
    let explained = "/v1/decide?subject=3&action=start_chat&resource=4&explain=true";
    assert_eq!(daemon.get(explained).status, 200);
    assert_eq!(daemon.get("/v1/allow?subject=3&action=start_chat&resource=2").status, 204);
    let evaluation = r#"{"subject":{"type":"user","id":"3","properties":{"tags":["Berlin","Munich"]}},
        "action":{"name":"send_message"},"resource":{"type":"user","id":"4"},"context":{"conversation":"existing"}}"#;
    assert_eq!(daemon.evaluate(evaluation).status, 200);
    let batch = r#"{"action":{"name":"start_chat"},"resource":{"type":"user","id":"2"},
        "evaluations":[{"subject":{"type":"user","id":"3"}},{"subject":{"type":"robot","id":"7"}},{}]}"#;
    let answer = daemon.connect().post("/access/v1/evaluations", batch.as_bytes());
    assert_eq!(answer.json()["evaluations"].as_array().unwrap().len(), 3);
    let lines = logged.lines(6);
    let lines: Vec<Value> = lines.iter().map(|line| stable(line, &revision)).collect();
    let pair = |via: &str, resource: &str, decision: bool, reason: &str| {
        json!({
            "via": via, "subject": "3", "action": "start_chat", "resource": resource,
            "decision": decision, "reason": reason,
        })
    };
    assert_eq!(lines[0], pair("native", "2", true, "allowed"));
    assert_eq!(lines[1], pair("native", "4", false, "no_rule"));
    assert_eq!(lines[2], pair("allow", "2", true, "allowed"));
    let subject =
        json!({ "type": "user", "id": "3", "properties": { "tags": ["Berlin", "Munich"] } });
    let expected = json!({
        "via": "authzen", "subject": subject, "action": "send_message", "resource": "4",
        "context": { "conversation": "existing" }, "decision": true, "reason": "allowed",
    });
    assert_eq!(lines[3], expected);
    assert_eq!(lines[4], pair("authzen", "2", true, "allowed"));
    let expected = json!({
        "via": "authzen", "unresolved": true, "subject": "", "action": "start_chat",
        "resource": "2", "decision": false, "reason": "unknown_subject",
    });
    assert_eq!(lines[5], expected);
    // What could not be decided has none, and lists are no decisions.
    daemon.get("/v1/decide?subject=3&action=wave&resource=2");
    daemon.get("/v1/reach?subject=3&action=start_chat");
    daemon.get("/v1/decide?subject=3&action=start_chat&resource=2");
    assert_eq!(logged.lines(7).len(), 7);
    let mode = fs::metadata(logged.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let metrics = daemon.get("/metrics");
    assert!(metrics.text().contains("peerage_log_dropped_total{log=\"decision\"} 0\n"));
}

#[test]
fn a_dialects_decisions_have_lines() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    let text = "users: { ann: {}, bob: {} }\ngroups: { g: { creator: ann, members: [bob] } }\n";
    fs::write(&policy, text).unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "admin-token-0123456789\n").unwrap();
    let store = folder.path().join("store.redb");
    let options = ["--dialect", "xmtp", "--store", store.to_str().unwrap(), "--admin-token-file"];
    let logged = Logged::start(&policy, &[&options[..], &[token.to_str().unwrap()]].concat());
    let headers = "Authorization: Bearer admin-token-0123456789\r\nContent-Type: application/json\r\n\
        X-Request-Id: from-the-caller\r\n";
    let body = br#"{"caller":"ann"}"#;
    logged.daemon.connect().ask("POST", "/xmtp/groups/g/leaveGroup", headers, body);
    let line = logged.lines(1).remove(0);
    assert_eq!(line["via"], "dialect:xmtp", "{line}");
    assert_eq!(line["request_id"], "from-the-caller");
    assert_eq!((&line["subject"], &line["action"]), (&json!("ann"), &json!("leave")));
    assert_eq!(
        (&line["decision"], &line["reason"]),
        (&json!(false), &json!("super_admin_protected"))
    );
    let metrics = logged.daemon.get("/metrics");
    let counted = r#"peerage_decisions_total{action="leave",decision="deny",reason="super_admin_protected"} 1"#;
    assert!(metrics.text().lines().any(|line| line == counted), "{}", metrics.text());
}

/// A response names the line of its decision.
#[test]
fn a_request_without_an_id_gets_one() {
    let logged = Logged::start(&stores(), &[]);
    let path = "/v1/decide?subject=3&action=start_chat&resource=2";
    let ids = [logged.daemon.get(path), logged.daemon.get(path)]
        .map(|answer| answer.header("x-request-id").unwrap().to_owned());
    let lines = logged.lines(2);
    assert_eq!([&lines[0]["request_id"], &lines[1]["request_id"]], [&ids[0], &ids[1]]);
    assert_ne!(ids[0], ids[1]);
    // Without a decision log there is nothing to find by it.
    assert_eq!(Daemon::serve(stores()).get(path).header("x-request-id"), None);
}

#[test]
fn a_part_of_the_decisions_is_logged() {
    let logged = Logged::start(&stores(), &["--decision-log-only", "denied"]);
    for resource in ["2", "4", "2"] {
        logged.daemon.get(&format!("/v1/decide?subject=3&action=start_chat&resource={resource}"));
    }
    let lines = logged.lines(1);
    assert_eq!((lines.len(), &lines[0]["resource"]), (1, &json!("4")));

    let logged = Logged::start(&stores(), &["--decision-log-only", "25%"]);
    let mut client = logged.daemon.connect();
    for _ in 0..2_000 {
        client.get("/v1/decide?subject=3&action=start_chat&resource=2");
    }
    let path = logged.path();
    drop(client);
    logged.daemon.signal("TERM");
    assert!(logged.daemon.ended().status.success());
    let count = fs::read_to_string(path).unwrap().lines().count();
    // Ten standard deviations.
    assert!((300..=700).contains(&count), "{count}");
    for (only, message) in [("some", "expected all, denied, or a share"), ("2", "share")] {
        let mut command = serve();
        command.arg(stores()).args(["--decision-log", "-", "--decision-log-only", only]);
        let output = run(&mut command);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(message), "{errors}");
    }
}

#[test]
fn ids_are_hashed_the_same_after_a_restart() {
    let ids = || {
        let logged = Logged::start(&club(), &["--decision-log-ids", "hashed"]);
        logged.daemon.get("/v1/decide?subject=ann&action=start_chat&resource=bob");
        let line = logged.lines(1).remove(0);
        assert_eq!(line["ids"], "hashed");
        assert!(!line.to_string().contains("ann"), "{line}");
        [line["subject"].as_str().unwrap().to_owned(), line["resource"].to_string()]
    };
    let first = ids();
    assert_eq!(first, ids());
    assert_ne!(first[0], first[1]);
    // printf ann | sha256sum | head -c 32
    assert_eq!(first[0], "sha256:49915e0d7d4b402e3017d010bc1c0e83");
}

/// The file is moved by a rotation, with a signal and without: no line is lost.
#[test]
fn a_log_is_rotated() {
    let logged = Logged::start(&stores(), &[]);
    let path = "/v1/decide?subject=3&action=start_chat&resource=2";
    let mut client = logged.daemon.connect();
    let moved = logged.folder.path().join("decisions.ndjson.1");
    client.get(path);
    logged.lines(1);
    fs::rename(logged.path(), &moved).unwrap();
    logged.daemon.signal("HUP");
    logged.daemon.wait_for("a new file", |_| logged.path().exists().then_some(()));
    client.get(path);
    assert_eq!(logged.lines(1).len(), 1);
    fs::rename(logged.path(), &moved).unwrap();
    let mut count = 0;
    logged.daemon.wait_for("a new file", |_| {
        client.get(path);
        count += 1;
        logged.path().exists().then_some(())
    });
    let moved_lines = fs::read_to_string(&moved).unwrap().lines().count();
    assert_eq!(logged.lines(count + 1 - moved_lines).len() + moved_lines, count + 1);
}

/// Nobody reads the pipe: decisions go on, and lines are dropped and counted.
#[test]
fn a_reader_that_stalls_delays_no_decision() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = fs::File::options().read(true).write(true).open(&pipe).unwrap();
    let mut command = serve();
    command.arg(stores()).args(["--listen", "127.0.0.1:0", "--decision-log"]).arg(&pipe);
    let daemon = Daemon::start(&mut command);
    // A batch of 1000 has 200 KB of lines, and 16 MiB may wait.
    let item = r#"{"subject":{"type":"user","id":"3"}}"#;
    let items = [item; 1000].join(",");
    let batch = format!(
        r#"{{"action":{{"name":"start_chat"}},"resource":{{"type":"user","id":"2"}},"evaluations":[{items}]}}"#
    );
    let mut client = daemon.connect();
    let dropped = || {
        let metrics = daemon.get("/metrics");
        let name = "peerage_log_dropped_total{log=\"decision\"} ";
        let count = metrics.text().lines().find_map(|line| line.strip_prefix(name)).unwrap();
        count.parse::<u64>().unwrap()
    };
    for _ in 0..300 {
        assert_eq!(client.post("/access/v1/evaluations", batch.as_bytes()).status, 200);
        if dropped() > 0 {
            drop(reader);
            return;
        }
    }
    panic!("no line was dropped");
}
