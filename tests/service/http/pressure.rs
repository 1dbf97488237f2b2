//! Callers who ask for more than there is room for: others are answered all the same.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    http::stop::half_sent,
    support::client::{Answer, Client, request},
    support::daemon::{Daemon, serve},
};

const USERS: usize = 20_000;
const DECIDE: &str = "/v1/decide?subject=a&action=start_chat&resource=b";
const JSON: &str = "Content-Type: application/json\r\n";
const REACH: &str = "/v1/reach?subject=a&action=start_chat";

/// So long that lists of all users fit into no buffer.
fn user(number: usize) -> String {
    format!("user-{number:05}-{}", "x".repeat(100))
}

/// A folder with many users, of whom each reaches all by 30 rules.
fn many() -> TempDir {
    let folder = tempdir().unwrap();
    let names = ["a".to_owned(), "b".to_owned()].into_iter().chain((0..USERS).map(user));
    let users = names.map(|id| format!("{{\"id\":\"{id}\",\"tags\":[\"t\"]}}\n"));
    fs::write(folder.path().join("users.ndjson"), users.collect::<String>()).unwrap();
    let rules = (0..30).map(|number| format!("rule r{number:02}: hasTag(t) -> [t];\n"));
    fs::write(folder.path().join("rules.peerage"), rules.collect::<String>()).unwrap();
    folder
}

/// Serves it on a socket, whose buffers are small, and on one for administrators.
fn on_sockets(folder: &TempDir, more: &[&str]) -> (Daemon, PathBuf, PathBuf) {
    let (open, admin) = (folder.path().join("open.sock"), folder.path().join("admin.sock"));
    let mut command = serve();
    command.arg("--uds").arg(&open).arg("--admin-uds").arg(&admin).args(more);
    command.arg(folder.path().join("users.ndjson")).arg(folder.path().join("rules.peerage"));
    (Daemon::start(&mut command), open, admin)
}

#[track_caller]
fn assert_shed(answer: &Answer) {
    answer.refusal(503);
    let after: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3).contains(&after), "{after}");
}

fn shed(path: &Path, route: &str) -> Option<u64> {
    let metrics = Client::unix(path).get("/metrics");
    let name = format!("peerage_shed_total{{route=\"{route}\"}} ");
    metrics.text().lines().find_map(|line| line.strip_prefix(&name)?.parse().ok())
}

fn ids(answer: &Value) -> Vec<String> {
    answer.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[test]
fn long_lists_are_whole() {
    let folder = many();
    let (_daemon, path, _) = on_sockets(&folder, &[]);
    let mut client = Client::unix(&path);
    let expected: Vec<String> = ["b".to_owned()].into_iter().chain((0..USERS).map(user)).collect();
    let answer = client.get(REACH);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    let list = answer.json();
    assert_eq!((&list["total"], &list["next"]), (&json!(USERS + 1), &json!("")));
    assert_eq!(ids(&list["users"]), expected);
    assert_eq!(list.as_object().unwrap().keys().collect::<Vec<_>>(), ["users", "total", "next"]);

    // Pages, some of them longer than a part.
    let (mut paged, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{REACH}&limit=7000&after={after}")).json();
        paged.extend(ids(&page["users"]));
        page["next"].as_str().unwrap().clone_into(&mut after);
        if after.is_empty() {
            break;
        }
    }
    assert_eq!(paged, expected);

    let search = br#"{"subject":{"type":"user","id":"a"},"action":{"name":"start_chat"},
        "resource":{"type":"user"},"page":{"limit":15000}}"#;
    let found = client.post("/access/v1/search/resource", search).json();
    let (page, results) = (&found["page"], found["results"].as_array().unwrap());
    assert_eq!((&page["count"], &page["total"]), (&json!(15_000), &json!(USERS + 1)));
    let results: Vec<&Value> = results.iter().map(|entity| &entity["id"]).collect();
    assert_eq!(results, expected.iter().take(15_000).collect::<Vec<_>>());
    assert_ne!(page["next_token"], "");
    assert!(client.get(&format!("{REACH}&limit=1")).header("content-length").is_some());
}

