//! Bans, silences and deletions, and the sockets of the users whom they concern.

use serde_json::{Value, json};

use super::{
    POLICY, Socket, denied, error, guest, moderator, socket::Last, success, token::token, user,
    world,
};

const CLOSED: Last = Last::Closed(1008);

#[track_caller]
fn reloads(socket: &mut Socket) {
    assert_eq!(socket.next(), json!(["connection.reload", {}]));
    assert_eq!(socket.end(), CLOSED);
}

#[track_caller]
fn state(moderator: &mut Socket, user: &str) -> Value {
    moderator.ask(&json!(["user.fetch", 1, { "id": user }]))[2]["moderation_state"].clone()
}

#[test]
fn a_ban_closes_all_sockets_and_keeps_out() {
    let rig = world(&[]);
    let (mut one, mut other) = (user(&rig, "alice", &[]), user(&rig, "alice", &[]));
    let mut bystander = user(&rig, "bob", &[]);
    let mut moderator = moderator(&rig);
    let ban = json!(["user.ban", 1, { "id": "alice" }]);
    assert_eq!(moderator.ask(&ban), success(json!({})));
    reloads(&mut one);
    reloads(&mut other);
    let mut again = Socket::open(&rig, "/ws/world/sample/");
    let reply = again.ask(&json!(["authenticate", { "token": token(&json!({})) }]));
    assert_eq!(reply, json!(["error", { "code": "auth.denied" }]));
    // Again is fine.
    assert_eq!(moderator.ask(&ban), success(json!({})));
    assert_eq!(state(&mut moderator, "alice"), "banned");
    assert_eq!(bystander.ask(&json!(["ping", 1])), json!(["pong", 1]));
    let reactivate = json!(["user.reactivate", 1, { "id": "alice" }]);
    assert_eq!(moderator.ask(&reactivate), success(json!({})));
    user(&rig, "alice", &[]);
}

#[test]
fn who_is_silenced_connects_anew_and_may_still_read_and_block() {
    let rig = world(&[]);
    let (mut alice, _) = (user(&rig, "alice", &[]), user(&rig, "bob", &[]));
    let mut moderator = moderator(&rig);
    let silence = json!(["user.silence", 1, { "id": "alice" }]);
    assert_eq!(moderator.ask(&silence), success(json!({})));
    reloads(&mut alice);
    let mut alice = user(&rig, "alice", &[]);
    for frame in [
        json!(["user.update", 1, { "profile": { "display_name": "A" } }]),
        json!(["user.block", 1, { "id": "bob" }]),
        json!(["user.unblock", 1, { "id": "bob" }]),
    ] {
        assert_eq!(alice.ask(&frame), success(json!({})), "{frame}");
    }
    assert_eq!(alice.ask(&json!(["user.fetch", 1, { "id": "bob" }]))[0], "success");
    for action in ["send_message", "start_chat", "video_call", "voice_call"] {
        assert_eq!(rig.decide("alice", action, "bob"), (false, "silenced".to_owned()), "{action}");
    }
    // A reactivation pushes nothing.
    let reactivate = json!(["user.reactivate", 1, { "id": "alice" }]);
    assert_eq!(moderator.ask(&reactivate), success(json!({})));
    assert_eq!(alice.ask(&json!(["ping", 2])), json!(["pong", 2]));
    assert!(rig.decide("alice", "video_call", "bob").0);
}

#[test]
fn who_has_connected_anew_is_left_alone() {
    let rig = world(&[]);
    let mut moderator = moderator(&rig);
    for at in 0..40 {
        let name = format!("alice{at}");
        let mut alice = user(&rig, &name, &[]);
        moderator.send(&json!(["user.silence", 1, { "id": name }]));
        reloads(&mut alice);
        let mut alice = user(&rig, &name, &[]);
        assert_eq!(moderator.next(), success(json!({})));
        assert_eq!(alice.ask(&json!(["ping", at])), json!(["pong", at]));
    }
}

#[test]
fn who_is_silenced_again_connects_anew_again() {
    let rig = world(&[]);
    let mut moderator = moderator(&rig);
    let mut alice = user(&rig, "alice", &[]);
    let silence = json!(["user.silence", 1, { "id": "alice" }]);
    for _ in 0..3 {
        assert_eq!(moderator.ask(&silence), success(json!({})));
        reloads(&mut alice);
        alice = user(&rig, "alice", &[]);
    }
}

#[test]
fn a_silence_leaves_the_banned_banned() {
    let rig = world(&[]);
    user(&rig, "alice", &[]);
    let mut moderator = moderator(&rig);
    for (command, after) in [
        ("user.silence", "silenced"),
        ("user.ban", "banned"),
        ("user.silence", "banned"),
        ("user.reactivate", ""),
        ("user.reactivate", ""),
    ] {
        assert_eq!(moderator.ask(&json!([command, 1, { "id": "alice" }])), success(json!({})));
        assert_eq!(state(&mut moderator, "alice"), after, "{command}");
    }
}

#[test]
fn only_managers_manage_others_and_nobody_himself() {
    let rig = world(&[]);
    let mut moderator = moderator(&rig);
    let mut alice = user(&rig, "alice", &[]);
    for action in ["ban", "silence", "reactivate", "delete"] {
        let command = format!("user.{action}");
        for id in ["mod", "alice", "nobody"] {
            assert_eq!(alice.ask(&json!([command, 1, { "id": id }])), denied(), "{action} {id}");
        }
        let oneself = moderator.ask(&json!([command, 1, { "id": "mod" }]));
        assert_eq!(oneself, error(&format!("{command}.self")));
        for id in [json!("nobody"), json!(""), json!("a\nb"), json!("x".repeat(300)), json!(12)] {
            let unknown = moderator.ask(&json!([command, 1, { "id": id }]));
            assert_eq!(unknown, error("user.not_found"), "{action} {id}");
        }
    }
    let update = json!(["user.admin.update", 1, { "id": "mod", "profile": {} }]);
    assert_eq!(alice.ask(&update), denied());
    // There is no rank among them.
    let mut second = user(&rig, "second", &["moderator"]);
    assert_eq!(second.ask(&json!(["user.ban", 1, { "id": "mod" }])), success(json!({})));
    reloads(&mut moderator);
}

