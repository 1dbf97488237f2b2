//! `/metrics` in both of its formats.

use std::collections::BTreeMap;

use crate::{
    http::facts::Kept,
    support::client::Answer,
    support::daemon::{Daemon, stores},
};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What Prometheus sends.
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
    application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,\
    text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

fn scrape(daemon: &Daemon, accept: &str) -> Answer {
    let headers = if accept.is_empty() { String::new() } else { format!("Accept: {accept}\r\n") };
    let answer = daemon.connect().ask("GET", "/metrics", &headers, b"");
    assert_eq!(answer.status, 200);
    answer
}

#[test]
fn the_format_is_the_one_that_is_asked_for() {
    let daemon = Daemon::serve(stores());
    for (accept, kind) in [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/plain", TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", TEXT),
        ("application/json", TEXT),
        ("application/openmetrics-text", OPEN_METRICS),
        ("Application/OpenMetrics-Text; Version=1.0.0; charset=utf-8", OPEN_METRICS),
        ("application/openmetrics-text;version=\"1.0.0\"", OPEN_METRICS),
        (PROMETHEUS, OPEN_METRICS),
        ("text/plain, application/openmetrics-text", OPEN_METRICS),
        ("application/openmetrics-text;q=0.5,text/plain;q=0.5", OPEN_METRICS),
        ("application/openmetrics-text;q=0.5,text/plain", TEXT),
        ("application/openmetrics-text;q=0.5,*/*", TEXT),
        ("application/openmetrics-text;q=0.5,text/plain;q=0.1,*/*", OPEN_METRICS),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;q=0.000, */*", TEXT),
        ("application/openmetrics-text;q=2", TEXT),
        ("application/openmetrics-text;version=0.0.1", TEXT),
        ("application/openmetrics-text;version=2.0.0, text/plain;q=0.1", TEXT),
        ("application/openmetrics-textual", TEXT),
        (",;;=", TEXT),
        ("\u{e4}", TEXT),
    ] {
        let answer = scrape(&daemon, accept);
        assert_eq!(answer.header("content-type"), Some(kind), "{accept}");
        assert_eq!(answer.text().ends_with("# EOF\n"), kind == OPEN_METRICS, "{accept}");
    }
    let two = "Accept: text/plain;q=0.1\r\nAccept: application/openmetrics-text\r\n";
    let answer = daemon.connect().ask("GET", "/metrics", two, b"");
    assert_eq!(answer.header("content-type"), Some(OPEN_METRICS));
    // A query is the scraper's own business.
    for query in ["?colour=red", "?name[]=x&name[]=y", "?%zz"] {
        assert_eq!(daemon.get(&format!("/metrics{query}")).status, 200, "{query}");
    }
}

/// Families by name: their type, and the names of their samples.
fn families(text: &str) -> BTreeMap<String, (String, Vec<String>)> {
    let mut families: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    let (mut helped, mut typed) = (String::new(), String::new());
    for line in text.lines() {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["#", "HELP", name, _, ..] => (*name).clone_into(&mut helped),
            ["#", "TYPE", name, kind] => {
                assert_eq!(helped, *name, "{line}");
                (*name).clone_into(&mut typed);
                let before = families.insert(typed.clone(), ((*kind).to_owned(), Vec::new()));
                assert!(before.is_none(), "{line}");
            }
            ["#", "EOF"] => {}
            ["#", ..] => panic!("{line}"),
            [sample, value] => {
                assert!(value.parse::<f64>().is_ok(), "{line}");
                let name = sample.split('{').next().unwrap();
                assert!(name.starts_with(&typed), "{line}");
                families.get_mut(&typed).unwrap().1.push(name.to_owned());
            }
            other => panic!("{other:?}"),
        }
    }
    families
}

#[test]
fn both_formats_say_the_same() {
    let kept = Kept::start();
    let daemon = &kept.daemon;
    daemon.get("/v1/decide?subject=ann&action=sign_in");
    daemon.get("/nowhere");
    kept.done(&serde_json::json!([{ "op": "put_user", "user": "x", "tags": [] }]));
    // The first scrape is in the metrics of the others.
    scrape(daemon, "");
    let (text, open_metrics) = (scrape(daemon, ""), scrape(daemon, PROMETHEUS));
    let (text, open_metrics) = (families(text.text()), families(open_metrics.text()));
    assert_eq!(text.len(), open_metrics.len());
    for (name, (kind, samples)) in &open_metrics {
        let total = if kind == "counter" { "_total" } else { "" };
        let (reported, same) = &text[&format!("{name}{total}")];
        assert_eq!((reported, same), (kind, samples), "{name}");
        match kind.as_str() {
            "counter" => assert!(samples.iter().all(|it| *it == format!("{name}_total")), "{name}"),
            "gauge" => assert!(samples.iter().all(|it| it == name), "{name}"),
            "histogram" => {
                let ends = ["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}"));
                assert!(ends.iter().all(|it| samples.contains(it)), "{name}");
                assert!(samples.iter().all(|it| ends.contains(it)), "{name}");
            }
            other => panic!("{other}"),
        }
    }
    assert!(text.values().any(|(kind, _)| kind == "histogram"));
}

#[test]
fn requests_and_what_is_served_are_counted() {
    let daemon = Daemon::serve(stores());
    daemon.get("/v1/decide?subject=3&action=start_chat&resource=2");
    daemon.get("/v1/decide?subject=3&action=start_chat&resource=4");
    daemon.get("/nowhere");
    for accept in ["", PROMETHEUS] {
        let answer = scrape(&daemon, accept);
        for line in [
            r#"peerage_decisions_total{action="start_chat",decision="allow",reason="allowed"} 1"#,
            r#"peerage_decisions_total{action="start_chat",decision="deny",reason="no_rule"} 1"#,
            r#"peerage_request_seconds_count{route="/v1/decide"} 2"#,
            r#"peerage_request_seconds_bucket{le="+Inf",route="/v1/decide"} 2"#,
            r#"peerage_request_seconds_count{route="other"} 1"#,
            "peerage_held_reloads_total 0",
            "peerage_stale 0",
            r#"peerage_http_answers_total{status="404"} 1"#,
            "peerage_policy_current 1",
            "peerage_users 6",
            "peerage_rules 4",
        ] {
            assert!(answer.text().lines().any(|it| it == line), "{line} {}", answer.text());
        }
    }
}