#[test]
fn those_who_read_nothing_keep_nobody_else_out() {
    let folder = many();
    let (_daemon, path, _) = on_sockets(&folder, &[]);
    assert_eq!(shed(&path, "/v1/reach"), Some(0));
    let mut unread = Vec::new();
    let refused = loop {
        // As many as there may be are begun; those beyond wait a moment, and are refused.
        let mut client = Client::unix(&path);
        client.send(request("GET", REACH, "", b""));
        assert!(unread.len() < 1000, "there is no bound");
        unread.push(client);
        if unread.len() >= 64 {
            let mut client = Client::unix(&path);
            client.send(request("GET", &format!("{REACH}&limit=1"), "", b""));
            let answer = client.answer("GET").unwrap();
            if answer.status != 200 {
                break answer;
            }
        }
    };
    assert_shed(&refused);
    assert!(shed(&path, "/v1/reach") > Some(0));

    let mut client = Client::unix(&path);
    assert_eq!(client.get(DECIDE).json()["decision"], true);
    let batch = br#"{"action":{"name":"start_chat"},"resource":{"type":"user","id":"b"},
        "evaluations":[{"subject":{"type":"user","id":"a"}},{"subject":{"type":"user","id":"b"}}]}"#;
    let batch = client.post("/access/v1/evaluations", batch).json();
    assert_eq!(batch["evaluations"].as_array().unwrap().len(), 2);
    let action = br#"{"subject":{"type":"user","id":"a"},"resource":{"type":"user","id":"b"}}"#;
    assert_eq!(client.post("/access/v1/search/action", action).status, 200);
    assert_eq!(client.get(&format!("{DECIDE}&explain=true")).json()["decision"], true);
    for path in ["/v1/status", "/metrics", "/healthz", "/readyz"] {
        assert_eq!(client.get(path).status, 200, "{path}");
    }

    // One of them reads after all, and gets the whole.
    let answer = unread.remove(0).answer("GET").unwrap();
    assert_eq!(answer.json()["users"].as_array().unwrap().len(), USERS + 1);
    drop(unread);
    let answer = loop {
        let answer = client.get(REACH);
        if answer.status == 200 {
            break answer;
        }
        assert_shed(&answer);
    };
    assert_eq!(answer.json()["total"], USERS + 1);
}

/// What was written is reported, or a caller would take it for refused.
#[test]
fn writes_are_reported_however_much_waits_to_be_read() {
    let (folder, path) = (many(), "/access/v1/evaluations");
    let store = folder.path().join("facts.redb");
    let (_daemon, open, admin) = on_sockets(&folder, &["--store", store.to_str().unwrap()]);
    let evaluations: Vec<_> = (0..1000)
        .map(|number| json!({ "resource": { "type": "user", "id": user(number) } }))
        .collect();
    let batch = json!({
        "subject": { "type": "user", "id": "a" }, "action": { "name": "start_chat" },
        "context": { "explain": true }, "evaluations": evaluations,
    });
    let batch = request("POST", path, JSON, batch.to_string().as_bytes());
    let mut unread = Vec::new();
    loop {
        // Of each no more is read than how it begins.
        let (mut client, mut begun) = (UnixStream::connect(&open).unwrap(), [0; 12]);
        client.write_all(&batch).unwrap();
        client.read_exact(&mut begun).unwrap();
        if &begun == b"HTTP/1.1 503" {
            break;
        }
        unread.push(client);
        assert!(unread.len() < 200, "there is no bound");
    }
    assert_eq!(shed(&open, path), Some(1));
    let rule = json!({ "op": "put_rule", "condition": "hasTag(t)", "outcome": ["t"] });
    let commands = json!({ "commands": vec![rule; 1000] }).to_string();
    let answer = Client::unix(&admin).post("/v1/facts", commands.as_bytes());
    assert_eq!((answer.status, &answer.json()["revision"]), (200, &json!(1)));
    assert!(answer.text().len() > 64 << 10, "{}", answer.text().len());
    drop(unread);
}

