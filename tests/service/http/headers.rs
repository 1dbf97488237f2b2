//! Headers and the ends of paths, alike in all APIs.

use serde_json::json;

use crate::{
    http::facts::{Kept, POLICY, authorization},
    support::client::Client,
    support::daemon::{Daemon, serve, stores},
};

#[test]
fn a_slash_at_the_end_says_nothing() {
    let kept = Kept::start();
    let mut client = kept.daemon.connect();
    for path in [
        "/v1/decide?subject=ann&action=sign_in",
        "/v1/reach?action=sign_in",
        "/healthz",
        "/readyz",
        "/v1/facts",
        "/v1/facts/users",
        "/v1/facts/users/ann",
        "/v1/facts/groups",
        "/.well-known/authzen-configuration",
    ] {
        let (before, query) = path.split_once('?').unwrap_or((path, ""));
        let plain = client.ask("GET", path, &authorization(), b"");
        let slash = client.ask("GET", &format!("{before}/?{query}"), &authorization(), b"");
        assert_eq!((plain.status, slash.status), (200, 200), "{path}");
        assert_eq!(plain.body, slash.body, "{path}");
        client.ask("GET", &format!("{before}//?{query}"), &authorization(), b"").refusal(404);
    }
    for path in ["/v1/status/", "/metrics/"] {
        assert_eq!(client.get(path).status, 200);
    }
    let sign_in = json!({
        "subject": { "type": "user", "id": "ann" }, "action": { "name": "sign_in" },
        "resource": { "type": "session", "id": "1" },
    });
    let answer = client.post("/access/v1/evaluation/", sign_in.to_string().as_bytes());
    assert_eq!(answer.json()["decision"], true);
    let headers = format!("{}Content-Type: application/json\r\n", authorization());
    let answer = client.ask("POST", "/v1/facts/", &headers, br#"{"commands":[]}"#);
    assert_eq!(answer.status, 200);
    assert_eq!(client.ask("POST", "/v1/reload/", &authorization(), b"").status, 200);
    // One that belongs to an id is written as %2F.
    let put = json!([{ "op": "put_user", "user": "ann/", "tags": [] }]);
    kept.done(&put);
    assert_eq!(kept.reported("/v1/facts/users/ann%2F")["id"], "ann/");
    assert_eq!(kept.reported("/v1/facts/users/ann/")["id"], "ann");
}

#[test]
fn of_two_authorizations_none_counts() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("admin");
    let kept = Kept::with(POLICY, &["--dialect", "all", "--admin-uds", socket.to_str().unwrap()]);
    let daemon = &kept.daemon;
    let one = authorization();
    for twice in
        [one.repeat(2), format!("{one}Authorization: x\r\n"), format!("Authorization: x\r\n{one}")]
    {
        let headers = format!("{twice}Content-Type: application/json\r\n");
        for (method, path) in [
            ("GET", "/healthz"),
            ("GET", "/v1/decide?subject=ann&action=sign_in"),
            ("GET", "/v1/facts"),
            ("POST", "/v1/facts"),
            ("POST", "/v1/reload"),
            ("POST", "/access/v1/evaluation"),
            ("GET", "/sync/interaction-rules"),
            ("POST", "/xmtp/groups"),
            ("POST", "/backend"),
            ("POST", "/v4/sns/friend_get"),
            ("GET", "/ws/world/a/"),
        ] {
            let answer = daemon.connect().ask(method, path, &headers, b"");
            assert_eq!(answer.refusal(400), "Authorization", "{method} {path}");
        }
        let answer = Client::unix(&socket).ask("GET", "/v1/facts", &headers, b"");
        assert_eq!(answer.refusal(400), "Authorization");
    }
}

