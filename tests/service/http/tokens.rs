//! Tokens with scopes: what each permits, and the file that lists them.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    http::facts::{POLICY, TOKEN},
    support::{
        client::{Answer, Client},
        daemon::{Daemon, run, serve},
    },
};

/// A daemon with a store and tokens, and their files.
struct Guarded {
    folder: tempfile::TempDir,
    daemon: Daemon,
}

/// The SHA-256 of a text, by another implementation.
fn sha256(text: &str) -> String {
    let script = format!("printf %s '{text}' | sha256sum");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_owned()
}

/// The token of a name.
fn secret(name: &str) -> String {
    format!("token-of-{name}-1234567890")
}

/// A file of tokens that are named by their scopes.
fn tokens(names: &[&str]) -> String {
    let lines = names.iter().map(|name| {
        let scopes = name.replace('+', ", ");
        let name = name.replace('+', "-");
        format!("- {{ name: {name}, sha256: {}, scopes: [{scopes}] }}\n", sha256(&secret(&name)))
    });
    format!("tokens:\n{}", lines.collect::<String>())
}

impl Guarded {
    fn start(names: &[&str], options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("policy.yaml"), POLICY).unwrap();
        fs::write(path("tokens.yaml"), tokens(names)).unwrap();
        let mut command = serve();
        command.arg(path("policy.yaml")).args(["--listen", "127.0.0.1:0", "--store"]);
        command.arg(path("facts.redb")).arg("--tokens-file").arg(path("tokens.yaml"));
        command.arg("--uds").arg(path("plain")).arg("--admin-uds").arg(path("admin"));
        command.arg("--audit-log").arg(path("audit")).args(options);
        Self { daemon: Daemon::start(&mut command), folder }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
        let headers = headers(token);
        self.daemon.connect().ask(method, path, &headers, body.as_bytes())
    }

    /// Waits until a token gets this status for a decision.
    #[track_caller]
    fn wait_for_status(&self, token: &str, status: u16) {
        self.daemon.wait_for(status, |_| {
            (self.ask("GET", DECIDE, Some(token), "").status == status).then_some(())
        });
    }

    fn trail(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("audit")).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn headers(token: Option<&str>) -> String {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    format!("{}Content-Type: application/json\r\n", authorization.unwrap_or_default())
}

const DECIDE: &str = "/v1/decide?subject=ann&action=sign_in";
const EVALUATION: &str = r#"{"subject":{"type":"user","id":"ann"},"action":{"name":"start_chat"},"resource":{"type":"user","id":"bob"}}"#;
const SEARCH: &str = r#"{"subject":{"type":"user"},"action":{"name":"start_chat"},"resource":{"type":"user","id":"bob"}}"#;
const RULE: &str = "00000000-0000-4000-8000-000000000000";

