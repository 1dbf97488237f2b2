//! The W3C trace context: taken from requests, in lines of the decision log, and answered.

use crate::{decision_log::Logged, support::daemon::stores};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[test]
fn a_request_keeps_its_trace() {
    let logged = Logged::start(&stores(), &[]);
    let path = "/v1/decide?subject=3&action=start_chat&resource=2";
    let ask = |headers: &str| logged.daemon.connect().ask("GET", path, headers, b"");
    let given = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n");
    let answer = ask(&given);
    let header = answer.header("traceparent").unwrap();
    assert!(header.starts_with(&format!("00-{TRACE}-")) && header.ends_with("-01"), "{header}");
    assert!(!header.contains("00f067aa0ba902b7"), "{header}");
    // What is malformed, or given twice, is as if it were not there.
    for headers in [
        String::new(),
        format!("traceparent: 00-{TRACE}-0000000000000000-01\r\n"),
        "traceparent: nonsense\r\n".to_owned(),
        given.repeat(2),
    ] {
        let answer = ask(&headers);
        assert_eq!((answer.status, answer.header("traceparent")), (200, None), "{headers}");
    }
    let lines = logged.lines(5);
    assert_eq!(lines[0]["trace_id"], TRACE);
    assert!(lines[1..].iter().all(|line| line.get("trace_id").is_none()));
    // Errors too.
    let answer = logged.daemon.connect().ask("GET", "/nowhere", &given, b"");
    assert!(answer.header("traceparent").is_some_and(|it| it.contains(TRACE)));
}

#[cfg(not(feature = "otlp"))]
#[test]
fn a_build_without_the_feature_says_so() {
    use crate::support::daemon::{run, serve};

    let output = run(serve().arg(stores()).args(["--otlp-endpoint", "http://127.0.0.1:4318"]));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("build it with `--features otlp`"), "{errors}");
}
