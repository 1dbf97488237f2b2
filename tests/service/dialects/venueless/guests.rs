//! How many guests there may be, and which of them go.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Socket, guest, user, world};
use crate::{
    dialects::rig::{Rig, bearer},
    support::daemon::{Daemon, NEVER, serve},
};

#[track_caller]
fn login(rig: &Rig, client: &str) -> (Socket, Value) {
    let mut socket = Socket::open(rig, "/ws/world/sample/");
    let reply = socket.ask(&json!(["authenticate", { "client_id": client }]));
    (socket, reply)
}

/// Whether there is such a user.
#[track_caller]
fn is_known(rig: &Rig, id: &str) -> bool {
    rig.ask("GET", &format!("/v1/facts/users/{id}"), &bearer(), b"").status == 200
}

/// Waits until something is so.
#[track_caller]
fn until<T>(mut so: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(it) = so() {
            return it;
        }
        assert!(begun.elapsed() < NEVER, "it never is");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Another daemon with the same store.
#[track_caller]
fn restarted(rig: Rig) -> Rig {
    let Rig { folder, daemon } = rig;
    daemon.signal("TERM");
    assert_eq!(daemon.ended().status.code(), Some(0));
    let path = |name: &str| folder.path().join(name);
    let mut command = serve();
    command.arg(path("policy")).args(["--listen", "127.0.0.1:0", "--dialect", "venueless"]);
    command.arg("--store").arg(path("facts")).arg("--admin-token-file").arg(path("token"));
    let daemon = Daemon::start(command.arg("--venueless-jwt-file").arg(path("issuers")));
    Rig { folder, daemon }
}

fn too_many(reply: &Value) -> bool {
    reply[1]["code"] == "auth.too_many_guests"
}

#[test]
fn the_oldest_goes_where_there_is_no_place_and_none_of_whom_more_is_known() {
    let rig = world(&["--venueless-guests", "4"]);
    let ids: Vec<String> = ["banned", "blocked", "old"].map(|name| guest(&rig, name).1).into();
    let [banned, blocked, old] = &*ids else { panic!("three") };
    rig.write(&json!([{ "op": "ban", "user": banned }]));
    rig.write(&json!([{ "op": "block", "from": "filed", "to": blocked }]));
    let (here, here_id) = guest(&rig, "here");
    // The one goes who has no socket and of whom nothing is known.
    let (_fifth, id) = until(|| {
        let (socket, reply) = login(&rig, "fifth");
        let is_in = reply[0] == "authenticated";
        assert!(is_in || too_many(&reply), "{reply}");
        is_in.then(|| (socket, reply[1]["user.config"]["id"].as_str().unwrap().to_owned()))
    });
    assert!(!is_known(&rig, old));
    for id in [banned, blocked, &here_id, &id] {
        assert!(is_known(&rig, id), "{id}");
    }
    let reported = rig.ask("GET", &format!("/v1/facts/users/{banned}"), &bearer(), b"").json();
    assert_eq!(reported["moderation"], "banned");
    // None can go: two are here, and of the others more is known.
    for at in 0..3 {
        let (_, reply) = login(&rig, &format!("more{at}"));
        assert!(too_many(&reply), "{reply}");
        let message = reply[1]["message"].as_str().unwrap();
        assert!(message.contains("4 guests"), "{message}");
    }
    // Who was a guest already comes in, and who has a token.
    guest(&rig, "here");
    user(&rig, "alice", &[]);
    drop(here);
    until(|| (login(&rig, "sixth").1[0] == "authenticated").then_some(()));
}

#[test]
fn who_was_not_here_for_long_goes() {
    let rig = world(&[]);
    let ids: Vec<String> = ["gone", "tagged", "member", "silenced", "new", "stays"]
        .map(|name| guest(&rig, name).1)
        .into();
    let [gone, tagged, member, silenced, new, stays] = &*ids else { panic!("six") };
    let long_ago = json!({ "venueless.seen": 1 });
    let mut commands: Vec<Value> = [gone, tagged, member, silenced, stays]
        .map(|id| json!({ "op": "put_user", "user": id, "attributes": long_ago }))
        .into();
    commands.extend([
        json!({ "op": "put_user", "user": stays, "attributes": { "badge": "x" } }),
        json!({ "op": "put_user", "user": gone, "attributes": { "venueless.profile": { "a": 1 } } }),
        json!({ "op": "add_tags", "user": tagged, "tags": ["vip"] }),
        json!({ "op": "put_group", "group": "g", "creator": "filed", "members": [member] }),
        json!({ "op": "silence", "user": silenced }),
        json!({ "op": "put_user", "user": "no-guest", "attributes": long_ago }),
    ]);
    rig.write(&json!(commands));
    let rig = restarted(rig);
    until(|| (!is_known(&rig, gone)).then_some(()));
    for id in [tagged, member, silenced, new, stays, "no-guest"] {
        assert!(is_known(&rig, id), "{id}");
    }
    // They come again as the same, with nothing of what was kept.
    let (_, reply) = login(&rig, "gone");
    assert_eq!(
        reply[1]["user.config"],
        json!({ "id": gone, "profile": {}, "moderation_state": "" })
    );
}

#[test]
fn an_address_makes_so_many_a_minute() {
    let rig = world(&["--venueless-new-guests", "3"]);
    for at in 0..3 {
        guest(&rig, &format!("guest{at}"));
    }
    let (_, reply) = login(&rig, "another");
    assert!(too_many(&reply), "{reply}");
    assert!(reply[1]["message"].as_str().unwrap().contains("3 guests a minute"), "{reply}");
    // Nobody else is kept out, and nobody was made.
    guest(&rig, "guest0");
    user(&rig, "alice", &[]);
    let users = rig.ask("GET", "/v1/facts/users", &bearer(), b"").json()["users"].clone();
    assert_eq!(users.as_array().unwrap().len(), 3 + 3, "{users}");
    // In time another one may.
    until(|| (login(&rig, "another").1[0] == "authenticated").then_some(()));
}

#[test]
fn at_once_no_more_are_made_than_may_be() {
    let rig = world(&["--venueless-guests", "20", "--venueless-new-guests", "10000"]);
    let mut sockets: Vec<Socket> =
        (0..200).map(|_| Socket::open(&rig, "/ws/world/sample/")).collect();
    for (at, socket) in sockets.iter_mut().enumerate() {
        socket.send(&json!(["authenticate", { "client_id": format!("guest{at}") }]));
    }
    let came = sockets.iter_mut().filter_map(|socket| {
        let reply = socket.next();
        assert!(reply[0] == "authenticated" || too_many(&reply), "{reply}");
        (reply[0] == "authenticated").then_some(())
    });
    let count = came.count();
    assert!((1..=20).contains(&count), "{count}");
    // They are who is there.
    let guests = || {
        let users = rig.ask("GET", "/v1/facts/users", &bearer(), b"").json()["users"].clone();
        users.as_array().unwrap().len() - 2
    };
    assert_eq!(guests(), count);
}
