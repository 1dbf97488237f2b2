//! Stores that a newer version wrote, as after a roll back: they are refused by name, and what they hold stays.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use redb::{Database, ReadableDatabase, ReadableTable};
use tempfile::TempDir;

use crate::{
    stores::files::{META, RECORDS, store},
    support::daemon::{run, serve},
};

/// Serves a policy with the store, which is to fail.
fn serving(folder: &Path, store: &Path) -> Output {
    let policy = folder.join("policy.yaml");
    fs::write(&policy, "users: { ann: { tags: [] } }\n").unwrap();
    run(serve().arg(policy).arg("--store").arg(store).args(["--listen", "127.0.0.1:0"]))
}

#[track_caller]
fn is_refused(output: &Output, expected: &str) {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains(expected), "{errors}");
}

#[test]
fn a_newer_format_is_refused_by_everything_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = store(folder.path(), 3);
    let database = Database::open(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(META).unwrap().insert("format", 7).unwrap();
    write.commit().unwrap();
    drop(database);
    let before = fs::read(&path).unwrap();
    let lines = folder.path().join("lines");
    fs::write(&lines, "{\"id\":\"zoe\",\"tags\":[]}\n").unwrap();
    let copy = folder.path().join("copy");
    let [store, lines, to] = [&path, &lines, &copy].map(|path| path.to_str().unwrap());
    let expected =
        format!("{store}: written by a newer peerage, in format 7; this one knows formats up to 2");
    is_refused(&serving(folder.path(), &path), &expected);
    for arguments in [
        &["store", "check", store][..],
        &["store", "compact", store],
        &["store", "repair", store],
        &["store", "backup", store, "--to", to],
        &["facts", "export", "--store", store],
        &["facts", "import", lines, "--store", store],
    ] {
        let output = run(Command::new(env!("CARGO_BIN_EXE_peerage")).args(arguments));
        is_refused(&output, &expected);
        assert!(fs::read(&path).unwrap() == before, "{arguments:?} changes it");
    }
    assert!(!copy.exists());
}

#[test]
fn records_with_newer_fields_are_refused_by_name_and_stay() {
    let folder = TempDir::new().unwrap();
    let path = store(folder.path(), 3);
    let record = [&1_u64.to_le_bytes()[..], br#"{"created":true,"invisible_to":"all"}"#].concat();
    let database = Database::open(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(RECORDS).unwrap().insert("u/zoe", record.as_slice()).unwrap();
    write.commit().unwrap();
    drop(database);
    let refused = serving(folder.path(), &path);
    is_refused(&refused, "the record u/zoe: damaged, or written by a newer peerage: ");
    is_refused(&refused, "unknown field `invisible_to`");
    let checked =
        run(Command::new(env!("CARGO_BIN_EXE_peerage")).args(["store", "check"]).arg(&path));
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(text.contains("damaged u/zoe: damaged, or written by a newer peerage: "), "{text}");
    let database = Database::open(&path).unwrap();
    let read = database.begin_read().unwrap();
    let records = read.open_table(RECORDS).unwrap();
    assert_eq!(records.iter().unwrap().count(), 4);
    assert_eq!(records.get("u/zoe").unwrap().unwrap().value(), record);
}
