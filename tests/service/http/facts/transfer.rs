//! Export, import and backup, of closed stores and of running daemons.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Output},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::{Value, json};

use super::{Kept, POLICY};
use crate::support::daemon::run;

fn peerage(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    command.args(arguments);
    command
}

#[track_caller]
fn ran(command: &mut Command, code: i32) -> (String, String) {
    let Output { status, stdout, stderr } = run(command);
    let (out, errors) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert_eq!(status.code(), Some(code), "{command:?} {out} {errors}");
    (out, errors)
}

impl Kept {
    fn url(&self) -> String {
        format!("http://{}", self.daemon.address())
    }

    /// Runs a command on this daemon, which it names by `flag`.
    #[track_caller]
    pub(super) fn ran(&self, arguments: &[&str], flag: &str, code: i32) -> (String, String) {
        let mut command = peerage(arguments);
        command.args([flag, &self.url(), "--admin-token-file"]).arg(self.path("token"));
        ran(&mut command, code)
    }

    pub(super) fn export(&self) -> String {
        self.ran(&["facts", "export"], "--from", 0).0
    }
}

/// The lines of records: without the first, which has the revision, and those of the history.
pub(super) fn records(export: &str) -> Vec<&str> {
    let mut lines = export.lines();
    let header: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(header["peerage_facts"], 1);
    assert!(header["revision"].is_u64());
    lines.filter(|line| !line.starts_with("{\"history\":")).collect()
}

fn busy() -> Kept {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "put_user", "user": "dan", "tags": ["a"], "attributes": { "name": "Dän" }, "peers": 0 },
        { "op": "put_user", "user": "e\"v/e", "permissions": { "outgoing": "not(hasTag(a))" } },
        { "op": "add_friend_list", "user": "dan", "list": "work" },
        { "op": "add_friend", "from": "dan", "to": "ann", "lists": ["work"], "custom": { "k": "1" } },
        { "op": "put_user", "user": "bob", "approval": "need_confirm", "accepts": { "start_chat": "friends" } },
        { "op": "request_friend", "from": "dan", "to": "bob", "wording": "hi" },
        { "op": "block", "from": "ann", "to": "e\"v/e" },
        { "op": "relate", "kind": "favorite", "from": "ann", "to": "bob" },
        { "op": "put_group", "group": "g", "matrix": "team", "creator": "dan", "members": ["ann"],
          "muted": ["ann"], "banned": { "bob": 7 }, "requires": "not(hasTag(b))" },
        { "op": "add_member", "group": "g", "member": "cyd", "as": "dan" },
        { "op": "update_permissions", "group": "g", "permission": "update_metadata.x", "value": "allow" },
        { "op": "update_metadata", "group": "g", "field": "x", "value": { "y": null } },
        { "op": "open_conversation", "users": ["dan", "bob"] },
        { "op": "put_rule", "name": "mine", "condition": "all( hasTag(a) )", "outcome": ["b"] },
        { "op": "ban", "user": "dan" },
    ]));
    let answer = kept.post(&json!({ "commands": [] }), "Idempotency-Key: x\r\n");
    assert_eq!(answer.status, 200);
    kept
}

#[test]
fn an_export_into_a_new_store_exports_the_same() {
    let kept = busy();
    let export = kept.export();
    assert_eq!(records(&export).len(), 7, "{export}");
    let (lines, store) = (kept.path("facts.ndjson"), kept.path("new.redb"));
    fs::write(&lines, &export).unwrap();
    let import =
        |code| ran(peerage(&["facts", "import"]).arg(&lines).arg("--store").arg(&store), code).0;
    let all = format!("imported {} lines\n", export.lines().count() - 1);
    assert_eq!(import(0), all);
    let again = || ran(peerage(&["facts", "export", "--store"]).arg(&store), 0).0;
    assert_eq!(records(&again()), records(&export));
    // Once more: it is the same.
    import(0);
    assert_eq!(records(&again()), records(&export));

    // A daemon on it tells the same as the first one.
    let paths = [
        "/v1/facts/users",
        "/v1/facts/users/dan",
        "/v1/facts/users/bob",
        "/v1/facts/groups/g",
        "/v1/facts/rules",
        "/v1/facts/conversations",
    ];
    let reported = |kept: &Kept| {
        paths.map(|path| {
            let mut reported = kept.reported(path);
            reported.as_object_mut().unwrap().remove("revision");
            reported.as_object_mut().unwrap().remove("stated_by");
            reported["rules"] = Value::Null;
            reported
        })
    };
    let other = tempfile::tempdir().unwrap();
    fs::copy(&store, other.path().join("facts.redb")).unwrap();
    let second = on(other);
    assert_eq!(reported(&second), reported(&kept));

    let new = kept.path("exported");
    let (out, _) = kept.ran(&["facts", "export", "--output", new.to_str().unwrap()], "--from", 0);
    assert_eq!((out.as_str(), fs::read_to_string(&new).unwrap()), ("", kept.export()));
    kept.ran(&["facts", "export", "--output", new.to_str().unwrap()], "--from", 2);
}

