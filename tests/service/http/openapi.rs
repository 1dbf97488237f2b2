//! `/openapi.json`: what it says of answers holds for real ones.

use serde_json::{Value, json};

use crate::{
    http::facts::{Kept, authorization},
    support::{client::Answer, json_schema},
};

/// The document, and what answers it is held against.
struct Described {
    document: Value,
}

impl Described {
    /// Asserts that an answer to a request has a status and a body that the document has.
    #[track_caller]
    fn check(&self, method: &str, path: &str, answer: &Answer) {
        let operation = &self.document["paths"][path][method];
        assert!(operation.is_object(), "{method} {path} is not described");
        let status = answer.status.to_string();
        let mut response = &operation["responses"][&status];
        if let Some(Value::String(to)) = response.get("$ref") {
            response = self.document.pointer(to.trim_start_matches('#')).unwrap();
        }
        assert!(response.is_object(), "{method} {path} answers {status}: {}", answer.text());
        let kind = answer.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        let Some(schema) = response["content"].get(kind) else {
            assert!(answer.text().is_empty(), "{method} {path}: {kind} {}", answer.text());
            return;
        };
        if kind != "application/json" {
            return;
        }
        // References are to the document's components.
        let schema =
            json!({ "allOf": [schema["schema"]], "components": self.document["components"] });
        let found = json_schema::violations(&json_schema::validator(&schema), &answer.json());
        assert!(found.is_empty(), "{method} {path}: {found:?} in {}", answer.text());
    }
}

#[test]
fn answers_are_as_described() {
    let kept = Kept::start();
    let document = kept.daemon.get("/openapi.json");
    assert_eq!((document.status, document.header("content-type")), (200, Some("application/json")));
    let described = Described { document: document.json() };
    let decide = "subject=ann&action=start_chat&resource=bob";
    let cases = [
        ("/v1/decide", format!("/v1/decide?{decide}")),
        ("/v1/decide", format!("/v1/decide?{decide}&explain=true")),
        ("/v1/decide", "/v1/decide?subject=ann".to_owned()),
        ("/v1/allow", format!("/v1/allow?{decide}")),
        ("/v1/reach", "/v1/reach?subject=ann&action=start_chat&limit=1".to_owned()),
        ("/v1/reach", "/v1/reach?subject=ann&action=start_chat&limit=0".to_owned()),
        ("/.well-known/authzen-configuration", "/.well-known/authzen-configuration".to_owned()),
        ("/openapi.json", "/openapi.json".to_owned()),
        ("/healthz", "/healthz".to_owned()),
        ("/readyz", "/readyz".to_owned()),
        ("/metrics", "/metrics".to_owned()),
        ("/v1/status", "/v1/status".to_owned()),
        ("/v1/facts", "/v1/facts".to_owned()),
        ("/v1/changes", "/v1/changes?since=x".to_owned()),
    ];
    for (path, target) in &cases {
        described.check("get", path, &kept.daemon.get(target));
    }
    let read = [
        ("/v1/facts", "/v1/facts"),
        ("/v1/facts/users", "/v1/facts/users?limit=2"),
        ("/v1/facts/groups", "/v1/facts/groups"),
        ("/v1/facts/conversations", "/v1/facts/conversations"),
        ("/v1/facts/rules", "/v1/facts/rules"),
        ("/v1/facts/users/{id}", "/v1/facts/users/ann"),
        ("/v1/facts/users/{id}", "/v1/facts/users/nobody"),
        ("/v1/facts/groups/{id}", "/v1/facts/groups/club"),
        ("/v1/facts/rules/{id}", "/v1/facts/rules/00000000-0000-4000-8000-000000000000"),
        ("/v1/facts/history", "/v1/facts/history?user=ann"),
        ("/v1/facts/history", "/v1/facts/history?since=yesterday"),
    ];
    for (path, target) in read {
        described.check("get", path, &kept.read(target));
    }
    let question = json!({ "subject": "ann", "action": "start_chat", "resource": "bob" });
    let [ann, bob] = ["ann", "bob"].map(|id| json!({ "type": "user", "id": id }));
    let evaluation = json!({ "subject": ann, "action": { "name": "start_chat" }, "resource": bob });
    let search = |kind: &str| {
        let mut body = evaluation.clone();
        match kind {
            "action" => drop(body.as_object_mut().unwrap().remove("action")),
            kind => body[kind] = json!({ "type": "user" }),
        }
        body
    };
    let posts = [
        ("/v1/decide", question.clone()),
        ("/v1/decide", json!([question, question])),
        ("/v1/decide", json!([{}])),
        ("/access/v1/evaluation", evaluation.clone()),
        ("/access/v1/evaluation", json!({})),
        ("/access/v1/evaluations", json!({ "evaluations": [evaluation, {}] })),
        ("/access/v1/search/subject", search("subject")),
        ("/access/v1/search/resource", search("resource")),
        ("/access/v1/search/action", search("action")),
        ("/access/v1/search/action", json!(3)),
        ("/v1/facts", json!({ "commands": [] })),
    ];
    for (path, body) in posts {
        let answer = kept.daemon.connect().post(path, body.to_string().as_bytes());
        described.check("post", path, &answer);
    }
    let writes = [
        json!({ "commands": [{ "op": "put_user", "user": "dan" }] }),
        json!({ "commands": [{ "op": "put_user", "user": "ann", "tags": [] }] }),
        json!({ "commands": [{ "op": "fly" }] }),
        json!({ "commands": 3 }),
        json!({ "commands": [], "if_revision": 999 }),
    ];
    for body in writes {
        described.check("post", "/v1/facts", &kept.post(&body, ""));
    }
    let reload = kept.daemon.connect().ask("POST", "/v1/reload", &authorization(), b"");
    described.check("post", "/v1/reload", &reload);
    described.check("post", "/v1/reload", &kept.reload("tags: ["));
    let lines = "Content-Type: application/x-ndjson\r\n";
    let refused = kept.daemon.connect().ask("POST", "/v1/watch", lines, b"nonsense");
    described.check("post", "/v1/watch", &refused);
    let backup = kept.path("copy");
    let path = format!("/v1/store/backup?to={}", backup.display());
    let made = kept.daemon.connect().ask("POST", &path, &authorization(), b"");
    described.check("post", "/v1/store/backup", &made);
    let again = kept.daemon.connect().ask("POST", &path, &authorization(), b"");
    described.check("post", "/v1/store/backup", &again);
}
