//! The native endpoints.

mod actions;
mod allow;
mod allow_map;
mod declared;
mod metrics;

use std::fmt::Write as _;

use serde_json::json;

use crate::support::daemon::{Daemon, stores};

fn write(text: &str) -> (tempfile::TempDir, Daemon) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("policy.peerage"), text).unwrap();
    let daemon = Daemon::serve(folder.path());
    (folder, daemon)
}

#[test]
fn decide() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    let mut decide = |subject: &str, resource: &str| {
        let query = format!("subject={subject}&action=start_chat&resource={resource}");
        let answer = client.get(&format!("/v1/decide?{query}"));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(!answer.revision().is_empty());
        answer.text().to_owned()
    };
    assert_eq!(decide("3", "2"), r#"{"decision":true,"reason":"allowed"}"#);
    assert_eq!(decide("%33", "%32"), r#"{"decision":true,"reason":"allowed"}"#);
    assert_eq!(decide("3", "4"), r#"{"decision":false,"reason":"no_rule"}"#);
    assert_eq!(decide("3", "3"), r#"{"decision":false,"reason":"self"}"#);
    assert_eq!(decide("9", "3"), r#"{"decision":false,"reason":"unknown_subject"}"#);
    assert_eq!(decide("3", "9"), r#"{"decision":false,"reason":"unknown_resource"}"#);
    assert_eq!(decide("%F0%9F%A6%80", "3"), r#"{"decision":false,"reason":"unknown_subject"}"#);
}

#[test]
fn what_was_meant_is_reported() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    for (path, reported) in [
        ("/v1/decide?subject=3&action=start_chats&resource=2", "did you mean `start_chat`?"),
        ("/v1/reach?subject=3&action=startchat", "did you mean `start_chat`?"),
        ("/v1/decide?subjct=3&action=start_chat&resource=2", "did you mean `subject`?"),
        (
            "/v1/decide?subject=3&action=start_chat&resource=2&conversation=existin",
            "did you mean `existing`?",
        ),
        (
            "/v1/decide?subject=3&action=dance&resource=2",
            "unknown action `dance`; expected one of `",
        ),
        ("/v1/status?verbose=1", "unknown parameter `verbose`; this path takes none"),
    ] {
        let answer = client.get(path);
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.text().contains(reported), "{path}: {}", answer.text());
    }
}

#[test]
fn ids_of_all_kinds() {
    let (_folder, daemon) = write(
        "rule: hasTag(a) -> [b];\n\
         user \"J\u{f6}rg + 1&2=%?#\" { tags: [a]; }\n\
         user \"\u{1f980}\" { tags: [b]; }\n",
    );
    let mut client = daemon.connect();
    for (subject, resource, reason) in [
        ("J%C3%B6rg+%2B+1%262%3D%25%3F%23", "%F0%9F%A6%80", "allowed"),
        ("J%c3%b6rg%20%2b%201%262=%25?%23", "%f0%9f%a6%80", "allowed"),
        ("J%C3%B6rg+++1%262%3D%25%3F%23", "%F0%9F%A6%80", "unknown_subject"),
        ("J%C3%B6rg+%2B+1%262%3D%25%3F%23", "J%C3%B6rg+%2B+1%262%3D%25%3F%23", "self"),
    ] {
        let query = format!("subject={subject}&action=start_chat&resource={resource}");
        let answer = client.get(&format!("/v1/decide?{query}"));
        assert_eq!(answer.json()["reason"], reason, "{query}");
    }
}

#[test]
fn context_and_explanation() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    let question = "/v1/decide?subject=3&action=start_chat&resource=2&resource_type=user";
    for more in ["conversation=new", "conversation=existing", "explain=false", "explain=0", ""] {
        let answer = client.get(&format!("{question}&{more}"));
        assert_eq!(answer.text(), r#"{"decision":true,"reason":"allowed"}"#, "{more}");
    }
    for flag in ["explain=true", "explain=1", "explain"] {
        let reported = client.get(&format!("{question}&{flag}")).json();
        assert_eq!(reported["decision"], true);
        assert_eq!(reported["reason"], "allowed");
        assert_eq!(reported["rules"][0]["name"], "stores to headquarters");
        assert_eq!(reported["rules"][0]["rule_id"], "728c1541-d6d1-4290-9a53-cdf01dd32d60");
        let gates: Vec<_> = reported["gates"].as_array().unwrap().iter().collect();
        let names: Vec<_> = gates.iter().map(|gate| gate["gate"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            [
                "known",
                "self",
                "moderation",
                "permissions",
                "blocks",
                "peers",
                "audience",
                "barriers",
                "rules",
                "friendship",
                "role"
            ]
        );
        assert!(gates.iter().all(|gate| gate["open"] == true));
    }
    let reported =
        client.get("/v1/decide?subject=3&action=start_chat&resource=4&explain=true").json();
    assert_eq!(reported["decision"], false);
    assert_eq!(reported["rules"], json!([]));
    assert_eq!(reported["gates"][8]["open"], false);
    assert_eq!(reported["gates"][8]["reason"], "no_rule");
}

#[test]
fn reach_both_ways() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    let mut reach = |query: &str| {
        let answer = client.get(&format!("/v1/reach?{query}&action=start_chat"));
        assert_eq!(answer.status, 200);
        answer.json()
    };
    let list = |users: &[&str], total: u32, next: &str| json!({ "users": users, "total": total, "next": next });
    assert_eq!(reach("subject=5"), list(&["2", "3", "4", "6"], 4, ""));
    assert_eq!(reach("resource=2"), list(&["3", "4", "5", "6"], 4, ""));
    assert_eq!(reach("subject=1"), list(&[], 0, ""));
    assert_eq!(reach("subject=none"), list(&[], 0, ""));
    assert_eq!(reach("subject=5&limit=3"), list(&["2", "3", "4"], 4, "4"));
    assert_eq!(reach("subject=5&limit=3&after=4"), list(&["6"], 4, ""));
    assert_eq!(reach("subject=5&limit=4"), list(&["2", "3", "4", "6"], 4, ""));
    assert_eq!(reach("subject=5&after=2222"), list(&["3", "4", "6"], 4, ""));
    assert_eq!(reach("subject=5&after="), list(&["2", "3", "4", "6"], 4, ""));
    assert_eq!(reach("subject=5&after=zzz"), list(&[], 4, ""));
}

#[test]
fn pages_make_up_the_whole_list() {
    let mut text = "rule: hasTag(a) -> [a];\n".to_owned();
    for user in 0..2000 {
        writeln!(text, "user \"{}\u{e9} {user}\" {{ tags: [a]; }}", user % 7).unwrap();
    }
    let (_folder, daemon) = write(&text);
    let mut client = daemon.connect();
    for (side, limit) in [("subject", 1), ("subject", 333), ("resource", 1998), ("resource", 5000)]
    {
        let question = format!("/v1/reach?{side}=3%C3%A9+10&action=start_chat");
        let whole = client.get(&question).json();
        let mut pages = Vec::new();
        let mut after = String::new();
        loop {
            let path = format!("{question}&limit={limit}&after={}", after.replace(' ', "+"));
            let page = client.get(&path).json();
            assert_eq!(page["total"], 1999);
            let users = page["users"].as_array().unwrap();
            assert!(users.len() <= limit);
            pages.extend(users.iter().cloned());
            after = page["next"].as_str().unwrap().replace('\u{e9}', "%C3%A9");
            if after.is_empty() {
                break;
            }
            assert_eq!(users.len(), limit);
        }
        assert_eq!(whole["users"], json!(pages));
        assert_eq!(pages.len(), 1999);
        assert_eq!(whole["next"], "");
    }
}

#[test]
fn wrong_parameters_are_named() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    let good = "subject=3&action=start_chat&resource=2";
    for path in ["/v1/decide", "/v1/allow"] {
        for (query, at) in [
            (String::new(), "subject"),
            ("subject=3&resource=2".into(), "action"),
            ("subject=3&action=start_chat".into(), "resource"),
            ("action=start_chat&resource=2".into(), "subject"),
            (good.replace("start_chat", "chat"), "action"),
            (good.replace("start_chat", ""), "action"),
            (format!("{good}&subject=4"), "subject"),
            (format!("{good}&subject=3"), "subject"),
            (format!("{good}&colour=red"), "query"),
            (format!("{good}&Subject=3"), "query"),
            (format!("{good}&%FF=3"), "query"),
            (format!("{good}&=3"), "query"),
            (format!("{good}&conversation=old"), "conversation"),
            (format!("{good}&resource_type=team"), "resource_type"),
            (format!("{good}&resource_type=group"), "resource_type"),
            (format!("{good}&explain=perhaps"), "explain"),
            (good.replace("=3", "=%3"), "subject"),
            (good.replace("=3", "=%"), "subject"),
            (good.replace("=3", "=%zz"), "subject"),
            (good.replace("=3", "=%+3"), "subject"),
            (good.replace("=2", "=%FF%FE"), "resource"),
            (good.replace("=2", "=%C3"), "resource"),
            (good.replace("=2", "=%ED%A0%80"), "resource"),
            (good.replace("=2", "=%00"), "resource"),
            (good.replace("=2", "=a%0Ab"), "resource"),
            (good.replace("=3", "="), "subject"),
            (good.replace("=3", &format!("={}", "a".repeat(256))), "subject"),
        ] {
            let answer = client.get(&format!("{path}?{query}"));
            assert_eq!(answer.refusal(400), at, "{query}");
            let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
            assert!(at == "query" || message.contains(at) || query.contains('%'), "{message}");
        }
    }
    assert!(client.get("/v1/decide?colour=red").text().contains("`colour`"));
    for (query, at) in [
        ("action=start_chat", "query"),
        ("subject=3&resource=2&action=start_chat", "query"),
        ("subject=3", "action"),
        ("subject=3&action=start_chat&limit=0", "limit"),
        ("subject=3&action=start_chat&limit=-1", "limit"),
        ("subject=3&action=start_chat&limit=1.5", "limit"),
        ("subject=3&action=start_chat&limit=", "limit"),
        ("subject=3&action=start_chat&limit=99999999999999999999999", "limit"),
        ("subject=3&action=start_chat&explain=true", "query"),
        ("subject=&action=start_chat", "subject"),
        ("resource=%00&action=start_chat", "resource"),
    ] {
        assert_eq!(client.get(&format!("/v1/reach?{query}")).refusal(400), at, "{query}");
    }
}

#[test]
fn paths_and_methods() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/decide//",
        "/v1/decide/x",
        "/V1/decide",
        "/v1/decide%20",
        "//v1/decide",
        "/v1/allowed",
    ] {
        client.get(path).refusal(404);
        client.ask("POST", path, "", b"{}").refusal(404);
    }
    for path in ["/v1/decide", "/v1/reach", "/v1/changes", "/v1/status", "/healthz", "/metrics"] {
        let (methods, allowed) = match path {
            "/v1/decide" => (&["PUT", "DELETE", "PATCH", "OPTIONS", "BREW"][..], "GET, HEAD, POST"),
            _ => (&["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"][..], "GET, HEAD"),
        };
        for method in methods {
            let answer = client.ask(method, path, "", b"");
            answer.refusal(405);
            assert_eq!(answer.header("allow"), Some(allowed));
        }
    }
    for method in ["GET", "PUT", "DELETE"] {
        let answer = client.ask(method, "/access/v1/evaluation", "X-Request-ID: x\r\n", b"");
        answer.refusal(405);
        assert_eq!(answer.header("allow"), Some("POST"));
        assert_eq!(answer.header("x-request-id"), Some("x"));
    }
}

#[test]
fn heads_are_answers_without_their_bodies() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    for path in [
        "/v1/decide?subject=3&action=start_chat&resource=2",
        "/v1/reach?subject=3&action=start_chat",
        "/v1/decide",
        "/nowhere",
        "/healthz",
        "/readyz",
    ] {
        let whole = client.get(path);
        let head = client.ask("HEAD", path, "", b"");
        assert_eq!(head.status, whole.status);
        assert_eq!(head.header("content-length"), whole.header("content-length"));
        assert_eq!(head.revision(), whole.revision());
    }
}