/// A daemon on what is in a folder already.
fn on(folder: tempfile::TempDir) -> Kept {
    fs::write(folder.path().join("policy.yaml"), POLICY).unwrap();
    fs::write(folder.path().join("token"), super::TOKEN).unwrap();
    let daemon = Kept::daemon(folder.path(), &[]);
    Kept { folder, daemon, more: Vec::new() }
}

#[test]
fn an_export_into_a_running_daemon_exports_the_same() {
    let kept = busy();
    let export = kept.export();
    let fresh = Kept::start();
    let lines = fresh.path("facts.ndjson");
    fs::write(&lines, &export).unwrap();
    let import = ["facts", "import", lines.to_str().unwrap(), "--key", "k"];
    let all = format!("imported {} lines\n", export.lines().count() - 1);
    assert_eq!(fresh.ran(&import, "--to", 0).0, all);
    // Users of the file are the API's too by then.
    let without = |text: &str| -> Vec<Value> {
        let mut lines: Vec<Value> =
            records(text).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        for line in &mut lines {
            line["record"].as_object_mut().unwrap().remove("created");
        }
        lines
    };
    assert_eq!(without(&fresh.export()), without(&export));
    // Under the same key, nothing is done again.
    let revision = fresh.reported("/v1/facts")["revision"].clone();
    assert_eq!(fresh.ran(&import, "--to", 0).0, all);
    assert_eq!(fresh.reported("/v1/facts")["revision"], revision);
    assert_eq!(fresh.reason("dan sign_in"), "banned");
}

#[test]
fn lines_that_cannot_be_imported_are_reported() {
    let lines = [
        r#"{"id":"u1","tags":["a"],"contacts":["u2"],"blocked":["ann"],"friends":["u2"]}"#,
        "",
        "no json",
        r#"{"id":"u2","tags":["a"],"permissions":{"outgoing":"hasTag(a)"},"peers":2}"#,
        r#"{"id":"u3","colour":"red"}"#,
        r#"{"id":"u4","permissions":{"outgoing":"hasTag("}}"#,
        r#"{"user":"u5","record":{"colour":"red"}}"#,
        r#"{"group":"","record":{}}"#,
        r#"{"rule":"00000000-0000-4000-8000-000000000001","record":{"condition":"any()","outcome":["a"]}}"#,
        "[]",
        r#"{"id":"u6","tags":["c"]}"#,
        r#"{"id":"ann","tags":["b"]}"#,
        r#"{"id":"u7","contacts":["nobody"]}"#,
    ];
    let kept = Kept::start();
    let path = kept.path("lines.ndjson");
    fs::write(&path, lines.join("\n")).unwrap();
    let reported = |errors: &str| -> Vec<usize> {
        let name = path.to_str().unwrap();
        let lines = errors.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        lines.map(|line| line.split_once(':').unwrap().0.parse().unwrap()).collect()
    };
    // Against a policy, tags, what files state, and who is there count as well.
    let (out, errors) = kept.ran(&["facts", "import", path.to_str().unwrap()], "--to", 1);
    assert_eq!(reported(&errors), [3, 5, 6, 7, 8, 9, 10, 11, 12, 13], "{errors}");
    assert!(out.starts_with("imported 2 lines; 10 lines were not"), "{out}");
    assert_eq!(kept.reported("/v1/facts/users/u1")["friends"], json!(["u2"]));
    assert_eq!(kept.reason("ann start_chat u1"), "blocked_by_resource");

    let store = kept.path("new.redb");
    let mut command = peerage(&["facts", "import"]);
    let (out, errors) = ran(command.arg(&path).arg("--store").arg(&store), 1);
    assert_eq!(reported(&errors), [3, 5, 6, 7, 8, 9, 10], "{errors}");
    assert!(out.starts_with("imported 5 lines; 7 lines were not"), "{out}");
    let mut command = peerage(&["facts", "import", "--format", "json"]);
    let (out, _) = ran(command.arg(&path).arg("--store").arg(&store), 1);
    let reported: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&reported["imported"], &reported["complete"]), (&json!(5), &json!(true)));
    assert_eq!(reported["wrong"][0]["line"], 3);
    let message = |at: usize| reported["wrong"][at]["message"].as_str().unwrap();
    let unknown = "invalid JSON: expected `true`, `false` or `null`; strings are written in double \
                   quotes (column 2)";
    assert_eq!(message(0), unknown);
    let field = message(3);
    assert!(field.starts_with("invalid record: unknown field `colour`; "), "{field}");
    assert_eq!(message(6), "expected an object, found an array (column 1)");
}

