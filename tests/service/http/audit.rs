//! The audit trail: who changed what, and whose credentials were refused.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    http::facts::{Kept, POLICY, TOKEN, authorization},
    support::client::Client,
    support::daemon::Daemon,
};

/// A daemon with a trail, and the trail.
fn audited(more: &[&str]) -> (tempfile::TempDir, Kept) {
    let folder = tempfile::tempdir().unwrap();
    let trail = folder.path().join("audit.ndjson");
    let socket = folder.path().join("admin");
    let options = ["--audit-log", trail.to_str().unwrap(), "--admin-uds", socket.to_str().unwrap()];
    let kept = Kept::with(POLICY, &[&options[..], more].concat());
    (folder, kept)
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines of the trail, once there are so many.
#[track_caller]
fn trail(daemon: &Daemon, folder: &tempfile::TempDir, count: usize) -> Vec<Value> {
    let path = folder.path().join("audit.ndjson");
    daemon.wait_for(format!("{count} lines"), |_| {
        let lines = lines(&path);
        (lines.len() >= count).then_some(lines)
    })
}

/// A line without its time, which is one.
#[track_caller]
fn without_time(mut line: Value) -> Value {
    let time = line.as_object_mut().unwrap().shift_remove("time").unwrap();
    let time = time.as_str().unwrap();
    assert!(time.len() == 24 && time.starts_with("20") && time.ends_with('Z'), "{time}");
    line
}

#[test]
fn batches_are_reported_whatever_came_of_them() {
    let (folder, kept) = audited(&[]);
    let daemon = &kept.daemon;
    kept.done(&json!([
        { "op": "put_user", "user": "x", "tags": ["a"], "attributes": { "secret": "s" } },
        { "op": "block", "from": "ann", "to": "x" },
    ]));
    kept.send(&json!([{ "op": "block", "from": "x", "to": "ann", "as": "x" }]));
    kept.send(&json!([
        { "op": "ban", "user": "nobody" },
        { "op": "ban", "user": "x" },
    ]));
    kept.send(&json!([{ "op": "ban", "user": "x" }, { "op": "fly", "user": 7 }]));
    kept.post(&json!({ "commands": [{ "op": "ban", "user": "x" }], "if_revision": 0 }), "");
    let body = br#"{"commands":[{"op":"ban","user":"x"}]}"#;
    let mut socket = Client::unix(&folder.path().join("admin"));
    for _ in 0..2 {
        let headers = "Content-Type: application/json\r\nIdempotency-Key: k\r\n";
        assert_eq!(socket.ask("POST", "/v1/facts", headers, body).status, 200);
    }
    let lines: Vec<_> = trail(daemon, &folder, 7).into_iter().map(without_time).collect();
    let batch = |by: &str, operations: Value, revision: u64, status: u16| {
        json!({
            "kind": "batch", "by": by, "api": "facts", "operations": operations,
            "revision": revision, "status": status,
        })
    };
    let token = "admin-token";
    let first = json!([
        { "op": "put_user", "user": "x", "tags": ["a"], "ok": true },
        { "op": "block", "from": "ann", "to": "x", "ok": true },
    ]);
    assert_eq!(lines[0], batch(token, first, 1, 200));
    // On behalf of one user.
    assert_eq!(lines[1]["as"], "x");
    assert_eq!(lines[1]["operations"][0]["as"], "x");
    let refused = json!([
        { "op": "ban", "user": "nobody", "ok": false, "reason": "unknown_subject" },
        { "op": "ban", "user": "x", "ok": false, "reason": "not_applied" },
    ]);
    assert_eq!(lines[2], batch(token, refused, 2, 409));
    let malformed = json!([
        { "op": "ban", "user": "x", "ok": false, "reason": "not_applied" },
        { "op": "fly", "user": 7, "ok": false, "reason": "malformed" },
    ]);
    assert_eq!(lines[3], batch(token, malformed, 2, 400));
    let one = |ok: bool, reason: Option<&str>| {
        let mut one = json!({ "op": "ban", "user": "x", "ok": ok });
        if let Some(reason) = reason {
            one["reason"] = json!(reason);
        }
        json!([one])
    };
    assert_eq!(lines[4], batch(token, one(false, Some("revision_changed")), 2, 409));
    assert_eq!(lines[5], batch("socket", one(true, None), 3, 200));
    assert_eq!(lines[6], batch("socket", one(true, Some("replayed")), 3, 200));
    assert!(!fs::read_to_string(folder.path().join("audit.ndjson")).unwrap().contains("secret"));
    let mode = fs::metadata(folder.path().join("audit.ndjson")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Each API's refusals, as it answers them: the trail tells them, and they are counted.
#[test]
fn refused_credentials_are_reported_and_counted() {
    let flip = tempfile::NamedTempFile::new().unwrap();
    fs::write(flip.path(), "flip-token-0123456789 TAG_RULE_READ\n").unwrap();
    let more = ["--dialect", "all", "--flip-tokens-file", flip.path().to_str().unwrap()];
    let (folder, kept) = audited(&more);
    let wrong = "Authorization: Bearer wrong-wrong-wrong\r\n";
    let reader = "Authorization: Bearer flip-token-0123456789\r\n";
    let twice = authorization().repeat(2);
    let rules = "/sync/interaction-rules";
    let tencent = "/v4/sns/friend_get?sdkappid=1&identifier=administrator&usersig=secret-sig";
    let requested = [
        ("GET", "/v1/facts", "", 401, "facts"),
        ("POST", "/v1/facts", wrong, 401, "facts"),
        ("GET", "/v1/facts/users/ann", wrong, 401, "facts"),
        ("POST", "/v1/store/backup?to=x", "", 401, "facts"),
        ("POST", "/v1/reload", wrong, 401, "native"),
        ("GET", "/healthz", &twice, 400, "native"),
        ("GET", rules, "", 401, "flip"),
        ("POST", rules, reader, 403, "flip"),
        ("GET", rules, &twice, 400, "flip"),
        ("POST", "/xmtp/groups", wrong, 401, "xmtp"),
        ("POST", "/backend?op=userget&token=secret-token", "", 200, "mesibo"),
        ("POST", tencent, "", 200, "tencent"),
    ];
    for (method, path, headers, status, _) in requested {
        let answer = kept.daemon.connect().ask(method, path, headers, b"");
        assert_eq!(answer.status, status, "{path} {answer:?}");
    }
    let lines: Vec<_> =
        trail(&kept.daemon, &folder, requested.len()).into_iter().map(without_time).collect();
    assert_eq!(lines.len(), requested.len());
    for ((method, path, _, status, api), line) in requested.into_iter().zip(lines) {
        let path = path.split('?').next().unwrap();
        let reason = match status {
            400 => "malformed",
            403 => "forbidden",
            _ => "unauthenticated",
        };
        let operations = json!([{ "op": method, "path": path, "ok": false, "reason": reason }]);
        let expected = json!({
            "kind": "refused", "api": api, "operations": operations, "revision": 0,
            "status": status,
        });
        assert_eq!(line, expected);
    }
    let text = fs::read_to_string(folder.path().join("audit.ndjson")).unwrap();
    assert!(!text.contains("secret") && !text.contains(TOKEN), "{text}");
    let metrics = kept.daemon.get("/metrics");
    for (api, count) in [
        ("facts", 4),
        ("native", 2),
        ("flip", 3),
        ("xmtp", 1),
        ("mesibo", 1),
        ("tencent", 1),
        ("venueless", 0),
    ] {
        let line = format!("peerage_auth_failures_total{{api=\"{api}\"}} {count}");
        assert!(metrics.text().lines().any(|it| it == line), "{line} {}", metrics.text());
    }
    assert!(metrics.text().contains("peerage_log_dropped_total{log=\"audit\"} 0\n"));
    // What is right is none of it, nor what needs none.
    kept.read("/v1/facts");
    kept.daemon.get("/v1/decide?subject=ann&action=sign_in");
    assert_eq!(trail(&kept.daemon, &folder, requested.len()).len(), requested.len());
}

#[test]
fn without_a_trail_they_are_counted_all_the_same() {
    let kept = Kept::start();
    kept.daemon.connect().ask("GET", "/v1/facts", "", b"").refusal(401);
    let metrics = kept.daemon.get("/metrics");
    assert!(metrics.text().contains("peerage_auth_failures_total{api=\"facts\"} 1\n"));
    assert!(metrics.text().contains("peerage_auth_failures_total{api=\"native\"} 0\n"));
    assert!(!metrics.text().contains("log=\"audit\""));
}

#[test]
fn other_systems_writes_are_reported() {
    let flip = tempfile::NamedTempFile::new().unwrap();
    fs::write(flip.path(), "flip-token-0123456789 TAG_RULE_WRITE\n").unwrap();
    let more = ["--dialect", "all", "--flip-tokens-file", flip.path().to_str().unwrap()];
    let (folder, kept) = audited(&more);
    let json = "Content-Type: application/json\r\n";
    let flip = format!("Authorization: Bearer flip-token-0123456789\r\n{json}");
    let body = br#"{"caller":"ann","inboxIds":["bob"],"groupId":"g9"}"#;
    let admin = format!("{}{json}", authorization());
    let mut client = kept.daemon.connect();
    assert_eq!(client.ask("POST", "/xmtp/groups", &admin, body).status, 201);
    let answer = client.ask("PUT", "/sync/users/dora/tags", &flip, br#"{"tags":["a"]}"#);
    assert_eq!(answer.status / 100, 2, "{answer:?}");
    let lines: Vec<_> = trail(&kept.daemon, &folder, 2).into_iter().map(without_time).collect();
    assert_eq!((&lines[0]["api"], &lines[0]["by"]), (&json!("xmtp"), &json!("admin-token")));
    assert_eq!(lines[0]["as"], "ann");
    assert_eq!((&lines[1]["api"], &lines[1]["by"]), (&json!("flip"), &json!("flip-token")));
    for line in &lines {
        let operations = line["operations"].as_array().unwrap();
        assert!(!operations.is_empty() && operations.iter().all(|it| it["ok"] == true), "{line}");
        assert_eq!(line["status"], 200);
    }
}

#[test]
fn forced_and_held_reloads_are_reported() {
    let (folder, kept) = audited(&["--max-changed", "1%", "--sighup-forces"]);
    let reload = |path: &str| kept.daemon.connect().ask("POST", path, &authorization(), b"").status;
    // The files are followed besides, so there may be lines of that too.
    let find = |by: &str, forced: bool| {
        kept.daemon.wait_for((by, forced), |_| {
            let mut lines = lines(&folder.path().join("audit.ndjson")).into_iter();
            let line =
                lines.find(|it| it["by"] == by && it["operations"][0]["forced"] == forced)?;
            assert_eq!(
                (&line["kind"], &line["operations"][0]["op"]),
                (&json!("reload"), &json!("reload"))
            );
            Some(without_time(line))
        })
    };
    assert_eq!(reload("/v1/reload"), 200);
    assert_eq!(reload("/v1/reload?force=true"), 200);
    let line = find("admin-token", true);
    assert_eq!((&line["operations"][0]["ok"], &line["status"]), (&json!(true), &json!(200)));
    let digest = kept.daemon.get("/v1/status").json()["policy_digest"].clone();
    assert_eq!(line["policy"], digest);

    fs::write(kept.path("policy.yaml"), "users: { ann: {}, bob: {} }\n").unwrap();
    // Followed, and then asked for.
    let line = find("files", false);
    assert_eq!(
        (line["operations"][0]["reason"].as_str(), line["status"].as_u64()),
        (Some("held"), Some(409))
    );
    assert_eq!(reload("/v1/reload"), 409);
    let line = find("admin-token", false);
    assert_eq!((&line["operations"][0]["reason"], &line["status"]), (&json!("held"), &json!(409)));
    assert_eq!(line["operations"][0]["ok"], false);

    kept.daemon.signal("HUP");
    let line = find("signal", true);
    assert_eq!((&line["operations"][0]["ok"], &line["status"]), (&json!(true), &json!(200)));
}

#[test]
fn a_file_that_is_moved_is_opened_anew() {
    let (folder, kept) = audited(&[]);
    let path = folder.path().join("audit.ndjson");
    let ban = json!([{ "op": "ban", "user": "bob" }]);
    kept.done(&ban);
    trail(&kept.daemon, &folder, 1);
    fs::rename(&path, folder.path().join("audit.1")).unwrap();
    // By itself.
    kept.daemon.wait_for("a new file", |_| {
        kept.done(&ban);
        path.exists().then_some(())
    });
    trail(&kept.daemon, &folder, 1);
    // And when it is reported to.
    fs::rename(&path, folder.path().join("audit.2")).unwrap();
    kept.daemon.signal("HUP");
    kept.daemon.wait_for("a new file", |_| path.exists().then_some(()));
    kept.done(&ban);
    // An orderly stop writes what is left.
    let Kept { folder: files, daemon, .. } = kept;
    daemon.signal("TERM");
    assert!(daemon.ended().status.success());
    drop(files);
    let count = |name: &str| lines(&folder.path().join(name)).len();
    assert!(count("audit.1") >= 1 && count("audit.ndjson") >= 1);
}

#[test]
fn a_trail_that_can_not_be_written_keeps_nobody_waiting() {
    let refused = crate::support::daemon::run(
        crate::support::daemon::serve().arg(crate::support::daemon::stores()).args([
            "--listen",
            "127.0.0.1:0",
            "--audit-log",
            "/nowhere/audit.ndjson",
        ]),
    );
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("/nowhere/audit.ndjson"));

    // A full disk: all is dropped, counted, and said once.
    let kept = Kept::with(POLICY, &["--audit-log", "/dev/full"]);
    for _ in 0..3 {
        kept.done(&json!([{ "op": "ban", "user": "bob" }]));
    }
    kept.daemon.wait_for("dropped lines", |daemon| {
        let metrics = daemon.get("/metrics");
        metrics.text().contains("peerage_log_dropped_total{log=\"audit\"} 3\n").then_some(())
    });
    let Kept { daemon, .. } = kept;
    daemon.signal("TERM");
    let ended = daemon.ended();
    assert_eq!(ended.errors.matches("lines of a log can't be written").count(), 1);
}

/// Nobody reads the pipe: decisions and writes go on, and lines are dropped.
#[test]
fn a_reader_that_stalls_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Both ends are open, so that opening does not wait, and nothing is read.
    let mut holder = Command::new("sh");
    let script = format!("exec 3<>'{}'; echo open; exec sleep 600", pipe.display());
    let mut holder = holder.args(["-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = [0; 5];
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut said).unwrap();
    let kept = Kept::with(POLICY, &["--audit-log", pipe.to_str().unwrap()]);
    let mut client = kept.daemon.connect();
    kept.daemon.wait_for("dropped lines", |daemon| {
        for _ in 0..2000 {
            client.send(crate::support::client::request("GET", "/v1/facts", "", b""));
        }
        for _ in 0..2000 {
            assert_eq!(client.answer("GET").unwrap().status, 401);
        }
        let metrics = daemon.get("/metrics");
        let dropped = "peerage_log_dropped_total{log=\"audit\"} ";
        let line =
            metrics.text().lines().find_map(|line| line.strip_prefix(dropped)).unwrap().to_owned();
        (line != "0").then_some(())
    });
    assert_eq!(kept.daemon.get("/v1/decide?subject=ann&action=sign_in").status, 200);
    let Kept { daemon, .. } = kept;
    daemon.signal("TERM");
    assert!(daemon.ended().status.success());
    holder.kill().unwrap();
    holder.wait().unwrap();
}

#[test]
fn it_may_be_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), TOKEN).unwrap();
    let mut child = crate::support::daemon::serve()
        .arg(crate::support::daemon::stores())
        .args(["--listen", "127.0.0.1:0", "--audit-log", "-", "--admin-token-file"])
        .arg(folder.path().join("token"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let first = lines.next().unwrap().unwrap();
    let address = first.strip_prefix("listening on http://").unwrap().parse().unwrap();
    Client::tcp(address).ask("GET", "/v1/facts", "", b"").refusal(401);
    let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(line["kind"], "refused");
    child.kill().unwrap();
    child.wait().unwrap();
}
