//! The check of a store's file.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use redb::{ReadableDatabase, ReadableTable};

use super::{
    file::{OpenDatabase, OpenPurpose, backend, io_error, open, redb_error, refuse_empty},
    history_rows,
    tables::{DamagedRecord, RECORDS, decode_entry, decode_history},
};
use crate::{
    facts::RecordKind,
    store::{Rollback, StoreError, StoredRecord, history},
};

/// The report on the check of a store.
#[derive(Clone, Debug)]
pub struct CheckReport {
    pub revision: u64,
    /// The number of records of each kind, without damaged ones.
    pub records: BTreeMap<RecordKind, u64>,
    /// The number of entries of the history, without damaged ones.
    pub history: u64,
    /// The length of the file in bytes.
    pub bytes: u64,
    pub damaged: Vec<DamagedRecord>,
    /// The faults that opening the store would repair, a sentence each.
    pub repairs: Vec<String>,
    /// The loss of acknowledged commits, if there is one.
    pub stepped_back: Option<Rollback>,
}

/// Opens a store read-only: nothing is written to its file, and others may read it too.
pub(super) fn read_only(path: &Path) -> Result<OpenDatabase, StoreError> {
    refuse_empty(path)?;
    let file =
        backend(path, OpenPurpose::Read).map_err(|error| io_error(path, "opened", &error))?;
    open(path, file, OpenPurpose::Read, &Arc::new(AtomicBool::new(false)))
}

/// Checks all of a store that no process has open, and changes nothing. Costs two passes over the file;
/// holds one record at a time.
///
/// # Errors
/// If the file is not a store, or can't be opened, which includes that redb finds its pages sound.
pub fn check(path: &Path) -> Result<CheckReport, StoreError> {
    let opened = read_only(path)?;
    let mut checked = CheckReport {
        revision: opened.revision,
        records: RecordKind::ALL.map(|kind| (kind, 0)).into(),
        history: 0,
        bytes: fs::metadata(path).map_err(|error| io_error(path, "read", &error))?.len(),
        damaged: Vec::new(),
        repairs: opened.state.repairs.clone(),
        stepped_back: opened.state.rollback,
    };
    walk(&opened, &mut checked).map_err(|error| redb_error(path, "read", error))?;
    Ok(checked)
}

fn walk(opened: &OpenDatabase, checked: &mut CheckReport) -> Result<(), redb::Error> {
    let snapshot = opened.database.begin_read()?;
    let records = snapshot.open_table(RECORDS)?;
    for record in records.iter()? {
        let (key, value) = record?;
        match decode_entry(key.value(), value.value())
            .and_then(|entry| sound(&entry, checked.revision))
        {
            Ok(kind) => *checked.records.entry(kind).or_default() += 1,
            Err(flaw) => checked.damaged.push(flaw),
        }
    }
    let Some(rows) = history_rows::open(&snapshot)? else { return Ok(()) };
    let all = history::all_entries();
    for row in rows.range(all.start.as_str()..all.end.as_str())? {
        let (key, value) = row?;
        match decode_history(key.value(), value.value()) {
            Ok(_) => checked.history += 1,
            Err(flaw) => checked.damaged.push(flaw),
        }
    }
    Ok(())
}

/// The kind of a record, if its version is not after this revision.
fn sound(entry: &StoredRecord, revision: u64) -> Result<RecordKind, DamagedRecord> {
    if entry.version == 0 || entry.version > revision {
        let what = format!("written at revision {}, which the store never had", entry.version);
        return Err(DamagedRecord::new(&entry.key.to_string(), what));
    }
    Ok(entry.key.kind())
}