#[test]
fn decisions_in_flight_are_bounded() {
    let (folder, path) = (tempdir().unwrap(), "/access/v1/evaluation");
    fs::write(folder.path().join("users.ndjson"), "{\"id\":\"3\"}\n{\"id\":\"2\"}\n").unwrap();
    fs::write(folder.path().join("rules.peerage"), "rule: hasTag(t) -> [t];\n").unwrap();
    let more = ["--max-in-flight", "2", "--listen", "127.0.0.1:0"];
    let (daemon, open, admin) = on_sockets(&folder, &more);
    let mut client = Client::unix(&open);
    let decisions = [
        ("GET", DECIDE, "/v1/decide"),
        ("GET", "/v1/allow?subject=3&action=start_chat&resource=2", "/v1/allow"),
        ("POST", path, path),
    ];
    for (method, requested, route) in decisions {
        // Bodies that are still coming count for two seconds; where all of it takes longer, again.
        daemon.wait_for("a refusal", |daemon| {
            let _coming = [half_sent(daemon), half_sent(daemon)];
            let answer =
                if method == "GET" { client.get(requested) } else { client.post(requested, b"{}") };
            assert_eq!(client.get("/healthz").status, 200);
            assert_eq!(client.get(REACH).status, 200);
            assert_eq!(Client::unix(&admin).get(DECIDE).status, 200);
            let is_shed = answer.status == 503;
            is_shed.then(|| assert_shed(&answer))
        });
        assert!(shed(&open, route).is_some_and(|count| count > 0), "{route}");
    }
    // Those who send slowly keep nobody out for long, and are answered when they have sent all.
    daemon.wait_for("room", |_| (client.get(DECIDE).status == 200).then_some(()));
    let (mut one, rest) = half_sent(&daemon);
    let _other = half_sent(&daemon);
    daemon.wait_for("room", |_| (client.get(DECIDE).status == 200).then_some(()));
    one.send(rest);
    assert_eq!(one.answer("POST").unwrap().status, 200);
}

/// A decision takes microseconds: what is in flight waits to be read.
#[test]
fn requests_that_wait_are_in_flight() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("users.ndjson"), "{\"id\":\"3\"}\n{\"id\":\"2\"}\n").unwrap();
    fs::write(folder.path().join("rules.peerage"), "rule: hasTag(t) -> [t];\n").unwrap();
    let (_daemon, open, admin) = on_sockets(&folder, &["--max-in-flight", "5"]);
    for path in [&open, &admin] {
        let mut client = Client::unix(path);
        for _ in 0..2 {
            // They arrive at once.
            client.send(request("GET", DECIDE, "", b"").repeat(20));
            let answers: Vec<_> = (0..20).map(|_| client.answer("GET").unwrap()).collect();
            let accepted = answers.iter().take_while(|answer| answer.status == 200).count();
            if path == &open {
                assert_eq!(accepted, 5);
                answers[5..].iter().for_each(assert_shed);
            } else {
                assert_eq!(accepted, 20, "administrators are not shed");
            }
        }
        // One after the other, they find room.
        (0..20).for_each(|_| assert_eq!(client.get(DECIDE).status, 200));
    }
    assert_eq!(shed(&open, "/v1/decide"), Some(30));
}

/// A daemon with room for some decisions.
fn narrow(most: &str) -> (TempDir, Daemon, PathBuf) {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("users.ndjson"), "{\"id\":\"3\"}\n{\"id\":\"2\"}\n").unwrap();
    fs::write(folder.path().join("rules.peerage"), "rule: hasTag(t) -> [t];\n").unwrap();
    let (daemon, open, _) = on_sockets(&folder, &["--max-in-flight", most]);
    (folder, daemon, open)
}

