//! The history of commands: what it tells, how it is read and kept, exported and imported.

use std::{fs, thread, time::Duration};

use serde_json::{Value, json};

use super::{Kept, POLICY, authorization};
use crate::support::client::Answer;

/// The entries of a query, without ids, times and revisions.
#[track_caller]
fn told(kept: &Kept, query: &str) -> Vec<Value> {
    let page = kept.reported(&format!("/v1/facts/history?{query}"));
    assert_eq!(page["next"], "", "{page}");
    let mut entries = page["entries"].as_array().unwrap().clone();
    for entry in &mut entries {
        let entry = entry.as_object_mut().unwrap();
        for name in ["id", "time", "revision"] {
            assert!(entry.remove(name).is_some(), "{name}: {entry:?}");
        }
    }
    entries
}

/// One entry for each command that took effect, with what it was about, the newest first.
#[test]
fn each_command_that_took_effect_is_told_once() {
    let kept = Kept::start();
    let before = kept.reported("/v1/facts/history");
    assert_eq!(before, json!({ "revision": 0, "entries": [], "next": "" }));
    let by = |user: &str| json!({ "op": "ban", "user": "bob", "as": user });
    let admin = json!("admin-token");
    // What is done, and what is told of it, or nothing.
    let cases = [
        (
            json!({ "op": "put_user", "user": "dan", "tags": ["a"], "attributes": { "name": "D" } }),
            Some(json!({ "op": "put_user", "by": admin, "user": "dan", "tags": ["a"] })),
        ),
        (
            json!({ "op": "silence", "user": "dan", "as": "cyd" }),
            Some(json!({ "op": "silence", "by": "cyd", "user": "dan" })),
        ),
        (by("cyd"), Some(json!({ "op": "ban", "by": "cyd", "user": "bob" }))),
        // Nothing changes.
        (by("cyd"), None),
        (
            json!({ "op": "block", "from": "ann", "to": "bob" }),
            Some(json!({ "op": "block", "by": admin, "from": "ann", "to": "bob" })),
        ),
        (
            json!({ "op": "relate", "kind": "pair", "from": "ann", "to": "cyd" }),
            Some(
                json!({ "op": "relate", "by": admin, "from": "ann", "to": "cyd", "kind": "pair" }),
            ),
        ),
        (
            json!({ "op": "add_member", "group": "club", "member": "dan" }),
            Some(json!({ "op": "add_member", "by": admin, "group": "club", "member": "dan" })),
        ),
        (
            json!({ "op": "update_metadata", "group": "club", "field": "name", "value": "x" }),
            Some(json!({ "op": "update_metadata", "by": admin, "group": "club", "field": "name" })),
        ),
        (
            json!({ "op": "open_conversation", "users": ["dan", "cyd"] }),
            Some(json!({ "op": "open_conversation", "by": admin, "users": ["dan", "cyd"] })),
        ),
        (
            json!({ "op": "add_friend_list", "user": "dan", "list": "work" }),
            Some(json!({ "op": "add_friend_list", "by": admin, "user": "dan", "list": "work" })),
        ),
        (
            json!({ "op": "put_rule", "rule_id": "00000000-0000-4000-8000-000000000007",
                 "condition": "hasTag(a)", "outcome": ["b"], "description": "d", "name": "n" }),
            Some(json!({ "op": "put_rule", "by": admin, "name": "n",
                      "rule_id": "00000000-0000-4000-8000-000000000007" })),
        ),
    ];
    let mut expected = Vec::new();
    for (command, entry) in &cases {
        kept.done(&json!([command]));
        expected.splice(0..0, entry.clone());
        assert_eq!(told(&kept, ""), expected, "{command}");
    }
    // A batch is told in its order, and a rule with the id that it got.
    let revision = kept.done(&json!([
        { "op": "put_rule", "condition": "hasTag(b)", "outcome": ["a"] },
        { "op": "reactivate", "user": "bob" },
        { "op": "ban", "user": "bob" },
    ]));
    let page = kept.reported("/v1/facts/history?limit=3");
    let of = |at: usize, name: &str| page["entries"][at][name].clone();
    assert_eq!([0, 1, 2].map(|at| of(at, "op")), ["ban", "reactivate", "put_rule"]);
    let rule = kept.reported("/v1/facts/rules")["rules"][0]["rule_id"].clone();
    let ids = kept.reported("/v1/facts/rules").to_string();
    assert!(ids.contains(of(2, "rule_id").as_str().unwrap()), "{rule} {ids}");
    for at in 0..3 {
        assert_eq!(of(at, "revision"), revision);
        assert_eq!(of(at, "time"), of(0, "time"), "it is one commit");
        assert!(of(at, "time").as_str().unwrap().ends_with('Z'));
    }
    assert_eq!(page["revision"], revision);
    assert_eq!(page["next"], of(2, "id"));
}

