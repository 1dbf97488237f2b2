//! The daemon's options for worlds, guests and issuers.

use std::fs;

use peerage::dialects::venueless::Issuer;
use serde_json::{Value, json};

use super::{POLICY, Socket, guest, socket::Last, token, user, world};
use crate::{
    dialects::rig::Rig,
    support::daemon::{Daemon, run, serve},
};

fn unknown_world() -> Value {
    json!(["error", { "code": "world.unknown_world" }])
}

#[test]
fn only_worlds_that_are_named_are_served() {
    let rig = world(&["--venueless-world", "sample", "--venueless-world", "other world"]);
    guest(&rig, "one");
    let mut socket = Socket::open(&rig, "/ws/world/other%20world");
    assert_eq!(socket.ask(&json!(["authenticate", { "client_id": "one" }]))[0], "authenticated");
    for path in
        ["/ws/world/third", "/ws/world/", "/ws/world", "/ws/world/Sample/", "/ws/world/sample/x"]
    {
        let mut socket = Socket::open(&rig, path);
        assert_eq!(socket.next(), unknown_world(), "{path}");
        assert_eq!(socket.end(), Last::Closed(1008));
    }
}

#[test]
fn every_world_of_a_plain_name_is_served_if_none_is_named() {
    let rig = world(&[]);
    let id = guest(&rig, "one").1;
    let mut socket = Socket::open(&rig, "/ws/world/An_other-1");
    let reply = socket.ask(&json!(["authenticate", { "client_id": "one" }]));
    // They are the same people.
    assert_eq!(reply[1]["user.config"]["id"], id);
    assert_eq!(reply[1]["world.config"]["world"]["id"], "An_other-1");
    for path in ["/ws/world/", "/ws/world/a%20b/", "/ws/world/%ff", "/ws/world/a/b"] {
        assert_eq!(Socket::open(&rig, path).next(), unknown_world(), "{path}");
    }
}

#[test]
fn guests_can_be_kept_out() {
    let rig = world(&["--venueless-guests", "off"]);
    let mut socket = Socket::open(&rig, "/ws/world/sample/");
    let reply = socket.ask(&json!(["authenticate", { "client_id": "one" }]));
    assert_eq!(reply, json!(["error", { "code": "auth.missing_token" }]));
    // And nobody is made.
    let users =
        rig.ask("GET", "/v1/facts/users", &crate::dialects::rig::bearer(), b"").json()["users"]
            .clone();
    assert_eq!(users, json!(["filed", "jailed"]));
    user(&rig, "alice", &[]);
}

#[test]
fn the_oldest_of_too_many_sockets_is_replaced() {
    let rig = world(&["--venueless-connections", "2"]);
    let mut first = user(&rig, "alice", &[]);
    let mut second = user(&rig, "alice", &[]);
    let mut third = user(&rig, "alice", &[]);
    let replaced = json!({ "code": "connection.replaced", "message": "Connection replaced" });
    assert_eq!(first.next(), json!(["error", replaced]));
    assert_eq!(first.end(), Last::Closed(1008));
    for socket in [&mut second, &mut third] {
        assert_eq!(socket.ask(&json!(["ping", 1])), json!(["pong", 1]));
    }
}

#[test]
fn who_manages_others_has_any_number_of_sockets() {
    let rig = world(&["--venueless-connections", "1"]);
    let mut sockets: Vec<Socket> = (0..4).map(|_| super::moderator(&rig)).collect();
    for socket in &mut sockets {
        assert_eq!(socket.ask(&json!(["ping", 1])), json!(["pong", 1]));
    }
}

#[test]
fn without_a_store_only_those_come_in_who_are_known_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("policy.yaml"), POLICY).unwrap();
    fs::write(path("issuers"), super::ISSUERS).unwrap();
    let mut command = serve();
    command.arg(path("policy.yaml")).args(["--listen", "127.0.0.1:0", "--dialect", "venueless"]);
    command.arg("--venueless-jwt-file").arg(path("issuers"));
    let rig = Rig { daemon: Daemon::start(&mut command), folder };
    let mut filed = user(&rig, "filed", &["attendee"]);
    for (uid, traits) in [("filed", json!(["moderator"])), ("alice", json!([]))] {
        let token = token(&json!({ "uid": uid, "traits": traits }));
        let reply =
            Socket::open(&rig, "/ws/world/a").ask(&json!(["authenticate", { "token": token }]));
        assert_eq!(reply[1]["code"], "auth.denied", "{reply}");
        assert!(reply[1]["message"].as_str().unwrap().contains("--store"), "{reply}");
    }
    let reply = Socket::open(&rig, "/ws/world/a").ask(&json!(["authenticate", { "client_id": 1 }]));
    assert_eq!(reply[1]["code"], "auth.denied", "{reply}");
    assert!(reply[1]["message"].as_str().unwrap().contains("--store"), "{reply}");
    for (command, payload) in [
        ("user.update", json!({ "profile": { "a": 1 } })),
        ("user.block", json!({ "id": "jailed" })),
    ] {
        let reply = filed.ask(&json!([command, 1, payload]));
        assert_eq!(reply[2]["code"], "server.no_store", "{reply}");
        assert!(reply[2]["message"].as_str().unwrap().contains("--store"), "{reply}");
    }
    // Files may change all the same.
    let silenced = POLICY.replace("[attendee] }", "[attendee], moderation: silenced }");
    fs::write(rig.folder.path().join("policy.yaml"), silenced).unwrap();
    rig.daemon.signal("HUP");
    assert_eq!(filed.next(), json!(["connection.reload", {}]));
    assert_eq!(filed.end(), Last::Closed(1008));
}

#[test]
fn issuers_are_checked_at_the_start_and_their_secrets_not_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (policy, issuers) = (folder.path().join("policy.yaml"), folder.path().join("issuers"));
    fs::write(&policy, POLICY).unwrap();
    let secret = "hunter2";
    for (text, part) in [
        ("", "is empty"),
        ("[", "invalid JSON"),
        ("[]", "no issuer"),
        ("\"hunter2\"", "found a string"),
        ("[\"hunter2\"]", "issuer 1"),
        (r#"[{"secret": "hunter2", "issuer": "any"}]"#, "`audience` is missing"),
        (r#"[{"secret": "hunter2", "issuer": "any", "audience": 1}]"#, "`audience` must be"),
        (r#"[{"secret": "", "issuer": "any", "audience": "a"}]"#, "`secret` is empty"),
        (r#"[{"secret": ["hunter2"], "issuer": "any", "audience": "a"}]"#, "`secret` must be"),
        (r#"[{"secret": "hunter2", "issuer": "a", "audience": "a", "x": 1}]"#, "`x`"),
        (
            r#"[{"secret": "hunter2", "secret": "x", "issuer": "a", "audience": "a"}]"#,
            "duplicate field",
        ),
    ] {
        fs::write(&issuers, text).unwrap();
        let mut command = serve();
        command.arg(&policy).args(["--listen", "127.0.0.1:0", "--dialect", "venueless"]);
        let ended = run(command.arg("--venueless-jwt-file").arg(&issuers));
        let errors = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{errors}");
        assert!(errors.contains(part) && !errors.contains(secret), "{text}: {errors}");
    }
    let issuers = Issuer::parse_all(super::ISSUERS.as_bytes()).unwrap();
    let shown = format!("{issuers:?}");
    assert!(shown.contains("tickets.example") && !shown.contains("secret"), "{shown}");
}