#[test]
fn a_silenced_manager_manages_nobody() {
    let rig = world(&[]);
    user(&rig, "alice", &[]);
    moderator(&rig);
    rig.write(&json!([{ "op": "silence", "user": "mod" }]));
    let (mut silenced, reply) = super::enter(&rig, "mod", &["moderator"]);
    // They are not told that they may.
    let reported = json!(["world:view", "world:users.list"]);
    assert_eq!(reply[1]["world.config"]["permissions"], reported, "{reply}");
    for command in
        ["user.ban", "user.silence", "user.reactivate", "user.delete", "user.admin.update"]
    {
        let frame = json!([command, 1, { "id": "alice", "profile": {} }]);
        assert_eq!(silenced.ask(&frame), denied(), "{command}");
    }
    assert_eq!(silenced.ask(&json!(["user.list", 1, {}]))[0], "success");
    rig.write(&json!([{ "op": "reactivate", "user": "mod" }]));
    let (_, reply) = super::enter(&rig, "mod", &["moderator"]);
    let reported =
        json!(["world:view", "world:chat.direct", "world:users.list", "world:users.manage"]);
    assert_eq!(reply[1]["world.config"]["permissions"], reported, "{reply}");
}

#[test]
fn who_is_deleted_comes_back_as_another() {
    let rig = world(&[]);
    let mut moderator = moderator(&rig);
    let mut alice = user(&rig, "alice", &["x"]);
    alice.ask(&json!(["user.update", 1, { "profile": { "display_name": "A" } }]));
    let delete = json!(["user.delete", 1, { "id": "alice" }]);
    assert_eq!(moderator.ask(&delete), success(json!({})));
    reloads(&mut alice);
    assert_eq!(moderator.ask(&delete), error("user.not_found"));
    let fetch = json!(["user.fetch", 1, { "id": "alice" }]);
    assert_eq!(moderator.ask(&fetch), error("user.not_found"));
    user(&rig, "alice", &[]);
    assert_eq!(moderator.ask(&fetch)[2]["profile"], json!({}));
}

#[test]
fn what_a_file_states_is_not_changed() {
    let rig = world(&[]);
    let mut moderator = moderator(&rig);
    for (command, id, part) in
        [("user.reactivate", "jailed", "policy.yaml:6"), ("user.delete", "filed", "policy.yaml:5")]
    {
        let reply = moderator.ask(&json!([command, 1, { "id": id }]));
        assert_eq!(reply[2]["code"], "user.stated_by_file", "{reply}");
        assert!(reply[2]["message"].as_str().unwrap().contains(part), "{reply}");
    }
}

#[test]
fn a_ban_over_the_native_api_closes_sockets() {
    let rig = world(&[]);
    let mut alice = user(&rig, "alice", &[]);
    let (mut bob, id) = guest(&rig, "bob");
    rig.write(&json!([{ "op": "ban", "user": "alice" }, { "op": "silence", "user": id }]));
    reloads(&mut alice);
    reloads(&mut bob);
    let mut alice = {
        rig.write(&json!([{ "op": "reactivate", "user": "alice" }]));
        user(&rig, "alice", &[])
    };
    // What changes nothing of it closes nothing.
    rig.write(&json!([{ "op": "add_tags", "user": "alice", "tags": ["x"] }]));
    assert_eq!(alice.ask(&json!(["ping", 1])), json!(["pong", 1]));
    rig.write(&json!([{ "op": "delete_user", "user": "alice" }]));
    reloads(&mut alice);
}

#[test]
fn no_socket_is_missed_that_opens_meanwhile() {
    let rig = world(&[]);
    user(&rig, "alice", &[]);
    for _ in 0..40 {
        std::thread::scope(|scope| {
            let opening = scope.spawn(|| {
                let mut socket = Socket::open(&rig, "/ws/world/sample/");
                let frame = json!(["authenticate", { "token": token(&json!({})) }]);
                (socket.ask(&frame), socket)
            });
            rig.write(&json!([{ "op": "ban", "user": "alice" }]));
            let (reply, mut socket) = opening.join().unwrap();
            if reply[0] == "authenticated" {
                reloads(&mut socket);
            } else {
                assert_eq!(reply, json!(["error", { "code": "auth.denied" }]));
            }
        });
        rig.write(&json!([{ "op": "reactivate", "user": "alice" }]));
    }
}

#[test]
fn a_ban_in_a_policy_file_closes_sockets() {
    let rig = world(&[]);
    let mut filed = user(&rig, "filed", &["attendee"]);
    let mut other = user(&rig, "other", &[]);
    let banned = POLICY.replace("[attendee] }", "[attendee], moderation: banned }");
    std::fs::write(rig.folder.path().join("policy/policy.yaml"), banned).unwrap();
    let reload = rig.ask("POST", "/v1/reload", &crate::dialects::rig::bearer(), b"");
    assert_eq!(reload.status, 200, "{}", reload.text());
    reloads(&mut filed);
    assert_eq!(other.ask(&json!(["ping", 1])), json!(["pong", 1]));
}