/// Neither what was refused is told, nor what was in a batch with it, nor what was malformed.
#[test]
fn what_took_no_effect_is_not_told() {
    let kept = Kept::start();
    for (commands, status) in [
        (json!([{ "op": "ban", "user": "bob" }, { "op": "ban", "user": "nobody" }]), 409),
        (json!([{ "op": "ban", "user": "bob", "as": "ann" }]), 409),
        (json!([{ "op": "ban", "user": 7 }]), 400),
        (json!([{ "op": "reactivate", "user": "bob" }]), 200),
        (json!([]), 200),
    ] {
        assert_eq!(kept.send(&commands).status, status, "{commands}");
    }
    assert_eq!(told(&kept, ""), [Value::Null; 0]);
}

/// A batch that is sent again under its key is told once.
#[test]
fn a_batch_that_is_sent_again_is_told_once() {
    let kept = Kept::start();
    let body = json!({ "commands": [{ "op": "ban", "user": "bob" }] });
    for _ in 0..3 {
        assert_eq!(kept.post(&body, "Idempotency-Key: once\r\n").status, 200);
    }
    assert_eq!(told(&kept, "").len(), 1);
    let kept = kept.restarted();
    assert_eq!(kept.post(&body, "Idempotency-Key: once\r\n").status, 200);
    assert_eq!(told(&kept, "").len(), 1);
}

/// Those of a user, a group and an author, from a time on, page by page.
#[test]
fn it_is_read_by_user_group_and_author() {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "put_user", "user": "dan" },
        { "op": "block", "from": "ann", "to": "dan" },
        { "op": "add_member", "group": "club", "member": "dan" },
        { "op": "ban", "user": "ann", "as": "cyd" },
        { "op": "put_group", "group": "dan", "creator": "bob" },
    ]));
    for (query, expected) in [
        ("user=dan", &["add_member", "block", "put_user"][..]),
        ("user=ann", &["ban", "block"]),
        // The acting user is who did it, not whom it concerns.
        ("user=cyd", &[]),
        ("user=da", &[]),
        ("group=dan", &["put_group"]),
        ("group=club", &["add_member"]),
        ("by=cyd", &["ban"]),
        ("by=admin-token", &["put_group", "add_member", "block", "put_user"]),
        ("by=nobody", &[]),
        ("since=2020-01-01T00:00:00Z&group=club", &["add_member"]),
        ("since=2020-01-01T00:00:00%2B01:00&group=club", &["add_member"]),
        ("since=9999-01-01T00:00:00Z", &[]),
    ] {
        let found: Vec<Value> = told(&kept, query).iter().map(|it| it["op"].clone()).collect();
        assert_eq!(json!(found), json!(expected), "{query}");
    }
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = kept.reported(&format!("/v1/facts/history?limit=2&user=dan&after={after}"));
        found.extend(page["entries"].as_array().unwrap().iter().map(|it| it["op"].clone()));
        after = page["next"].as_str().unwrap().to_owned();
        if after.is_empty() {
            break;
        }
        assert_eq!(after, page["entries"][1]["id"].as_str().unwrap());
    }
    assert_eq!(json!(found), json!(["add_member", "block", "put_user"]));

    for (query, at, problem) in [
        ("user=ann&by=cyd", "by", "`user` and `by` can't be combined"),
        ("user=ann&group=g", "group", "`user` and `group` can't be combined"),
        ("since=yesterday", "since", "expected a time as RFC 3339 writes it"),
        ("since=2026-01-01T00:00:00", "since", "the time says no zone"),
        ("limit=0", "limit", "expected a whole number from 1 to 10000"),
        ("limit=10001", "limit", "expected a whole number from 1 to 10000"),
        ("after=x", "after", "expected the `next` of the page before"),
        ("users=ann", "query", "unknown parameter `users`"),
    ] {
        let answer = kept.read(&format!("/v1/facts/history?{query}"));
        let error = answer.json()["error"].clone();
        assert_eq!((answer.status, &error["at"]), (400, &json!(at)), "{query} {error}");
        assert!(error["message"].as_str().unwrap().starts_with(problem), "{query} {error}");
    }
}