#[test]
fn health_status_and_metrics() {
    let daemon = Daemon::serve(stores());
    let mut client = daemon.connect();
    for path in ["/healthz", "/readyz"] {
        let answer = client.get(path);
        assert_eq!((answer.status, answer.text()), (200, "ok\n"));
        assert!(!answer.revision().is_empty());
    }
    client.get("/v1/decide?subject=3&action=start_chat&resource=2");
    client.get("/v1/decide?subject=3&action=start_chat&resource=4");
    client.get("/nowhere");

    let answer = client.get("/v1/status");
    let status = answer.json();
    assert_eq!(status["revision"], answer.revision());
    let (digest, facts) = answer.revision().split_once('.').unwrap();
    assert!(status["policy_digest"].as_str().unwrap().starts_with(digest));
    assert_eq!(status["facts"].to_string(), facts);
    assert_eq!(status["counts"]["users"], 6);
    assert_eq!(status["counts"]["rules"], 4);
    assert!(status["age_seconds"].as_u64().unwrap() < 600);
    assert!(status["memory"]["view_bytes"].as_u64().unwrap() > 0);
    assert!(status["memory"]["resident_bytes"].as_u64().unwrap() > 1 << 20);
    assert_eq!(status["last_reload"]["ok"], true);

    client.get("/v1/status?colour=red").refusal(400);
}

