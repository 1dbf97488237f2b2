//! Stores that the first build wrote: one as SIGTERM left it, one that was closed. Every later build
//! opens them and finds in them what that build found.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use miniz_oxide::inflate::decompress_to_vec_zlib;
use peerage::{
    facts::{Record, RecordKey, RecordKind},
    source::Existing,
    store::{self, EmbeddedStore, Store},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::daemon::{Daemon, run, serve};

/// Each with its revision: an import closed the second one.
const STORES: [(&str, u64); 2] = [("unclosed", 11), ("closed", 12)];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/facts/stores/fixtures")
}

/// A copy of one of the stores.
pub(crate) fn unpacked(name: &str, folder: &Path) -> PathBuf {
    let packed = fs::read(fixtures().join(format!("{name}.redb.z"))).unwrap();
    let path = folder.join(format!("{name}.redb"));
    fs::write(&path, decompress_to_vec_zlib(&packed).unwrap()).unwrap();
    path
}

fn peerage(arguments: &[&str]) -> String {
    let output = run(Command::new(env!("CARGO_BIN_EXE_peerage")).args(arguments));
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The records of an export, without its first line, which tells the revision.
fn exported(path: &Path) -> String {
    let text = peerage(&["facts", "export", "--store", path.to_str().unwrap()]);
    text.split_once('\n').unwrap().1.to_owned()
}

fn holds_what_it_held(path: &Path, revision: u64) {
    let checked = store::check(path).unwrap();
    assert_eq!((checked.revision, checked.damaged), (revision, Vec::new()));
    let counts = [
        RecordKind::User,
        RecordKind::Group,
        RecordKind::Conversation,
        RecordKind::Rule,
        RecordKind::Idempotency,
    ];
    assert_eq!(counts.map(|kind| checked.records[&kind]), [5, 1, 2, 1, 2]);
    let expected = fs::read_to_string(fixtures().join("export.ndjson")).unwrap();
    assert_eq!(exported(path), expected.split_once('\n').unwrap().1);
}

#[test]
fn they_hold_what_they_held() {
    let folder = TempDir::new().unwrap();
    for (name, revision) in STORES {
        let path = unpacked(name, folder.path());
        let before = fs::read(&path).unwrap();
        holds_what_it_held(&path, revision);
        let copy = folder.path().join("copy");
        assert_eq!(store::backup(&path, &copy, Existing::Replace).unwrap().revision, revision);
        holds_what_it_held(&copy, revision);
        assert!(fs::read(&path).unwrap() == before, "reading changes nothing");

        let open = EmbeddedStore::open(&path).unwrap();
        let key = RecordKey::Idempotency("fixture-1".to_owned());
        let once = open.get(&key).unwrap().unwrap();
        assert_eq!(once.version, 6);
        assert!(matches!(once.record, Record::Idempotency(_)));
        drop(open);
        holds_what_it_held(&path, revision);
        store::compact(&path).unwrap();
        holds_what_it_held(&path, revision);
    }
}

#[test]
fn a_daemon_answers_from_them_as_it_did() {
    let folder = TempDir::new().unwrap();
    let policy = fixtures().join("policy.yaml");
    let token = folder.path().join("token");
    fs::write(&token, "0123456789abcdef0123").unwrap();
    for (name, revision) in STORES {
        let path = unpacked(name, folder.path());
        let mut command = serve();
        command.arg(&policy).arg("--store").arg(&path).arg("--admin-token-file").arg(&token);
        let daemon = Daemon::start(command.args(["--listen", "127.0.0.1:0"]));
        for (question, reason) in [
            ("subject=eve&action=sign_in", "banned"),
            ("subject=ana&action=start_chat&resource=ben", "allowed"),
            ("subject=ben&action=start_chat&resource=cat", "incoming_off"),
            ("subject=ana&action=start_chat&resource=eve", "no_rule"),
            ("subject=dan&action=send_message&resource=cat", "silenced"),
            ("subject=cat&action=send_message&resource=crew&resource_type=group", "allowed"),
            ("subject=ben&action=friend_request&resource=dan", "allowed"),
        ] {
            let answer = daemon.get(&format!("/v1/decide?{question}")).json();
            assert_eq!(answer["reason"], reason, "{name}: {question}");
        }
        let ask = |path: &str| -> Value {
            let head = "Authorization: Bearer 0123456789abcdef0123\r\n";
            let request = crate::support::client::request("GET", path, head, b"");
            let mut client = daemon.connect();
            client.send(request);
            client.answer("GET").unwrap().json()
        };
        let ana = ask("/v1/facts/users/ana");
        assert_eq!(ana["revision"], revision);
        assert_eq!(ana["friend_details"]["cat"]["custom"], json!({ "Tag_SNS_Custom_x": "y" }));
        assert_eq!(ana["blocked"], json!(["eve"]));
        let crew = ask("/v1/facts/groups/crew");
        assert_eq!(crew["super_admins"], json!(["ana"]));
        assert_eq!(crew["metadata"], json!({ "_private": "x", "name": "Crew" }));
        assert_eq!(ask("/v1/facts/rules")["rules"][0]["name"], "blue to green");
        drop(daemon);
        holds_what_it_held(&path, revision);
    }
}
