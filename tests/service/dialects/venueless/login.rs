//! Logins: the admitted callers, and their users.

use serde_json::{Value, json};

use super::{
    Socket, alone, guest,
    socket::Last,
    token::{at, part, signed, token, whole},
    user, world,
};
use crate::dialects::rig::Rig;

#[track_caller]
fn authenticate(rig: &Rig, payload: &Value) -> Value {
    Socket::open(rig, "/ws/world/sample/").ask(&json!(["authenticate", payload]))
}

#[track_caller]
fn by_token(rig: &Rig, token: &str) -> Value {
    authenticate(rig, &json!({ "token": token }))
}

fn bare(code: &str) -> Value {
    json!(["error", { "code": code }])
}

#[test]
fn tokens_of_each_issuer_are_taken() {
    let rig = world(&[]);
    let header = json!({ "alg": "HS256" });
    for (token, user) in [
        (token(&json!({ "uid": "alice" })), "alice"),
        (token(&json!({ "uid": 42 })), "42"),
        (token(&json!({ "uid": "é".repeat(120) })), &*"é".repeat(120)),
        (token(&json!({ "aud": ["other", "venueless"] })), "alice"),
        (token(&json!({ "nbf": at(-5) })), "alice"),
        (token(&json!({ "iat": 1.5, "traits": ["a", "a"] })), "alice"),
        (token(&json!({ "exp": 4_102_444_800.5 })), "alice"),
        (signed(&header, &whole("tickets.example", "fair", &json!({})), "second secret"), "alice"),
    ] {
        let reply = by_token(&rig, &token);
        assert_eq!(reply[0], "authenticated", "{reply}");
        assert_eq!(reply[1]["user.config"]["id"], user);
    }
}

#[test]
fn what_no_issuer_made_is_refused() {
    let rig = world(&[]);
    let header = json!({ "alg": "HS256" });
    let good = whole("any", "venueless", &json!({}));
    let text = token(&json!({}));
    let (message, signature) = text.rsplit_once('.').unwrap();
    let unsigned = |alg: &str| format!("{}.{}.", part(&json!({ "alg": alg })), part(&good));
    let with = |alg: Value| signed(&alg, &good, "first secret");
    for token in [
        signed(&header, &good, "another secret"),
        // Of one issuer, with what is another's.
        signed(&header, &good, "second secret"),
        signed(&header, &whole("any", "fair", &json!({})), "first secret"),
        signed(&header, &whole("tickets.example", "venueless", &json!({})), "first secret"),
        token(&json!({ "iss": null })),
        token(&json!({ "aud": null })),
        token(&json!({ "aud": [] })),
        token(&json!({ "aud": ["fair"] })),
        token(&json!({ "iss": ["any"] })),
        unsigned("none"),
        unsigned("HS256"),
        with(json!({ "alg": "none" })),
        with(json!({ "alg": "RS256" })),
        with(json!({ "alg": "HS512" })),
        with(json!({ "alg": "hs256" })),
        with(json!({ "alg": ["HS256"] })),
        with(json!({})),
        with(json!({ "alg": "HS256", "crit": ["exp"] })),
        with(json!([])),
        signed(&header, &json!([]), "first secret"),
        format!("{message}."),
        format!("{message}.{}", signature.get(2..).unwrap()),
        format!("{text}="),
        format!("{text}."),
        format!("{text}.x"),
        format!(" {text}"),
        message.to_owned(),
        "..".to_owned(),
        ".".to_owned(),
        "é.é.é".to_owned(),
        // What is signed is not what is sent.
        format!(
            "{}.{}.{signature}",
            part(&header),
            part(&whole("any", "venueless", &json!({ "uid": "mod" })))
        ),
    ] {
        assert_eq!(by_token(&rig, &token), bare("auth.invalid_token"), "{token}");
    }
}

