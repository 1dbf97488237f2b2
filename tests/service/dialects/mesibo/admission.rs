//! Access to mesibo's calls.

use serde_json::json;

use super::{JSON, POLICY, add, assert_refusal, reported};
use crate::{
    dialects::rig::{Rig, TOKEN, bearer},
    support::client::Client,
    support::daemon::{Daemon, serve},
};

const ASKED: &str = "{\"op\":\"userget\",\"user\":{\"address\":\"1\"}}";

#[test]
fn the_token_of_the_body_or_of_the_header() {
    let rig = Rig::start(POLICY);
    add(&rig, &["1"]);
    let ask = |headers: &str, body: &str| {
        reported(&rig.ask("POST", "/backend/", headers, body.as_bytes()))
    };
    assert_refusal(&ask(JSON, ASKED), "TOKENBREACH", 401);
    assert_eq!(ask(&bearer(), ASKED)["result"], true);
    assert_eq!(ask("Authorization: bearer nonsense\r\n", ASKED)["error"], "TOKENBREACH");
    for token in
        [json!("x"), json!(""), json!(5), json!(null), json!([TOKEN]), json!(format!("{TOKEN} "))]
    {
        let requested = json!({ "op": "useradd", "token": token, "user": { "address": "2" } });
        assert_refusal(&ask(JSON, &requested.to_string()), "TOKENBREACH", 401);
    }
    // That of the body counts.
    let requested = json!({ "op": "userget", "token": "x", "user": { "address": "1" } });
    assert_refusal(&ask(&bearer(), &requested.to_string()), "TOKENBREACH", 401);
    let requested = json!({ "op": "userget", "token": TOKEN, "user": { "address": "2" } });
    assert_refusal(&ask(JSON, &requested.to_string()), "NOUSER", 404);
}

#[test]
fn nobody_where_there_is_no_token() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("policy.yaml"), "preset: mesibo\nusers: { '1': {} }\n")
        .unwrap();
    let socket = folder.path().join("admin");
    let mut command = serve();
    command.arg(folder.path().join("policy.yaml")).args([
        "--listen",
        "127.0.0.1:0",
        "--dialect",
        "mesibo",
    ]);
    let daemon = Daemon::start(&mut command);
    let refusal = reported(&daemon.connect().ask("POST", "/backend/", JSON, ASKED.as_bytes()));
    assert_refusal(&refusal, "DISABLED", 403);
    assert!(refusal["message"].as_str().unwrap().contains("--admin-token-file"));
    let requested =
        json!({ "op": "userget", "token": TOKEN, "user": { "address": "1" } }).to_string();
    assert_refusal(
        &reported(&daemon.connect().ask("POST", "/backend/", JSON, requested.as_bytes())),
        "DISABLED",
        403,
    );

    // By the socket that only they can reach, an administrator needs none; without a store, they read.
    command.arg("--admin-uds").arg(&socket);
    drop(daemon);
    let _daemon = Daemon::start(&mut command);
    let trusted = |body: &str| {
        reported(&Client::unix(&socket).ask("POST", "/backend/", JSON, body.as_bytes()))
    };
    assert_eq!(trusted(ASKED)["user"]["address"], "1");
    let add = json!({ "op": "useradd", "user": { "address": "2" } }).to_string();
    let refusal = trusted(&add);
    assert_refusal(&refusal, "NOSTORE", 403);
    assert!(refusal["message"].as_str().unwrap().contains("--store"), "{refusal}");
}

#[test]
fn only_where_it_is_asked_for() {
    let rig = Rig::with(POLICY, &["--dialect", "flip"]);
    assert_eq!(rig.ask("POST", "/backend/", JSON, ASKED.as_bytes()).status, 404);
    let rig = Rig::with(POLICY, &["--dialect", "mesibo"]);
    for path in ["/backend", "/backend/", "/api.php"] {
        assert_eq!(rig.ask("POST", path, JSON, ASKED.as_bytes()).status, 200);
    }
    for path in ["/backend/x", "/api.php/", "/api", "/Backend"] {
        assert_eq!(rig.ask("POST", path, JSON, ASKED.as_bytes()).status, 404);
    }
}

#[test]
fn who_can_reach_the_socket_needs_no_token_to_write() {
    let rig = Rig::with(POLICY, &["--dialect", "mesibo", "--admin-uds", "{}/admin"]);
    let add = json!({ "op": "useradd", "user": { "address": "2" } }).to_string();
    let mut client = Client::unix(&rig.folder.path().join("admin"));
    assert_eq!(reported(&client.ask("POST", "/backend/", JSON, add.as_bytes()))["result"], true);
    assert_eq!(rig.decide("2", "read", "2").1, "allowed");
}
