//! The answers when facts can't be written.

use std::{fs, process::Command};

use serde_json::json;

use super::fault;
use crate::{
    dialects::rig::{TOKEN, bearer},
    support::client::{Answer, Client},
    support::daemon::{Daemon, serve},
};

const RULES: &str = "/sync/interaction-rules";
const STATED: &str = "18f71bae-0498-4edc-8091-dc6720f4359e";

fn ask(daemon: &Daemon, method: &str, path: &str, body: &str) -> Answer {
    Client::tcp(daemon.address()).ask(method, path, &bearer(), body.as_bytes())
}

/// Without a store, what files state is reported, and nothing is changed.
#[test]
fn without_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let rule = format!("{{ rule_id: {STATED}, condition: hasTag(A), outcome: [B] }}");
    let policy = format!("preset: flip\nrules: [{rule}]\nusers: {{ a: {{ tags: [A] }} }}\n");
    fs::write(path("policy.yaml"), policy).unwrap();
    fs::write(path("token"), TOKEN).unwrap();
    let mut command = serve();
    command.arg(path("policy.yaml")).args(["--listen", "127.0.0.1:0", "--dialect", "flip"]);
    let daemon = Daemon::start(command.arg("--admin-token-file").arg(path("token")));

    let reported = ask(&daemon, "GET", RULES, "");
    let stated = json!({ "rule_id": STATED, "condition": "hasTag(A)", "outcome": ["B"] });
    assert_eq!((reported.status, reported.json()), (200, json!({ "rules": [stated] })));
    let reported = ask(&daemon, "GET", "/sync/users/a/tags", "");
    assert_eq!(reported.json(), json!({ "id": "a", "tags": ["A"] }));

    let rule = r#"{"condition":"hasTag(A)","outcome":["B"]}"#;
    let path = format!("{RULES}/{STATED}");
    let other = format!("{RULES}/728c1541-d6d1-4290-9a53-cdf01dd32d60");
    for (method, path, body) in [
        ("POST", RULES, rule),
        ("PUT", &path, rule),
        ("PUT", &other, rule),
        ("DELETE", &path, ""),
        ("PUT", "/sync/users/b/tags", "[]"),
    ] {
        let error = fault(&ask(&daemon, method, path, body), 403, "no_store");
        assert!(error["message"].as_str().unwrap().contains("--store"), "{error:#}");
    }
    fault(&ask(&daemon, "POST", RULES, "{}"), 400, "malformed");
}

/// While the disk takes no more, who writes is reported to come again; then it works again.
#[test]
fn while_the_store_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("policy.yaml"), "preset: flip\n").unwrap();
    fs::write(path("token"), TOKEN).unwrap();
    // The signal of the limit that is set below would end the daemon.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    let plain = serve();
    command.arg(plain.get_program()).args(plain.get_args()).arg(path("policy.yaml"));
    command.args(["--listen", "127.0.0.1:0", "--dialect", "flip", "--store"]).arg(path("facts"));
    let daemon = Daemon::start(command.arg("--admin-token-file").arg(path("token")));
    let limit = |size: String| {
        let id = daemon.id().to_string();
        let set = Command::new("prlimit").args(["--pid", &id, &format!("--fsize={size}")]).status();
        assert!(set.unwrap().success());
    };
    let rule = json!({
        "condition": "hasTag(A)", "outcome": ["B"], "description": "x".repeat(10_000),
    })
    .to_string();
    let made = ask(&daemon, "POST", RULES, &rule);
    assert_eq!(made.status, 201);
    let rule_path = made.header("location").unwrap();

    limit(format!("{}:unlimited", fs::metadata(path("facts")).unwrap().len()));
    let tags: Vec<String> = (0..200).map(|tag| format!("{tag}-{}", "x".repeat(40))).collect();
    let tags = json!(tags).to_string();
    for (method, body) in [("POST", &rule), ("PUT", &rule), ("TAGS", &tags)] {
        let refused = (0..2000).find_map(|number| {
            let answer = match method {
                "POST" => ask(&daemon, "POST", RULES, body),
                "PUT" => {
                    ask(&daemon, "PUT", rule_path, &body.replace('x', &(number % 9).to_string()))
                }
                _ => ask(&daemon, "PUT", &format!("/sync/users/{number}/tags"), body),
            };
            (answer.status >= 300).then_some(answer)
        });
        let refused = refused.unwrap_or_else(|| panic!("{method} is never refused"));
        fault(&refused, 503, "unavailable");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    assert_eq!(ask(&daemon, "GET", RULES, "").status, 200);
    limit("unlimited:unlimited".to_owned());
    assert_eq!(ask(&daemon, "POST", RULES, &rule).status, 201);
}
