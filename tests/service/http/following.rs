//! Answers that change live: `/v1/changes`, `/v1/watch`, lists by their entity tags, and several questions at once.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::TcpStream,
    thread,
};

use serde_json::{Value, json};

use crate::{
    http::facts::{Kept, POLICY, authorization},
    support::client::{Answer, Client},
};

/// The lines of a response that goes on.
struct Stream {
    client: Client<TcpStream>,
    head: Answer,
    rest: Vec<u8>,
    lines: VecDeque<String>,
}

impl Stream {
    fn open(kept: &Kept, method: &str, path: &str, headers: &str, body: &[u8]) -> Self {
        let mut client = kept.daemon.connect();
        client.send(crate::support::client::request(method, path, headers, body));
        let head = client.head().unwrap();
        Self { client, head, rest: Vec::new(), lines: VecDeque::new() }
    }

    fn changes(kept: &Kept, query: &str, headers: &str) -> Self {
        let stream = Self::open(kept, "GET", &format!("/v1/changes{query}"), headers, b"");
        assert_eq!(stream.head.status, 200);
        assert_eq!(stream.head.header("content-type"), Some("text/event-stream"));
        stream
    }

    fn watch(kept: &Kept, questions: &[Value]) -> Self {
        let lines = questions.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let stream = Self::open(
            kept,
            "POST",
            "/v1/watch",
            "Content-Type: application/x-ndjson\r\n",
            lines.as_bytes(),
        );
        assert_eq!(stream.head.status, 200);
        assert_eq!(stream.head.header("content-type"), Some("application/x-ndjson"));
        stream
    }

    /// The next line; `None` at the end.
    fn line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Ok(Some(line));
            }
            let chunk = self.client.chunk()?;
            if chunk.is_empty() {
                return Ok(None);
            }
            self.rest.extend(chunk);
            while let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                self.lines.push_back(String::from_utf8(line).unwrap().trim_end().to_owned());
            }
        }
    }

    /// The next event: its id and its data.
    fn event(&mut self) -> (u64, Value) {
        let mut id = None;
        loop {
            let line = self.line().unwrap().expect("the stream goes on");
            if let Some(number) = line.strip_prefix("id: ") {
                id = Some(number.parse().unwrap());
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return (id.expect("each event has an id"), serde_json::from_str(data).unwrap());
            }
        }
    }

    /// The next answers of a watcher: the number of the question, whether it is allowed, and why.
    fn answers(&mut self, many: usize) -> BTreeMap<u64, String> {
        let answers = (0..many).map(|_| {
            let line = self.line().unwrap().expect("the stream goes on");
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(answer["decision"], answer["reason"] == "allowed", "{answer}");
            assert!(answer["revision"].as_str().unwrap().contains('.'), "{answer}");
            (answer["at"].as_u64().unwrap(), answer["reason"].as_str().unwrap().to_owned())
        });
        let answers: BTreeMap<_, _> = answers.collect();
        assert_eq!(answers.len(), many, "each question is answered once");
        answers
    }

    fn view(&self) -> u64 {
        self.head.header("peerage-view").unwrap().parse().unwrap()
    }
}

/// The names in an event.
fn named(data: &Value) -> String {
    assert_eq!((&data["all"], &data["missed"]), (&json!(false), &json!(false)), "{data}");
    let list = |name: &str| {
        let names = data[name].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
        names.collect::<Vec<_>>().join(" ")
    };
    match list("groups").as_str() {
        "" => list("users"),
        groups => format!("{} in {groups}", list("users")),
    }
}

