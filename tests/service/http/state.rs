//! The last good files outlive the daemon: a restart holds what a reload would.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use crate::{
    support::daemon::{Daemon, run, serve},
    support::files::{save, write},
};

const RULES: &str = "rules: [{ condition: hasTag(C), outcome: [B] }]\n";
const USERS: &str = "users: { '2': { tags: [B] }, '3': { tags: [A] } }\n";

/// A way in which files go bad, given one of them.
type Lose = fn(&Path);

struct Kept {
    folder: tempfile::TempDir,
}

impl Kept {
    fn new() -> Self {
        let kept = Self { folder: tempfile::tempdir().unwrap() };
        kept.write(RULES);
        write(kept.policies().join("users.yaml"), USERS);
        kept
    }

    fn policies(&self) -> PathBuf {
        self.folder.path().join("policies")
    }

    fn rules(&self) -> PathBuf {
        self.policies().join("rules.yaml")
    }

    fn write(&self, rules: &str) {
        write(self.rules(), rules);
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("var/state")
    }

    fn file(&self) -> PathBuf {
        self.state().join("last-good")
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = serve();
        command.arg(self.policies()).args(["--listen", "127.0.0.1:0", "--poll", "50"]);
        command.arg("--state-dir").arg(self.state()).args(more);
        command
    }

    #[track_caller]
    fn start(&self, more: &[&str]) -> Daemon {
        Daemon::start(&mut self.command(more))
    }

    /// A start that is expected to come to nothing.
    #[track_caller]
    fn refused(&self, more: &[&str], code: i32) -> String {
        let Output { status, stdout, stderr } = run(&mut self.command(more));
        let text = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(code), "{text}");
        text
    }

    /// Starts, and stops as `kill -9` does.
    fn start_and_kill(&self) {
        let daemon = self.start(&[]);
        assert!(!daemon.answers());
        daemon.kill();
    }
}

fn status(daemon: &Daemon) -> Value {
    daemon.get("/v1/status").json()
}

fn wait_for(daemon: &Daemon, outcome: &str) {
    daemon.wait_for(outcome, |daemon| {
        (status(daemon)["last_reload"]["outcome"] == outcome).then_some(())
    });
}

#[test]
fn a_restart_holds_what_a_reload_would() {
    let ways: [(&str, Lose, i32, &str); 5] = [
        ("removed", |path| fs::remove_file(path).unwrap(), 1, "no longer has `rules`"),
        ("comments", |path| fs::write(path, "# none\n").unwrap(), 1, "no longer has `rules`"),
        ("errors", |path| fs::write(path, "rules: [").unwrap(), 1, "error"),
        (
            "not there",
            |path| fs::remove_dir_all(path.parent().unwrap()).unwrap(),
            2,
            "no such file or folder",
        ),
        (
            "users",
            |path| {
                fs::write(path, "rules: [{ condition: hasTag(A), outcome: [B] }]\n").unwrap();
            },
            1,
            "--max-changed",
        ),
    ];
    for (way, lose, code, says) in ways {
        let kept = Kept::new();
        kept.start_and_kill();
        lose(&kept.rules());
        let guard: &[&str] = if way == "users" { &["--max-changed", "0%"] } else { &[] };
        let text = kept.refused(guard, code);
        assert!(text.contains(says), "{way}: {text}");
        if code == 1 && way != "errors" {
            assert!(text.contains("gained"), "{way}: {text}");
            assert!(text.contains("--start fresh"), "{way}: {text}");
        }

        let daemon = kept.start(&[guard, &["--start", "last-good"]].concat());
        assert!(!daemon.answers(), "{way}");
        assert_eq!(daemon.get("/readyz").status, 200);
        let reported = status(&daemon);
        assert_eq!(reported["last_reload"]["ok"], false, "{way}: {reported}");
        assert_eq!(reported["state"]["serving_last_good"], true, "{way}: {reported}");
        // What is good again is taken.
        kept.write(&RULES.replace('C', "D"));
        write(kept.policies().join("users.yaml"), USERS);
        wait_for(&daemon, "swapped");
        assert_eq!(status(&daemon)["state"]["serving_last_good"], false);
        daemon.kill();

        // And kept.
        lose(&kept.rules());
        kept.refused(guard, code);
        if way == "removed" || way == "comments" {
            let daemon = kept.start(&["--start", "fresh"]);
            assert!(daemon.answers(), "{way}");
            daemon.kill();
            // From now on it is what was there.
            assert!(kept.start(&[]).answers(), "{way}");
        } else if way == "errors" {
            kept.refused(&["--start", "fresh"], 1);
        }
    }
}

#[test]
fn nothing_is_missed_that_was_never_there() {
    let kept = Kept::new();
    kept.start_and_kill();
    fs::remove_file(kept.rules()).unwrap();
    // Without the folder, nobody knows.
    let daemon = Daemon::serve(kept.policies());
    assert!(daemon.answers());
    assert_eq!(status(&daemon)["state"], Value::Null);
    drop(daemon);

    let kept = Kept::new();
    fs::remove_file(kept.rules()).unwrap();
    assert!(kept.start(&["--start", "last-good"]).answers());
    // With no last good files, bad ones are refused.
    let kept = Kept::new();
    kept.write("rules: [");
    kept.refused(&["--start", "last-good"], 1);
    kept.refused(&[], 1);
}

#[test]
fn a_good_change_while_it_was_down_is_taken() {
    let kept = Kept::new();
    kept.start_and_kill();
    kept.write(&RULES.replace('C', "A"));
    let daemon = kept.start(&[]);
    assert!(daemon.answers());
    let reported = status(&daemon);
    assert_eq!(reported["last_reload"]["ok"], true, "{reported}");
    assert_eq!(reported["reloads"]["swapped"], 0, "{reported}");
    assert_eq!(reported["state"]["policy_digest"], reported["policy_digest"]);
}

