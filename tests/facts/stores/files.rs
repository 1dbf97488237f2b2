//! Files that are stores, and files that are not.

use std::{
    fs::{self, File, Permissions},
    io::{Seek, SeekFrom, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use peerage::{
    facts::RecordKind,
    source::Existing,
    store::{self, CommitResult, EmbeddedStore, IfMissing, Store, StoreError},
};
use redb::{Database, ReadableTable, TableDefinition};
use tempfile::TempDir;

use crate::laws::sets::{all, set, user};

pub(crate) const META: TableDefinition<&str, u64> = TableDefinition::new("peerage");
pub(crate) const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records");

/// A store with so many users, closed.
pub(crate) fn store(folder: &Path, users: usize) -> PathBuf {
    let path = folder.join("facts");
    let store = EmbeddedStore::open(&path).unwrap();
    for at in 0..users {
        let set = set(&user(&format!("{at:03}")), None, Some(&"x".repeat(3000)));
        assert!(matches!(store.commit(&[set]), Ok(CommitResult::Committed(_))));
    }
    path
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_store_is_made_where_there_is_none() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("facts");
    drop(EmbeddedStore::open(&path).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(folder.path()), ["facts"]);

    // A file that a process before this one left behind when it made a store.
    let path = folder.path().join("other");
    let left = folder.path().join(format!(".other.{}.0", std::process::id()));
    fs::write(&left, "half a store").unwrap();
    drop(EmbeddedStore::open(&path).unwrap());
    assert_eq!(fs::read(left).unwrap(), b"half a store");

    let empty = folder.path().join("empty");
    File::create(&empty).unwrap();
    refused(&empty, "empty", |error| matches!(error, StoreError::Empty(_)));
    fs::remove_file(&empty).unwrap();

    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    drop(EmbeddedStore::open(&link).unwrap());
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

    let error = EmbeddedStore::open(folder.path().join("missing/facts")).unwrap_err().to_string();
    assert!(error.contains("missing/facts: No such file"), "{error}");
    assert!(!folder.path().join("missing").exists());
    assert!(matches!(EmbeddedStore::open(folder.path()), Err(StoreError::Io { .. })));
}

/// Opens a file as everything opens it, which is to be refused without a byte of it changed.
fn refused(path: &Path, what: &str, is_that: fn(&StoreError) -> bool) {
    let before = fs::read(path).unwrap();
    let to = path.with_file_name("backup");
    for error in [
        EmbeddedStore::open(path).unwrap_err(),
        EmbeddedStore::open_existing(path).unwrap_err(),
        store::open(path.to_str().unwrap(), IfMissing::Create).unwrap_err(),
        store::check(path).unwrap_err(),
        store::compact(path).unwrap_err(),
        store::backup(path, &to, Existing::Keep).unwrap_err(),
    ] {
        assert!(is_that(&error), "{what}: {error:?}");
        assert!(error.to_string().starts_with(path.to_str().unwrap()), "{what}: {error}");
    }
    assert!(fs::read(path).unwrap() == before, "{what}: it was changed");
    assert!(!to.exists());
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("facts");
    let is_foreign = |error: &StoreError| matches!(error, StoreError::Foreign(_));
    let long = "user: ann\n".repeat(10_000);
    for text in ["x", "redb", "users:\n  ann: {}\n", &long, "\0", &"\0".repeat(2_000_000)] {
        fs::write(&path, text).unwrap();
        refused(&path, "text", is_foreign);
    }

    let other: TableDefinition<u64, u64> = TableDefinition::new("peerage");
    for meta in [None, Some(other), Some(TableDefinition::new("other"))] {
        fs::remove_file(&path).unwrap();
        let database = Database::create(&path).unwrap();
        let write = database.begin_write().unwrap();
        let name = meta.unwrap_or(TableDefinition::new("some"));
        write.open_table(name).unwrap().insert(1, 1).unwrap();
        write.commit().unwrap();
        drop(database);
        refused(&path, "another's file", is_foreign);
    }

    // It has our table, but no format in it.
    fs::remove_file(&path).unwrap();
    let database = Database::create(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(META).unwrap().insert("revision", 1).unwrap();
    write.commit().unwrap();
    drop(database);
    refused(&path, "no format", is_foreign);
}

#[test]
fn what_is_newer_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = store(folder.path(), 3);
    let database = Database::open(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(META).unwrap().insert("format", 3).unwrap();
    write.delete_table(RECORDS).unwrap();
    write.commit().unwrap();
    drop(database);
    refused(&path, "newer", |error| matches!(error, StoreError::Newer { found: 3, known: 2, .. }));
}

#[test]
fn what_is_damaged_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = store(folder.path(), 200);
    let sound = fs::read(&path).unwrap();
    let is_damaged = |error: &StoreError| matches!(error, StoreError::Damaged { .. });
    let pages = sound.chunks(4096).enumerate().filter(|(_, page)| page.contains(&b'x'));
    // Pages of what was there before may hold anything.
    let mut damaged = 0;
    for (page, _) in pages.step_by(7) {
        let mut bytes = sound.clone();
        bytes[page * 4096 + 2000] ^= 1;
        fs::write(&path, bytes).unwrap();
        if let Ok(checked) = store::check(&path) {
            assert_eq!(checked.records[&RecordKind::User], 200);
            continue;
        }
        damaged += 1;
        refused(&path, "a flipped bit", is_damaged);
    }
    assert!(damaged > 10, "{damaged}");
    for length in [100, 4096, 10_000, sound.len() / 2, sound.len() - 1] {
        fs::write(&path, &sound[..length]).unwrap();
        refused(&path, "cut short", is_damaged);
    }
    fs::write(&path, sound).unwrap();
    assert_eq!(all(&EmbeddedStore::open(&path).unwrap()).1.len(), 200);
}

#[test]
fn what_is_open_is_refused_and_what_is_read_can_be_read() {
    let folder = TempDir::new().unwrap();
    let path = store(folder.path(), 3);
    let is_locked = |error: &StoreError| matches!(error, StoreError::Locked(_));
    let open = EmbeddedStore::open(&path).unwrap();
    refused(&path, "open", is_locked);
    let other = folder.path().join("other");
    drop(EmbeddedStore::open(&other).unwrap());
    let error = store::backup(&other, &path, Existing::Replace).unwrap_err();
    assert!(is_locked(&error), "a backup over an open store: {error}");
    assert_eq!(all(&open).1.len(), 3);
    drop(open);
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(store::check(&path).unwrap().revision, 3);
    store::backup(&path, &folder.path().join("backup"), Existing::Keep).unwrap();
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn a_record_that_is_damaged_is_named() {
    let folder = TempDir::new().unwrap();
    let path = store(folder.path(), 5);
    let database = Database::open(&path).unwrap();
    let write = database.begin_write().unwrap();
    {
        let mut records = write.open_table(RECORDS).unwrap();
        let sound = records.get("u/000").unwrap().unwrap().value().to_vec();
        records.insert("u/001", &b"short"[..]).unwrap();
        records.insert("u/002", &[&sound[..8], b"{\"tags\": 7}"].concat()[..]).unwrap();
        records.insert("x/1", sound.as_slice()).unwrap();
        records.insert("u/004", &[&99_u64.to_le_bytes()[..], &sound[8..]].concat()[..]).unwrap();
    }
    write.commit().unwrap();
    drop(database);
    let checked = store::check(&path).unwrap();
    let damaged: Vec<&str> = checked.damaged.iter().map(|flaw| flaw.key.as_str()).collect();
    assert_eq!(damaged, ["u/001", "u/002", "u/004", "x/1"]);
    assert_eq!(checked.records[&RecordKind::User], 2);
    assert!(checked.damaged[2].what.contains("revision 99"), "{:?}", checked.damaged[2]);

    let store = EmbeddedStore::open(&path).unwrap();
    assert!(
        matches!(store.load(&mut |_| {}), Err(StoreError::Record { key, .. }) if key == "u/001")
    );
    assert!(store.get(&user("002")).unwrap_err().to_string().contains("u/002"));
    assert!(store.get(&user("003")).unwrap().is_some(), "others can be read");
    // A backup keeps what there is, for someone who can mend it.
    let copy = folder.path().join("copy");
    assert_eq!(store.backup_to(&copy, Existing::Keep).unwrap().records, 6);
    assert_eq!(store::check(&copy).unwrap().damaged, checked.damaged);
}

#[test]
fn a_backup_is_of_one_revision_while_others_write() {
    let folder = TempDir::new().unwrap();
    let path = store(folder.path(), 300);
    let store = EmbeddedStore::open(&path).unwrap();
    let copy = folder.path().join("copy");
    let writing = std::sync::atomic::AtomicBool::new(true);
    let backup = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut at = 0;
            while writing.load(std::sync::atomic::Ordering::Relaxed) {
                let key = user(&format!("new {at}"));
                assert!(matches!(
                    store.commit(&[set(&key, None, Some("x"))]),
                    Ok(CommitResult::Committed(_))
                ));
                at += 1;
            }
        });
        let backup = store.backup_to(&copy, Existing::Keep);
        writing.store(false, std::sync::atomic::Ordering::Relaxed);
        backup.unwrap()
    });
    // Each revision added one.
    assert_eq!(backup.revision, backup.records);
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&copy).unwrap().len(), backup.bytes);
    let copied = all(&EmbeddedStore::open(&copy).unwrap());
    let of_then = all(&store).1.into_iter().filter(|entry| entry.version <= backup.revision);
    assert_eq!(copied, (backup.revision, of_then.collect()));

    let error = store.backup_to(&copy, Existing::Keep).unwrap_err();
    assert!(matches!(error, StoreError::Exists(_)), "{error}");
    assert!(store.backup_to(&copy, Existing::Replace).unwrap().revision >= backup.revision);
    for path in [&path, &folder.path().join("../facts").join(&path)] {
        assert!(matches!(store.backup_to(path, Existing::Replace), Err(StoreError::Itself(_))));
    }
    assert!(store.backup_to(folder.path(), Existing::Replace).is_err());
    assert!(store.backup_to(&folder.path().join("missing/copy"), Existing::Replace).is_err());
    let mut left = names(folder.path());
    left.sort_unstable();
    assert_eq!(left, [".facts.lock", "copy", "facts"], "nothing is left of what failed");
}