#[test]
fn tokens_have_their_time() {
    let rig = world(&[]);
    assert_eq!(by_token(&rig, &token(&json!({ "exp": at(-1) }))), bare("auth.expired_token"));
    assert_eq!(by_token(&rig, &token(&json!({ "exp": 0 }))), bare("auth.expired_token"));
    // Nobody would know that it was this issuer's.
    let foreign = signed(
        &json!({ "alg": "HS256" }),
        &whole("any", "venueless", &json!({ "exp": at(-1) })),
        "another secret",
    );
    assert_eq!(by_token(&rig, &foreign), bare("auth.invalid_token"));
    for (claims, part) in [
        (json!({ "exp": null }), "exp"),
        (json!({ "exp": "tomorrow" }), "exp"),
        (json!({ "nbf": at(3600) }), "nbf"),
        (json!({ "nbf": true }), "nbf"),
        (json!({ "iat": "yesterday" }), "iat"),
    ] {
        let reply = by_token(&rig, &token(&claims));
        assert_eq!(reply[1]["code"], "auth.invalid_token", "{reply}");
        assert!(reply[1]["message"].as_str().unwrap().contains(part), "{reply}");
    }
}

#[test]
fn claims_that_say_too_little_are_refused_and_named() {
    let rig = world(&[]);
    for (claims, part) in [
        (json!({ "uid": null }), "`uid`"),
        (json!({ "uid": "" }), "`uid`"),
        (json!({ "uid": true }), "`uid`"),
        (json!({ "uid": 1.5 }), "`uid`"),
        (json!({ "uid": "x".repeat(201) }), "200"),
        (json!({ "uid": "a\nb" }), "`uid`"),
        (json!({ "traits": null }), "`traits`"),
        (json!({ "traits": "moderator" }), "`traits`"),
        (json!({ "traits": [1] }), "`traits`"),
        (json!({ "profile": "Alice" }), "`profile`"),
        (json!({ "profile": { "x": "y".repeat(20_000) } }), "16384"),
    ] {
        let reply = by_token(&rig, &token(&claims));
        assert_eq!(reply[1]["code"], "auth.invalid_token", "{reply}");
        assert!(reply[1]["message"].as_str().unwrap().contains(part), "{reply}");
    }
    // Nobody was made.
    assert_eq!(alone(&rig, "alice", "sign_in").1, "unknown_subject");
}

#[test]
fn traits_are_tags_and_follow_each_token() {
    let rig = world(&[]);
    let first = json!({ "uid": "alice", "traits": ["b", "a"], "profile": { "display_name": "A" } });
    let reply = by_token(&rig, &token(&first));
    assert_eq!(reply[1]["user.config"]["profile"], json!({ "display_name": "A" }));
    assert_eq!(reply[1]["world.config"]["traits"], json!(["a", "b"]));
    assert_eq!(tags(&rig, "alice"), json!(["a", "b"]));
    // The profile is taken once only.
    let second =
        json!({ "uid": "alice", "traits": ["moderator"], "profile": { "display_name": "B" } });
    let reply = by_token(&rig, &token(&second));
    assert_eq!(reply[1]["user.config"]["profile"], json!({ "display_name": "A" }));
    assert_eq!(tags(&rig, "alice"), json!(["moderator"]));
    assert!(alone(&rig, "alice", "list_users").0);
    by_token(&rig, &token(&json!({ "uid": "alice", "traits": [] })));
    assert!(!alone(&rig, "alice", "list_users").0);
}

/// The tags of a user, in order.
#[track_caller]
fn tags(rig: &Rig, name: &str) -> Value {
    let answer =
        rig.ask("GET", &format!("/v1/facts/users/{name}"), &crate::dialects::rig::bearer(), b"");
    answer.json()["tags"].clone()
}

/// Most traits of an event's tickets are free text.
#[test]
fn traits_that_can_be_no_tags_keep_nobody_out() {
    let rig = world(&[]);
    let long = "x".repeat(200);
    let traits = ["Early bird, 2 days", "", "größe:m", "attendee", "a\nb", &"y".repeat(300), &long];
    let token = token(&json!({ "uid": "alice", "traits": traits }));
    let reply = by_token(&rig, &token);
    assert_eq!(reply[0], "authenticated", "{reply}");
    let reported = reply[1]["world.config"]["traits"].clone();
    assert!(reported.as_array().unwrap().contains(&"attendee".into()), "{reported}");
    assert!(
        reported.as_array().unwrap().iter().all(|one| *one == "attendee" || *one == *long),
        "{reported}"
    );
    assert_eq!(tags(&rig, "alice"), reported);
    // Nothing is written where nothing of it is a tag that they lack.
    let before = rig.daemon.get("/v1/status").json()["facts"]["revision"].clone();
    assert_eq!(by_token(&rig, &token)[0], "authenticated");
    assert_eq!(rig.daemon.get("/v1/status").json()["facts"]["revision"], before);
}

