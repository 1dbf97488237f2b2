//! The export of spans to a collector, over OTLP/HTTP.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::daemon::{Daemon, NEVER, run, serve, stores};

/// A collector that keeps what it is sent, and answers with a status.
struct Collector {
    url: String,
    requests: Receiver<(String, Value)>,
}

impl Collector {
    fn start(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut bytes = Vec::new();
                let (head, body) = loop {
                    let mut part = [0; 4096];
                    let length = stream.read(&mut part).unwrap();
                    bytes.extend(&part[..length]);
                    let text = String::from_utf8_lossy(&bytes).to_lowercase();
                    let Some(end) = text.find("\r\n\r\n") else { continue };
                    let head = text[..end].to_owned();
                    let length = head.split("content-length: ").nth(1).unwrap();
                    let length: usize = length.lines().next().unwrap().parse().unwrap();
                    if bytes.len() == end + 4 + length {
                        break (head, serde_json::from_slice(&bytes[end + 4..]).unwrap());
                    }
                };
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}");
                stream.write_all(answer.as_bytes()).unwrap();
                if sender.send((head, body)).is_err() {
                    return;
                }
            }
        });
        Self { url, requests }
    }

    /// The next spans.
    fn spans(&self) -> Vec<Value> {
        let (head, body) = self.requests.recv_timeout(NEVER).unwrap();
        assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        let resource = &body["resourceSpans"][0];
        let name = json!({ "key": "service.name", "value": { "stringValue": "peerage" } });
        assert_eq!(resource["resource"]["attributes"][0], name);
        resource["scopeSpans"][0]["spans"].as_array().unwrap().clone()
    }
}

fn exporting(url: &str) -> Daemon {
    let mut command = serve();
    Daemon::start(command.arg(stores()).args(["--listen", "127.0.0.1:0", "--otlp-endpoint", url]))
}

fn counted(daemon: &Daemon, name: &str) -> u64 {
    let metrics = daemon.get("/metrics");
    let line = metrics.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
}

const PATH: &str = "/v1/decide?subject=3&action=start_chat&resource=2";

#[test]
fn each_request_has_a_span() {
    let collector = Collector::start("200 OK");
    let daemon = exporting(&collector.url);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let ask = |path: &str, flags: &str| {
        let headers = format!("traceparent: 00-{trace}-00f067aa0ba902b7-{flags}\r\n");
        daemon.connect().ask("GET", path, &headers, b"")
    };
    let answer = ask(PATH, "01");
    // Of a trace that its caller does not record, there is none.
    ask(PATH, "00");
    daemon.get(PATH);
    daemon.get("/nowhere");
    let mut spans = Vec::new();
    while spans.len() < 3 {
        spans.extend(collector.spans());
    }
    assert_eq!(spans.len(), 3);
    let span = &spans[0];
    assert_eq!(
        (&span["traceId"], &span["parentSpanId"]),
        (&json!(trace), &json!("00f067aa0ba902b7"))
    );
    // The one that was answered.
    let header = answer.header("traceparent").unwrap();
    assert_eq!(header, format!("00-{trace}-{}-01", span["spanId"].as_str().unwrap()));
    assert_eq!((&span["name"], &span["kind"]), (&json!("GET /v1/decide"), &json!(2)));
    let attributes = json!([
        { "key": "http.request.method", "value": { "stringValue": "GET" } },
        { "key": "http.response.status_code", "value": { "intValue": "200" } },
        { "key": "http.route", "value": { "stringValue": "/v1/decide" } },
    ]);
    assert_eq!(span["attributes"], attributes);
    let time = |name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
    let took = time("endTimeUnixNano") - time("startTimeUnixNano");
    assert!(took > 0 && took < 10_000_000_000, "{took}");
    // One that begins here, and one of no route.
    assert_eq!((spans[1].get("parentSpanId"), &spans[2]["name"]), (None, &json!("GET")));
    assert_ne!(spans[1]["traceId"], spans[2]["traceId"]);
    assert!(!spans.iter().any(|span| span.to_string().contains("subject")), "{spans:?}");
    daemon.wait_for("exported spans", |daemon| {
        (counted(daemon, "peerage_spans_exported_total") >= 3).then_some(())
    });
    // What waits at the end is sent.
    daemon.get(PATH);
    daemon.signal("TERM");
    assert!(daemon.ended().status.success());
    let names = std::iter::from_fn(|| {
        let (_, body) = collector.requests.recv_timeout(Duration::from_secs(1)).ok()?;
        Some(body.to_string())
    });
    assert!(names.collect::<String>().contains("GET /v1/decide"));
}

/// No collector, one that refuses, and one that never answers: requests go on, and spans are counted.
#[test]
fn nothing_waits_for_a_collector() {
    let refusing = Collector::start("503 Service Unavailable");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_url = format!("http://{}", silent.local_addr().unwrap());
    for url in ["http://127.0.0.1:1", &refusing.url, &silent_url] {
        let daemon = exporting(url);
        let mut client = daemon.connect();
        for _ in 0..5_000 {
            assert_eq!(client.get(PATH).status, 200);
        }
        daemon.wait_for(format!("dropped spans of {url}"), |daemon| {
            (counted(daemon, "peerage_spans_dropped_total") > 0).then_some(())
        });
        daemon.signal("TERM");
        let ended = daemon.ended();
        assert!(ended.status.success(), "{}", ended.errors);
        assert!(url == silent_url || ended.errors.contains("spans can't be exported"), "{url}");
    }
}

#[test]
fn an_endpoint_that_is_none_is_refused() {
    for url in ["https://127.0.0.1:4318", "127.0.0.1:4318", "http://user@host"] {
        let output = run(serve().arg(stores()).args(["--otlp-endpoint", url]));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains("expected http://HOST:PORT"), "{errors}");
    }
}