/// Only the newest of the time for which it is kept are told; with none kept, none are written, and those
/// that were are removed.
#[test]
fn it_is_kept_for_a_time() {
    let kept = Kept::with(POLICY, &["--history", "2s"]);
    kept.done(&json!([{ "op": "ban", "user": "ann" }]));
    assert_eq!(told(&kept, "").len(), 1);
    let begun = std::time::Instant::now();
    while !told(&kept, "").is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it stays");
        thread::sleep(Duration::from_millis(50));
    }
    kept.done(&json!([{ "op": "ban", "user": "bob" }]));
    assert_eq!(told(&kept, "user=ann"), [Value::Null; 0]);
    assert_eq!(told(&kept, "user=bob").len(), 1);
    // The entry itself is removed a little later, though nothing is written.
    kept.daemon.wait_for("the removal", |_| (!history_lines(&kept).contains("ann")).then_some(()));

    for off in ["off", "0"] {
        let kept = Kept::with(POLICY, &["--history", off]);
        kept.done(&json!([{ "op": "ban", "user": "ann" }]));
        assert_eq!(told(&kept, ""), [Value::Null; 0], "{off}");
        assert_eq!(history_lines(&kept), "");
    }
}

/// The lines of the history in an export.
fn history_lines(kept: &Kept) -> String {
    let lines = kept.export();
    let lines = lines.lines().filter(|line| line.starts_with("{\"history\":"));
    lines.map(|line| line.to_owned() + "\n").collect()
}