#[test]
fn traits_that_the_policy_declares_not_are_passed_over() {
    let rig = world(&[]);
    let policy = rig.folder.path().join("policy/policy.yaml");
    std::fs::write(policy, format!("{}tags: [moderator, attendee]\n", super::POLICY)).unwrap();
    let reload = rig.ask("POST", "/v1/reload", &crate::dialects::rig::bearer(), b"");
    assert_eq!(reload.status, 200, "{}", reload.text());
    let reply = by_token(&rig, &token(&json!({ "traits": ["attende", "moderator"] })));
    assert_eq!(reply[1]["world.config"]["traits"], json!(["moderator"]), "{reply}");
    assert_eq!(tags(&rig, "alice"), json!(["moderator"]));
    let reply = by_token(&rig, &token(&json!({ "traits": ["attendee", "attende"] })));
    assert_eq!(reply[1]["world.config"]["traits"], json!(["attendee"]), "{reply}");
}

#[test]
fn what_a_file_says_of_tags_stays() {
    let rig = world(&[]);
    let claims = json!({ "uid": "filed", "traits": ["moderator"], "profile": { "x": 1 } });
    let reply = by_token(&rig, &token(&claims));
    assert_eq!(reply[0], "authenticated", "{reply}");
    assert_eq!(reply[1]["world.config"]["traits"], json!(["attendee"]));
    assert_eq!(reply[1]["user.config"]["profile"], json!({ "x": 1 }));
    assert!(!alone(&rig, "filed", "list_users").0);
    // What no file states of them is theirs to change.
    let update = json!(["user.update", 1, { "profile": { "x": 2 } }]);
    assert_eq!(user(&rig, "filed", &[]).ask(&update), json!(["success", 1, {}]));
}

#[test]
fn who_is_banned_stays_out() {
    let rig = world(&[]);
    assert_eq!(by_token(&rig, &token(&json!({ "uid": "jailed" }))), bare("auth.denied"));
    let (_, id) = guest(&rig, "browser");
    rig.write(&json!([{ "op": "ban", "user": id }]));
    assert_eq!(authenticate(&rig, &json!({ "client_id": "browser" })), bare("auth.denied"));
    rig.write(&json!([{ "op": "reactivate", "user": id }]));
    assert_eq!(guest(&rig, "browser").1, id);
}

#[test]
fn a_browser_is_a_guest_of_its_own() {
    let rig = world(&[]);
    let (_, one) = guest(&rig, "one");
    assert_eq!(guest(&rig, "one").1, one);
    assert_ne!(guest(&rig, "other").1, one);
    // A number is its text.
    let reply = authenticate(&rig, &json!({ "client_id": 4 }));
    assert_eq!(reply[1]["user.config"]["id"], guest(&rig, "4").1);
    let reported =
        rig.ask("GET", &format!("/v1/facts/users/{one}"), &crate::dialects::rig::bearer(), b"");
    assert_eq!(reported.json()["attributes"]["venueless.guest"], true, "{}", reported.text());
}

#[test]
fn no_guest_becomes_a_user_whose_id_he_knows() {
    let rig = world(&[]);
    user(&rig, "mod", &["moderator"]);
    let (_, one) = guest(&rig, "one");
    for known in ["mod", "filed", &one] {
        let (mut socket, id) = guest(&rig, known);
        assert_ne!(id, known);
        assert_eq!(socket.ask(&json!(["user.list", 1, {}]))[2]["code"], "auth.denied");
    }
}

#[test]
fn a_token_counts_more_than_a_client_id() {
    let rig = world(&[]);
    let both = json!({ "client_id": "one", "token": token(&json!({ "uid": "alice" })) });
    assert_eq!(authenticate(&rig, &both)[1]["user.config"]["id"], "alice");
    let bad = json!({ "client_id": "one", "token": "x" });
    assert_eq!(authenticate(&rig, &bad), bare("auth.invalid_token"));
    // What is there and is no token lets nobody in as a guest.
    for token in [json!(""), json!(null), json!(0), json!(false), json!({})] {
        let none = json!({ "client_id": "one", "token": token });
        assert_eq!(authenticate(&rig, &none)[1]["code"], "auth.invalid_token", "{none}");
    }
}

