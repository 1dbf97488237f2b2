//! The history in a store: the keys of its rows, and pages of it.
//!
//! An entry is a row, and there are rows that point to it, one for each user whom it concerns, for its
//! group, and for the one by whom it is. The keys of rows end with the reversed id of the entry, so that
//! the rows of one beginning are in order, the newest first: a page costs the entries that it holds.

use crate::facts::{HistoryFilter, HistoryId, HistoryQuery, HistoryRecord};

/// The keys of rows, from the first to the one before the last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct KeyRange {
    pub(super) start: String,
    pub(super) end: String,
}

/// The beginning of the keys of entries.
const ENTRIES: &str = "e/";

/// The separator of a name and an id; names hold no control characters.
const SEPARATOR: char = '\0';

/// A character that is greater than [`SEPARATOR`] and the end of a key, and less than every digit.
const PAST: char = ' ';

/// The keys of the rows of a page and of all pages after it.
pub(super) fn range(query: &HistoryQuery) -> KeyRange {
    let prefix = match &query.filter {
        HistoryFilter::All => ENTRIES.to_owned(),
        HistoryFilter::User(user) => pointer_prefix('u', user),
        HistoryFilter::Group(group) => pointer_prefix('g', group),
        HistoryFilter::By(by) => pointer_prefix('b', by),
    };
    let start = match query.after {
        Some(after) => format!("{prefix}{}{PAST}", after.reversed()),
        None => prefix.clone(),
    };
    let oldest = HistoryId::new(query.since, 0).reversed();
    KeyRange { start, end: format!("{prefix}{oldest}{PAST}") }
}

/// The keys of all entries.
pub(super) fn all_entries() -> KeyRange {
    KeyRange { start: ENTRIES.to_owned(), end: format!("{ENTRIES}~") }
}

fn pointer_prefix(kind: char, name: &str) -> String {
    format!("{kind}/{name}{SEPARATOR}")
}

/// The key of an entry.
pub(super) fn entry_key(id: HistoryId) -> String {
    format!("{ENTRIES}{}", id.reversed())
}

/// The keys of the rows that point to an entry: at most four, since it concerns two users at most.
pub(super) fn pointer_keys(record: &HistoryRecord) -> Vec<String> {
    let HistoryRecord { id, entry } = record;
    let id = id.reversed();
    let users = entry.users().into_iter().map(|user| ('u', user));
    let group = entry.group.iter().map(|group| ('g', group.as_str()));
    let by = [('b', entry.by.as_str())];
    let all = users.chain(group).chain(by);
    all.map(|(kind, name)| format!("{}{id}", pointer_prefix(kind, name))).collect()
}

/// The id at the end of the key of a row.
pub(super) fn id_of_key(key: &str) -> Option<HistoryId> {
    let at = key.len().checked_sub(HistoryId::LENGTH)?;
    let id: HistoryId = key.get(at..)?.parse().ok()?;
    Some(id.reversed())
}

/// Truncates a page that was read with one entry more than its limit; its last entry, if there are more
/// after it.
pub(super) fn truncate_page(ids: &mut Vec<HistoryId>, limit: usize) -> Option<HistoryId> {
    let has_more = ids.len() > limit;
    ids.truncate(limit);
    ids.last().copied().filter(|_| has_more)
}