#[test]
fn each_change_says_whom_it_may_concern() {
    let kept = Kept::start();
    let mut stream = Stream::changes(&kept, "", "");
    let first = stream.view();
    let cases = [
        (json!({ "op": "put_user", "user": "dan", "tags": ["a"] }), "dan"),
        (json!({ "op": "put_user", "user": "eve" }), "eve"),
        (json!({ "op": "put_user", "user": "eve", "attributes": { "name": "Eve" } }), ""),
        (json!({ "op": "block", "from": "dan", "to": "eve" }), "dan eve"),
        (
            json!({ "op": "add_friend", "from": "dan", "to": "ann", "force": true, "both": true }),
            "ann dan",
        ),
        (json!({ "op": "update_friend", "from": "dan", "to": "ann", "remark": "from school" }), ""),
        (json!({ "op": "ban", "user": "eve" }), "eve"),
        (json!({ "op": "add_member", "group": "club", "member": "dan" }), "dan in club"),
        (json!({ "op": "mute_member", "group": "club", "member": "dan" }), "dan in club"),
        (
            json!({ "op": "put_group", "group": "team", "creator": "dan", "members": ["eve"] }),
            "dan eve in team",
        ),
        (json!({ "op": "put_group", "group": "team", "metadata": { "topic": "t" } }), ""),
        (
            json!({ "op": "put_group", "group": "team", "permissions": { "leave": "deny" } }),
            "dan eve in team",
        ),
        (json!({ "op": "open_conversation", "users": ["dan", "eve"] }), "dan eve"),
        (json!({ "op": "delete_user", "user": "eve" }), "dan eve in team"),
    ];
    for (at, (command, expected)) in (1..).zip(&cases) {
        let answer = kept.send(&json!([command]));
        assert_eq!(answer.status, 200, "{command} {}", answer.text());
        let (id, data) = stream.event();
        assert_eq!(named(&data), *expected, "{command}");
        assert_eq!((id, &data["revision"]), (first + at, &json!(answer.revision())), "{command}");
        assert_eq!(answer.header("peerage-view"), Some(&*id.to_string()));
    }
    let rule =
        json!({ "op": "put_rule", "name": "r", "condition": "hasTag(a)", "outcome": ["boss"] });
    kept.done(&json!([rule]));
    assert_eq!(stream.event().1["all"], true);
    kept.reload(&POLICY.replace("video_call: false", "video_call: true"));
    let (_, data) = stream.event();
    assert_eq!((&data["all"], &data["missed"]), (&json!(true), &json!(false)));
    // A reload of what is served already concerns nobody.
    kept.daemon.connect().ask("POST", "/v1/reload", &authorization(), b"");
    assert_eq!(named(&stream.event().1), "");
    let many: Vec<Value> =
        (0..1001).map(|at| json!({ "op": "put_user", "user": format!("u{at}") })).collect();
    for some in many.chunks(1000) {
        kept.done(&json!(some));
    }
    let data = loop {
        // The watch of the files may have reloaded them besides.
        let (_, data) = stream.event();
        if !named(&data).is_empty() {
            break data;
        }
    };
    assert_eq!(data["users"].as_array().unwrap().len(), 1000);
    assert_eq!(named(&stream.event().1), "u1000");
}

#[test]
fn a_client_goes_on_where_it_was_or_is_told_that_it_missed_some() {
    let kept = Kept::start();
    let mut stream = Stream::changes(&kept, "", "");
    let first = stream.view();
    for user in ["dan", "eve", "fay"] {
        kept.done(&json!([{ "op": "put_user", "user": user }]));
    }
    let read: Vec<u64> = (0..3).map(|_| stream.event().0).collect();
    assert_eq!(read, [first + 1, first + 2, first + 3]);
    let known = [
        (format!("?since={first}"), String::new(), first),
        (format!("?since={}", first + 2), String::new(), first + 2),
        (String::new(), format!("Last-Event-ID: {}\r\n", first + 1), first + 1),
        // What a browser sends by itself when it connects again is the newer of the two.
        (format!("?since={first}"), format!("Last-Event-ID: {}\r\n", first + 2), first + 2),
    ];
    for (query, headers, since) in known {
        let mut stream = Stream::changes(&kept, &query, &headers);
        let read: Vec<u64> = (since..first + 3).map(|_| stream.event().0).collect();
        assert_eq!(read, (since + 1..=first + 3).collect::<Vec<_>>(), "{query} {headers}");
    }
    let mut at_the_end = Stream::changes(&kept, &format!("?since={}", first + 3), "");
    let unknown = [
        ("?since=0".to_owned(), String::new()),
        (format!("?since={}", first + 4), String::new()),
        (format!("?since={}", u64::MAX), String::new()),
        (format!("?since={first}"), "Last-Event-ID: of-another\r\n".to_owned()),
    ];
    for (query, headers) in unknown {
        let (id, data) = Stream::changes(&kept, &query, &headers).event();
        assert_eq!(
            (id, &data["all"], &data["missed"]),
            (first + 3, &json!(true), &json!(true)),
            "{query}"
        );
    }
    kept.done(&json!([{ "op": "ban", "user": "dan" }]));
    assert_eq!(at_the_end.event().0, first + 4);
    let kept = kept.restarted();
    let mut stream = Stream::changes(&kept, &format!("?since={}", first + 4), "");
    let (id, data) = stream.event();
    assert_eq!((id, &data["missed"]), (stream.view(), &json!(true)));
    for query in ["?since=", "?since=x", "?since=-1", "?until=1"] {
        assert_eq!(kept.daemon.get(&format!("/v1/changes{query}")).status, 400, "{query}");
    }
    let wrong = kept.daemon.connect().ask("POST", "/v1/changes", "", b"");
    assert_eq!(wrong.status, 405);
}

