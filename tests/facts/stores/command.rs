//! `peerage store` as it is typed.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use peerage::store::EmbeddedStore;
use redb::Database;
use serde_json::Value;
use tempfile::TempDir;

use crate::stores::files::{RECORDS, store};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peerage"))
        .arg("store")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn said(arguments: &[&str], code: i32) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert_eq!(output.stdout.is_empty(), code == 2, "{output:?}");
    let text = if code == 2 { output.stderr } else { output.stdout };
    String::from_utf8(text).unwrap()
}

fn json(arguments: &[&str], code: i32) -> Value {
    serde_json::from_str(&said(&[arguments, &["--format", "json"]].concat(), code)).unwrap()
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

#[test]
fn a_store_is_checked() {
    let folder = TempDir::new().unwrap();
    let path = store(folder.path(), 4);
    let file = path.to_str().unwrap();
    let text = said(&["check", file], 0);
    assert!(text.starts_with("ok users 4, groups 0, "), "{text}");
    assert!(text.contains("revision 4"), "{text}");
    let checked = json(&["check", file], 0);
    assert_eq!((&checked["revision"], &checked["records"]["users"]), (&4.into(), &4.into()));
    assert_eq!(checked["damaged"], Value::Array(Vec::new()));
    assert_eq!(checked["bytes"], length(&path));

    let database = Database::open(&path).unwrap();
    let write = database.begin_write().unwrap();
    for key in ["u/001", "u/\u{1b}[2J"] {
        write.open_table(RECORDS).unwrap().insert(key, &b"?"[..]).unwrap();
    }
    write.commit().unwrap();
    drop(database);
    let text = said(&["check", file], 1);
    assert!(text.contains("damaged u/001: ") && text.contains("2 records are damaged"), "{text}");
    assert!(!text.contains('\u{1b}'), "what a terminal would obey is escaped");
    let checked = json(&["check", file], 1);
    assert_eq!(checked["damaged"][1]["key"], "u/001");
    assert_eq!(checked["damaged"].as_array().unwrap().len(), 2);
}

#[test]
fn what_can_t_be_opened_is_reported() {
    let folder = TempDir::new().unwrap();
    let path = store(folder.path(), 2);
    let open = EmbeddedStore::open(&path).unwrap();
    let file = path.to_str().unwrap();
    let new = folder.path().join("new");
    let new = new.to_str().unwrap();
    let other = folder.path().join("other");
    let other = other.to_str().unwrap();
    for arguments in [&["check", file][..], &["compact", file], &["backup", file, "--to", new]] {
        let text = said(arguments, 2);
        assert!(text.contains(file) && text.contains("another process has it open"), "{text}");
    }
    drop(open);
    for arguments in [&["check", new][..], &["compact", new], &["backup", new, "--to", other]] {
        assert!(said(arguments, 2).contains(&format!("{new}: No such file")));
    }
    assert!(!Path::new(new).exists(), "none is made");
    assert!(said(&["check", "Cargo.toml"], 2).contains("Cargo.toml: not a store of peerage"));
}

#[test]
fn a_store_is_backed_up_and_compacted() {
    let folder = TempDir::new().unwrap();
    let path = store(folder.path(), 50);
    let new = folder.path().join("new");
    let [file, to] = [&path, &new].map(|path| path.to_str().unwrap());
    let saved = json(&["backup", file, "--to", to], 0);
    assert_eq!((&saved["revision"], &saved["records"]), (&50.into(), &50.into()));
    assert_eq!(saved["bytes"], length(&new));
    assert!(said(&["backup", file, "--to", to], 2).contains("the file exists already"));
    assert!(said(&["backup", file, "--to", to, "--force"], 0).starts_with("ok records 50"));
    assert!(said(&["backup", file, "--to", file, "--force"], 2).contains("the store itself"));
    assert!(said(&["check", to], 0).contains("revision 50"));

    let before = length(&path);
    let compacted = json(&["compact", file], 0);
    assert_eq!(
        (&compacted["before"], &compacted["after"]),
        (&before.into(), &length(&path).into())
    );
    assert!(said(&["compact", file], 0).starts_with("ok "));
    assert!(said(&["check", file], 0).contains("users 50"));
}

#[test]
fn each_help_shows_an_example() {
    for command in ["check", "compact", "repair", "backup"] {
        let help = said(&[command, "--help"], 0);
        let example = format!("peerage store {command} facts");
        assert!(help.contains("Example") && help.contains(&example), "{help}");
    }
}
