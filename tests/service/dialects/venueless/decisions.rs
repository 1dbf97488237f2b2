//! Writes on a socket, which change decisions, and writes of others, which show on sockets.

use serde_json::json;

use super::{error, moderator, success, user, world};

#[test]
fn a_block_stops_new_chats_both_ways_and_messages_one_way() {
    let rig = world(&[]);
    let (mut alice, _) = (user(&rig, "alice", &[]), user(&rig, "bob", &[]));
    let block = json!(["user.block", 1, { "id": "bob" }]);
    let no = |why: &str| (false, why.to_owned());
    for _ in 0..2 {
        assert_eq!(alice.ask(&block), success(json!({})));
        assert_eq!(rig.decide("bob", "start_chat", "alice"), no("blocked_by_resource"));
        assert_eq!(rig.decide("alice", "start_chat", "bob"), no("blocked_by_subject"));
        assert_eq!(rig.decide("bob", "send_message", "alice"), no("blocked_by_resource"));
        // A message that begins a conversation starts a chat.
        assert_eq!(rig.decide("alice", "send_message", "bob"), no("blocked_by_subject"));
        assert!(rig.decide("alice", "send_message", "bob&conversation=existing").0);
        // Also where there is a conversation.
        let existing = "alice&conversation=existing";
        assert_eq!(rig.decide("bob", "send_message", existing), no("blocked_by_resource"));
    }
    let unblock = json!(["user.unblock", 1, { "id": "bob" }]);
    for _ in 0..2 {
        assert_eq!(alice.ask(&unblock), success(json!({})));
        assert!(rig.decide("bob", "start_chat", "alice").0);
        assert!(rig.decide("bob", "send_message", "alice").0);
    }
}

#[test]
fn nobody_blocks_himself_or_a_stranger() {
    let rig = world(&[]);
    let mut alice = user(&rig, "alice", &[]);
    for action in ["block", "unblock"] {
        let command = format!("user.{action}");
        let oneself = alice.ask(&json!([command, 1, { "id": "alice" }]));
        assert_eq!(oneself, error(&format!("{command}.self")));
        let unknown = alice.ask(&json!([command, 1, { "id": "nobody" }]));
        assert_eq!(unknown, error("user.not_found"));
        let nobody = alice.ask(&json!([command, 1, {}]));
        assert_eq!(nobody[2]["code"], "protocol.invalid_message", "{nobody}");
    }
}

#[test]
fn who_is_banned_or_silenced_may_do_as_much_everywhere() {
    let rig = world(&[]);
    let mut moderator = moderator(&rig);
    user(&rig, "alice", &[]);
    let mut requested = |command: &str| {
        assert_eq!(moderator.ask(&json!([command, 1, { "id": "alice" }])), success(json!({})));
        let may = |action: &str| rig.decide("alice", action, "mod").1;
        [may("send_message"), may("video_call"), may("view_profile")]
    };
    assert_eq!(requested("user.silence"), ["silenced", "silenced", "allowed"]);
    assert_eq!(requested("user.ban"), ["banned", "banned", "banned"]);
    assert_eq!(requested("user.reactivate"), ["allowed", "allowed", "allowed"]);
}

#[test]
fn what_others_write_shows() {
    let rig = world(&[]);
    let mut alice = user(&rig, "alice", &[]);
    rig.write(&json!([
        { "op": "put_user", "user": "bob" },
        { "op": "block", "from": "alice", "to": "bob" },
    ]));
    let blocked = alice.ask(&json!(["user.list.blocked", 1, {}]));
    assert_eq!(blocked, success(json!([{ "id": "bob", "profile": {} }])));
    rig.write(&json!([{ "op": "add_tags", "user": "alice", "tags": ["moderator"] }]));
    assert_eq!(alice.ask(&json!(["user.ban", 1, { "id": "bob" }])), success(json!({})));
    let fetched = alice.ask(&json!(["user.fetch", 1, { "id": "bob" }]));
    assert_eq!(fetched[2]["moderation_state"], "banned");
}
