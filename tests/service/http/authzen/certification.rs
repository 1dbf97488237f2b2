//! The working group's certification scenario: Basic, Batch and Search, requests and outcomes as it
//! has them.
//!
//! Its records are groups here, `write` is `update_permissions` and `delete` is `update_metadata`; the
//! `status` of a record is the matrix of a group, and whether a deletion is soft is the field. So the
//! requests are the scenario's but for those words.

use serde_json::{Value, json};

use super::{ACTION, EVALUATION, EVALUATIONS, RESOURCE, SUBJECT};
use crate::{support::client::Answer, support::daemon::Daemon};

const POLICY: &str = "
users: { alice: {}, bob: {} }
matrices:
  active: &active
    add_member: deny
    remove_member: deny
    add_admin: deny
    remove_admin: deny
    update_metadata: { soft: allow, '*': deny }
    update_permissions: allow_if_admin
  archived: *active
groups:
  record-1: { matrix: active, creator: alice, admins: [alice], members: [bob] }
  record-2: { matrix: archived, creator: bob, members: [alice] }
";

fn serve() -> (tempfile::TempDir, Daemon) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("policy.yaml"), POLICY).unwrap();
    let daemon = Daemon::serve(folder.path());
    (folder, daemon)
}

/// A request of the scenario in the words of a chat system.
fn translated(request: &Value) -> String {
    let words = [
        (r#""type":"record""#, r#""type":"group""#),
        (r#""name":"write""#, r#""name":"update_permissions""#),
        (r#""name":"delete""#, r#""name":"update_metadata""#),
        (r#""soft":true"#, r#""field":"soft""#),
        (r#""soft":false"#, r#""field":"hard""#),
        (r#""status":"archived""#, r#""status":"archived","matrix":"archived""#),
        (r#""status":"active""#, r#""status":"active","matrix":"active""#),
    ];
    words.iter().fold(request.to_string(), |text, (from, to)| text.replace(from, to))
}

#[track_caller]
fn ask(daemon: &Daemon, path: &str, request: &Value) -> Answer {
    let answer = daemon.connect().post(path, translated(request).as_bytes());
    assert_eq!(answer.header("content-type"), Some("application/json"), "{request}");
    answer
}

fn alice() -> Value {
    json!({ "type": "user", "id": "alice" })
}

fn bob() -> Value {
    json!({ "type": "user", "id": "bob" })
}

fn admin() -> Value {
    json!({ "type": "user", "id": "bob", "properties": { "role": "admin" } })
}

fn action(name: &str) -> Value {
    json!({ "name": name })
}

fn delete(soft: bool) -> Value {
    json!({ "name": "delete", "properties": { "soft": soft } })
}

fn record(number: u32) -> Value {
    json!({ "type": "record", "id": format!("record-{number}") })
}

fn with_status(number: u32, status: &str) -> Value {
    let mut record = record(number);
    record["properties"] = json!({ "status": status });
    record
}

#[expect(clippy::needless_pass_by_value, reason = "it is made where this is called")]
fn evaluation(subject: Value, action: Value, resource: Value) -> Value {
    json!({ "subject": subject, "action": action, "resource": resource })
}

/// One with more members.
#[expect(clippy::needless_pass_by_value, reason = "it is made where this is called")]
fn with(mut request: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

#[test]
fn basic_decisions() {
    let (_folder, daemon) = serve();
    let read = || evaluation(alice(), action("read"), record(1));
    let sales = json!({
        "type": "user", "id": "alice",
        "properties": { "department": "Sales", "role": "manager" },
    });
    let get = json!({ "name": "read", "properties": { "method": "GET" } });
    let owned = with(record(1), json!({ "properties": { "status": "active", "owner": "bob" } }));
    for (number, request, decision) in [
        ("2.2.1", read(), true),
        ("2.2.2", evaluation(bob(), action("write"), record(1)), false),
        (
            "2.2.3",
            with(
                read(),
                json!({ "context": { "time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1" } }),
            ),
            true,
        ),
        ("2.2.4", evaluation(alice(), action("write"), with_status(2, "archived")), false),
        ("2.2.5", evaluation(admin(), action("write"), with_status(2, "archived")), true),
        ("2.2.6", evaluation(alice(), delete(true), record(1)), true),
        ("2.2.7", evaluation(alice(), delete(false), record(1)), false),
        ("2.2.8", evaluation(sales, get, owned), true),
        ("2.2.9", with(read(), json!({ "foo": "bar", "futureField": { "nested": true } })), true),
        ("rule 2", evaluation(alice(), action("write"), record(1)), true),
        ("rule 3", evaluation(bob(), action("read"), record(1)), true),
    ] {
        // 2.3, and 2.6: the same each time.
        for _ in 0..3 {
            let answer = ask(&daemon, EVALUATION, &request);
            assert_eq!(
                (answer.status, &answer.json()["decision"]),
                (200, &json!(decision)),
                "{number}"
            );
            assert!(answer.json().get("context").is_none_or(Value::is_object), "{number}");
        }
    }
}

#[test]
fn basic_errors_and_headers() {
    let (_folder, daemon) = serve();
    let read = evaluation(alice(), action("read"), record(1));
    let without = |pointer: &str, name: &str| {
        let mut request = read.clone();
        let object = request.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        object.shift_remove(name).unwrap();
        request
    };
    for request in [
        without("", "subject"),
        without("", "action"),
        without("", "resource"),
        without("/subject", "type"),
        without("/subject", "id"),
        without("/action", "name"),
        without("/resource", "type"),
        without("/resource", "id"),
        with(read.clone(), json!({ "subject": "alice" })),
        with(read.clone(), json!({ "action": { "name": 123 } })),
    ] {
        assert_eq!(ask(&daemon, EVALUATION, &request).status, 400, "2.4 {request}");
    }
    let body = translated(&read);
    let text = "Content-Type: text/plain\r\n";
    let answer = daemon.connect().ask("POST", EVALUATION, text, body.as_bytes());
    assert_eq!(answer.status, 400, "2.4.3");
    for body in ["{", "", "[]"] {
        assert_eq!(daemon.evaluate(body).status, 400, "2.4.4 and 2.4.5");
    }
    let headers = "Content-Type: application/json\r\nX-Request-ID: bfe9eb29-ab87\r\n";
    let answer = daemon.connect().ask("POST", EVALUATION, headers, body.as_bytes());
    assert_eq!(answer.header("x-request-id"), Some("bfe9eb29-ab87"), "2.5.1");
}

#[test]
fn batches() {
    let (_folder, daemon) = serve();
    let item = |name: &str, value: Value| json!({ name: value });
    for (number, request, decisions) in [
        (
            "3.2.1",
            json!({
                "subject": alice(), "action": action("read"),
                "evaluations": [item("resource", record(1)), item("resource", record(2))],
            }),
            &[Some(true), None][..],
        ),
        (
            "3.2.2",
            json!({
                "subject": bob(), "resource": record(1),
                "evaluations": [item("action", action("read")), item("action", action("write"))],
            }),
            &[Some(true), Some(false)],
        ),
        (
            "3.2.3",
            json!({
                "subject": alice(), "action": action("write"),
                "evaluations": [
                    item("resource", with_status(1, "active")),
                    item("resource", with_status(2, "archived")),
                ],
            }),
            &[Some(true), Some(false)],
        ),
        (
            "3.2.4",
            json!({
                "action": action("write"), "resource": with_status(2, "archived"),
                "evaluations": [item("subject", alice()), item("subject", admin())],
            }),
            &[Some(false), Some(true)],
        ),
        (
            "3.2.5",
            json!({
                "evaluations": [
                    evaluation(alice(), action("read"), record(1)),
                    evaluation(bob(), action("write"), record(1)),
                ],
            }),
            &[Some(true), Some(false)],
        ),
        (
            "3.2.6",
            json!({
                "subject": alice(), "action": action("read"),
                "context": { "time": "2025-06-27T18:03-07:00" },
                "evaluations": [
                    item("resource", record(1)),
                    {
                        "resource": record(2),
                        "context": { "time": "2025-06-27T19:00-07:00", "source": "batch-override" },
                    },
                ],
            }),
            &[Some(true), None],
        ),
        (
            "3.4.1",
            json!({
                "subject": alice(), "action": action("read"),
                "evaluations": [item("resource", record(1)), {}],
            }),
            &[Some(true), Some(false)],
        ),
    ] {
        let answer = ask(&daemon, EVALUATIONS, &request);
        assert_eq!(answer.status, 200, "{number}");
        assert!(answer.json().get("decision").is_none(), "3.3.4 {number}");
        let answers = answer.json()["evaluations"].as_array().unwrap().clone();
        assert_eq!(answers.len(), decisions.len(), "3.3.1 {number}");
        for (answer, decision) in answers.iter().zip(decisions) {
            let reported = answer["decision"].as_bool();
            assert!(reported.is_some(), "3.3.3 {number}");
            assert!(
                decision.is_none_or(|decision| reported == Some(decision)),
                "{number} {answers:?}"
            );
        }
    }
    let read = evaluation(alice(), action("read"), record(1));
    for request in [read.clone(), with(read, json!({ "evaluations": [] }))] {
        let answer = ask(&daemon, EVALUATIONS, &request);
        assert_eq!((answer.status, &answer.json()["decision"]), (200, &json!(true)), "3.4.2");
        assert!(answer.json().get("evaluations").is_none(), "3.4.3");
    }
}

#[test]
fn searches() {
    let (_folder, daemon) = serve();
    let typed = |kind: &str| json!({ "type": kind });
    let context = json!({ "context": { "time": "2025-06-27T18:03-07:00" } });
    let subject = evaluation(typed("user"), action("read"), record(1));
    let resource = evaluation(alice(), action("read"), typed("record"));
    let actions = json!({ "subject": alice(), "resource": record(1) });
    let found = |kind: &str, id: &str| json!({ "type": kind, "id": id });
    let named = |name: &str| json!({ "name": name });
    for (number, path, request, expected) in [
        ("4.2.1", SUBJECT, subject.clone(), vec![found("user", "alice"), found("user", "bob")]),
        ("4.2.2", SUBJECT, with(subject.clone(), context.clone()), vec![found("user", "alice")]),
        (
            "4.2.4",
            SUBJECT,
            evaluation(typed("user"), action("write"), with_status(2, "archived")),
            vec![found("user", "bob")],
        ),
        ("4.3.1", RESOURCE, resource.clone(), vec![found("group", "record-1")]),
        (
            "4.3.3",
            RESOURCE,
            evaluation(admin(), action("write"), typed("record")),
            vec![found("group", "record-2")],
        ),
        ("4.4.1", ACTION, actions.clone(), vec![named("read"), named("update_permissions")]),
        ("4.4.2", ACTION, with(actions.clone(), context), vec![named("read")]),
        (
            "4.4.3",
            ACTION,
            json!({ "subject": admin(), "resource": with_status(2, "archived") }),
            vec![named("update_permissions")],
        ),
    ] {
        let answer = ask(&daemon, path, &request);
        assert_eq!(answer.status, 200, "{number}");
        let results = answer.json()["results"].as_array().unwrap().clone();
        for result in expected {
            assert!(results.contains(&result), "{number} {results:?}");
            let keys = |value: &Value| value.as_object().unwrap().len();
            assert!(results.iter().all(|it| keys(it) == keys(&result)), "{number}");
        }
    }

    // 4.5: pages, to the end.
    let mut request = with(subject.clone(), json!({ "page": { "limit": 1 } }));
    let mut ids = Vec::new();
    loop {
        let answer = ask(&daemon, SUBJECT, &request);
        assert_eq!(answer.status, 200, "4.5.1");
        let answer = answer.json();
        let results = answer["results"].as_array().unwrap();
        assert!(results.len() <= 1, "4.5.1");
        ids.extend(results.iter().map(|result| result["id"].clone()));
        let token = answer["page"]["next_token"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
        request["page"] = json!({ "token": token });
    }
    assert_eq!(ids, [json!("alice"), json!("bob")], "4.5.2");

    let nobody = json!({ "type": "user", "id": "nonexistent-user" });
    for (path, request) in [
        (ACTION, json!({ "subject": nobody, "resource": record(1) })),
        (SUBJECT, evaluation(typed("spaceship"), action("read"), record(1))),
    ] {
        let answer = ask(&daemon, path, &request);
        assert_eq!((answer.status, &answer.json()["results"]), (200, &json!([])), "4.6");
    }
    for (path, request) in [
        (SUBJECT, json!({ "subject": typed("user"), "resource": record(1) })),
        (RESOURCE, json!({ "action": action("read"), "resource": typed("record") })),
        (ACTION, json!({ "subject": alice() })),
        (SUBJECT, evaluation(typed("user"), action("read"), typed("record"))),
        (RESOURCE, evaluation(typed("user"), action("read"), typed("record"))),
    ] {
        assert_eq!(ask(&daemon, path, &request).status, 400, "4.7 {request}");
    }
}