#[test]
fn it_is_private() {
    let kept = Kept::new();
    kept.start_and_kill();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&kept.state()), 0o700);
    assert_eq!(mode(&kept.file()), 0o600);
}

/// Each byte that is gone or changed is noticed, and opens nothing.
#[test]
fn a_damaged_file_is_refused() {
    let kept = Kept::new();
    kept.start_and_kill();
    let good = fs::read(kept.file()).unwrap();
    fs::remove_file(kept.rules()).unwrap();
    let mut damaged = vec![Vec::new(), good[..10].to_vec(), good[..good.len() - 1].to_vec()];
    damaged.extend([good[..good.len() / 2].to_vec(), [&*good, b"\n"].concat()]);
    for at in (0..good.len()).step_by(good.len() / 24) {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        damaged.push(bytes);
    }
    for bytes in &damaged {
        fs::write(kept.file(), bytes).unwrap();
        for more in [&[][..], &["--start", "last-good"]] {
            let text = kept.refused(more, 2);
            assert!(text.contains("is damaged") && text.contains("--start fresh"), "{text}");
        }
    }
    assert!(kept.start(&["--start", "fresh"]).answers());
    // That mended it.
    assert!(kept.start(&[]).answers());
}

/// What was half written when a process was killed is no part of it.
#[test]
fn a_half_written_file_is_cleared_away() {
    let kept = Kept::new();
    kept.start_and_kill();
    let half = kept.state().join(".last-good.4711.0.new");
    fs::write(&half, "peerage last-good 1\n{").unwrap();
    fs::remove_file(kept.rules()).unwrap();
    kept.refused(&[], 1);
    assert!(!half.exists());
}

/// A folder that can't be written any more stops nothing, and is reported of.
#[test]
fn a_folder_that_cannot_be_written() {
    let kept = Kept::new();
    let daemon = kept.start(&[]);
    // In its place there is a file: not even the superuser can write into that.
    fs::rename(kept.state(), kept.folder.path().join("var/elsewhere")).unwrap();
    fs::write(kept.state(), "").unwrap();
    save(kept.rules(), &RULES.replace('C', "A"));
    daemon.wait_for("the new policy", |daemon| daemon.answers().then_some(()));
    daemon
        .wait_for("an error", |daemon| status(daemon)["state"]["error"].is_string().then_some(()));
    assert_eq!(daemon.get("/readyz").status, 200);
    assert!(daemon.get("/metrics").text().contains("peerage_state_kept 0"));
    // The next good reload keeps them again.
    fs::remove_file(kept.state()).unwrap();
    fs::create_dir(kept.state()).unwrap();
    save(kept.rules(), RULES);
    daemon.wait_for("no error", |daemon| status(daemon)["state"]["error"].is_null().then_some(()));
    assert!(daemon.get("/metrics").text().contains("peerage_state_kept 1"));
    daemon.signal("TERM");
    let errors = daemon.ended().errors;
    assert!(errors.contains("can't be kept"), "{errors}");
    // A folder that can't be made is an error of the start.
    fs::remove_dir_all(kept.state()).unwrap();
    fs::write(kept.state(), "").unwrap();
    let text = kept.refused(&[], 2);
    assert!(text.contains("can't make the state folder"), "{text}");
    fs::remove_file(kept.state()).unwrap();
}

/// A file that is there and can't be read is not passed over. The superuser reads all.
#[test]
fn a_file_that_cannot_be_read() {
    let kept = Kept::new();
    kept.start_and_kill();
    fs::set_permissions(kept.file(), Permissions::from_mode(0o000)).unwrap();
    fs::remove_file(kept.rules()).unwrap();
    if fs::read(kept.file()).is_ok() {
        kept.refused(&[], 1);
    } else {
        let text = kept.refused(&[], 2);
        assert!(text.contains("can't read"), "{text}");
    }
}

/// With facts, a restart holds by the same files, and facts stay what they are.
#[test]
fn facts_stay() {
    let kept = Kept::new();
    let store = kept.folder.path().join("facts.redb");
    let token = kept.folder.path().join("token");
    write(&token, "0123456789abcdef-token");
    let (store, token) = (store.to_str().unwrap(), token.to_str().unwrap());
    let more = ["--store", store, "--admin-token-file", token];
    let daemon = kept.start(&more);
    let header =
        "Authorization: Bearer 0123456789abcdef-token\r\nContent-Type: application/json\r\n";
    let body =
        br#"{"commands":[{"op":"put_user","user":"new","tags":["B"]},{"op":"ban","user":"3"}]}"#;
    assert_eq!(daemon.connect().ask("POST", "/v1/facts", header, body).status, 200);
    daemon.signal("TERM");
    assert_eq!(daemon.ended().status.code(), Some(0));

    fs::remove_file(kept.rules()).unwrap();
    let text = kept.refused(&more, 1);
    assert!(text.contains("no longer has `rules`"), "{text}");
    let daemon = kept.start(&[&more[..], &["--start", "last-good"]].concat());
    assert!(!daemon.answers());
    let reported = status(&daemon);
    assert_eq!(reported["counts"]["users"], 3, "{reported}");
    assert_eq!(reported["counts"]["banned"], 1, "{reported}");
    kept.write(RULES);
    wait_for(&daemon, "unchanged");
    let body = br#"{"commands":[{"op":"reactivate","user":"3"}]}"#;
    assert_eq!(daemon.connect().ask("POST", "/v1/facts", header, body).status, 200);
}