/// An export has the entries; an import writes those that it was given, and tells of nothing else.
#[test]
fn it_is_exported_and_imported() {
    let kept = Kept::start();
    kept.done(
        &json!([{ "op": "put_user", "user": "dan" }, { "op": "ban", "user": "dan", "as": "cyd" }]),
    );
    kept.done(&json!([{ "op": "ban", "user": "ann" }]));
    let lines = history_lines(&kept);
    assert_eq!(lines.lines().count(), 3, "{lines}");
    let file = kept.path("facts.ndjson");
    fs::write(&file, kept.export()).unwrap();

    // A store that no daemon has open.
    let other = Kept::start();
    let store = other.path("new.redb");
    let import = |file: &std::path::Path| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_peerage"));
        command.args(["facts", "import"]).arg(file).arg("--store").arg(&store);
        crate::support::daemon::run(&mut command)
    };
    for _ in 0..2 {
        assert_eq!(import(&file).status.code(), Some(0));
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_peerage"));
        command.args(["facts", "export", "--store"]).arg(&store);
        let text = crate::support::daemon::run(&mut command).stdout;
        let text = String::from_utf8(text).unwrap();
        let found = text.lines().filter(|line| line.starts_with("{\"history\":"));
        assert_eq!(found.map(|line| line.to_owned() + "\n").collect::<String>(), lines);
    }

    // A running daemon: what the import does is told besides, by those who did it.
    other.ran(&["facts", "import", file.to_str().unwrap()], "--to", 0);
    assert!(history_lines(&other).ends_with(&lines), "{}", history_lines(&other));
    let imported: Vec<Value> =
        told(&other, "by=cyd").into_iter().filter(|entry| entry["imported"] == true).collect();
    assert_eq!(imported, [json!({ "op": "ban", "by": "cyd", "user": "dan", "imported": true })]);
    let page = other.reported("/v1/facts/history?by=cyd");
    assert_eq!(page["entries"][0]["revision"], 1, "of the daemon where it was done");

    for (line, problem) in [
        (json!({ "history": "x", "record": { "op": "ban", "by": "x" } }), "`history`: the id of"),
        (json!({ "history": ID, "record": { "op": "ban" } }), "invalid record"),
        (json!({ "history": ID, "record": { "op": "", "by": "x" } }), "`op` is empty"),
        (
            json!({ "history": ID, "record": { "op": "ban", "by": "x", "more": 1 } }),
            "invalid record",
        ),
        (json!({ "history": ID, "record": { "op": "x", "by": "x", "user": "a\u{0}b" } }), ""),
        (
            json!({ "history": ID, "record": { "op": "x", "by": "x", "users": ["a", "b", "c"] } }),
            "it names more than two users",
        ),
        (
            json!({ "history": ID, "more": 1, "record": { "op": "x", "by": "x" } }),
            "unknown member `more`",
        ),
    ] {
        let wrong = kept.path("wrong.ndjson");
        fs::write(&wrong, line.to_string()).unwrap();
        let output = import(&wrong);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{line} {errors}");
        assert!(errors.contains(problem), "{line} {errors}");
        let sent = kept.post(&json!({ "commands": [], "history": [line] }), "");
        assert_eq!(
            (sent.status, &sent.json()["error"]["at"]),
            (400, &json!("history[0]")),
            "{line}"
        );
    }
}

const ID: &str = "0123456789ab0123456789abcdef";

/// A backup has the history.
#[test]
fn it_is_in_backups() {
    let kept = Kept::start();
    kept.done(&json!([{ "op": "ban", "user": "ann" }]));
    let lines = history_lines(&kept);
    let copy = kept.path("copy.redb");
    kept.ran(&["store", "backup", "--to", copy.to_str().unwrap()], "--from", 0);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_peerage"));
    let exported =
        crate::support::daemon::run(command.args(["facts", "export", "--store"]).arg(&copy));
    let text = String::from_utf8(exported.stdout).unwrap();
    assert!(text.ends_with(&lines), "{text}");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_peerage"));
    let checked = crate::support::daemon::run(command.args(["store", "check"]).arg(&copy));
    let text = String::from_utf8(checked.stdout).unwrap();
    assert!(text.contains("history 1,"), "{text}");
}

/// It is there after a `kill -9`, and goes on.
#[test]
fn it_survives_a_restart() {
    let kept = Kept::start();
    kept.done(&json!([{ "op": "ban", "user": "ann" }]));
    let before = kept.reported("/v1/facts/history");
    let kept = kept.restarted();
    assert_eq!(kept.reported("/v1/facts/history")["entries"], before["entries"]);
    kept.done(&json!([{ "op": "ban", "user": "bob" }]));
    assert_eq!(told(&kept, "").len(), 2);
}