/// More changes than the buffers of a connection and the log of changes hold: each names many users.
const ROUNDS: u64 = 120;

#[test]
fn a_slow_reader_misses_some_and_goes_on() {
    let kept = Kept::with(&POLICY.replace("group_members: 4", "group_members: 1000"), &[]);
    let users: Vec<String> = (0..900).map(|at| format!("{at:0>200}")).collect();
    let put = users.iter().map(|user| json!({ "op": "put_user", "user": user }));
    kept.done(&put.collect());
    kept.done(
        &json!([{ "op": "put_group", "group": "all", "creator": users[0], "members": users }]),
    );
    let mut slow = Stream::changes(&kept, "", "");
    let first = slow.view();
    for round in 0..ROUNDS {
        let leave = if round % 2 == 0 { "deny" } else { "allow" };
        kept.done(
            &json!([{ "op": "put_group", "group": "all", "permissions": { "leave": leave } }]),
        );
    }
    let mut last = first;
    let mut has_missed = false;
    while last < first + ROUNDS {
        let (id, data) = slow.event();
        assert!(id == last + 1 || data["missed"] == true, "{id} after {last}");
        has_missed |= data["missed"] == true;
        last = id;
    }
    assert!(has_missed);
    kept.done(&json!([{ "op": "ban", "user": "ann" }]));
    assert_eq!(slow.event().0, first + ROUNDS + 1);
}

fn question(text: &str) -> Value {
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        [subject, action, resource] => {
            json!({ "subject": subject, "action": action, "resource": resource })
        }
        [subject, action, group, member] => {
            json!({ "subject": subject, "action": action, "resource": group, "member": member })
        }
        _ => panic!("{text}"),
    }
}

#[test]
fn a_standing_question_is_answered_whenever_its_answer_changes() {
    let kept = Kept::start();
    let questions = [
        "ann start_chat bob",
        "bob start_chat ann",
        "ann start_chat dan",
        "ann add_member club cyd",
        "cyd start_chat ann",
    ];
    let mut watcher = Stream::watch(&kept, &questions.map(question));
    let at_first = ["allowed", "allowed", "unknown_resource", "allowed", "allowed"];
    assert_eq!(watcher.answers(5), (0..).zip(at_first.map(str::to_owned)).collect());
    let mut steps: Vec<(Value, &[(u64, &str)])> = vec![
        (
            json!({ "op": "block", "from": "bob", "to": "ann" }),
            &[(0, "blocked_by_resource"), (1, "blocked_by_subject")],
        ),
        (json!({ "op": "put_user", "user": "dan" }), &[(2, "no_rule")]),
        (json!({ "op": "add_tags", "user": "dan", "tags": ["b"] }), &[(2, "allowed")]),
        (json!({ "op": "unblock", "from": "bob", "to": "ann" }), &[(0, "allowed"), (1, "allowed")]),
        // The group is full then: nobody in the question has changed.
        (
            json!({ "op": "put_group", "group": "club", "add_members": ["dan", "zoe"] }),
            &[(3, "group_full")],
        ),
    ];
    kept.done(&json!([{ "op": "put_user", "user": "zoe", "tags": ["a"] }]));
    for (command, expected) in steps.drain(..) {
        kept.done(&json!([command]));
        let expected = expected.iter().map(|(at, why)| (*at, (*why).to_owned())).collect();
        assert_eq!(watcher.answers(usize::max(1, BTreeMap::len(&expected))), expected, "{command}");
    }
    // By files: all are asked again, and those that are as they were are not answered.
    kept.reload(&POLICY.replace("'any(hasTag(a), hasTag(b))'", "hasTag(b)"));
    let no_rule = [0, 2, 3, 4].map(|at| (at, "no_rule".to_owned()));
    assert_eq!(watcher.answers(4), no_rule.into());
    // By time.
    let soon = json!({ "op": "ban", "user": "bob", "for": 1 });
    kept.done(&json!([soon]));
    assert_eq!(watcher.answers(1), BTreeMap::from([(1, "banned".to_owned())]));
    assert_eq!(watcher.answers(1), BTreeMap::from([(1, "allowed".to_owned())]));
    // An action that is declared no more.
    let declared = format!("{POLICY}actions: {{ wave: {{ like: send_message }} }}\n");
    kept.reload(&declared);
    let mut watcher = Stream::watch(&kept, &[question("ann wave bob")]);
    assert_eq!(watcher.answers(1), BTreeMap::from([(0, "allowed".to_owned())]));
    kept.reload(POLICY);
    assert_eq!(watcher.answers(1), BTreeMap::from([(0, "invalid".to_owned())]));
}

