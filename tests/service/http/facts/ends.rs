//! The ends of a daemon with a store, and what the next start finds: a store that was closed, one that
//! was not, one that stepped back, one that is missing.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use serde_json::{Value, json};

use super::{Kept, POLICY, authorization};
use crate::support::daemon::{Daemon, Ended, run, serve};

/// What `store check` finds, and its exit code.
fn check(store: &Path) -> (Value, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    let output = run(command.args(["store", "check", "--format", "json"]).arg(store));
    (serde_json::from_slice(&output.stdout).unwrap_or_default(), output.status.code().unwrap())
}

fn served(kept: &Kept, more: &[&str]) -> Command {
    let mut command = serve();
    command.arg(kept.path("policy.yaml")).args(["--listen", "127.0.0.1:0"]);
    command.arg("--store").arg(kept.path("facts.redb")).args(more);
    command
}

/// Asserts that a daemon does not start, and what it says.
#[track_caller]
fn fails(command: &mut Command, reasons: &[&str]) {
    let output = run(command);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    for reason in reasons {
        assert!(errors.contains(reason), "{reason} is not in {errors}");
    }
}

#[track_caller]
fn is_closed(store: &Path, revision: u64) {
    let (checked, code) = check(store);
    assert_eq!((&checked["repairs"], &checked["stepped_back"]), (&json!([]), &Value::Null));
    assert_eq!((checked["revision"].as_u64(), code), (Some(revision), 0));
}

#[test]
fn a_store_is_closed_at_every_orderly_end() {
    for signal in ["TERM", "INT"] {
        let kept = Kept::start();
        let revision = kept.done(&json!([{ "op": "ban", "user": "ann" }]));
        let Kept { folder, daemon, .. } = kept;
        daemon.signal(signal);
        assert_eq!(daemon.ended().status.code(), Some(0));
        is_closed(&folder.path().join("facts.redb"), revision);
        assert!(!folder.path().join(".facts.redb.lock").exists());
    }
    // An error after the store was opened: the address is taken.
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    fs::write(folder.path().join("policy.yaml"), POLICY).unwrap();
    for policy in ["policy.yaml", "nothing.yaml"] {
        let mut command = serve();
        command
            .arg(folder.path().join(policy))
            .arg("--store")
            .arg(folder.path().join("facts.redb"));
        let output = run(command.args(["--listen", &taken.local_addr().unwrap().to_string()]));
        assert_ne!(output.status.code(), Some(0));
        is_closed(&folder.path().join("facts.redb"), 0);
    }
}

/// SIGTERM while others write as fast as they can: what was acknowledged is there, and it is closed.
#[test]
fn a_store_is_closed_during_commits() {
    let kept = Kept::with(POLICY, &["--drain", "1"]);
    let last = AtomicU64::new(0);
    let Ended { status, errors } = thread::scope(|scope| {
        for writer in 0..4 {
            let (mut client, last) = (kept.daemon.connect(), &last);
            scope.spawn(move || {
                for at in 0_u32.. {
                    let user = json!({ "op": "put_user", "user": format!("{writer}-{at}") });
                    let body = json!({ "commands": [user] }).to_string();
                    let head = format!("{}Content-Type: application/json\r\n", authorization());
                    client.send(crate::support::client::request(
                        "POST",
                        "/v1/facts",
                        &head,
                        body.as_bytes(),
                    ));
                    match client.answer("POST") {
                        Ok(answer) if answer.status == 200 => {
                            let revision = answer.json()["revision"].as_u64().unwrap();
                            last.fetch_max(revision, Ordering::AcqRel);
                        }
                        _ => return,
                    }
                }
            });
        }
        while last.load(Ordering::Acquire) < 40 {
            thread::yield_now();
        }
        kept.daemon.signal("TERM");
        kept.daemon.ended()
    });
    assert_eq!(status.code(), Some(0), "{errors}");
    let store = kept.folder.path().join("facts.redb");
    let (checked, code) = check(&store);
    assert_eq!((&checked["repairs"], code), (&json!([]), 0));
    assert!(checked["revision"].as_u64().unwrap() >= last.load(Ordering::Acquire));
}

#[test]
fn what_was_put_right_is_reported() {
    let kept = Kept::start();
    assert_eq!(kept.store()["opened"], json!({ "new": true, "repairs": [] }));
    assert_eq!(kept.daemon.get("/readyz").text(), "ok\n");
    kept.done(&json!([{ "op": "ban", "user": "ann" }]));
    let Kept { folder, daemon, more } = kept;
    daemon.kill();
    let (checked, code) = check(&folder.path().join("facts.redb"));
    assert!(checked["repairs"][0].as_str().unwrap().contains("not closed"), "{checked}");
    assert_eq!(code, 0);
    let kept = Kept { daemon: Kept::daemon(folder.path(), &more), folder, more };
    let opened = kept.store()["opened"].clone();
    assert_eq!(opened["new"], false);
    assert!(opened["repairs"][0].as_str().unwrap().contains("not closed"), "{opened}");
    let ready = kept.daemon.get("/readyz");
    assert_eq!(ready.status, 200);
    assert!(ready.text().contains("store: it was not closed"), "{}", ready.text());
    assert_eq!(kept.reason("ann sign_in"), "banned");
    let Kept { daemon, .. } = kept;
    daemon.signal("TERM");
    let errors = daemon.ended().errors;
    assert!(errors.contains("WARN") && errors.contains("not closed"), "{errors}");
}