#[test]
fn many_users_are_imported() {
    let kept = Kept::start();
    let users = 2500;
    let mut lines = String::new();
    for user in 0..users {
        let other = (user + 1) % users;
        let _ =
            writeln!(lines, "{{\"id\":\"u{user}\",\"tags\":[\"a\"],\"contacts\":[\"u{other}\"]}}");
    }
    let path = kept.path("users.ndjson");
    fs::write(&path, lines).unwrap();
    let (out, _) = kept.ran(&["facts", "import", path.to_str().unwrap()], "--to", 0);
    assert_eq!(out, format!("imported {users} lines\n"));
    let counts = kept.reported("/v1/facts")["counts"].clone();
    assert_eq!(
        (&counts["users"], &counts["relations"]["contact"]),
        (&json!(users + 3), &json!(users))
    );
    let new = kept.path("exported");
    kept.ran(&["facts", "export", "--output", new.to_str().unwrap()], "--from", 0);
    assert_eq!(records(&fs::read_to_string(new).unwrap()).len(), users);
}

#[test]
fn a_backup_of_a_running_daemon_is_of_one_revision() {
    let kept = Kept::start();
    let (enough, backup) = (AtomicBool::new(false), kept.path("backup.redb"));
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = 0;
            // As many as there may be, should what goes on beside it fail.
            while written < 20 || !enough.load(Ordering::Acquire) && written < 2000 {
                // Both or none of a pair are there.
                kept.done(&json!([
                    { "op": "put_user", "user": format!("a{written}") },
                    { "op": "put_user", "user": format!("b{written}") },
                ]));
                written += 1;
            }
            written
        });
        for at in 0..5 {
            let to = kept.path(&format!("backup{at}.redb"));
            let (out, _) =
                kept.ran(&["store", "backup", "--to", to.to_str().unwrap()], "--from", 0);
            assert!(out.starts_with("ok records "), "{out}");
            is_whole(&to);
        }
        enough.store(true, Ordering::Release);
        writer.join().unwrap();
    });
    let to = backup.to_str().unwrap();
    kept.ran(&["store", "backup", "--to", to], "--from", 0);
    // Nothing is replaced.
    let (_, errors) = kept.ran(&["store", "backup", "--to", to], "--from", 2);
    assert!(errors.contains("the file exists already"), "{errors}");
    let (_, errors) = kept.ran(&["store", "backup", "--to", "/nowhere/x"], "--from", 2);
    assert!(errors.contains("/nowhere/x"), "{errors}");
    let (of_backup, of_daemon) = (kept.path("of_backup"), kept.path("of_daemon"));
    let mut export = peerage(&["facts", "export", "--store"]);
    ran(export.arg(&backup).arg("--output").arg(&of_backup), 0);
    kept.ran(&["facts", "export", "--output", of_daemon.to_str().unwrap()], "--from", 0);
    assert_eq!(fs::read_to_string(of_backup).unwrap(), fs::read_to_string(of_daemon).unwrap());
}

#[track_caller]
fn is_whole(store: &Path) {
    let checked = ran(peerage(&["store", "check", "--format", "json"]).arg(store), 0).0;
    let checked: Value = serde_json::from_str(&checked).unwrap();
    let revision = checked["revision"].as_u64().unwrap();
    assert_eq!(checked["records"]["users"], 2 * revision, "{checked}");
}

#[test]
fn what_is_no_daemon_is_reported() {
    let kept = Kept::start();
    let cases: [(&[&str], &str); 6] = [
        (&["facts", "export"], "--store"),
        (
            &["facts", "export", "--from", "ftp://localhost"],
            "expected http://HOST:PORT or https://HOST:PORT",
        ),
        (&["facts", "export", "--from", "http://127.0.0.1:1"], "can't connect"),
        (&["facts", "export", "--admin-uds", "/nowhere.sock"], "/nowhere.sock"),
        (&["facts", "export", "--from", &kept.url()], "the token is missing"),
        (&["facts", "import", "-", "--to", &kept.url()], "standard input"),
    ];
    for (arguments, said) in cases {
        let (_, errors) = ran(&mut peerage(arguments), 2);
        assert!(errors.contains(said), "{arguments:?} {errors}");
    }
}
