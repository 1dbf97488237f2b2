//! The records of a store, lines of exported facts, and files that are no store any longer.

use std::{
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
};

use peerage::{
    compile::{self, FactsSource},
    facts::{ChangeSet, Record, RecordKey, RecordKind, RecordWrite, export_line},
    source::{Notation, Sources},
    store::{self, EmbeddedStore, Store},
};
use serde_json::{Map, Value};

use super::daemon::scratch;

/// The facts of an input, by their keys.
struct Facts(Vec<(RecordKey, Record)>);

impl FactsSource for Facts {
    type Error = Infallible;

    fn get(&self, key: &RecordKey) -> Result<Option<Record>, Infallible> {
        Ok(self.0.iter().find(|(known, _)| known == key).map(|(_, record)| record.clone()))
    }

    fn each(
        &self,
        kind: RecordKind,
        each: &mut dyn FnMut(RecordKey, Record),
    ) -> Result<(), Infallible> {
        for (key, record) in self.0.iter().filter(|(key, _)| key.kind() == kind) {
            each(key.clone(), record.clone());
        }
        Ok(())
    }
}

/// Records as a store holds them: a line each, the key, a tab, and the encoded record. What is decoded
/// is encoded to the same, and compiled.
pub fn records(input: &[u8]) {
    let mut facts: Vec<(RecordKey, Record)> = Vec::new();
    for line in input.split(|&byte| byte == b'\n') {
        let Some(tab) = line.iter().position(|&byte| byte == b'\t') else { continue };
        let Ok(key) = String::from_utf8_lossy(&line[..tab]).parse::<RecordKey>() else { continue };
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        let Ok(record) = Record::decode(key.kind(), &line[tab + 1..]) else { continue };
        let again = Record::decode(key.kind(), &record.encode());
        assert_eq!(again.ok().as_ref(), Some(&record), "{key}");
        facts.push((key, record));
    }
    compile_with(facts);
}

/// Lines as `facts export` writes them.
pub fn facts_export(input: &[u8]) {
    let mut facts = Vec::new();
    for line in input.split(|&byte| byte == b'\n') {
        let Ok(line) = serde_json::from_slice::<Map<String, Value>>(line) else { continue };
        let _ = export_line::ExportHeader::decode(&line);
        let Some(Ok((key, record))) = export_line::decode(&line) else { continue };
        let text = export_line::encode(&key, &record).unwrap_or_default();
        let again = serde_json::from_str(&text).ok().and_then(|line| export_line::decode(&line));
        assert_eq!(again.and_then(Result::ok), Some((key.clone(), record.clone())), "{text}");
        facts.push((key, record));
    }
    compile_with(facts);
}

/// Builds a view of these facts. A store has a key once.
fn compile_with(mut facts: Vec<(RecordKey, Record)>) {
    facts.sort_by(|(one, _), (other, _)| one.cmp(other));
    facts.dedup_by(|(one, _), (other, _)| one == other);
    let text = include_str!("../../policies/stores-dsl/stores.peerage");
    let sources = Sources::single("stores", Notation::Dsl, text);
    let built = compile::build_with_records(&sources.into(), &Facts(facts));
    assert!(built.is_ok_and(|built| built.view.is_some()));
}

/// The bytes of a store with some users.
static BASE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = scratch("base");
    let path = folder.join("facts");
    let store = EmbeddedStore::open(&path).unwrap_or_else(|error| panic!("{error}"));
    for at in 0..8 {
        let key = RecordKey::User(format!("user-{at}"));
        let record = Some(Record::User(Box::default()));
        let writes = vec![RecordWrite { key, record }];
        let set = ChangeSet { writes, ..ChangeSet::default() };
        store.commit(&[set]).unwrap_or_else(|error| panic!("{error}"));
    }
    store.close().unwrap_or_else(|error| panic!("{error}"));
    fs::read(&path).unwrap_or_else(|error| panic!("{error}"))
});

static FILE: LazyLock<Mutex<PathBuf>> = LazyLock::new(|| Mutex::new(scratch("file").join("facts")));

/// A store's file in which bytes are replaced: four bytes of an offset, one of a length, and the new
/// bytes, repeated. It is as it was, repaired, or refused.
pub fn store_file(input: &[u8]) {
    let mut bytes = BASE.clone();
    let mut rest = input;
    while let Some((&[a, b, c, d, length], after)) = rest.split_first_chunk() {
        let at = u32::from_le_bytes([a, b, c, d]) as usize % bytes.len();
        let new = after.get(..usize::from(length)).unwrap_or(after);
        let end = (at + new.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&new[..end - at]);
        rest = &after[new.len()..];
    }
    if rest.len() == 1 {
        bytes.truncate(bytes.len() * usize::from(rest[0]) / 256);
    }
    let path = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    for entry in path.parent().into_iter().flat_map(fs::read_dir).flatten().flatten() {
        let _ = fs::remove_file(entry.path());
    }
    fs::write(&*path, &bytes).unwrap_or_else(|error| panic!("{error}"));
    let is_sound = store::check(&path)
        .is_ok_and(|report| report.damaged.is_empty() && report.stepped_back.is_none());
    let is_open = open(&path);
    assert!(is_open || !is_sound, "a sound store can't be opened");
    if !is_open && store::repair(&path).is_ok() {
        let is_damaged = store::check(&path).is_ok_and(|report| !report.damaged.is_empty());
        assert!(open(&path) || is_damaged, "a repaired store can't be opened");
    }
}

/// Opens a store, reads all of it and closes it.
fn open(path: &Path) -> bool {
    let Ok(store) = EmbeddedStore::open_existing(path) else { return false };
    let is_whole = store.load(&mut |_| {}).is_ok();
    let _ = store.close();
    is_whole
}