/// The newest commit is damaged after a kill, and nothing points to it any more: nobody is let in who
/// was banned by it, and no revision is given twice.
#[test]
fn a_store_that_stepped_back_is_not_served() {
    let kept = Kept::start();
    kept.done(&json!([{ "op": "silence", "user": "bob" }]));
    let banned = kept.done(&json!([{ "op": "ban", "user": "ann" }]));
    let Kept { folder, daemon, more } = kept;
    daemon.kill();
    let store = folder.path().join("facts.redb");
    let mut bytes = fs::read(&store).unwrap();
    let newest = 64 + 128 * usize::from(bytes[9] & 1);
    bytes[9] ^= 1;
    bytes[newest + 8] ^= 1;
    fs::write(&store, bytes).unwrap();
    let (checked, code) = check(&store);
    assert_eq!(checked["stepped_back"], json!({ "revision": 1, "committed": banned }));
    assert_eq!(code, 1);
    let mut command = serve();
    command.arg(folder.path().join("policy.yaml")).arg("--store").arg(&store);
    let command = command.args(["--listen", "127.0.0.1:0"]);
    fails(command, &["holds revision 1", "revision 2 was committed", "peerage store repair"]);
    let mut repair = Command::new(env!("CARGO_BIN_EXE_peerage"));
    let repaired = run(repair.args(["store", "repair"]).arg(&store));
    let text = String::from_utf8(repaired.stdout).unwrap();
    assert!(text.contains("lost it holds revision 1") && text.contains("revision 3"), "{text}");
    let kept = Kept { daemon: Kept::daemon(folder.path(), &more), folder, more };
    assert_eq!(kept.reason("ann sign_in"), "allowed");
    assert_eq!(kept.done(&json!([{ "op": "ban", "user": "ann" }])), banned + 2);
}

#[test]
fn a_store_that_is_missing_or_empty() {
    let kept = Kept::start();
    kept.done(&json!([{ "op": "ban", "user": "ann" }]));
    let store = kept.path("facts.redb");
    let Kept { folder, daemon, more } = kept;
    daemon.signal("TERM");
    let errors = daemon.ended().errors;
    assert!(errors.contains("WARN") && errors.contains("there was no store"), "{errors}");

    let restart = |arguments: &[&str]| {
        let mut command = serve();
        command.arg(folder.path().join("policy.yaml")).args(["--listen", "127.0.0.1:0"]);
        command.args(arguments);
        command
    };
    let file = store.to_str().unwrap();
    let must_exist = ["--store", file, "--store-must-exist"];
    let daemon = Daemon::start(&mut restart(&must_exist));
    daemon.signal("TERM");
    let errors = daemon.ended().errors;
    assert!(!errors.contains("there was no store"), "{errors}");

    fs::rename(&store, folder.path().join("away")).unwrap();
    fails(&mut restart(&must_exist), &["facts.redb: there is no store", "--store-must-exist"]);
    assert!(!store.exists());
    fs::write(&store, "").unwrap();
    for arguments in [&must_exist[..2], &must_exist] {
        fails(&mut restart(arguments), &["facts.redb: the file is empty", "restore a backup"]);
    }
    assert_eq!(fs::metadata(&store).unwrap().len(), 0);
    fails(&mut restart(&["--store-must-exist"]), &["--store"]);
    let _ = more;
}

