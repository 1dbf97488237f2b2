//! Actions that the policy declares, at every endpoint that takes an action.

use serde_json::{Value, json};

use super::write;
use crate::support::{client::Answer, daemon::Daemon};

const POLICY: &str = r"
action mention: send_message;
action invite: add_member;
permissions { mention: not(hasTag(muted)); }
accepts invite { default: contacts; }
matrix team { add_member: allow; remove_member: deny; update_metadata: deny; add_admin: deny;
  remove_admin: deny; update_permissions: deny; mention: allow_if_admin; }
user ann { contacts: [bob]; }
user bob { tags: [muted]; }
user cat {}
group g { matrix: team; creator: ann; members: [cat, bob]; }
";

fn entity(kind: &str, id: &str) -> Value {
    json!({ "type": kind, "id": id })
}

fn ask(daemon: &Daemon, path: &str, body: &Value) -> Value {
    let answer: Answer = daemon.connect().post(path, body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_str(answer.text()).unwrap()
}

#[test]
fn native_endpoints_take_them_by_name() {
    let (_folder, daemon) = write(POLICY);
    let mut client = daemon.connect();
    for (path, answer) in [
        (
            "/v1/decide?subject=ann&action=mention&resource=bob",
            r#"{"decision":true,"reason":"allowed"}"#,
        ),
        (
            "/v1/decide?subject=bob&action=mention&resource=ann",
            r#"{"decision":false,"reason":"permission_off"}"#,
        ),
        (
            "/v1/decide?subject=cat&action=mention&resource=g&resource_type=group",
            r#"{"decision":false,"reason":"needs_admin"}"#,
        ),
        (
            "/v1/decide?subject=cat&action=invite&resource=g&member=ann",
            r#"{"decision":false,"reason":"not_in_audience"}"#,
        ),
        (
            "/v1/decide?subject=bob&action=invite&resource=g&member=ann",
            r#"{"decision":true,"reason":"allowed"}"#,
        ),
        ("/v1/reach?subject=bob&action=mention", r#"{"users":[],"total":0,"next":""}"#),
        ("/v1/reach?resource=bob&action=mention", r#"{"users":["ann","cat"],"total":2,"next":""}"#),
        (
            "/v1/reach?subject=ann&action=mention&resource_type=group",
            r#"{"groups":["g"],"total":1,"next":""}"#,
        ),
    ] {
        let given = client.get(path);
        assert_eq!((given.status, given.text()), (200, answer), "{path}");
    }
    assert_eq!(client.get("/v1/allow?subject=ann&action=mention&resource=bob").status, 204);
    assert_eq!(client.get("/v1/allow?subject=bob&action=mention&resource=ann").status, 403);
    let unknown = client.get("/v1/decide?subject=ann&action=mentions&resource=bob");
    assert_eq!(unknown.status, 400);
    assert!(unknown.text().contains("did you mean `mention`?"), "{}", unknown.text());
    let explained = client.get("/v1/decide?subject=bob&action=mention&resource=ann&explain=true");
    assert!(explained.text().contains("mention of `bob` is off"), "{}", explained.text());
}

#[test]
fn authzen_takes_and_finds_them() {
    let (_folder, daemon) = write(POLICY);
    let evaluation = |subject: &str| {
        json!({
            "subject": entity("user", subject),
            "action": { "name": "mention" },
            "resource": entity("user", "cat"),
        })
    };
    assert_eq!(ask(&daemon, "/access/v1/evaluation", &evaluation("ann"))["decision"], true);
    assert_eq!(ask(&daemon, "/access/v1/evaluation", &evaluation("bob"))["decision"], false);
    let names = |subject: &str| -> Vec<String> {
        let mut search = evaluation(subject);
        search.as_object_mut().unwrap().shift_remove("action");
        let found = ask(&daemon, "/access/v1/search/action", &search);
        let found = found["results"].as_array().unwrap();
        found.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("ann").last().unwrap(), "mention");
    assert!(names("bob").iter().all(|name| name != "mention"));
    let mut search = evaluation("");
    search["subject"] = json!({ "type": "user" });
    let found = ask(&daemon, "/access/v1/search/subject", &search);
    assert_eq!(found["results"], json!([entity("user", "ann")]));
}

#[test]
fn they_are_counted_by_their_names() {
    let (_folder, daemon) = write(POLICY);
    let mut client = daemon.connect();
    client.get("/v1/decide?subject=ann&action=mention&resource=bob");
    client.get("/v1/decide?subject=bob&action=mention&resource=ann");
    let metrics = client.get("/metrics");
    for line in [
        r#"peerage_decisions_total{action="mention",decision="allow",reason="allowed"} 1"#,
        r#"peerage_decisions_total{action="mention",decision="deny",reason="permission_off"} 1"#,
    ] {
        assert!(metrics.text().contains(line), "{line}\n{}", metrics.text());
    }
}
