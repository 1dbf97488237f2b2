//! The requirements of every endpoint that takes a body.

use serde_json::{Value, json};

use super::{ACTION, EVALUATION, EVALUATIONS, RESOURCE, SUBJECT, question, user};
use crate::{
    support::client::request,
    support::daemon::{Daemon, stores},
};

/// Each endpoint with a body that it answers.
fn endpoints() -> [(&'static str, Value); 5] {
    let (subject, action, resource) = (user("3"), json!({ "name": "start_chat" }), user("2"));
    let wanted = json!({ "type": "user" });
    [
        (EVALUATION, question("3", "2")),
        (EVALUATIONS, question("3", "2")),
        (SUBJECT, json!({ "subject": wanted, "action": action, "resource": resource })),
        (RESOURCE, json!({ "subject": subject, "action": action, "resource": wanted })),
        (ACTION, json!({ "subject": subject, "resource": resource })),
    ]
}

#[test]
fn every_endpoint_refuses_what_is_malformed() {
    let daemon = Daemon::serve(stores());
    for (path, good) in endpoints() {
        let mut bodies: Vec<Vec<u8>> = Vec::new();
        for text in ["", " ", "{", "[]", "null", "1", "\"x\"", "{}", "[{}]", "\u{feff}{}"] {
            bodies.push(text.into());
        }
        let text = good.to_string();
        let with = |member: &str| text.replacen('{', &format!("{{{member},"), 1).into_bytes();
        bodies.push(format!("[{text}]").into());
        bodies.push(format!("{text}{text}").into());
        bodies.push(with(r#""subject":{"type":"user","id":"1"}"#));
        bodies.push(with(r#""context":{},"context":{}"#));
        bodies.push(with(r#""x":"\ud800""#));
        bodies.push(with(r#""x":"\udc00\ud800""#));
        bodies.push(with(r#""x":"\ud83e\\ud83e""#));
        bodies.push(with(r#""\ud800":1"#));
        bodies.push(with(&format!("\"x\":{}{}", "[".repeat(128), "]".repeat(128))));
        bodies.push(with(&format!("\"x\":{}0{}", "{\"x\":".repeat(1000), "}".repeat(1000))));
        bodies.push("[".repeat(100_000).into());
        bodies
            .push(with("\"x\":\"?\"").iter().map(|&b| if b == b'?' { 0xff } else { b }).collect());
        for (name, value) in good.as_object().unwrap() {
            let mut body = good.clone();
            body.as_object_mut().unwrap().remove(name);
            bodies.push(body.to_string().into());
            for wrong in [json!(null), json!(1), json!("x"), json!([]), json!({})] {
                body[name] = wrong;
                bodies.push(body.to_string().into());
            }
            for (inner, _) in value.as_object().unwrap() {
                for wrong in [json!(null), json!(1), json!(["x"]), json!({})] {
                    let mut body = good.clone();
                    body[name][inner] = wrong;
                    bodies.push(body.to_string().into());
                }
            }
        }
        let mut client = daemon.connect();
        for body in bodies {
            let headers = "Content-Type: application/json\r\nX-Request-ID: 7\r\n";
            client.send(request("POST", path, headers, &body));
            let answer = client.answer("POST").unwrap();
            let shown = String::from_utf8_lossy(&body).chars().take(200).collect::<String>();
            assert_eq!(answer.status, 400, "{path} {shown}");
            answer.refusal(400);
            assert_eq!(answer.header("x-request-id"), Some("7"), "{path} {shown}");
        }
    }
}

#[test]
fn every_endpoint_passes_over_what_it_does_not_know() {
    let daemon = Daemon::serve(stores());
    for (path, good) in endpoints() {
        let plain = daemon.connect().post(path, good.to_string().as_bytes());
        assert_eq!(plain.status, 200, "{path}");
        let mut body = good.clone();
        let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
        for (_, entity) in body.as_object_mut().unwrap() {
            entity["colour"] = json!({ "red": [1, null] });
            entity["properties"] = json!({ "colour": { "red": deep } });
        }
        body["colour"] = json!("\u{1f980} \\ud800 \" [[[[");
        body["context"] = json!({ "colour": "red" });
        let text = body.to_string().replacen('\u{1f980}', r"\ud83e\udd80", 1);
        let text = text.replacen('{', "{\"z\":[1e999],\"z\":1,", 1);
        let answer = daemon.connect().post(path, text.as_bytes());
        assert_eq!(answer.text(), plain.text(), "{path} {text}");
        body["context"] = json!(null);
        assert_eq!(daemon.connect().post(path, body.to_string().as_bytes()).text(), plain.text());
    }
}

#[test]
fn every_endpoint_echoes_the_request_id_and_tells_its_method() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    for (path, good) in endpoints() {
        let headers = "Content-Type: application/json; charset=utf-8\r\nX-Request-ID: a b\r\n";
        let answer = client.ask("POST", path, headers, good.to_string().as_bytes());
        assert_eq!((answer.status, answer.header("x-request-id")), (200, Some("a b")), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
        for method in ["GET", "PUT", "DELETE"] {
            let answer = client.ask(method, path, "X-Request-ID: c\r\n", b"");
            answer.refusal(405);
            assert_eq!(answer.header("allow"), Some("POST"), "{path}");
            assert_eq!(answer.header("x-request-id"), Some("c"), "{path}");
        }
        let headers = "Content-Type: text/plain\r\n";
        let answer = client.ask("POST", path, headers, good.to_string().as_bytes());
        assert_eq!(answer.refusal(400), "Content-Type", "{path}");
    }
}

#[test]
fn the_same_question_gets_the_same_answer() {
    let daemon = Daemon::serve(stores());
    for (path, mut good) in endpoints() {
        good["page"] = json!({ "limit": 1 });
        good["context"] = json!({ "explain": true });
        let body = good.to_string();
        let answers = [(); 3].map(|()| daemon.connect().post(path, body.as_bytes()).body);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{path}");
    }
}
