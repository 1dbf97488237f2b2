//! `POST /access/v1/evaluation`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{EVALUATION as PATH, group, post, question, user, with_options};
use crate::{
    support::client::{Client, request},
    support::daemon::{Daemon, club, serve, stores},
};

/// The question with another value at a place in it; without any, if there is none.
fn with(place: &str, value: Option<Value>) -> String {
    let mut body = question("3", "2");
    let (parent, name) = place.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    body.to_string()
}

#[test]
fn evaluations() {
    let daemon = Daemon::serve(stores());
    let allowed = daemon.evaluate(question("3", "2").to_string());
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.header("content-type"), Some("application/json"));
    assert_eq!(allowed.text(), r#"{"decision":true,"context":{"reason":"allowed"}}"#);
    let denied = daemon.evaluate(question("3", "4").to_string());
    assert_eq!(denied.status, 200);
    assert_eq!(denied.text(), r#"{"decision":false,"context":{"reason":"no_rule"}}"#);
    let unknown = daemon.evaluate(question("3", "").to_string());
    assert_eq!(unknown.json()["context"]["reason"], "unknown_resource");
}

#[test]
fn what_does_not_change_the_answer() {
    let daemon = Daemon::serve(stores());
    let answer = daemon.evaluate(question("3", "2").to_string());
    let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
    let deep = question("3", "2").to_string().replacen('{', &format!("{{\"x\":{deep},"), 1);
    for body in [
        with("/colour", Some(json!({ "red": [1, null, {}] }))),
        with("/subject/colour", Some(json!("red"))),
        with("/action/colour", Some(json!("red"))),
        with("/action/properties", Some(json!({ "member": 1 }))),
        with("/resource/colour", Some(json!("red"))),
        with("/subject/properties", Some(json!({ "colour": "red" }))),
        with("/subject/properties", Some(json!(null))),
        with("/subject/properties", Some(json!({ "tags": null }))),
        with("/context", Some(json!(null))),
        with("/context", Some(json!({}))),
        with("/context", Some(json!({ "time": "now", "explain": null }))),
        with("/context", Some(json!({ "conversation": "new" }))),
        with("/options", Some(json!([]))),
        format!(" \r\n\t{}\n", question("3", "2")),
        question("3", "2").to_string().replace("user", "\\u0075ser"),
        deep,
    ] {
        assert_eq!(daemon.evaluate(&body).text(), answer.text(), "{body}");
    }
    for kind in [
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        "application/json ; x=y",
    ] {
        let body = question("3", "2").to_string();
        let header = format!("Content-Type: {kind}\r\n");
        let same = daemon.connect().ask("POST", PATH, &header, body.as_bytes());
        assert_eq!((same.status, same.text()), (200, answer.text()), "{kind}");
    }
}

#[test]
fn explanation() {
    let daemon = Daemon::serve(stores());
    let reported = daemon.evaluate(with("/context", Some(json!({ "explain": true })))).json();
    assert_eq!(reported["decision"], true);
    assert_eq!(reported["context"]["reason"], "allowed");
    assert_eq!(reported["context"]["rules"][0]["name"], "stores to headquarters");
    assert_eq!(reported["context"]["gates"].as_array().unwrap().len(), 11);
    assert!(reported["context"].get("decision").is_none());
    let plain = daemon.evaluate(with("/context", Some(json!({ "explain": false })))).json();
    assert_eq!(plain["context"], json!({ "reason": "allowed" }));
}

#[test]
fn what_no_one_knows_is_not_permitted() {
    let daemon = Daemon::serve(stores());
    for body in [
        with("/subject/type", Some(json!("robot"))),
        with("/resource/type", Some(json!("group"))),
        with("/resource/type", Some(json!(""))),
        with("/action/name", Some(json!("fly"))),
        with("/action/name", Some(json!(""))),
        with("/subject/id", Some(json!("a".repeat(1000)))),
        with("/subject/id", Some(json!("\0\n"))),
    ] {
        let answer = daemon.evaluate(&body);
        assert_eq!((answer.status, answer.json()["decision"].as_bool()), (200, Some(false)));
    }
}

#[test]
fn every_action() {
    let daemon = Daemon::serve(club());
    let wall = json!({ "type": "wall", "id": "" });
    let about =
        |name: &str, key: &str, value: &str| json!({ "name": name, "properties": { key: value } });
    let named = |name: &str| json!({ "name": name });
    for (subject, action, resource, reason) in [
        ("bob", named("sign_in"), wall.clone(), "allowed"),
        ("dan", named("sign_in"), wall.clone(), "banned"),
        ("cat", named("post"), wall.clone(), "silenced"),
        ("bob", named("post"), wall.clone(), "allowed"),
        ("bob", named("list_users"), wall.clone(), "not_manager"),
        ("bob", named("start_chat"), user("eve"), "blocked_by_resource"),
        ("bob", named("send_message"), user("cat"), "allowed"),
        ("bob", named("send_message"), group("g1"), "allowed"),
        ("fay", named("send_message"), group("g1"), "not_member"),
        ("bob", named("leave"), group("g2"), "last_member"),
        ("eve", about("add_member", "member", "gus"), group("g1"), "allowed"),
        ("eve", about("add_member", "member", "zoe"), group("g1"), "unknown_resource"),
        ("eve", about("add_member", "member", ""), group("g1"), "unknown_resource"),
        ("bob", about("update_metadata", "field", "name"), group("g1"), "allowed"),
        ("bob", about("update_metadata", "field", "topic"), group("g1"), "needs_admin"),
        ("bob", about("update_metadata", "field", ""), group("g1"), "needs_admin"),
        ("bob", named("leave"), group("g9"), "unknown_resource"),
        ("", named("sign_in"), wall.clone(), "unknown_subject"),
    ] {
        let body = json!({ "subject": user(subject), "action": action, "resource": resource });
        let expected = json!({ "decision": reason == "allowed", "context": { "reason": reason } });
        let answer = post(&daemon, PATH, &body);
        assert_eq!((answer.status, answer.json()), (200, expected), "{body}");
    }
    let mut body = question("bob", "cat");
    body["action"] = named("send_message");
    body["context"] = json!({ "conversation": "new" });
    assert_eq!(post(&daemon, PATH, &body).json()["context"]["reason"], "no_rule");

    let mut body = question("ann", "eve");
    body["action"] = named("friend_request");
    let answer = post(&daemon, PATH, &body);
    assert_eq!(
        answer.text(),
        r#"{"decision":true,"context":{"reason":"allowed","obligations":["confirm"]}}"#
    );
    let mut body = question("bob", "eve");
    body["context"] = json!({ "explain": true });
    assert_eq!(post(&daemon, PATH, &body).json()["context"]["user"], "eve");
}

#[test]
fn what_can_not_be_judged_is_not_permitted() {
    let daemon = Daemon::serve(stores());
    let action = |name: &str| json!({ "name": name });
    for (action, resource, said) in [
        (action("fly"), user("2"), "fly"),
        (action(""), user("2"), "unknown action"),
        (action("start_chat"), group("g"), "user"),
        (action("start_chat"), json!({ "type": "", "id": "2" }), "user"),
        (action("leave"), user("2"), "group"),
        (action("sign_in"), user("2"), "sign_in"),
        (action("add_member"), group("g"), "member"),
        (action("update_metadata"), group("g"), "field"),
    ] {
        let body = json!({ "subject": user("3"), "action": action, "resource": resource });
        let answer = post(&daemon, PATH, &body);
        assert_eq!(answer.status, 200, "{body}");
        let answer = answer.json();
        assert_eq!(answer["decision"], false, "{body}");
        assert_eq!(answer["context"]["error"]["status"], 400, "{body}");
        let message = answer["context"]["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(said), "{body}: {message}");
    }
}

#[test]
fn nobody_is_allowed_whatever_becomes_of_unknown_users() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    std::fs::write(&path, "unknown_users: allow_defaults\nusers: { ann: {} }\n").unwrap();
    let daemon = Daemon::serve(&path);
    let robot = json!({ "type": "robot", "id": "zoe" });
    for (subject, resource, reason) in [
        (user("zoe"), user("ann"), "allowed"),
        (user("ann"), user("zoe"), "allowed"),
        (robot, user("ann"), "unknown_subject"),
        (user(""), user("ann"), "unknown_subject"),
        (user("\u{7}"), user(""), "unknown_subject"),
        (user("ann"), user(""), "unknown_resource"),
        (user("zoe"), user(&"z".repeat(256)), "unknown_resource"),
    ] {
        let mut body = question("", "");
        body["subject"] = subject;
        body["resource"] = resource;
        for explain in [false, true] {
            body["context"] = json!({ "explain": explain });
            let answer = post(&daemon, PATH, &body).json();
            assert_eq!(answer["decision"], reason == "allowed", "{body}");
            assert_eq!(answer["context"]["reason"], reason, "{body}");
            assert_ne!(answer["context"]["user"], "", "{body}");
            assert_eq!(answer["context"].get("gates").is_some(), explain, "{body}");
        }
    }
}

#[test]
fn answers_without_context() {
    let daemon = with_options(stores(), &["--authzen-context", "off"]);
    let mut body = question("3", "2");
    body["context"] = json!({ "explain": true });
    assert_eq!(post(&daemon, PATH, &body).text(), r#"{"decision":true}"#);
    assert_eq!(post(&daemon, PATH, &question("3", "4")).text(), r#"{"decision":false}"#);
    body["action"]["name"] = json!("fly");
    assert_eq!(post(&daemon, PATH, &body).text(), r#"{"decision":false}"#);
    let on = with_options(stores(), &["--authzen-context", "on"]);
    assert_eq!(post(&on, PATH, &question("3", "4")).json()["context"]["reason"], "no_rule");
}

#[test]
fn malformed_bodies() {
    let daemon = Daemon::serve(stores());
    let good = question("3", "2").to_string();
    let mut bodies: Vec<Vec<u8>> = Vec::new();
    for place in ["/subject", "/action", "/resource", "/subject/type", "/subject/id"] {
        bodies.push(with(place, None).into());
    }
    for place in ["/resource/type", "/resource/id", "/action/name"] {
        bodies.push(with(place, None).into());
    }
    for wrong in [json!(null), json!(1), json!("x"), json!(true), json!([]), json!(["user", "3"])] {
        for place in ["/subject", "/action", "/resource"] {
            bodies.push(with(place, Some(wrong.clone())).into());
        }
        if !wrong.is_string() {
            for place in ["/subject/type", "/subject/id", "/resource/id", "/action/name"] {
                bodies.push(with(place, Some(wrong.clone())).into());
            }
        }
        if !wrong.is_null() {
            bodies.push(with("/context", Some(wrong.clone())).into());
            bodies.push(with("/subject/properties", Some(wrong.clone())).into());
        }
    }
    for wrong in
        [json!({ "explain": "yes" }), json!({ "explain": 1 }), json!({ "conversation": 1 })]
    {
        bodies.push(with("/context", Some(wrong)).into());
    }
    for text in ["", " ", "{", "[]", "null", "1", "\"x\"", "{}", "[{}]", "\u{feff}{}", "{\"a\":}"] {
        bodies.push(text.into());
    }
    bodies.push(format!("[{good}]").into());
    bodies.push(format!("{good}{good}").into());
    bodies.push(format!("{good},").into());
    bodies.push(good.replacen('{', "{\"subject\":{\"type\":\"user\",\"id\":\"1\"},", 1).into());
    bodies.push(good.replacen("\"id\":", "\"id\":\"1\",\"id\":", 1).into());
    bodies.push(good.replacen("\"3\"", "\"\\ud800\"", 1).into());
    bodies.push(good.replacen("\"3\"", "\"\\x\"", 1).into());
    bodies.push(good.replacen("\"3\"", "\"\n\"", 1).into());
    bodies.push("[".repeat(100_000).into());
    bodies.push("{\"a\":".repeat(100_000).into());
    bodies.push(good.replacen("\"3\"", &"[".repeat(100_000), 1).into());
    for place in ["\"3\"", "{"] {
        let text = if place == "{" { "{\"x\":\"?\"," } else { "\"?\"" };
        let text = good.replacen(place, text, 1);
        bodies.push(text.bytes().map(|byte| if byte == b'?' { 0xff } else { byte }).collect());
    }
    for body in bodies {
        let mut client = daemon.connect();
        client.send(request(
            "POST",
            PATH,
            "Content-Type: application/json\r\nX-Request-ID: 7-\u{e4}\r\n",
            &body,
        ));
        let answer = client.answer("POST").unwrap();
        let shown = String::from_utf8_lossy(&body).chars().take(200).collect::<String>();
        assert_eq!(answer.status, 400, "{shown}");
        answer.refusal(400);
        assert_eq!(answer.header("x-request-id"), Some("7-\u{e4}"));
        assert_eq!(client.post(PATH, good.as_bytes()).status, 200, "after {shown}");
    }
    assert!(daemon.evaluate("{\n  \"subject\": 1 }").refusal(400).contains("line 2"));
}

#[test]
fn content_types() {
    let daemon = Daemon::serve(stores());
    let body = question("3", "2").to_string();
    for header in [
        "",
        "Content-Type:\r\n",
        "Content-Type: text/plain\r\n",
        "Content-Type: text/json\r\n",
        "Content-Type: application/jsonp\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: \u{e4}\r\n",
    ] {
        let answer = daemon.connect().ask("POST", PATH, header, body.as_bytes());
        assert_eq!(answer.refusal(400), "Content-Type", "{header}");
    }
}

#[test]
fn request_ids_come_back() {
    let daemon = Daemon::serve(stores());
    let body = question("3", "2").to_string();
    let mut client = daemon.connect();
    for id in ["1", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "any \t text; =\"x\""] {
        let headers = format!("Content-Type: application/json\r\nX-Request-ID: {id}\r\n");
        let answer = client.ask("POST", PATH, &headers, body.as_bytes());
        assert_eq!((answer.status, answer.header("x-request-id")), (200, Some(id)));
        let answer = client.ask("POST", PATH, &headers, b"{");
        assert_eq!((answer.status, answer.header("x-request-id")), (400, Some(id)));
        let answer = client.ask("POST", "/nowhere", &headers, b"{");
        assert_eq!((answer.status, answer.header("x-request-id")), (404, Some(id)));
    }
    assert_eq!(client.post(PATH, body.as_bytes()).header("x-request-id"), None);
}

#[test]
fn bodies_over_the_limit() {
    let mut command = serve();
    command.arg(stores()).args(["--listen", "127.0.0.1:0", "--body-limit", "1000"]);
    let daemon = Daemon::start(&mut command);
    let good = question("3", "2").to_string();
    let fits = format!("{good}{}", " ".repeat(1000 - good.len()));
    assert_eq!(daemon.evaluate(&fits).status, 200);
    for size in [1001, 100_000, 3_000_000] {
        let body = format!("{good}{}", " ".repeat(size - good.len()));
        daemon.evaluate(&body).refusal(413);
        let mut client = daemon.connect();
        client.send(chunked(&body));
        client.answer("POST").unwrap().refusal(413);
    }
    let mut client = daemon.connect();
    client.send(chunked(&fits));
    assert_eq!(client.answer("POST").unwrap().json()["decision"], true);
}

#[test]
fn a_length_over_the_limit_is_refused_before_the_body_comes() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    client.send(head("Content-Length: 1000000000\r\nExpect: 100-continue\r\n"));
    client.answer("POST").unwrap().refusal(413);
}

#[test]
fn a_body_is_asked_for() {
    let daemon = Daemon::serve(stores());
    let body = question("3", "2").to_string();
    let mut client: Client<_> = daemon.connect();
    client.send(head(&format!("Content-Length: {}\r\nExpect: 100-continue\r\n", body.len())));
    assert_eq!(client.answer("POST").unwrap().status, 100);
    client.send(body);
    assert_eq!(client.answer("POST").unwrap().json()["decision"], true);
}

fn head(headers: &str) -> String {
    let kind = "Content-Type: application/json\r\n";
    format!("POST {PATH} HTTP/1.1\r\nHost: localhost\r\n{kind}{headers}\r\n")
}

fn chunked(body: &str) -> String {
    let mut text = head("Transfer-Encoding: chunked\r\n");
    for chunk in body.as_bytes().chunks(700) {
        let chunk = str::from_utf8(chunk).unwrap();
        write!(text, "{:x}\r\n{chunk}\r\n", chunk.len()).unwrap();
    }
    text.push_str("0\r\n\r\n");
    text
}
