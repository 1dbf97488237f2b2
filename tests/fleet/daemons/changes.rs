//! What one daemon of a fleet writes, another tells those who follow its changes and watch its answers.

use std::{fs, os::unix::net::UnixStream, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    client::{Client, request},
    cluster::Cluster,
    daemon::{Daemon, serve},
    writer::command,
};

const POLICY: &str = "
users: { ann: { tags: [a] }, bob: { tags: [b] } }
rules: [{ condition: hasTag(a), outcome: [b] }]
";

/// The JSON objects of a stream, each behind a text on its line.
fn next(stream: &mut Client<UnixStream>, before: &str) -> Value {
    loop {
        let chunk = String::from_utf8(stream.chunk().unwrap()).unwrap();
        assert!(!chunk.is_empty(), "the stream goes on");
        if let Some(line) = chunk.lines().find_map(|line| line.strip_prefix(before)) {
            return serde_json::from_str(line).unwrap();
        }
    }
}

fn open(socket: &Path, bytes: &[u8]) -> Client<UnixStream> {
    let mut stream = Client::unix(socket);
    stream.send(bytes);
    assert_eq!(stream.head().unwrap().status, 200);
    stream
}

#[test]
fn what_another_daemon_writes_is_told_here() {
    let cluster = Cluster::start(1);
    let folder = TempDir::new().unwrap();
    let policy = folder.path().join("policy.yaml");
    fs::write(&policy, POLICY).unwrap();
    let daemon = |name: &str| {
        let socket = folder.path().join(name);
        let mut command = serve();
        command.arg(&policy).args(["--listen", "127.0.0.1:0", "--store", &cluster.store("facts")]);
        (Daemon::start(command.arg("--admin-uds").arg(&socket)), socket)
    };
    let ((_here, here), (_there, there)) = (daemon("here"), daemon("there"));
    let mut changes = open(&here, &request("GET", "/v1/changes", "", b""));
    let question = json!({ "subject": "ann", "action": "start_chat", "resource": "bob" });
    let headers = "Content-Type: application/x-ndjson\r\n";
    let question = question.to_string();
    let mut answers = open(&here, &request("POST", "/v1/watch", headers, question.as_bytes()));
    assert_eq!(next(&mut answers, "")["reason"], "allowed");
    command(&there, &json!([{ "op": "block", "from": "bob", "to": "ann" }]));
    let told = next(&mut changes, "data: ");
    assert_eq!((&told["users"], &told["all"]), (&json!(["ann", "bob"]), &json!(false)), "{told}");
    let answer = next(&mut answers, "");
    assert_eq!(answer["reason"], "blocked_by_resource");
    assert_eq!(answer["revision"], told["revision"]);
    let rule = json!({ "op": "put_rule", "name": "r", "condition": "hasTag(b)", "outcome": ["a"] });
    command(&there, &json!([rule]));
    assert_eq!(next(&mut changes, "data: ")["all"], true);
}