#[test]
fn what_there_is_is_counted() {
    let daemon = Daemon::serve("tests/service/http/club.yaml");
    let mut client = daemon.connect();
    let status = client.get("/v1/status").json();
    let counts = json!({
        "users": 7, "tags": 2, "tag_sets": 2, "rules": 2, "groups": 2, "matrices": 1,
        "memberships": 5, "conversations": 1, "banned": 1, "silenced": 1, "shadowed": 0,
        "relations": { "contact": 0, "favorite": 0, "pair": 0, "block": 1, "friend": 0 },
    });
    assert_eq!(status["counts"], counts);

    let text = client.get("/metrics").text().to_owned();
    let has = |line: &str| assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
    for (name, count) in counts.as_object().unwrap().iter().filter(|(_, it)| it.is_u64()) {
        has(&format!("peerage_{name} {count}"));
    }
    for (kind, count) in counts["relations"].as_object().unwrap() {
        has(&format!("peerage_relations{{kind=\"{kind}\"}} {count}"));
    }
}

/// What the figures of memory are about: the ids' text is exact, a relation stands in the rows of
/// two, and what there is none of takes nothing and has no share.
#[test]
fn memory_is_reported_by_what_takes_it() {
    let memory = |text: &str| {
        let (_folder, daemon) = write(text);
        daemon.connect().get("/v1/status").json()["memory"].clone()
    };
    let alone: Vec<String> = (0..1000).map(|n| format!("user {} {{}}", id(n))).collect();
    let alone = memory(&alone.join("\n"));
    assert_eq!(alone["id_bytes"], 4000);
    assert_eq!(alone["relation_bytes"], 0);
    assert_eq!(alone["bytes_per_relation"], json!(null));
    let per_user = alone["bytes_per_user"].as_f64().unwrap();
    assert!((64.0..250.0).contains(&per_user), "{alone}");

    let none = memory("tags: [];");
    assert_eq!(none["id_bytes"], 0);
    assert_eq!(none["bytes_per_user"], json!(null));

    // Eleven and eleven block each other.
    let (_folder, daemon) = write(&(0..1000).fold(String::new(), |mut text, n| {
        let others: Vec<String> =
            (0..11).map(|k| n / 11 * 11 + k).filter(|&k| k != n && k < 1000).map(id).collect();
        writeln!(text, "user {} {{ blocked: [{}]; }}", id(n), others.join(", ")).unwrap();
        text
    }));
    let related = daemon.connect().get("/v1/status").json();
    let blocks = related["counts"]["relations"]["block"].as_f64().unwrap();
    let memory = &related["memory"];
    let bytes = memory["relation_bytes"].as_f64().unwrap();
    assert_eq!(memory["id_bytes"], 4000);
    let share = memory["bytes_per_relation"].as_f64().unwrap();
    assert!((share * blocks / bytes - 1.0).abs() < 0.05, "{related}");
    assert!(share <= 24.0, "{related}");
}

fn id(number: usize) -> String {
    format!("u{number:03}")
}
