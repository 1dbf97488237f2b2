//! A policy that would open by accident is held: one that lacks a section that refused something, and
//! one that lacks many of the users.

use std::{
    fmt::Write as _,
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    support::daemon::{Daemon, serve},
    support::files::{save, write},
};

const TOKEN: &str = "0123456789abcdef-token";
const USERS: &str = "users: { '2': { tags: [B] }, '3': { tags: [A] } }\n";

/// A way in which a file comes to say nothing.
type Lose = fn(&Path);

/// A daemon over a folder that nothing but a request has look at.
struct Folder {
    folder: tempfile::TempDir,
    daemon: Daemon,
}

impl Folder {
    fn serve(files: &[(&str, &str)], more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policies = folder.path().join("policies");
        for (name, text) in files {
            write(policies.join(name), text);
        }
        write(folder.path().join("token"), TOKEN);
        let mut command = serve();
        command.arg(&policies).args(["--listen", "127.0.0.1:0", "--poll", "3600000"]).args(more);
        command.arg("--admin-token-file").arg(folder.path().join("token"));
        Self { daemon: Daemon::start(&mut command), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("policies").join(name)
    }

    fn last(&self) -> Value {
        self.daemon.get("/v1/status").json()["last_reload"].clone()
    }

    #[track_caller]
    fn wait_for(&self, outcome: &str) -> Value {
        self.daemon.wait_for(outcome, |_| {
            let last = self.last();
            (last["outcome"] == outcome).then_some(last)
        })
    }

    fn reload(&self, query: &str) -> Value {
        let header = format!("Authorization: Bearer {TOKEN}\r\n");
        self.daemon.connect().ask("POST", &format!("/v1/reload{query}"), &header, b"").json()
    }
}

/// The sections that are said to be gone.
fn gone(last: &Value) -> Vec<&str> {
    let reasons = last["diff"]["reasons"].as_array();
    let reasons = reasons.into_iter().flatten().filter(|it| it["reason"] == "section-gone");
    reasons.map(|reason| reason["section"].as_str().unwrap()).collect()
}

#[test]
fn a_section_that_is_gone_is_missed() {
    // What was there, what comes instead, and what is missed.
    let cases: &[(&str, &str, &[&str])] = &[
        ("rules: [{ condition: hasTag(A), outcome: [B] }]\n", "", &["rules"]),
        ("rules: []\n", "", &["rules"]),
        ("preset: flip\n", "", &["rules", "blocks"]),
        ("preset: mesibo\n", "", &["blocks"]),
        ("peers: { default: contacts }\n", "", &["peers"]),
        ("permissions: { start_chat: hasTag(A) }\n", "", &["permissions"]),
        ("blocks: { send_message: two_way }\n", "", &["blocks"]),
        ("moderation: { managers: hasTag(A) }\n", "", &["moderation"]),
        ("matrices: { team: { add_member: deny } }\n", "", &["matrices"]),
        ("unknown_users: allow_defaults\n", "", &["unknown_users"]),
        ("protected_tags: [A]\n", "", &["protected_tags"]),
        (
            "rules: []\npeers: { default: contacts }\npermissions: { voice_call: false }\n",
            "rules: []\n",
            &["peers", "permissions"],
        ),
        ("rule_sets: { s: { rules: [] } }\n", "", &["rule_sets"]),
        (
            "rule_sets: { s: { rules: [] }, t: { rules: [] } }\n",
            "rule_sets: { s: { rules: [] } }\n",
            &["rule_sets"],
        ),
        ("barriers: [{ name: b, between: [hasTag(A), hasTag(B)] }]\n", "", &["barriers"]),
        ("accepts: { start_chat: { default: contacts } }\n", "", &["accepts"]),
        ("audiences: { close: friend }\n", "", &[]),
        // Sections of presets are sections.
        ("preset: mesibo\n", "blocks: { send_message: off }\n", &[]),
        ("rules: []\n", "preset: flip\n", &[]),
        // What refused nothing is not missed, nor what was never there.
        ("permissions: { start_chat: true }\n", "", &[]),
        ("peers: { default: all }\n", "", &[]),
        ("limits: { friends: 3 }\n", "", &[]),
        ("# nothing\n", "tags: [A, B]\n", &[]),
        // What is written out is meant.
        ("permissions: { start_chat: false }\n", "permissions: { start_chat: true }\n", &[]),
        ("rules: []\n", "rules: [{ condition: hasTag(A), outcome: [A, B] }]\n", &[]),
        ("peers: { default: contacts }\n", "peers: { default: all }\n", &[]),
    ];
    for &(before, after, missed) in cases {
        let what = format!("{before:?} to {after:?}");
        let served = Folder::serve(&[("a.yaml", before), ("users.yaml", USERS)], &[]);
        let was = served.daemon.answers();
        save(served.path("a.yaml"), &(after.to_owned() + "lints: { allow: [] }\n"));
        let last = served.reload("");
        assert_eq!(gone(&last), missed, "{what}: {last}");
        assert_eq!(last["outcome"] == "held", !missed.is_empty(), "{what}: {last}");
        if !missed.is_empty() {
            assert_eq!(served.daemon.answers(), was, "{what}");
            assert_eq!(served.reload("?force=true")["outcome"], "swapped", "{what}");
        }
    }
}

/// However a file comes to say nothing.
#[test]
fn a_file_that_is_emptied_or_lost() {
    let rules = "rules: [{ condition: hasTag(C), outcome: [B] }]\n";
    let ways: [(&str, Lose); 6] = [
        ("removed", |path| fs::remove_file(path).unwrap()),
        ("truncated", |path| fs::write(path, "").unwrap()),
        ("comments only", |path| fs::write(path, "# rules: []\n").unwrap()),
        ("hidden", |path| fs::rename(path, path.with_file_name(".rules.yaml")).unwrap()),
        ("another ending", |path| fs::rename(path, path.with_extension("yaml~")).unwrap()),
        ("cut short", |path| fs::write(path, "tags: [A, B, C]\n").unwrap()),
    ];
    for (way, lose) in ways {
        let served = Folder::serve(&[("rules.yaml", rules), ("users.yaml", USERS)], &[]);
        assert!(!served.daemon.answers());
        lose(&served.path("rules.yaml"));
        // Noticed by itself, and then asked for.
        let last = served.daemon.wait_for(way, |_| {
            let last = served.last();
            (last["ok"] == false).then_some(last)
        });
        assert!(["held", "refused"].contains(&last["outcome"].as_str().unwrap()), "{way}: {last}");
        assert_eq!(served.reload("")["ok"], false, "{way}");
        assert!(!served.daemon.answers(), "{way}");
        save(served.path("rules.yaml"), rules);
        served.wait_for("unchanged");
    }
}

/// As `git checkout` of a branch that never had the rules.
#[test]
fn another_branch() {
    let git = |folder: &Path, arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
        assert!(command.args(arguments).output().unwrap().status.success(), "{arguments:?}");
    };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root.join("users.yaml"), USERS);
    git(root, &["init", "-q", "-b", "open"]);
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", "users"]);
    git(root, &["checkout", "-q", "-b", "closed"]);
    write(root.join("rules.yaml"), "rules: []\n");
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", "rules"]);
    let daemon = Daemon::serve(root);
    assert!(!daemon.answers());
    git(root, &["checkout", "-q", "open"]);
    let held = daemon.wait_for("a held policy", |daemon| {
        let last = daemon.get("/v1/status").json()["last_reload"].clone();
        (last["outcome"] == "held").then_some(last)
    });
    assert_eq!(gone(&held), ["rules"]);
    assert!(!daemon.answers());
}