#[test]
fn a_file_gives_back_what_it_no_longer_needs() {
    let folder = TempDir::new().unwrap();
    let path = store(folder.path(), 500);
    let open = EmbeddedStore::open(&path).unwrap();
    for at in 10..500 {
        let set = set(&user(&format!("{at:03}")), Some(at + 1), None);
        assert!(matches!(open.commit(&[set]), Ok(CommitResult::Committed(_))));
    }
    let before = all(&open);
    drop(open);
    let compacted = store::compact(&path).unwrap();
    assert!(compacted.after * 2 < compacted.before, "{compacted:?}");
    assert_eq!(fs::metadata(&path).unwrap().len(), compacted.after);
    assert_eq!(all(&EmbeddedStore::open(&path).unwrap()), before);
}

/// What was acknowledged would be gone if the store went on with another file in this one's place.
#[test]
fn a_store_that_was_taken_away_is_not_made_anew() {
    let folder = TempDir::new().unwrap();
    let path = store(folder.path(), 5);
    let open = EmbeddedStore::open(&path).unwrap();
    // Makes its next commit fail: the file ends where its pages were.
    let mut file = File::options().write(true).open(&path).unwrap();
    file.set_len(0).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(b"").unwrap();
    let mut failed = false;
    for at in 0..3 {
        let key = user(&format!("new {at}"));
        failed |= open.commit(&[set(&key, None, Some(&"y".repeat(100_000)))]).is_err();
    }
    assert!(failed);
    fs::remove_file(&path).unwrap();
    assert!(open.commit(&[set(&user("ann"), None, Some("x"))]).is_err());
    assert!(!path.exists());
}

#[test]
fn the_kind_of_store_is_in_its_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("facts");
    assert!(!store::open(path.to_str().unwrap(), IfMissing::Create).unwrap().is_shared());
    let error = store::open("redis://127.0.0.1", IfMissing::Create).unwrap_err().to_string();
    assert!(error.contains("redis://127.0.0.1") && error.contains("etcd://"), "{error}");
}
