//! The socket of administrators, who need no token there.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::json;

use super::{Kept, POLICY, TOKEN};
use crate::{
    client::Client,
    daemon::{Daemon, run, serve},
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
