//! Pages of the history: which entries are read, and what stores find.

use super::{HistoryEntry, HistoryId, HistoryRecord, RecordDecodeError, UnixMillis, Version};

/// Which entries of the history a page holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryFilter {
    All,
    /// Those that concern a user.
    User(String),
    /// Those that concern a group.
    Group(String),
    /// Those of an author: an acting user, or the name of a token.
    By(String),
}

/// A page of the history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryQuery {
    pub filter: HistoryFilter,
    /// The time of the oldest entries.
    pub since: UnixMillis,
    /// The last entry of the page before: those of the page are older.
    pub after: Option<HistoryId>,
    /// The greatest number of entries.
    pub limit: usize,
}

/// The entries of a page, the newest first.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct HistoryPage {
    pub entries: Vec<StoredHistory>,
    /// The last entry of the page, if there are more after it.
    pub next: Option<HistoryId>,
}

/// An entry of the history, and the revision of the commit that wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredHistory {
    pub version: Version,
    pub record: HistoryRecord,
}

impl HistoryQuery {
    /// The entries before a time, which need not be in any order.
    pub fn before(at: UnixMillis, limit: usize) -> Self {
        let after = Some(HistoryId::new(at, 0));
        Self { filter: HistoryFilter::All, since: 0, after, limit }
    }
}

impl StoredHistory {
    /// Decodes the row of an entry.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn decode(
        id: HistoryId,
        version: Version,
        bytes: &[u8],
    ) -> Result<Self, RecordDecodeError> {
        let entry = HistoryEntry::decode(bytes)?;
        Ok(Self { version, record: HistoryRecord { id, entry } })
    }

    /// The revision of the command's commit.
    pub fn revision(&self) -> Version {
        self.record.entry.revision.unwrap_or(self.version)
    }
}