#[test]
fn what_is_no_question_is_refused_with_its_line() {
    let kept = Kept::start();
    let good = question("ann start_chat bob").to_string();
    let cases = [
        ("", "body"),
        ("\n\n", "body"),
        ("nonsense", "line 2"),
        ("[]", "line 2"),
        (r#"{"subject":"ann"}"#, "line 2, action"),
        (r#"{"action":"start_chat"}"#, "line 2, subject"),
        (r#"{"subject":"ann","action":"fly","resource":"bob"}"#, "line 2, action"),
        (r#"{"subject":"ann","action":"start_chat","resource":3}"#, "line 2"),
        (r#"{"subject":"ann","action":"start_chat","resource":"bob","why":1}"#, "line 2"),
        (r#"{"subject":"ann","action":"start_chat"}"#, "line 2, resource"),
        (
            r#"{"subject":"ann","action":"start_chat","resource":"bob","explain":true}"#,
            "line 2, explain",
        ),
        (r#"{"subject":"ann","action":"add_member","resource":"club"}"#, "line 2, member"),
    ];
    for (line, at) in cases {
        let body = if at == "body" { line.to_owned() } else { format!("{good}\n{line}\n{good}\n") };
        let mut client = kept.daemon.connect();
        let headers = "Content-Type: application/x-ndjson\r\n";
        let answer = client.ask("POST", "/v1/watch", headers, body.as_bytes());
        assert_eq!(answer.status, 400, "{line}");
        assert_eq!(answer.json()["error"]["at"], at, "{line}: {}", answer.text());
    }
    let mut client = kept.daemon.connect();
    let json =
        client.ask("POST", "/v1/watch", "Content-Type: application/json\r\n", good.as_bytes());
    assert_eq!((json.status, json.json()["error"]["at"].as_str()), (415, Some("Content-Type")));
    let huge = "Content-Type: application/x-ndjson\r\nContent-Length: 16777217\r\nExpect: 100-continue\r\n";
    client.send(format!("POST /v1/watch HTTP/1.1\r\nHost: localhost\r\n{huge}\r\n"));
    assert_eq!(client.answer("POST").unwrap().status, 413);
    let many = format!("{good}\n").repeat(100_001);
    let headers = "Content-Type: application/x-ndjson\r\n";
    let answer = kept.daemon.connect().ask("POST", "/v1/watch", headers, many.as_bytes());
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"]["at"], "line 100001");
}

#[test]
fn many_questions_of_many_watchers_are_answered_after_a_reload() {
    let kept = Kept::start();
    let many: Vec<Value> = (0..20_000).map(|_| question("ann start_chat bob")).collect();
    let mut watchers: Vec<Stream> = (0..4).map(|_| Stream::watch(&kept, &many)).collect();
    for watcher in &mut watchers {
        assert!(watcher.answers(many.len()).values().all(|why| why == "allowed"));
    }
    kept.reload(&POLICY.replace("[a, b] }]", "[a] }]"));
    for watcher in &mut watchers {
        assert!(watcher.answers(many.len()).values().all(|why| why == "no_rule"));
    }
}

#[test]
fn streams_end_with_the_daemon() {
    let kept = Kept::start();
    let mut changes = Stream::changes(&kept, "", "");
    let mut watcher = Stream::watch(&kept, &[question("ann start_chat bob")]);
    watcher.answers(1);
    let open = |route: &str, many: usize| {
        let expected = format!("peerage_streams{{route=\"{route}\"}} {many}\n");
        kept.daemon.wait_for(&expected, |daemon| {
            daemon.get("/metrics").text().contains(&expected).then_some(())
        });
    };
    open("/v1/changes", 1);
    open("/v1/watch", 1);
    // One who leaves is noticed at once, though nothing is sent to them.
    let left =
        [Stream::changes(&kept, "", ""), Stream::watch(&kept, &[question("ann start_chat bob")])];
    open("/v1/changes", 2);
    open("/v1/watch", 2);
    drop(left);
    open("/v1/changes", 1);
    open("/v1/watch", 1);
    let ended = thread::spawn(move || {
        let rest = |stream: &mut Stream| while stream.line().unwrap().is_some() {};
        rest(&mut changes);
        rest(&mut watcher);
    });
    kept.daemon.signal("TERM");
    ended.join().expect("both ends are complete");
    assert!(kept.daemon.ended().status.success());
}

#[test]
fn a_list_is_not_sent_twice_while_the_view_is_the_same() {
    let kept = Kept::start();
    let mut client = kept.daemon.connect();
    for path in [
        "/v1/reach?subject=ann&action=start_chat",
        "/v1/reach?resource=ann&action=start_chat&limit=1",
    ] {
        let list = client.get(path);
        let tag = list.header("etag").expect("lists have one").to_owned();
        assert_eq!(list.header("cache-control"), Some("private, no-cache"));
        let mut ask =
            |tag: &str| client.ask("GET", path, &format!("If-None-Match: {tag}\r\n"), b"");
        for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            let again = ask(&known);
            assert_eq!((again.status, again.text(), again.header("etag")), (304, "", Some(&*tag)));
            assert_eq!(again.header("peerage-view"), list.header("peerage-view"));
        }
        assert_eq!(ask("\"x\"").status, 200);
        kept.done(&json!([{ "op": "put_user", "user": "dan", "tags": ["b"] }]));
        let changed = ask(&tag);
        assert_eq!(changed.status, 200);
        assert_ne!(changed.header("etag"), Some(&*tag));
        kept.done(&json!([{ "op": "delete_user", "user": "dan" }]));
    }
    let decision = client.get("/v1/decide?subject=ann&action=start_chat&resource=bob");
    assert_eq!(decision.header("cache-control"), Some("no-store"));
    assert_eq!(decision.header("etag"), None);
    let evaluated = kept.daemon.evaluate(
        r#"{"subject":{"type":"user","id":"ann"},"action":{"name":"start_chat"},"resource":{"type":"user","id":"bob"}}"#,
    );
    assert_eq!(evaluated.header("cache-control"), Some("no-store"));
}

#[test]
fn several_questions_are_decided_at_once() {
    let kept = Kept::start();
    let mut client = kept.daemon.connect();
    let mut post = |body: &str| client.post("/v1/decide", body.as_bytes());
    let one = question("ann start_chat bob").to_string();
    let answer = post(&one);
    assert_eq!((answer.status, answer.text()), (200, r#"{"decision":true,"reason":"allowed"}"#));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let list = json!([
        question("ann start_chat bob"),
        question("bob start_chat cyd"),
        question("ann add_member club cyd")
    ]);
    let answer = post(&list.to_string());
    let expected = json!([
        { "decision": true, "reason": "allowed" },
        { "decision": false, "reason": "blocked_by_resource" },
        { "decision": true, "reason": "allowed" },
    ]);
    assert_eq!(answer.json(), expected);
    assert_eq!(post("[]").json(), json!([]));
    let explained =
        post(r#"{"subject":"ann","action":"start_chat","resource":"bob","explain":true}"#);
    let query = "/v1/decide?subject=ann&action=start_chat&resource=bob&explain=true";
    assert_eq!(explained.json(), kept.daemon.get(query).json());
    let many = vec![question("ann start_chat bob"); 1000];
    assert_eq!(post(&json!(many).to_string()).json().as_array().unwrap().len(), 1000);
    let cases = [
        (json!(vec![question("ann start_chat bob"); 1001]), 400, "body"),
        (json!({ "subject": "ann" }), 400, "action"),
        (json!({ "action": "start_chat" }), 400, "subject"),
        (json!([question("ann start_chat bob"), question("ann fly bob")]), 400, "[1].action"),
        (
            json!([question("ann start_chat bob"), { "subject": "ann", "action": "start_chat" }]),
            400,
            "[1].resource",
        ),
        (json!([[]]), 400, "line 1, column 2"),
        (
            json!({ "subject": 3, "action": "start_chat", "resource": "bob" }),
            400,
            "line 1, column 45",
        ),
        (json!("ann"), 400, "line 1, column 5"),
    ];
    for (body, status, at) in cases {
        let answer = post(&body.to_string());
        assert_eq!(answer.status, status, "{body}");
        let found = answer.json()["error"]["at"].as_str().unwrap_or_default().to_owned();
        if at.starts_with("line") {
            assert!(found.starts_with("line 1"), "{body}: {found}");
        } else {
            assert_eq!(found, at, "{body}: {}", answer.text());
        }
    }
    let mut client = kept.daemon.connect();
    assert_eq!(client.ask("POST", "/v1/decide", "", one.as_bytes()).status, 415);
    let headers = "Content-Type: application/json\r\n";
    let both = client.ask("POST", "/v1/decide?subject=ann", headers, one.as_bytes());
    assert_eq!((both.status, both.json()["error"]["at"].as_str()), (400, Some("query")));
}
