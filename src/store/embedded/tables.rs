//! The tables of a store's file, and the encoding of records.

use redb::TableDefinition;

use crate::{
    facts::{HistoryEntry, Record, RecordKey, StoredHistory, Version},
    store::{StoreError, StoredRecord, history},
};

/// Records by the text of their keys: the version as 8 bytes, least significant first, then the encoded
/// record.
pub(super) const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records");

/// The table that makes a file a store of peerage. No format may change it.
pub(super) const META: TableDefinition<&str, u64> = TableDefinition::new("peerage");

/// In [`META`]: the format of all other tables.
pub(super) const FORMAT: &str = "format";

/// In [`META`]: the revision of the last commit.
pub(super) const REVISION: &str = "revision";

/// The newest format that this build knows: with a history.
pub(super) const KNOWN_FORMAT: u64 = 2;

/// The format of a store without a history; the first entry makes it one of [`KNOWN_FORMAT`].
pub(super) const FIRST_FORMAT: u64 = 1;

/// The history, if there is one: the rows of entries like those of records, and rows without a value that
/// point to them.
pub(super) const HISTORY: TableDefinition<&str, &[u8]> = TableDefinition::new("history");

/// Encodes a record with its version.
pub(super) fn encode_value(version: Version, record: &Record) -> Vec<u8> {
    [&version.to_le_bytes()[..], &record.encode()].concat()
}

/// Encodes an entry of the history with its version.
pub(super) fn encode_history(version: Version, entry: &HistoryEntry) -> Vec<u8> {
    [&version.to_le_bytes()[..], &entry.encode()].concat()
}

/// Splits a value into the version and the encoded record; `None` if it is too short.
pub(super) fn split_value(value: &[u8]) -> Option<(Version, &[u8])> {
    let (version, record) = value.split_first_chunk()?;
    Some((Version::from_le_bytes(*version), record))
}

/// A damaged record, and what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DamagedRecord {
    /// The key, with control characters escaped.
    pub key: String,
    pub what: String,
}

impl DamagedRecord {
    pub(super) fn new(key: &str, what: String) -> Self {
        Self { key: key.escape_debug().to_string(), what }
    }
}

impl From<DamagedRecord> for StoreError {
    fn from(DamagedRecord { key, what }: DamagedRecord) -> Self {
        Self::Record { key, what }
    }
}

/// Decodes a record with its key and version.
///
/// # Errors
/// If the key or the value is damaged.
pub(super) fn decode_entry(key: &str, value: &[u8]) -> Result<StoredRecord, DamagedRecord> {
    let damaged = |what| DamagedRecord::new(key, what);
    let known: RecordKey = key.parse().map_err(|error| damaged(format!("{error}")))?;
    let (version, record) =
        split_value(value).ok_or_else(|| damaged("too short to be a record".to_owned()))?;
    let record =
        Record::decode(known.kind(), record).map_err(|error| damaged(error.to_string()))?;
    Ok(StoredRecord { key: known, version, record })
}

/// Decodes an entry of the history with its version.
///
/// # Errors
/// If the key or the value is damaged.
pub(super) fn decode_history(key: &str, value: &[u8]) -> Result<StoredHistory, DamagedRecord> {
    let damaged = |what: &str| DamagedRecord::new(key, what.to_owned());
    let id = history::id_of_key(key).ok_or_else(|| damaged("not the key of an entry"))?;
    let (version, entry) = split_value(value).ok_or_else(|| damaged("too short to be an entry"))?;
    StoredHistory::decode(id, version, entry).map_err(|error| damaged(&error.to_string()))
}
