//! The socket of administrators, who need no token there.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    process::Command,
};

use serde_json::json;

use super::{Kept, POLICY, TOKEN};
use crate::{
    support::client::Client,
    support::daemon::{Daemon, run, serve},
};

#[test]
fn only_the_socket_of_administrators_needs_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("policy.yaml"), POLICY).unwrap();
    fs::write(path("token"), TOKEN).unwrap();
    let mut command = serve();
    command.arg(path("policy.yaml")).args(["--listen", "127.0.0.1:0", "--poll", "60000"]);
    command.arg("--store").arg(path("facts.redb")).arg("--uds").arg(path("plain.sock"));
    command.arg("--admin-uds").arg(path("admin.sock")).arg("--admin-token-file").arg(path("token"));
    let daemon = Daemon::start(&mut command);
    let mode = fs::metadata(path("admin.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let batch = json!({ "commands": [{ "op": "ban", "user": "ann" }] }).to_string();
    let mut plain = Client::unix(&path("plain.sock"));
    plain.post("/v1/facts", batch.as_bytes()).refusal(401);
    plain.get("/v1/facts/users/ann").refusal(401);
    let mut admin = Client::unix(&path("admin.sock"));
    assert_eq!(admin.post("/v1/facts", batch.as_bytes()).status, 200);
    assert_eq!(admin.get("/v1/facts/users/ann").json()["moderation"], "banned");
    assert_eq!(admin.get("/v1/decide?subject=ann&action=sign_in").json()["reason"], "banned");
    assert_eq!(plain.get("/v1/decide?subject=ann&action=sign_in").json()["reason"], "banned");
    assert_eq!(admin.post("/v1/reload", b"").status, 200);
    drop((plain, admin));
    daemon.signal("TERM");
    assert_eq!(daemon.ended().status.code(), Some(0));
    assert!(!path("admin.sock").exists());
}

/// Has a user without rights ask for an export over a socket whose mode somebody has widened.
#[test]
fn the_socket_of_administrators_takes_no_other_user() {
    let folder = tempfile::tempdir().unwrap();
    // Only root can ask as somebody else.
    if fs::metadata(folder.path()).unwrap().uid() != 0 {
        return;
    }
    let path = |name: &str| folder.path().join(name);
    fs::write(path("policy.yaml"), POLICY).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_peerage"), path("peerage")).unwrap();
    let mut command = serve();
    command.arg(path("policy.yaml")).arg("--store").arg(path("facts.redb"));
    let daemon = Daemon::start(
        command.arg("--admin-uds").arg(path("admin.sock")).args(["--listen", "127.0.0.1:0"]),
    );
    let open_to_all =
        |name: &str, mode| fs::set_permissions(path(name), Permissions::from_mode(mode));
    for (name, mode) in [("", 0o755), ("peerage", 0o755), ("admin.sock", 0o777)] {
        open_to_all(name, mode).unwrap();
    }
    for (user, code) in [(0, 0), (65534, 2)] {
        let mut export = Command::new(path("peerage"));
        export.args(["facts", "export", "--admin-uds"]).arg(path("admin.sock"));
        let output = run(export.uid(user).gid(user));
        assert_eq!(output.status.code(), Some(code), "{user}: {output:?}");
    }
    daemon.signal("TERM");
    let errors = daemon.ended().errors;
    assert!(errors.contains("another user's connection"), "{errors}");
}

#[test]
fn secrets_that_others_can_read_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("policy.yaml"), POLICY).unwrap();
    fs::write(path("token"), TOKEN).unwrap();
    fs::write(path("flip"), "0123456789abcdef TAG_RULE_READ\n").unwrap();
    let issuer = r#"[{"secret":"0123456789abcdef0123456789abcdef","issuer":"i","audience":"a"}]"#;
    fs::write(path("venueless"), issuer).unwrap();
    fs::write(path("tencent"), "0123456789abcdef0123456789abcdef").unwrap();
    for (mode, is_reported) in
        [(0o600, false), (0o400, false), (0o644, true), (0o440, true), (0o602, true)]
    {
        let mut command = serve();
        command.arg(path("policy.yaml")).args(["--listen", "127.0.0.1:0", "--dialect", "all"]);
        let files = [
            ("--admin-token-file", "token"),
            ("--flip-tokens-file", "flip"),
            ("--venueless-jwt-file", "venueless"),
            ("--tencent-key-file", "tencent"),
        ];
        for (flag, name) in files {
            fs::set_permissions(path(name), Permissions::from_mode(mode)).unwrap();
            command.arg(flag).arg(path(name));
        }
        let daemon = Daemon::start(command.args(["--tencent-sdkappid", "1"]));
        daemon.signal("TERM");
        let errors = daemon.ended().errors;
        for (_, name) in files {
            let file = format!("file={} ", path(name).display());
            let line = errors.lines().find(|line| line.contains(&file));
            let is_reported_of =
                line.is_some_and(|line| line.contains("WARN") && line.contains("chmod 600"));
            assert_eq!(is_reported_of, is_reported, "{mode:o} {name}: {errors}");
        }
    }
}

#[test]
fn a_store_that_a_daemon_has_open_is_nobody_elses() {
    let kept = Kept::start();
    kept.done(&json!([{ "op": "ban", "user": "ann" }]));
    let store = kept.path("facts.redb");
    let mut second = serve();
    second.arg(kept.path("policy.yaml")).args(["--listen", "127.0.0.1:0", "--store"]).arg(&store);
    let peerage = || std::process::Command::new(env!("CARGO_BIN_EXE_peerage"));
    let mut check = peerage();
    check.args(["store", "check"]).arg(&store);
    let mut export = peerage();
    export.args(["facts", "export", "--store"]).arg(&store);
    fs::write(kept.path("lines"), "").unwrap();
    let mut import = peerage();
    import.args(["facts", "import"]).arg(kept.path("lines")).arg("--store").arg(&store);
    for mut command in [second, check, export, import] {
        let output = run(&mut command);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{command:?} {errors}");
        assert!(errors.contains("another process has it open"), "{errors}");
    }
    assert_eq!(kept.reason("ann sign_in"), "banned");
}