#[test]
fn files_that_cannot_be_read_any_more() {
    for way in ["a folder that is gone", "a file that is a folder's link to nowhere"] {
        let served = Folder::serve(&[("rules.yaml", "rules: []\n"), ("users.yaml", USERS)], &[]);
        if way.starts_with("a folder") {
            fs::rename(served.path(""), served.folder.path().join("elsewhere")).unwrap();
        } else {
            fs::remove_file(served.path("rules.yaml")).unwrap();
            std::os::unix::fs::symlink("nowhere", served.path("rules.yaml")).unwrap();
        }
        let last = served.wait_for("refused");
        assert_eq!(last["diagnostics"]["errors"], 1, "{way}: {last}");
        assert!(!served.daemon.answers(), "{way}");
        assert_eq!(served.daemon.get("/readyz").status, 200);
        // Nobody can insist on what is not there.
        assert_eq!(served.reload("?force=true")["outcome"], "refused");
    }
}

/// Once it may read a file, and then no more. The superuser reads all, so it runs as another.
#[test]
fn a_file_without_read_permission() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yaml");
    write(&rules, "rules: []\n");
    write(folder.path().join("users.yaml"), USERS);
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    mode(folder.path(), 0o755);
    let mut command = serve();
    if fs::metadata(folder.path()).unwrap().uid() == 0 {
        command.uid(65534).gid(65534);
    }
    command.arg(folder.path()).args(["--listen", "127.0.0.1:0", "--poll", "20"]);
    let daemon = Daemon::start(&mut command);
    assert!(!daemon.answers());
    let wait_for = |outcome: &str| {
        daemon.wait_for(outcome, |daemon| {
            let last = daemon.get("/v1/status").json()["last_reload"].clone();
            (last["outcome"] == outcome).then_some(last)
        })
    };
    mode(&rules, 0o000);
    let last = wait_for("refused");
    assert_eq!(last["diagnostics"]["diagnostics"][0]["code"], "unreadable", "{last}");
    assert!(!daemon.answers());
    mode(&rules, 0o644);
    wait_for("unchanged");
}