/// Refused from their bytes or after parsing: the answers are in order, and the same.
#[test]
fn refusals_of_any_kind_are_answers_in_order() {
    const TRACE: &str = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
    let (_folder, _daemon, open) = narrow("1");
    let evaluation = br#"{"subject":{"type":"user","id":"3"},"action":{"name":"start_chat"},"resource":{"type":"user","id":"2"}}"#;
    let sent: [(&str, &str, &str, &[u8], u16); 9] = [
        ("GET", DECIDE, "", b"", 200),
        ("GET", DECIDE, "", b"", 503),
        ("GET", "/healthz", "", b"", 200),
        ("GET", DECIDE, TRACE, b"", 503),
        ("GET", DECIDE, "", b"", 503),
        ("HEAD", DECIDE, "", b"", 503),
        ("GET", DECIDE, "", b"", 503),
        ("POST", "/access/v1/evaluation", JSON, evaluation, 503),
        ("GET", DECIDE, "", b"", 503),
    ];
    let mut client = Client::unix(&open);
    let mut bytes = Vec::new();
    for (number, (method, path, headers, body, _)) in sent.into_iter().enumerate() {
        let headers = format!("x-REQUEST-id: r{number}\r\n{headers}");
        bytes.extend(request(method, path, &headers, body));
    }
    client.send(bytes);
    let mut refusals = Vec::new();
    for (number, (method, path, _, _, status)) in sent.into_iter().enumerate() {
        let answer = client.answer(method).unwrap();
        assert_eq!(answer.status, status, "{number}: {method} {path}");
        assert_eq!(answer.header("x-request-id"), Some(&*format!("r{number}")));
        if status == 503 && method == "GET" {
            assert_shed(&answer);
            let names = answer.headers.iter().map(|(name, _)| name.clone());
            let names = names.filter(|name| name != "date" && name != "traceparent");
            refusals.push((names.collect::<BTreeSet<_>>(), answer.body));
        }
    }
    assert!(refusals.windows(2).all(|pair| pair[0] == pair[1]), "{refusals:?}");
    assert_eq!(client.get("/healthz").status, 200);
    assert_eq!(client.get(DECIDE).status, 200);
}

/// What one request holds is never taken for another one, however full the daemon is.
#[test]
fn no_body_is_taken_for_a_request() {
    let (_folder, _daemon, open) = narrow("1");
    let hidden = request("GET", DECIDE, "", b"");
    for (method, path, status) in
        [("POST", "/access/v1/evaluation", 503), ("GET", "/healthz", 200), ("GET", DECIDE, 503)]
    {
        let mut client = Client::unix(&open);
        let outer = request(method, path, JSON, &hidden);
        client.send([&*hidden, &*outer, &request("GET", "/readyz", "", b"")].concat());
        let answers: Vec<u16> = (0..3).map(|_| client.answer("GET").unwrap().status).collect();
        assert_eq!(answers, [200, status, 200], "{method} {path}");
        assert_eq!(client.get("/healthz").status, 200);
    }
    let chunked = "POST /access/v1/evaluation HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                   Transfer-Encoding: chunked\r\n\r\n";
    let body = format!("{:x}\r\n{}\r\n0\r\n\r\n", hidden.len(), String::from_utf8_lossy(&hidden));
    let mut client = Client::unix(&open);
    client.send([&*hidden, chunked.as_bytes(), body.as_bytes()].concat());
    let answers = [client.answer("GET").unwrap().status, client.answer("POST").unwrap().status];
    assert_eq!(answers, [200, 503]);
}

/// In whatever pieces a request comes, it is one.
#[test]
fn requests_in_pieces_are_whole() {
    // With room for a few: what arrives while a response is written may count as arrived with its request.
    let (_folder, _daemon, open) = narrow("4");
    let mut client = Client::unix(&open);
    for _ in 0..3 {
        for byte in request("GET", DECIDE, "", b"") {
            client.send([byte]);
        }
        assert_eq!(client.answer("GET").unwrap().status, 200);
    }
    let two = request("GET", DECIDE, "", b"").repeat(2);
    let (first, rest) = two.split_at(two.len() - 7);
    client.send(first);
    assert_eq!(client.answer("GET").unwrap().status, 200);
    client.send(rest);
    assert_eq!(client.answer("GET").unwrap().status, 200);
    // Line ends as a lenient reader takes them.
    client.send(format!("GET {DECIDE} HTTP/1.1\nHost: localhost\n\n"));
    assert_eq!(client.answer("GET").unwrap().status, 200);
}

