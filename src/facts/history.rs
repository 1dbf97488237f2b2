//! History: what the commands that took effect did, to whom, by whom and why.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Command, CommandOutcome, RecordDecodeError, UnixMillis};
use crate::request::{Moment, check_id};

/// The id of an entry of the history: the order of ids is that of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HistoryId {
    at: UnixMillis,
    /// Distinguishes the entries of one millisecond: those of one batch are in order.
    sequence: u64,
}

/// The greatest time of an id, in the year 10889.
const MAX_TIME: UnixMillis = (1 << 48) - 1;

/// The number of hexadecimal digits of a time, and of a sequence number.
const TIME_DIGITS: usize = 12;
const SEQUENCE_DIGITS: usize = 16;

impl HistoryId {
    /// The length of the text of an id, in bytes.
    pub const LENGTH: usize = TIME_DIGITS + SEQUENCE_DIGITS;

    /// The id of an entry of this time.
    pub fn new(at: UnixMillis, sequence: u64) -> Self {
        Self { at: at.min(MAX_TIME), sequence }
    }

    /// The time of the entry.
    pub const fn at(self) -> UnixMillis {
        self.at
    }

    /// The id of this time, so many places later among those of one batch.
    #[must_use]
    pub const fn later(self, places: u64) -> Self {
        Self { at: self.at, sequence: self.sequence.saturating_add(places) }
    }

    /// The id of this time, so many places earlier among those of one batch; `None` if there is none.
    pub fn earlier(self, places: u64) -> Option<Self> {
        Some(Self { at: self.at, sequence: self.sequence.checked_sub(places)? })
    }

    /// The id whose place from the end is that of this one from the beginning: keys made of such ids put
    /// the newest entries first.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { at: MAX_TIME - self.at, sequence: u64::MAX - self.sequence }
    }
}

impl fmt::Display for HistoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, sequence } = self;
        write!(f, "{at:0TIME_DIGITS$x}{sequence:0SEQUENCE_DIGITS$x}")
    }
}

/// The error for a text that is not the id of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the id of a history entry has {} hexadecimal digits, all lower case", HistoryId::LENGTH)]
pub struct InvalidHistoryIdError;

impl FromStr for HistoryId {
    type Err = InvalidHistoryIdError;

    fn from_str(text: &str) -> Result<Self, InvalidHistoryIdError> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != Self::LENGTH || !text.bytes().all(is_digit) {
            return Err(InvalidHistoryIdError);
        }
        let (at, sequence) = text.split_at_checked(TIME_DIGITS).ok_or(InvalidHistoryIdError)?;
        let number = |digits| u64::from_str_radix(digits, 16).map_err(|_| InvalidHistoryIdError);
        Ok(Self { at: number(at)?, sequence: number(sequence)? })
    }
}

/// A command that took effect, as the history tells it.
///
/// It names what the command was about, and leaves out the rest of its contents, such as texts and
/// attributes.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryEntry {
    pub op: String,
    /// The user on whose behalf the command was, or the name of the token, `admin-token` or `socket`.
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The two users of a conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The end of what the command set, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixMillis>,
    /// The revision of the commit, for an entry that was imported; else it is that of the commit which
    /// wrote the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
}

/// An entry of the history with its id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryRecord {
    pub id: HistoryId,
    pub entry: HistoryEntry,
}

impl HistoryEntry {
    /// The entry of a command that took effect at a time.
    pub fn new(command: &Command, by: &str, outcome: &CommandOutcome, at: UnixMillis) -> Self {
        let Value::Object(mut sent) = command.encode() else { return Self::default() };
        let until = end(&sent, at);
        let rule_id = outcome.rule_id.map(|id| id.to_string());
        Self {
            op: command.op.name().to_owned(),
            by: by.to_owned(),
            user: take_text(&mut sent, "user"),
            group: take_text(&mut sent, "group"),
            member: take_text(&mut sent, "member"),
            from: take_text(&mut sent, "from"),
            to: take_text(&mut sent, "to"),
            users: take_texts(&mut sent, "users"),
            kind: take_text(&mut sent, "kind"),
            tags: take_texts(&mut sent, "tags"),
            list: take_text(&mut sent, "list"),
            field: take_text(&mut sent, "field"),
            permission: take_text(&mut sent, "permission"),
            rule_id: rule_id.or_else(|| take_text(&mut sent, "rule_id")),
            name: take_text(&mut sent, "name"),
            reason: take_text(&mut sent, "reason"),
            until,
            revision: None,
        }
    }

    /// The users whom the entry concerns, each once; not the one by whom it is.
    pub fn users(&self) -> Vec<&str> {
        let Self { user, member, from, to, users, .. } = self;
        let single = [user, member, from, to].into_iter().filter_map(Option::as_deref);
        let mut all: Vec<&str> = single.chain(users.iter().flatten().map(String::as_str)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether what the command set has ended; `None` if it has no end.
    pub fn has_ended(&self, now: UnixMillis) -> Option<bool> {
        self.until.map(|until| until <= now)
    }

    /// Checks the names of an entry that was not made here: keys of stores are made of them.
    ///
    /// # Errors
    /// What is wrong with the first one that is empty, too long, or has control characters.
    pub fn check_names(&self) -> Result<(), String> {
        let named = self.users().into_iter().chain(self.group.as_deref()).chain([&*self.by]);
        let checked = |name: &str| check_id(name).map_err(|error| error.to_string());
        named.into_iter().try_for_each(checked)?;
        if self.op.is_empty() {
            return Err("`op` is empty".to_owned());
        }
        // As many as a command names.
        if self.users().len() > 2 { Err("it names more than two users".to_owned()) } else { Ok(()) }
    }

    /// Decodes an entry from the bytes of a store.
    ///
    /// # Errors
    /// If the bytes are not an entry.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordDecodeError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// The JSON of the entry, as stores keep it.
    pub fn encode(&self) -> Vec<u8> {
        // Texts and numbers: nothing in them can fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// The text of a field of a command, if it has one.
fn take_text(sent: &mut Map<String, Value>, name: &str) -> Option<String> {
    match sent.get_mut(name)?.take() {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// The texts of a field of a command, if it is a list.
fn take_texts(sent: &mut Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let Value::Array(items) = sent.get_mut(name)?.take() else { return None };
    let text = |item| match item {
        Value::String(text) => Some(text),
        _ => None,
    };
    Some(items.into_iter().filter_map(text).collect())
}

/// The end that a command gives to what it sets.
fn end(sent: &Map<String, Value>, at: UnixMillis) -> Option<UnixMillis> {
    if let Some(until) = sent.get("until").and_then(Value::as_str) {
        return until.parse::<Moment>().ok().map(Moment::millis);
    }
    let seconds = sent.get("for")?.as_u64()?;
    Some(Moment::from_millis(at).after(Duration::from_secs(seconds)).millis())
}
