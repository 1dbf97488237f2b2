//! Access to Flip's calls.

use std::{fs, process::Command};

use super::{ON, fault, identified};
use crate::{
    dialects::rig::{Rig, TOKEN},
    support::client::{Answer, Client},
    support::daemon::{Daemon, run, serve},
};

const RULES: &str = "/sync/interaction-rules";
const RULE: &str = "/sync/interaction-rules/728c1541-d6d1-4290-9a53-cdf01dd32d60";
const TAGS: &str = "/sync/users/7/tags";

const READER: &str = "reader-0123456789";
const WRITER: &str = "writer-0123456789";
const BOTH: &str = "both-01234567890123456789";

/// All calls, by what they take.
const READS: [(&str, &str); 2] = [("GET", RULES), ("GET", TAGS)];
const WRITES: [(&str, &str, &str); 4] = [
    ("POST", RULES, r#"{"condition":"hasTag(A)","outcome":["B"]}"#),
    ("PUT", RULE, r#"{"condition":"hasTag(A)","outcome":["B"]}"#),
    ("DELETE", RULE, ""),
    ("PUT", TAGS, r#"{"tags":["A"]}"#),
];

fn calls() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    READS.into_iter().map(|(method, path)| (method, path, "")).chain(WRITES)
}

fn ask(daemon: &Daemon, (method, path, body): (&str, &str, &str), authorization: &str) -> Answer {
    let header = match authorization {
        "" => String::new(),
        value => format!("Authorization: {value}\r\n"),
    };
    identified(Client::tcp(daemon.address()).ask(method, path, &header, body.as_bytes()))
}

/// Whether it came to what the call is about.
fn is_admitted(answer: &Answer) -> bool {
    ![401, 403].contains(&answer.status)
}

#[test]
fn without_the_admin_token() {
    let rig = Rig::start(ON);
    let basic = format!("Basic {TOKEN}");
    let longer = format!("Bearer {TOKEN}x");
    for call in calls() {
        for shown in ["", "Bearer", "Bearer ", "Bearer wrong", TOKEN, &basic, &longer] {
            let answer = ask(&rig.daemon, call, shown);
            fault(&answer, 401, "unauthorized");
            assert!(answer.header("www-authenticate").is_some_and(|it| it.starts_with("Bearer")));
        }
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let answer = ask(&rig.daemon, call, &format!("{scheme} {TOKEN}"));
            assert!(is_admitted(&answer), "{call:?}: {}", answer.text());
        }
    }
}

/// What is refused has no effect.
#[test]
fn who_is_not_admitted_changes_nothing() {
    let rig = Rig::start(ON);
    let call = ("POST", RULES, r#"{"condition":"hasTag(A)","outcome":["B"]}"#);
    ask(&rig.daemon, call, "Bearer wrong");
    let listed = ask(&rig.daemon, ("GET", RULES, ""), &format!("Bearer {TOKEN}"));
    assert_eq!(listed.text(), r#"{"rules":[]}"#);
}

const LIST: &str = "# who\treads\n\nreader-0123456789 TAG_RULE_READ # a comment\n\
                    \twriter-0123456789\t TAG_RULE_WRITE\r\n\
                    both-01234567890123456789 TAG_RULE_WRITE TAG_RULE_READ";

#[test]
fn tokens_with_scopes() {
    let more = ["--dialect", "flip", "--flip-tokens-file", "{}/tokens"];
    let rig = Rig::prepared(ON, &more, |folder| {
        fs::write(folder.path().join("tokens"), LIST).unwrap();
    });
    scopes(&rig.daemon);
    for call in calls() {
        let answer = ask(&rig.daemon, call, &format!("Bearer {TOKEN}"));
        assert!(is_admitted(&answer), "the admin token has both: {call:?}: {}", answer.text());
    }
    // They are for Flip's API alone.
    let header = format!("Authorization: Bearer {BOTH}\r\n");
    assert_eq!(rig.ask("GET", "/v1/facts", &header, b"").status, 401);
}

#[track_caller]
fn scopes(daemon: &Daemon) {
    for call in calls() {
        let is_read = call.0 == "GET";
        let other = if is_read { "TAG_RULE_READ" } else { "TAG_RULE_WRITE" };
        for (token, may) in [(READER, is_read), (WRITER, !is_read), (BOTH, true)] {
            let answer = ask(daemon, call, &format!("Bearer {token}"));
            if may {
                assert!(is_admitted(&answer), "{call:?} by {token}: {}", answer.text());
            } else {
                let error = fault(&answer, 403, "missing_scope");
                assert!(error["message"].as_str().unwrap().contains(other), "{error:#}");
            }
        }
        fault(&ask(daemon, call, "Bearer reader-012345678"), 401, "unauthorized");
        fault(&ask(daemon, call, ""), 401, "unauthorized");
    }
}

/// A daemon without an admin token.
fn without_admin(more: &[&str], tokens: &str) -> (tempfile::TempDir, Daemon) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("policy.yaml"), ON).unwrap();
    fs::write(path("tokens"), tokens).unwrap();
    let mut command = serve();
    command.arg(path("policy.yaml")).args(["--listen", "127.0.0.1:0", "--dialect", "flip"]);
    let place = folder.path().to_str().unwrap();
    command.arg("--store").arg(path("facts"));
    command.args(more.iter().map(|arg| arg.replace("{}", place)));
    let daemon = Daemon::start(&mut command);
    (folder, daemon)
}

#[test]
fn without_any_token_to_know() {
    let (_folder, daemon) = without_admin(&[], "");
    for call in calls() {
        for shown in ["", "Bearer 0123456789abcdef"] {
            let error = fault(&ask(&daemon, call, shown), 403, "disabled");
            let message = error["message"].as_str().unwrap();
            for flag in ["--admin-token-file", "--flip-tokens-file", "--admin-uds"] {
                assert!(message.contains(flag), "{message}");
            }
        }
    }
}

#[test]
fn scopes_without_an_admin_token() {
    let (_folder, daemon) = without_admin(&["--flip-tokens-file", "{}/tokens"], LIST);
    scopes(&daemon);
}

#[test]
fn the_socket_of_administrators_takes_no_token() {
    let (folder, _daemon) = without_admin(&["--admin-uds", "{}/admin"], "");
    for (method, path, body) in calls() {
        let mut client = Client::unix(&folder.path().join("admin"));
        let answer = identified(client.ask(method, path, "", body.as_bytes()));
        assert!(is_admitted(&answer), "{method} {path}: {}", answer.text());
    }
}

/// Why a daemon does not start.
#[track_caller]
fn refused(tokens: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("policy.yaml"), ON).unwrap();
    fs::write(path("tokens"), tokens).unwrap();
    let mut command: Command = serve();
    command.arg(path("policy.yaml")).args(["--listen", "127.0.0.1:0", "--dialect", "flip"]);
    let output = run(command.arg("--flip-tokens-file").arg(path("tokens")));
    assert_eq!(output.status.code(), Some(2));
    let why = String::from_utf8(output.stderr).unwrap();
    assert!(why.contains(path("tokens").to_str().unwrap()), "{why}");
    why
}

