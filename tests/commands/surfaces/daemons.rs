//! The columns of the table that a daemon shows: AuthZEN's searches, before and after a forced reload.

use serde_json::{Value, json};

use super::{Checked, Makes, Policy, Question, Row, column, expect};
use crate::support::daemon::{Daemon, serve};

const TOKEN: &str = "0123456789abcdef-token";

/// The ids, or the names of actions, that a search finds.
fn search(daemon: &Daemon, path: &str, body: &Value) -> Vec<String> {
    let answer =
        daemon.connect().post(&format!("/access/v1/search/{path}"), body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{body}: {}", answer.text());
    let found = answer.json();
    let results = found["results"].as_array().unwrap();
    let key = if path == "action" { "name" } else { "id" };
    results.iter().map(|it| it[key].as_str().unwrap().to_owned()).collect()
}

/// What the three searches find of a question.
fn searches(daemon: &Daemon, question: &Question<'_>) -> [Vec<String>; 3] {
    let Question { subject, action, resource, .. } = question;
    let kind = question.kind();
    let context = match question.part("conversation") {
        Some(conversation) => json!({ "conversation": conversation }),
        None => json!({}),
    };
    let properties = match question.part("member") {
        Some(member) => json!({ "member": member }),
        None => json!({}),
    };
    let action = json!({ "name": action, "properties": properties });
    let subjects = json!({
        "subject": { "type": "user" }, "action": action,
        "resource": { "type": kind, "id": resource }, "context": context,
    });
    let resources = json!({
        "subject": { "type": "user", "id": subject }, "action": action,
        "resource": { "type": kind }, "context": context,
    });
    let actions = json!({
        "subject": { "type": "user", "id": subject },
        "resource": { "type": kind, "id": resource }, "context": context,
    });
    [
        search(daemon, "resource", &resources),
        search(daemon, "subject", &subjects),
        search(daemon, "action", &actions),
    ]
}

fn check(row: &Row) -> Checked {
    let policy = Policy::with(row);
    policy.write("token", TOKEN);
    let path = policy.folder.path();
    let mut command = serve();
    command.arg(path.join("policy.yaml")).args(["--listen", "127.0.0.1:0", "--poll", "3600000"]);
    let daemon = Daemon::start(command.arg("--admin-token-file").arg(path.join("token")));
    let made = row.made();
    let [resources, subjects, actions] = searches(&daemon, &made);
    // Of a group with a member, the search is for groups.
    let is_listed = |found: &[String]| match made.part("member") {
        Some(_) => !found.iter().any(|it| it == made.resource),
        None => found == row.reaches,
    };
    let is_so = is_listed(&resources) && subjects == row.reached_by;
    expect(is_so, || format!("{resources:?} {subjects:?}"))?;
    let is_allowed = row.makes == Makes::Allowed;
    let has = |actions: &[String]| actions.iter().any(|it| it == made.action);
    expect(has(&actions) == is_allowed, || format!("{actions:?}"))?;

    policy.write("policy.yaml", &row.text(row.without));
    let header = format!("Authorization: Bearer {TOKEN}\r\n");
    let answer = daemon.connect().ask("POST", "/v1/reload?force=true", &header, b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let [resources, subjects, actions] = searches(&daemon, &made);
    let found = [
        resources.iter().any(|it| it == made.resource),
        subjects.iter().any(|it| it == made.subject),
        // The search for actions names no member.
        made.part("member").map_or_else(|| has(&actions), |_| !is_allowed),
    ];
    expect(found == [!is_allowed; 3], || format!("without it: {found:?}"))
}

#[test]
fn authzen_searches() {
    column(check);
}

/// Lists tell nothing of obligations: who may only ask is on them, and a decision says so.
#[test]
fn who_may_only_ask_is_on_lists() {
    let policy = Policy::yaml(
        "accepts: { send_message: { default: contacts, otherwise: request } }\n\
         users: { ann: {}, bob: { contacts: [ann] }, kim: {} }\n",
    );
    let daemon = Daemon::serve(policy.folder.path().join("policy.yaml"));
    let reach = daemon.get("/v1/reach?subject=ann&action=send_message").json();
    assert_eq!(reach["users"], json!(["bob", "kim"]));
    let reach = daemon.get("/v1/reach?resource=kim&action=send_message").json();
    assert_eq!(reach["users"], json!(["ann", "bob"]));
    let found = searches(&daemon, &Question::of("ann send_message kim"));
    assert_eq!(found[..2], [vec!["bob", "kim"], vec!["ann", "bob"]]);
    for (other, obligations) in [("bob", json!(null)), ("kim", json!(["request"]))] {
        let question = format!("subject=ann&action=send_message&resource={other}");
        let decided = daemon.get(&format!("/v1/decide?{question}&explain=true")).json();
        assert_eq!((&decided["decision"], &decided["obligations"]), (&json!(true), &obligations));
        let is_said = decided["gates"].to_string().contains("so this is a request");
        assert_eq!(is_said, other == "kim", "{decided}");
    }
    // Who is asked may take it, and then nothing is asked any more.
    let existing = daemon.get(
        "/v1/decide?subject=ann&action=send_message&resource=kim&conversation=existing&explain=true",
    );
    let existing = existing.json();
    assert_eq!((&existing["decision"], &existing["obligations"]), (&json!(true), &json!(null)));
    assert!(!existing["gates"].to_string().contains("a request"), "{existing}");
}