#[test]
fn one_or_the_other_must_be_given() {
    let rig = world(&[]);
    for payload in [
        json!({}),
        json!(null),
        json!({ "client_id": "" }),
        json!({ "client_id": null }),
        json!({ "client_id": 0 }),
    ] {
        assert_eq!(authenticate(&rig, &payload), bare("auth.missing_id_or_token"), "{payload}");
    }
    for id in [json!(true), json!([]), json!({}), json!(1.5), json!("x".repeat(256))] {
        let reply = authenticate(&rig, &json!({ "client_id": id }));
        assert_eq!(reply[1]["code"], "auth.missing_id_or_token", "{reply}");
        assert!(reply[1]["message"].as_str().unwrap().contains("client_id"), "{reply}");
    }
    let reply = authenticate(&rig, &json!({ "token": 7 }));
    assert_eq!(reply[1]["code"], "auth.invalid_token");
}

/// A socket whose token ends then.
#[track_caller]
fn ends_at(rig: &Rig, end: i64) -> Socket {
    let mut socket = Socket::open(rig, "/ws/world/sample/");
    let soon = token(&json!({ "uid": "brief", "exp": end }));
    let reply = socket.ask(&json!(["authenticate", { "token": soon }]));
    assert_eq!(reply[0], "authenticated", "{reply}");
    socket
}

#[test]
fn a_socket_ends_with_its_token() {
    let rig = world(&[]);
    let mut other = user(&rig, "brief", &[]);
    let end = at(5);
    let mut socket = ends_at(&rig, end);
    assert_eq!(socket.ask(&json!(["ping", 1])), json!(["pong", 1]));
    // However busy it is.
    let mut busy = ends_at(&rig, end);
    let busy = std::thread::spawn(move || {
        loop {
            let reply = busy.ask(&json!(["ping", 1]));
            if reply[0] == "error" {
                return (reply, busy.end());
            }
        }
    });
    assert_eq!(socket.next(), bare("auth.expired_token"));
    assert!(at(0) >= end, "not before its time");
    assert_eq!(socket.end(), Last::Closed(1008));
    let (reply, last) = busy.join().unwrap();
    assert_eq!((reply, last), (bare("auth.expired_token"), Last::Closed(1008)));
    // Each has its own.
    assert_eq!(other.ask(&json!(["ping", 1])), json!(["pong", 1]));
}

#[test]
fn a_socket_can_try_again() {
    let rig = world(&[]);
    let mut socket = Socket::open(&rig, "/ws/world/sample/");
    assert_eq!(socket.ask(&json!(["authenticate", { "token": "x" }]))[0], "error");
    let reply = socket.ask(&json!(["authenticate", { "client_id": "one" }]));
    assert_eq!(reply[0], "authenticated");
}

/// An issuer neither gives nor takes what is protected, and that keeps nobody out.
#[test]
fn traits_that_are_protected_are_passed_over() {
    let rig = world(&[]);
    let policy = rig.folder.path().join("policy/policy.yaml");
    let protected = "protected_tags: [moderator, role-*]\n";
    std::fs::write(policy, format!("{}{protected}", super::POLICY)).unwrap();
    let reload = rig.ask("POST", "/v1/reload", &crate::dialects::rig::bearer(), b"");
    assert_eq!(reload.status, 200, "{}", reload.text());
    let login = |traits: Value| {
        let reply = by_token(&rig, &token(&json!({ "uid": "alice", "traits": traits })));
        assert_eq!(reply[0], "authenticated", "{reply}");
        reply[1]["world.config"]["traits"].clone()
    };
    assert_eq!(login(json!(["moderator", "role-x", "attendee"])), json!(["attendee"]));
    assert_eq!(rig.decide("alice", "ban", "filed").1, "not_manager");
    rig.write(&json!([{ "op": "add_tags", "user": "alice", "tags": ["moderator"] }]));
    assert_eq!(login(json!(["speaker"])), json!(["moderator", "speaker"]));
    assert_eq!(login(json!(["speaker"])), json!(["moderator", "speaker"]));
    assert_eq!(login(json!([])), json!(["moderator"]));
}