/// Why something was done and until when is told, and that it has ended, of whatever can end.
#[test]
fn reasons_and_ends_are_told() {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "ban", "user": "bob", "as": "cyd", "reason": "sp\"am", "until": "2999-01-01T00:00:00+01:00" },
    ]));
    let until = "2998-12-31T23:00:00Z";
    let expected = json!({
        "op": "ban", "by": "cyd", "user": "bob", "reason": "sp\"am", "until": until, "ended": false,
    });
    assert_eq!(told(&kept, ""), [expected]);
    let (text, _) = kept.ran(&["facts", "history"], "--from", 0);
    assert!(text.ends_with(&format!(" ban user bob by cyd: sp\\\"am; until {until}\n")), "{text}");
    assert!(history_lines(&kept).contains(r#""until":32472140400000"#), "{}", history_lines(&kept));

    for command in [
        json!({ "op": "block", "from": "ann", "to": "bob" }),
        json!({ "op": "relate", "kind": "contact", "from": "ann", "to": "cyd" }),
        json!({ "op": "silence", "user": "ann" }),
    ] {
        let mut command = command;
        command["for"] = json!(1);
        command["reason"] = json!("why");
        kept.done(&json!([command]));
        let last = || kept.reported("/v1/facts/history?limit=1")["entries"][0].clone();
        let told = last();
        assert_eq!((&told["op"], &told["reason"]), (&command["op"], &json!("why")), "{told}");
        let [time, until] = ["time", "until"].map(|name| {
            let text = told[name].as_str().unwrap();
            text.parse::<peerage::request::Moment>().unwrap().millis()
        });
        assert_eq!(until, time + 1000, "{told}");
        kept.daemon.wait_for("the end", |_| (last()["ended"] == true).then_some(()));
    }
    let (text, _) = kept.ran(&["facts", "history", "--limit", "1"], "--from", 0);
    assert!(text.ends_with(", ended\n"), "{text}");
    assert_eq!(
        kept.send(&json!([{ "op": "ban", "user": "ann", "for": 1, "until": until }])).status,
        400
    );
    assert_eq!(kept.reported("/v1/facts/history")["entries"].as_array().unwrap().len(), 4);
}

/// A daemon without a store has none.
#[test]
fn it_needs_a_store() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.yaml"), POLICY).unwrap();
    fs::write(folder.path().join("token"), super::TOKEN).unwrap();
    let mut command = crate::support::daemon::serve();
    command.arg(folder.path().join("policy.yaml")).args(["--listen", "127.0.0.1:0"]);
    command.arg("--admin-token-file").arg(folder.path().join("token"));
    let daemon = crate::support::daemon::Daemon::start(&mut command);
    let ask = |headers: &str| -> Answer {
        daemon.connect().ask("GET", "/v1/facts/history", headers, b"")
    };
    assert_eq!(ask(&authorization()).status, 403);
    assert_eq!(ask("").status, 401);
}

/// The command shows what the daemon tells.
#[test]
fn the_command_shows_it() {
    let kept = Kept::start();
    kept.done(&json!([
        { "op": "put_user", "user": "d d", "tags": ["a", "b"] },
        { "op": "ban", "user": "d d", "as": "cyd" },
        { "op": "open_conversation", "users": ["ann", "cyd"] },
    ]));
    let (text, _) = kept.ran(&["facts", "history"], "--from", 0);
    let lines: Vec<&str> = text.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(
        lines,
        [
            "open_conversation users ann,cyd by admin-token",
            "ban user d d by cyd",
            "put_user user d d tags a,b by admin-token",
        ]
    );
    let (text, notes) =
        kept.ran(&["facts", "history", "--user", "d d", "--limit", "1"], "--from", 0);
    assert!(text.ends_with(" ban user d d by cyd\n"), "{text}");
    let next = notes.trim().strip_prefix("there are older entries: --after ").unwrap().to_owned();
    let (text, notes) =
        kept.ran(&["facts", "history", "--user", "d d", "--after", &next], "--from", 0);
    assert!(text.ends_with(" put_user user d d tags a,b by admin-token\n"), "{text}");
    assert_eq!((text.lines().count(), notes.as_str()), (1, ""));
    let (text, _) = kept.ran(&["facts", "history", "--by", "cyd", "--format", "json"], "--from", 0);
    let page: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(page, kept.reported("/v1/facts/history?by=cyd"));
    let since = ["facts", "history", "--since", "9999-01-01T00:00:00Z"];
    assert_eq!(kept.ran(&since, "--from", 0).0, "");
    kept.ran(&["facts", "history", "--user", "a", "--by", "b"], "--from", 2);
}