#[test]
fn bodies_come_as_they_are_and_as_json() {
    let kept = Kept::with(POLICY, &["--dialect", "all"]);
    let daemon = &kept.daemon;
    let batch = br#"{"commands":[]}"#;
    for (kind, status) in [
        ("", 415),
        ("Content-Type: text/plain\r\n", 415),
        ("Content-Type: application/x-www-form-urlencoded\r\n", 415),
        ("Content-Type: application/json\r\nContent-Type: text/plain\r\n", 415),
        ("Content-Type: application/json; charset=utf-8\r\n", 200),
    ] {
        let headers = format!("{}{kind}", authorization());
        let answer = daemon.connect().ask("POST", "/v1/facts", &headers, batch);
        assert_eq!(answer.status, status, "{kind}");
        if status == 415 {
            assert_eq!(answer.refusal(415), "Content-Type");
            assert!(answer.text().contains("-H 'Content-Type: application/json'"));
        }
        if status == 415 {
            let answer = daemon.connect().ask("POST", "/access/v1/evaluation", kind, b"{}");
            assert_eq!(answer.refusal(400), "Content-Type");
        }
    }
    let json = format!("{}Content-Type: application/json\r\n", authorization());
    for coding in ["gzip", "br", "identity, gzip", "x"] {
        let headers = format!("{json}Content-Encoding: {coding}\r\n");
        for path in ["/v1/facts", "/access/v1/evaluation", "/access/v1/search/action"] {
            let answer = daemon.connect().ask("POST", path, &headers, batch);
            assert_eq!(answer.refusal(415), "Content-Encoding", "{coding} {path}");
        }
        // In other systems' APIs by their own errors.
        for (method, path, status) in [
            ("POST", "/xmtp/groups", 415),
            ("POST", "/sync/interaction-rules", 415),
            ("POST", "/backend", 200),
            ("POST", "/v4/sns/friend_get", 200),
        ] {
            let answer = daemon.connect().ask(method, path, &headers, batch);
            assert_eq!(answer.status, status, "{path} {answer:?}");
            assert!(answer.text().contains("Content-Encoding"), "{path}");
        }
    }
    let headers = format!("{json}Content-Encoding: identity\r\n");
    assert_eq!(daemon.connect().ask("POST", "/v1/facts", &headers, batch).status, 200);
    // Where no body is read, it does not matter how it is packed.
    let packed = "Content-Encoding: gzip\r\n";
    assert_eq!(daemon.connect().ask("GET", "/healthz", packed, b"x").status, 200);
}

/// Texts for people end with a newline, JSON does not.
#[test]
fn texts_end_with_a_newline() {
    let daemon = Daemon::start(serve().arg(stores()).args(["--listen", "127.0.0.1:0"]));
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = daemon.get(path);
        assert!(answer.text().ends_with('\n'), "{path}");
        assert!(answer.header("content-type").unwrap().contains("text"), "{path}");
    }
    for path in ["/v1/status", "/nowhere", "/v1/decide?subject=3&action=sign_in"] {
        assert!(daemon.get(path).text().ends_with('}'), "{path}");
    }
}

/// Whose token opens nothing is reported so before they send a body.
#[test]
fn tokens_are_looked_at_before_bodies() {
    let kept = Kept::with(POLICY, &["--dialect", "all"]);
    for (path, status) in [
        ("/v1/facts", 401),
        ("/xmtp/groups", 401),
        ("/sync/interaction-rules", 401),
        ("/v4/sns/friend_add?sdkappid=1&identifier=administrator&usersig=wrong", 200),
    ] {
        for token in ["", "Authorization: Bearer wrong-wrong-wrong\r\n"] {
            let mut client = kept.daemon.connect();
            client.send(format!(
                "POST {path} HTTP/1.1\r\nHost: localhost\r\n{token}Content-Type: application/json\r\n\
                 Content-Length: 100000\r\n\r\n{{"
            ));
            let answer = client.answer("POST").unwrap();
            assert_eq!(answer.status, status, "{path} {token}");
            assert!(status == 401 || answer.json()["ErrorCode"] == 70003, "{answer:?}");
        }
    }
}