fn users(count: usize) -> String {
    let mut text = String::from("users:\n  '2': { tags: [B] }\n  '3': { tags: [A] }\n");
    for user in 2..count {
        writeln!(text, "  user{user}: {{}}").unwrap();
    }
    text
}

#[test]
fn many_users_that_are_gone_are_missed() {
    // How many there were, how many there are, and whether that is held.
    for (before, after, is_held) in [
        (100, 89, true),
        (100, 90, false),
        (200, 181, false),
        (200, 180, false),
        (200, 179, true),
        (20, 10, false),
        (20, 9, true),
        (10, 2, false),
        (20, 2, true),
    ] {
        let what = format!("{before} to {after}");
        let served =
            Folder::serve(&[("rules.yaml", "rules: []\n"), ("users.yaml", &users(before))], &[]);
        save(served.path("users.yaml"), &users(after));
        let last = served.reload("");
        // What is not held may have been taken before it was asked for.
        assert_eq!(last["outcome"] == "held", is_held, "{what}: {last}");
        if is_held {
            let reason = &last["diff"]["reasons"][0];
            assert_eq!(reason["reason"], "users-gone", "{what}");
            assert_eq!([&reason["gone"], &reason["of"]], [before - after, before], "{what}");
            assert_eq!(last["diff"]["vanished"], before - after);
            assert_eq!(served.reload("?force=true")["outcome"], "swapped");
        }
    }
}

#[test]
fn the_reasons_are_reported_together_and_counted() {
    let served = Folder::serve(
        &[("rules.yaml", "rules: []\n"), ("users.yaml", &users(30))],
        &["--max-changed", "5%"],
    );
    save(served.path("rules.yaml"), "tags: [A, B]\n");
    save(served.path("users.yaml"), &users(10));
    let last = served.reload("");
    let reasons = last["diff"]["reasons"].as_array().unwrap();
    let codes: Vec<_> = reasons.iter().map(|reason| reason["reason"].as_str().unwrap()).collect();
    assert_eq!(codes, ["section-gone", "users-gone", "max-changed"], "{last}");
    let message = "the policy no longer has `rules`, which changes what is refused";
    assert_eq!(reasons[0]["message"], message);
    assert_eq!(reasons[1]["message"], "20 of 30 users are gone");
    assert_eq!(last["diff"]["max_changed"], json!(0.05));
    // The watcher may have the files read once more between two looks.
    served.daemon.wait_for("both counts of held reloads to be the same", |daemon| {
        let metrics = daemon.get("/metrics");
        let counted: u64 = metrics
            .text()
            .lines()
            .find_map(|line| line.strip_prefix("peerage_held_reloads_total "))?
            .parse()
            .ok()?;
        let held = daemon.get("/v1/status").json()["reloads"]["held"].as_u64()?;
        (held > 0 && counted == held).then_some(())
    });
    served.daemon.signal("TERM");
    let ended = served.daemon.ended();
    assert!(ended.errors.contains(message), "{}", ended.errors);
}

#[test]
fn holding_can_be_turned_off() {
    let files = [("rules.yaml", "rules: []\n"), ("users.yaml", &*users(30))];
    let served = Folder::serve(&files, &["--hold", "off"]);
    save(served.path("users.yaml"), USERS);
    assert!(served.reload("")["ok"] == true);
    fs::remove_file(served.path("rules.yaml")).unwrap();
    assert!(served.reload("")["ok"] == true);
    assert!(served.daemon.answers());
    // What is turned off is not the third reason.
    let served = Folder::serve(&files, &["--hold", "off", "--max-changed", "1%"]);
    fs::remove_file(served.path("rules.yaml")).unwrap();
    let last = served.reload("");
    assert_eq!(last["diff"]["reasons"][0]["reason"], "max-changed", "{last}");
    assert_eq!(last["diff"]["reasons"].as_array().unwrap().len(), 1);
}