/// Changes the store's file under a daemon, in each of some ways.
#[test]
fn a_store_that_is_lost_takes_nothing_more() {
    type Change = fn(&Path);
    let changes: [(&str, Change, bool); 5] = [
        ("the file is gone", |store| fs::remove_file(store).unwrap(), false),
        (
            "the file is gone",
            |store| fs::rename(store, store.with_file_name("away")).unwrap(),
            true,
        ),
        (
            "another file is in its place",
            |store| {
                fs::copy(store, store.with_file_name("copy")).unwrap();
                fs::rename(store, store.with_file_name("away")).unwrap();
                fs::rename(store.with_file_name("copy"), store).unwrap();
            },
            true,
        ),
        (
            "the file was cut short",
            |store| fs::File::options().write(true).open(store).unwrap().set_len(8192).unwrap(),
            false,
        ),
        (
            "the file was overwritten",
            |store| {
                let mut bytes = fs::read(store).unwrap();
                bytes[64..320].reverse();
                fs::write(store, bytes).unwrap();
            },
            false,
        ),
    ];
    for is_written in [true, false] {
        for (what, change, can_return) in changes {
            let kept = Kept::start();
            kept.done(&json!([{ "op": "ban", "user": "ann" }]));
            let store = kept.path("facts.redb");
            change(&store);
            if is_written {
                let answer = kept.send(&json!([{ "op": "ban", "user": "bob" }]));
                assert_eq!(answer.status, 503, "{what}: {}", answer.text());
                assert!(answer.text().contains(what), "{what}: {}", answer.text());
            }
            let ready = kept.daemon.wait_for(what, |daemon| {
                let ready = daemon.get("/readyz");
                (ready.status == 503).then_some(ready)
            });
            assert!(ready.text().contains(what), "{what}: {}", ready.text());
            let reported = kept.store();
            assert_eq!(reported["writable"], false);
            assert!(reported["lost"].as_str().unwrap().contains(what), "{reported}");
            assert_eq!(kept.reason("ann sign_in"), "banned", "decisions go on");
            assert_eq!(kept.reason("bob sign_in"), "allowed", "{what}");
            fails(&mut served(&kept, &[]), &["another process has it open"]);
            if can_return {
                fs::rename(store.with_file_name("away"), &store).unwrap();
                kept.daemon.wait_for("readiness", |daemon| {
                    (daemon.get("/readyz").status == 200).then_some(())
                });
                assert_eq!(kept.done(&json!([{ "op": "ban", "user": "bob" }])), 2);
                let kept = kept.restarted();
                assert_eq!(kept.reason("bob sign_in"), "banned");
                continue;
            }
            let there = fs::read(&store).ok();
            let Kept { daemon, folder, .. } = kept;
            daemon.signal("TERM");
            let Ended { status, errors } = daemon.ended();
            assert_eq!(status.code(), Some(0), "{what}: {errors}");
            let lines = errors.lines().filter(|line| line.contains("ERROR"));
            assert_eq!(
                lines.filter(|line| line.contains("the store is lost")).count(),
                1,
                "{errors}"
            );
            assert!(fs::read(&store).ok() == there, "{what}: it is not written to any more");
            drop(folder);
        }
    }
}

/// A file that is gone can still be saved while the daemon has it open.
#[test]
fn a_deleted_store_can_be_saved() {
    let kept = Kept::with(POLICY, &["--admin-uds", "admin.sock"]);
    kept.done(&json!([{ "op": "ban", "user": "ann" }]));
    fs::remove_file(kept.path("facts.redb")).unwrap();
    assert_eq!(kept.send(&json!([{ "op": "ban", "user": "bob" }])).status, 503);
    let path = format!("/v1/store/backup?to={}", kept.path("saved.redb").display());
    let saved = kept.daemon.connect().ask("POST", &path, &authorization(), b"");
    assert_eq!(saved.status, 200, "{}", saved.text());
    let (checked, code) = check(&kept.path("saved.redb"));
    assert_eq!((&checked["revision"], code), (&json!(1), 0));
}

#[test]
fn a_backup_that_is_killed_leaves_nothing() {
    let kept = Kept::start();
    for part in 0..4 {
        let users = (0..250).map(|at| {
            json!({ "op": "put_user", "user": format!("{part}-{at}"), "attributes": { "x": "y".repeat(2000) } })
        });
        kept.done(&users.collect());
    }
    let Kept { folder, daemon, .. } = kept;
    daemon.signal("TERM");
    assert_eq!(daemon.ended().status.code(), Some(0));
    let path = |name: &str| folder.path().join(name);
    // A hidden file of a process that is gone, and one that a process writes.
    fs::write(path(".copy.redb.1.0.new"), "left behind").unwrap();
    fs::write(path(".copy.redb.1.1.new"), "at work").unwrap();
    let at_work = fs::File::open(path(".copy.redb.1.1.new")).unwrap();
    at_work.lock().unwrap();
    let mut is_done = false;
    for steps in 0..40 {
        let mut backup = Command::new(env!("CARGO_BIN_EXE_peerage"));
        backup.args(["store", "backup"]).arg(path("facts.redb")).arg("--to").arg(path("copy.redb"));
        let mut child = backup.arg("--force").stdout(std::process::Stdio::null()).spawn().unwrap();
        // A little later each time.
        for _ in 0..steps * 200 {
            thread::yield_now();
        }
        let _ = child.kill();
        is_done |= child.wait().unwrap().success();
        let names = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name());
        let mut hidden =
            names.filter(|name| name.as_encoded_bytes().starts_with(b".")).collect::<Vec<_>>();
        hidden.retain(|name| name != ".copy.redb.1.0.new");
        assert_eq!(hidden, [".copy.redb.1.1.new"]);
    }
    let mut backup = Command::new(env!("CARGO_BIN_EXE_peerage"));
    backup.args(["store", "backup"]).arg(path("facts.redb")).arg("--to").arg(path("copy.redb"));
    assert_eq!(run(backup.arg("--force")).status.code(), Some(0));
    assert!(!path(".copy.redb.1.0.new").exists() && path(".copy.redb.1.1.new").exists());
    assert_eq!(check(&path("copy.redb")).1, 0);
    let _ = is_done;
}
