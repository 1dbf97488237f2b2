//! Bodies that no API expects.

use std::time::Instant;

use crate::{dialects::rig::Rig, support::client::Client, support::daemon::NEVER};

/// Sends each of the bodies to a path, and looks at each answer with `check`; then sees that the
/// daemon is there and well.
#[track_caller]
pub(crate) fn attack(
    rig: &Rig,
    (method, path, headers): (&str, &str, &str),
    more: &[Vec<u8>],
    check: impl Fn(&[u8], &crate::support::client::Answer),
) {
    let begun = Instant::now();
    for body in bodies().iter().chain(more) {
        let mut client = Client::tcp(rig.daemon.address());
        let answer = client.ask(method, path, headers, body);
        assert!(answer.status < 500, "{}: {}", answer.status, answer.text());
        check(body, &answer);
    }
    assert!(begun.elapsed() < NEVER, "it takes too long");
    assert_eq!(rig.daemon.get("/healthz").status, 200);
}

/// Malformed, huge, deep, of wrong types and in wrong encodings.
pub(crate) fn bodies() -> Vec<Vec<u8>> {
    let texts = [
        "",
        " ",
        "{",
        "}",
        "[",
        "null",
        "true",
        "0",
        "-1",
        "1e999",
        "\"\"",
        "[]",
        "{}",
        "[[]]",
        "{\"\":{}}",
        "{\"a\":1,\"a\":2}",
        "\u{feff}{}",
        "{}{}",
        "{'a':1}",
        "{\"a\":}",
        "\0",
        "{\"\\ud800\":1}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":\"\u{0}\"}",
        "NaN",
        "a=b&c=d",
        "%zz=%",
        "<xml/>",
        "[{},{},[]]",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    all.push(vec![0xff, 0xfe, b'{', 0, b'}', 0]);
    all.push(b"{\"a\":\"\xff\xfe\"}".to_vec());
    all.push("[".repeat(100_000).into_bytes());
    all.push("{\"a\":".repeat(50_000).into_bytes());
    all.push(format!("{}1{}", "[".repeat(127), "]".repeat(127)).into_bytes());
    all.push(format!("\"{}\"", "x".repeat(900_000)).into_bytes());
    // More than a body may have.
    all.push(vec![b'x'; (1 << 20) + 1]);
    all
}
