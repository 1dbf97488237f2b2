//! Export lines: records as lines of JSON, by which facts are exported and imported.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    HistoryEntry, HistoryId, HistoryRecord, Record, RecordDecodeError, RecordKey, Version,
};
use crate::request::check_id;

/// The first line of an export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExportHeader {
    /// The revision of the facts.
    pub revision: u64,
}

/// The error for a line that is not a valid record.
#[derive(Debug, thiserror::Error)]
pub enum ExportLineError {
    /// The line is invalid, or the key of its record.
    #[error("{0}")]
    Line(String),
    /// The record has another shape.
    #[error(transparent)]
    Record(#[from] RecordDecodeError),
}

/// The number of the line format.
const FORMAT: u64 = 1;

/// The members that hold the key of a line's record.
const KINDS: [&str; 4] = ["user", "group", "conversation", "rule"];

/// The member that holds the id of an entry of the history.
const HISTORY: &str = "history";

impl ExportHeader {
    pub fn encode(self) -> String {
        json!({ "peerage_facts": FORMAT, "revision": self.revision }).to_string()
    }

    /// Decodes a line if it is a header; `None` if it is another line.
    ///
    /// # Errors
    /// If the export is of another format.
    pub fn decode(line: &Map<String, Value>) -> Option<Result<Self, String>> {
        let format = line.get("peerage_facts")?;
        if *format != FORMAT {
            let known = format!("this peerage reads exports of format {FORMAT}, not {format}");
            return Some(Err(known));
        }
        let revision = line.get("revision").and_then(Value::as_u64).unwrap_or_default();
        Some(Ok(Self { revision }))
    }
}

/// Encodes a record as a line, without the line break; `None` for records that are not exported: the
/// results kept under idempotency keys.
pub fn encode(key: &RecordKey, record: &Record) -> Option<String> {
    let of = match key {
        RecordKey::User(id) => json!({ "user": id }),
        RecordKey::Group(id) => json!({ "group": id }),
        RecordKey::Conversation(one, other) => json!({ "conversation": [one, other] }),
        RecordKey::Rule(id) => json!({ "rule": id.to_string() }),
        RecordKey::Idempotency(_) => return None,
    };
    let record = String::from_utf8(record.encode()).ok()?;
    let of = of.to_string();
    Some(format!("{},\"record\":{record}}}", of.strip_suffix('}')?))
}

/// Encodes an entry of the history as a line, without the line break. The line tells the revision of the
/// entry, since it is not that of a commit where the line is imported.
pub fn encode_history(record: HistoryRecord, revision: Version) -> String {
    let HistoryRecord { id, entry } = record;
    let entry = HistoryEntry { revision: Some(entry.revision.unwrap_or(revision)), ..entry };
    history_json(&HistoryRecord { id, entry }).to_string()
}

/// An entry of the history as a line, or as batches of commands take it.
pub fn history_json(record: &HistoryRecord) -> Value {
    let HistoryRecord { id, entry } = record;
    json!({ (HISTORY): id.to_string(), "record": entry })
}

/// Decodes the entry of a line of the history; `None` if the line has another shape.
///
/// # Errors
/// If the line is not a valid entry.
pub fn decode_history(line: &Map<String, Value>) -> Option<Result<HistoryRecord, ExportLineError>> {
    let id = line.get(HISTORY)?;
    let record = line.get("record")?;
    Some(decode_entry(id, line, record))
}

fn decode_entry(
    id: &Value,
    line: &Map<String, Value>,
    record: &Value,
) -> Result<HistoryRecord, ExportLineError> {
    check_members(HISTORY, line).map_err(ExportLineError::Line)?;
    let id = id.as_str().unwrap_or_default().parse::<HistoryId>();
    let id = id.map_err(|error| ExportLineError::Line(format!("`{HISTORY}`: {error}")))?;
    let bytes =
        serde_json::to_vec(record).map_err(|error| ExportLineError::Line(error.to_string()))?;
    let entry = HistoryEntry::decode(&bytes)?;
    entry.check_names().map_err(ExportLineError::Line)?;
    Ok(HistoryRecord { id, entry })
}

/// Decodes the record of a line; `None` if the line has another shape.
///
/// # Errors
/// If the line is not a valid record.
pub fn decode(line: &Map<String, Value>) -> Option<Result<(RecordKey, Record), ExportLineError>> {
    let kind = KINDS.into_iter().find(|&kind| line.contains_key(kind))?;
    let record = line.get("record")?;
    Some(decode_record(kind, line, record))
}

fn decode_record(
    kind: &'static str,
    line: &Map<String, Value>,
    record: &Value,
) -> Result<(RecordKey, Record), ExportLineError> {
    let key = decode_key(kind, line).map_err(ExportLineError::Line)?;
    let bytes =
        serde_json::to_vec(record).map_err(|error| ExportLineError::Line(error.to_string()))?;
    let record = Record::decode(key.kind(), &bytes)?;
    Ok((key, record))
}

fn decode_key(kind: &'static str, line: &Map<String, Value>) -> Result<RecordKey, String> {
    check_members(kind, line)?;
    let of = line.get(kind).unwrap_or(&Value::Null);
    let id = |of: &Value| {
        let id = of.as_str().ok_or_else(|| format!("`{kind}` takes an id"))?;
        check_id(id).map_err(|error| format!("`{kind}`: {error}"))?;
        Ok::<_, String>(id.to_owned())
    };
    Ok(match kind {
        "user" => RecordKey::User(id(of)?),
        "group" => RecordKey::Group(id(of)?),
        "conversation" => match of.as_array().map(Vec::as_slice) {
            Some([one, other]) if one != other => RecordKey::conversation(&id(one)?, &id(other)?),
            _ => return Err("`conversation` takes two ids".to_owned()),
        },
        _ => {
            let rule = of.as_str().and_then(|text| text.parse::<Uuid>().ok());
            RecordKey::Rule(rule.ok_or("`rule` takes a UUID")?)
        }
    })
}

/// Checks that a line has no members but its key and its record.
fn check_members(kind: &str, line: &Map<String, Value>) -> Result<(), String> {
    match line.keys().find(|&it| it != kind && it != "record") {
        Some(other) => Err(format!("unknown member `{}`", other.escape_debug())),
        None => Ok(()),
    }
}