/// Each route with the scope that it takes, if any.
fn routes() -> Vec<(&'static str, String, &'static str, Option<&'static str>)> {
    let search = |kind| format!("/access/v1/search/{kind}");
    vec![
        ("GET", DECIDE.to_owned(), "", Some("decide")),
        ("GET", "/v1/allow?subject=ann&action=sign_in".to_owned(), "", Some("decide")),
        ("GET", "/v1/reach?subject=ann&action=start_chat".to_owned(), "", Some("decide")),
        ("POST", "/v1/decide".to_owned(), "[]", Some("decide")),
        ("GET", "/v1/changes?since=none".to_owned(), "", Some("decide")),
        ("POST", "/v1/watch".to_owned(), "", Some("decide")),
        ("POST", "/access/v1/evaluation".to_owned(), EVALUATION, Some("decide")),
        ("POST", "/access/v1/evaluations".to_owned(), EVALUATION, Some("decide")),
        ("POST", search("subject"), SEARCH, Some("decide")),
        (
            "POST",
            search("resource"),
            r#"{"subject":{"type":"user","id":"ann"},"action":{"name":"start_chat"},"resource":{"type":"user"}}"#,
            Some("decide"),
        ),
        (
            "POST",
            search("action"),
            r#"{"subject":{"type":"user","id":"ann"},"resource":{"type":"user","id":"bob"}}"#,
            Some("decide"),
        ),
        ("GET", "/.well-known/authzen-configuration".to_owned(), "", None),
        ("GET", "/openapi.json".to_owned(), "", None),
        ("GET", "/healthz".to_owned(), "", None),
        ("GET", "/readyz".to_owned(), "", None),
        ("GET", "/metrics".to_owned(), "", None),
        ("GET", "/v1/status".to_owned(), "", Some("read")),
        ("GET", "/v1/facts".to_owned(), "", Some("read")),
        ("GET", "/v1/facts/users".to_owned(), "", Some("read")),
        ("GET", "/v1/facts/users/ann".to_owned(), "", Some("read")),
        ("GET", "/v1/facts/groups".to_owned(), "", Some("read")),
        ("GET", "/v1/facts/groups/club".to_owned(), "", Some("read")),
        ("GET", "/v1/facts/conversations".to_owned(), "", Some("read")),
        ("GET", "/v1/facts/rules".to_owned(), "", Some("read")),
        ("GET", format!("/v1/facts/rules/{RULE}"), "", Some("read")),
        ("GET", "/v1/facts/export".to_owned(), "", Some("read")),
        ("POST", "/v1/facts".to_owned(), r#"{"commands":[]}"#, Some("write")),
        ("POST", "/v1/store/backup".to_owned(), "", Some("write")),
        ("POST", "/v1/reload".to_owned(), "", Some("reload")),
        ("GET", "/sync/interaction-rules".to_owned(), "", Some("read")),
        ("PUT", "/sync/users/ann/tags".to_owned(), "{}", Some("write")),
        ("GET", "/xmtp/groups/club".to_owned(), "", Some("read")),
        ("POST", "/xmtp/groups".to_owned(), "{}", Some("write")),
        ("POST", "/matrix/antispam/ping".to_owned(), r#"{"id":"x"}"#, Some("decide")),
    ]
}

#[test]
fn a_stream_ends_with_its_token() {
    let guarded = Guarded::start(&["decide", "read+decide"], &[]);
    let open = |method: &str, path: &str, body: &str, name: &str| {
        let mut client = guarded.daemon.connect();
        let kind = if method == "POST" { "Content-Type: application/x-ndjson\r\n" } else { "" };
        let headers = format!("Authorization: Bearer {}\r\n{kind}", secret(name));
        client.send(crate::support::client::request(method, path, &headers, body.as_bytes()));
        assert_eq!(client.head().unwrap().status, 200);
        assert!(!client.chunk().unwrap().is_empty());
        client
    };
    let question = r#"{"subject":"ann","action":"sign_in"}"#;
    let mut streams =
        [open("GET", "/v1/changes", "", "decide"), open("POST", "/v1/watch", question, "decide")];
    let mut kept = open("GET", "/v1/changes", "", "read-decide");
    fs::write(guarded.path("tokens.yaml"), tokens(&["read+decide"])).unwrap();
    guarded.wait_for_status(&secret("decide"), 401);
    let put = r#"{"commands":[{"op":"put_user","user":"dan"}]}"#;
    let headers = "Content-Type: application/json\r\n";
    let mut admin = Client::unix(&guarded.path("admin"));
    assert_eq!(admin.ask("POST", "/v1/facts", headers, put.as_bytes()).status, 200);
    for stream in &mut streams {
        assert_eq!(stream.chunk().unwrap(), b"", "nothing more is told, and the stream is whole");
    }
    assert!(String::from_utf8(kept.chunk().unwrap()).unwrap().contains("dan"));
}

#[test]
fn each_route_takes_a_token_with_its_scope() {
    let all = ["decide", "read", "write", "reload"];
    let guarded =
        Guarded::start(&all, &["--dialect", "flip", "--dialect", "xmtp", "--dialect", "matrix"]);
    let mut refused = 0;
    for (method, path, body, scope) in routes() {
        let ask = |token: Option<&str>| guarded.ask(method, &path, token, body);
        let Some(scope) = scope else {
            for token in [None, Some("nobody's token")] {
                assert_eq!(ask(token).status, 200, "{path} {token:?}");
            }
            continue;
        };
        for token in [None, Some("nobody's-token-1234567890"), Some("")] {
            let answer = ask(token);
            assert_eq!(answer.status, 401, "{path} {token:?} {answer:?}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{path}");
            refused += 1;
        }
        for other in all {
            let answer = ask(Some(&secret(other)));
            if other == scope {
                assert!(![401, 403].contains(&answer.status), "{method} {path} {answer:?}");
            } else {
                assert_eq!(answer.status, 403, "{method} {path} {other} {answer:?}");
                assert!(answer.text().contains(&format!("`{scope}`")) || path.starts_with("/sync"));
                refused += 1;
            }
        }
    }
    let trail = guarded.daemon.wait_for(refused, |_| {
        let trail: Vec<Value> =
            guarded.trail().into_iter().filter(|line| line["kind"] == "refused").collect();
        (trail.len() >= refused).then_some(trail)
    });
    assert_eq!(trail.len(), refused);
    for line in trail {
        let is_known = line["status"] == 403;
        assert_eq!(line.get("by").is_some(), is_known, "{line}");
        assert!(!is_known || all.contains(&line["by"].as_str().unwrap()), "{line}");
    }
}

#[test]
fn the_dialects_that_answer_in_the_body_take_scopes_too() {
    let guarded =
        Guarded::start(&["read", "write"], &["--dialect", "mesibo", "--dialect", "tencent"]);
    let mesibo = |op: &str, token: &str| {
        let token = secret(token);
        let body = json!({ "op": op, "token": token, "user": { "uid": 1 }, "addr": "x" });
        let answer = guarded.ask("POST", "/backend", None, &body.to_string());
        answer.text().contains("lacks the scope")
    };
    for (op, scope, other) in
        [("userget", "read", "write"), ("useradd", "write", "read"), ("groupdel", "write", "read")]
    {
        assert!(!mesibo(op, scope), "{op}");
        assert!(mesibo(op, other), "{op}");
    }
    let tencent = |command: &str, token: &str| {
        let path = format!("/v4/sns/{command}?usersig={}&identifier=administrator", secret(token));
        let answer =
            guarded.ask("POST", &path, None, r#"{"From_Account":"ann","To_Account":["bob"]}"#);
        answer.text().contains("lacks the scope")
    };
    for (command, scope, other) in
        [("friend_get_list", "read", "write"), ("friend_delete", "write", "read")]
    {
        assert!(!tencent(command, scope), "{command}");
        assert!(tencent(command, other), "{command}");
    }
}

#[test]
fn sockets_and_the_admin_token_need_no_scope() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, TOKEN).unwrap();
    let guarded =
        Guarded::start(&["decide", "read+write"], &["--admin-token-file", token.to_str().unwrap()]);
    for (method, path, body, scope) in routes() {
        if ["/sync", "/xmtp", "/matrix"].iter().any(|of| path.starts_with(of)) {
            continue;
        }
        let by_token = guarded.ask(method, &path, Some(TOKEN), body);
        assert!(![401, 403].contains(&by_token.status), "{path} {by_token:?}");
        let by_socket = Client::unix(&guarded.path("admin")).ask(
            method,
            &path,
            &headers(None),
            body.as_bytes(),
        );
        assert!(![401, 403].contains(&by_socket.status), "{path} {by_socket:?}");
        let plain = Client::unix(&guarded.path("plain")).ask(
            method,
            &path,
            &headers(None),
            body.as_bytes(),
        );
        let is_open = scope.is_none_or(|scope| scope == "decide") || path == "/v1/status";
        assert_eq!(plain.status != 401, is_open, "{path} {plain:?}");
    }
    // Each is named in the trail.
    let commands = r#"{"commands":[{"op":"put_user","user":"zoe"}]}"#;
    assert_eq!(guarded.ask("POST", "/v1/facts", Some(&secret("read-write")), commands).status, 200);
    assert_eq!(guarded.ask("POST", "/v1/facts", Some(TOKEN), commands).status, 200);
    let names = guarded.daemon.wait_for("two batches", |_| {
        let trail = guarded.trail();
        let batches = trail.iter().filter(|line| line["operations"][0]["user"] == "zoe");
        let names: Vec<String> =
            batches.map(|line| line["by"].as_str().unwrap().to_owned()).collect();
        (names.len() == 2).then_some(names)
    });
    assert_eq!(names, ["read-write", "admin-token"]);
}

#[test]
fn decisions_need_no_token_while_none_is_for_them() {
    let guarded = Guarded::start(&["read"], &[]);
    assert_eq!(guarded.ask("GET", DECIDE, None, "").status, 200);
    assert_eq!(guarded.ask("POST", "/access/v1/evaluation", None, EVALUATION).status, 200);
    assert_eq!(guarded.ask("GET", "/v1/status", None, "").status, 401);
    // A loopback listener that asks for no token looks at the host.
    let foreign = "GET /v1/decide?subject=ann&action=sign_in HTTP/1.1\r\nHost: evil.example\r\n";
    let mut client = guarded.daemon.connect();
    client.send(format!("{foreign}\r\n"));
    assert_eq!(client.answer("GET").unwrap().status, 421);
    let guarded = Guarded::start(&["decide"], &[]);
    let mut client = guarded.daemon.connect();
    let token = secret("decide");
    client.send(format!("{foreign}Authorization: Bearer {token}\r\n\r\n"));
    assert_eq!(client.answer("GET").unwrap().status, 200);
}

#[test]
fn the_file_is_read_anew_when_it_changes() {
    let guarded = Guarded::start(&["decide", "read"], &[]);
    let (old, new) = (secret("decide"), secret("decide-read"));
    assert_eq!(guarded.ask("GET", DECIDE, Some(&old), "").status, 200);
    assert_eq!(guarded.ask("GET", DECIDE, Some(&new), "").status, 401);
    fs::write(guarded.path("tokens.yaml"), tokens(&["decide+read"])).unwrap();
    guarded.wait_for_status(&new, 200);
    assert_eq!(guarded.ask("GET", DECIDE, Some(&old), "").status, 401);
    // As an editor or the kubelet does it.
    fs::write(guarded.path("next.yaml"), tokens(&["decide"])).unwrap();
    fs::rename(guarded.path("next.yaml"), guarded.path("tokens.yaml")).unwrap();
    guarded.wait_for_status(&old, 200);
    assert_eq!(guarded.ask("GET", DECIDE, Some(&new), "").status, 401);
    // Without a token for decisions, they do not become open to all.
    fs::write(guarded.path("tokens.yaml"), tokens(&["read"])).unwrap();
    guarded.wait_for_status(&old, 401);
    assert_eq!(guarded.ask("GET", DECIDE, None, "").status, 401);
}

#[test]
fn a_file_with_mistakes_leaves_the_tokens_as_they_are() {
    let guarded = Guarded::start(&["decide", "read"], &[]);
    let status = |token: &str| guarded.ask("GET", "/v1/status", Some(token), "").json();
    let read = secret("read");
    assert_eq!(status(&read)["tokens"]["file"]["error"], Value::Null);
    assert_eq!(status(&read)["tokens"]["count"], 2);
    fs::write(
        guarded.path("tokens.yaml"),
        "tokens:\n- { name: x, sha256: my-secret, scopes: [decde] }\n",
    )
    .unwrap();
    let error = guarded.daemon.wait_for("an error", |_| {
        status(&read)["tokens"]["file"]["error"].as_str().map(str::to_owned)
    });
    let path = guarded.path("tokens.yaml").display().to_string();
    assert!(error.contains(&format!("{path}:2:22: ")), "{error}");
    assert!(error.contains("did you mean `decide`"), "{error}");
    assert!(!error.contains("my-secret"), "{error}");
    guarded.wait_for_status(&secret("decide"), 200);
    fs::remove_file(guarded.path("tokens.yaml")).unwrap();
    guarded.daemon.wait_for("another error", |_| {
        let error = status(&read)["tokens"]["file"]["error"].as_str().map(str::to_owned);
        error.filter(|error| error.contains("can't read the tokens"))
    });
    fs::write(guarded.path("tokens.yaml"), tokens(&["read"])).unwrap();
    guarded.daemon.wait_for("no error", |_| {
        (status(&read)["tokens"]["file"]["error"] == Value::Null).then_some(())
    });
    guarded.daemon.signal("TERM");
    let errors = guarded.daemon.ended().errors;
    assert!(errors.contains("the tokens stay as they were"), "{errors}");
    assert!(errors.contains(":2:22: `sha256`"), "{errors}");
    assert!(!errors.contains("my-secret"), "{errors}");
}

#[test]
fn files_of_tokens_with_mistakes_are_refused_at_the_start() {
    let digest = sha256("x");
    let entry = |name: &str, digest: &str, scopes: &str| {
        format!("- {{ name: {name}, sha256: {digest}, scopes: {scopes} }}\n")
    };
    let other = sha256("y");
    let file = |entries: &[String]| format!("tokens:\n{}", entries.concat());
    for (text, expected) in [
        (String::new(), "the file lists no token"),
        ("tokens: []\n".to_owned(), "the file lists no token"),
        ("token: []\n".to_owned(), "did you mean `tokens`"),
        ("tokens: { a: b }\n".to_owned(), "expected a list"),
        ("tokens: [a]\n".to_owned(), "expected a mapping of fields"),
        ("tokens: [{\n".to_owned(), ":1:10: this `{` is never closed"),
        (file(&[entry("a b", &digest, "[read]")]), "the name of a token has"),
        (file(&[entry("a", "abc", "[read]")]), "64 hexadecimal digits"),
        (file(&[entry("a", &digest, "[]")]), "the token has no scope"),
        (file(&[entry("a", &digest, "[reed]")]), "did you mean `read`"),
        (file(&[format!("- {{ name: a, sha256: {digest} }}\n")]), "the token has no `scopes`"),
        (file(&[format!("- {{ sha256: {digest}, scopes: [read] }}\n")]), "the token has no `name`"),
        (
            file(&[entry("a", &digest, "[read]"), entry("a", &other, "[read]")]),
            "another token is named `a`",
        ),
        (
            file(&[entry("a", &digest, "[read]"), entry("b", &digest, "[write]")]),
            "another entry has the same token",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let error = refusal(folder.path(), &text);
        assert!(error.contains(expected), "{text}\n{error}");
    }
}

fn refusal(folder: &Path, text: &str) -> String {
    fs::write(folder.join("policy.yaml"), POLICY).unwrap();
    fs::write(folder.join("tokens.yaml"), text).unwrap();
    let mut command = serve();
    command.arg(folder.join("policy.yaml")).args(["--listen", "127.0.0.1:0"]);
    let refused = run(command.arg("--tokens-file").arg(folder.join("tokens.yaml")));
    assert_eq!(refused.status.code(), Some(2), "{text}");
    String::from_utf8(refused.stderr).unwrap()
}

#[test]
fn the_file_of_the_book_is_taken() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operation/serving.md");
    let page = fs::read_to_string(page).unwrap();
    let text = page.split("```text\n").find(|block| block.starts_with("tokens:")).unwrap();
    let guarded = Guarded::start(&["read"], &[]);
    fs::write(guarded.path("tokens.yaml"), text.split("```").next().unwrap()).unwrap();
    // It lists the SHA-256 of `test`.
    guarded.wait_for_status("wrong", 401);
    guarded.wait_for_status("test", 200);
}

#[test]
fn with_tokens_for_decisions_other_machines_may_reach_the_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let start = |names: &[&str]| {
        fs::write(folder.path().join("policy.yaml"), POLICY).unwrap();
        fs::write(folder.path().join("tokens.yaml"), tokens(names)).unwrap();
        let mut command = serve();
        command.arg(folder.path().join("policy.yaml")).args(["--listen", "0.0.0.0:0"]);
        command.arg("--tokens-file").arg(folder.path().join("tokens.yaml"));
        command
    };
    let refused = run(&mut start(&["read", "write"]));
    assert_eq!(refused.status.code(), Some(2));
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("--tokens-file"), "{text}");
    let daemon = Daemon::start(&mut start(&["decide"]));
    let address = ([127, 0, 0, 1], daemon.address().port()).into();
    assert_eq!(Client::tcp(address).get(DECIDE).status, 401);
    let token = secret("decide");
    assert_eq!(Client::tcp(address).ask("GET", DECIDE, &headers(Some(&token)), b"").status, 200);
}