#[test]
fn files_that_list_no_tokens() {
    for (tokens, line, why) in [
        ("short TAG_RULE_READ", "line 1", "16 printable ASCII characters"),
        ("# one\n\n0123456789abcdéf TAG_RULE_READ", "line 3", "16 printable ASCII characters"),
        ("0123456789abcdef", "line 1", "no scope"),
        ("0123456789abcdef # TAG_RULE_READ", "line 1", "no scope"),
        ("0123456789abcdef TAG_RULE_REED", "line 1", "`TAG_RULE_REED`"),
        ("0123456789abcdef tag_rule_read", "line 1", "`tag_rule_read`"),
        (
            "0123456789abcdef TAG_RULE_READ\n0123456789abcdef TAG_RULE_WRITE",
            "line 2",
            "listed before",
        ),
    ] {
        let reported = refused(tokens.as_bytes());
        assert!(reported.contains(line) && reported.contains(why), "{tokens}: {reported}");
        assert!(!reported.contains("0123456789abcdef"), "no token is shown: {reported}");
    }
    assert!(refused(b"# nobody\n").contains("no token"));
    assert!(refused(b"\xff\xfe").contains("UTF-8"));
}

#[test]
fn a_file_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.yaml"), ON).unwrap();
    let mut command = serve();
    command.arg(folder.path().join("policy.yaml")).args(["--listen", "127.0.0.1:0"]);
    command.args(["--dialect", "all", "--flip-tokens-file", "/nowhere/tokens"]);
    let output = run(&mut command);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("/nowhere/tokens"));
}

/// Who does not ask for Flip's API has none of it.
#[test]
fn without_the_dialect() {
    let rig = Rig::with(ON, &[]);
    let answer = rig.ask("GET", RULES, &crate::dialects::rig::bearer(), b"");
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("flip-request-id"), None);
}