#[test]
fn explanations_name_the_first_rules() {
    let folder = many();
    let (_daemon, path, _) = on_sockets(&folder, &[]);
    let mut client = Client::unix(&path);
    let evaluation = br#"{"subject":{"type":"user","id":"a"},"action":{"name":"start_chat"},
        "resource":{"type":"user","id":"b"},"context":{"\u0065xplain":true}}"#;
    let batch = br#"{"subject":{"type":"user","id":"a"},"action":{"name":"start_chat"},
        "evaluations":[{"resource":{"type":"user","id":"b"},"context":{"explain":true}}]}"#;
    let context = client.post("/access/v1/evaluation", evaluation).json()["context"].clone();
    let batch = client.post("/access/v1/evaluations", batch).json();
    let answer = client.get(&format!("{DECIDE}&e%78plain=true")).json();
    for reported in [&answer, &context, &batch["evaluations"][0]["context"]] {
        assert_eq!(reported["rules"].as_array().unwrap().len(), 20);
        assert_eq!(reported["more_rules"], 10);
        let gates = reported["gates"].as_array().unwrap();
        let rules = gates.iter().find(|gate| gate["gate"] == "rules").unwrap();
        let detail = rules["detail"].as_str().unwrap();
        assert!(detail.ends_with(" and 10 more"), "{detail}");
        assert_eq!(detail.matches("`r").count(), 20, "{detail}");
    }
}

#[test]
fn long_batches_are_answered_in_order() {
    let folder = many();
    let (_daemon, path, _) = on_sockets(&folder, &[]);
    let items = (0..1000).map(|number| match number % 3 {
        0 => json!({ "resource": { "type": "user", "id": "nobody" } }),
        _ => json!({ "resource": { "type": "user", "id": user(number) } }),
    });
    let batch = json!({
        "subject": { "type": "user", "id": "a" }, "action": { "name": "start_chat" },
        "evaluations": items.collect::<Vec<_>>(),
    });
    let answer = Client::unix(&path).post("/access/v1/evaluations", batch.to_string().as_bytes());
    let answer = answer.json();
    let decisions = answer["evaluations"].as_array().unwrap();
    assert_eq!(decisions.len(), 1000);
    for (number, decision) in decisions.iter().enumerate() {
        assert_eq!(decision["decision"], number % 3 != 0, "{number}");
    }
}

#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let folder = many();
    let log = folder.path().join("log");
    assert!(Command::new("mkfifo").arg(&log).status().unwrap().success());
    // Held open, and never read.
    let _reader = fs::OpenOptions::new().read(true).write(true).open(&log).unwrap();
    let open = folder.path().join("open.sock");
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" serve --uds \"$1\" \"$2\" 2> \"$3\""]);
    command.arg(env!("CARGO_BIN_EXE_peerage")).arg(&open).arg(folder.path().join("users.ndjson"));
    command.arg(&log).env("RUST_LOG", "debug").arg("--uds");
    let daemon = Daemon::start(&mut command);
    let dropped = || {
        let metrics = Client::unix(&open).get("/metrics");
        let name = "peerage_log_dropped_total{log=\"log\"} ";
        let value = metrics.text().lines().find_map(|line| line.strip_prefix(name)).unwrap();
        value.parse::<u64>().unwrap()
    };
    assert_eq!(dropped(), 0);
    daemon.wait_for("a line that is dropped", |_| {
        for _ in 0..500 {
            // What breaks off is reported in the log.
            let mut client = Client::<UnixStream>::unix(&open);
            client.send("GET / HT");
        }
        assert_eq!(Client::unix(&open).get(DECIDE).json()["decision"], true);
        (dropped() > 0).then_some(())
    });
    daemon.signal("TERM");
    assert_eq!(daemon.ended().status.code(), Some(0));
}
