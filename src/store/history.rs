//! The history in a store: the keys of its rows, and pages of it.
//!
//! An entry is a row, and there are rows that point to it, one for each user whom it concerns, for its
//! group, and for the one by whom it is. The keys of rows end with the reversed id of the entry, so that
//! the rows of one beginning are in order, the newest first: a page costs the entries that it holds.
//!
//! Entries of a batch have ids that follow each other. Where they are of one user, group or author, one row
//! points to all of them: its key has the id of the last one, and then how many there are.

use std::collections::BTreeMap;

use crate::facts::{HistoryEntry, HistoryFilter, HistoryId, HistoryQuery, HistoryRecord};

/// A row that points to an entry, and to those before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pointer {
    /// The last entry.
    last: HistoryId,
    /// The number of entries.
    count: u8,
}

/// The number of hexadecimal digits of a pointer's count.
const COUNT_DIGITS: usize = 2;

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
    // A row that points to more may begin with entries of the page before.
    let overlap = if is_of_entries(query) { 0 } else { OVERLAP as u64 };
    let start = match query.after.map(|after| after.later(overlap)) {
        Some(after) => format!("{prefix}{}{PAST}", after.reversed()),
        None => prefix.clone(),
    };
    let oldest = HistoryId::new(query.since, 0).reversed();
    KeyRange { start, end: format!("{prefix}{oldest}~") }
}

/// The greatest number of entries that a row points to.
const LONGEST_RUN: u8 = 64;

/// The greatest number of entries of a row besides the first.
const OVERLAP: usize = LONGEST_RUN as usize - 1;

/// Whether the rows of a page are entries, not pointers to them.
fn is_of_entries(query: &HistoryQuery) -> bool {
    query.filter == HistoryFilter::All
}

/// The greatest number of rows that a page needs to be read: those of its entries, of one more, and of
/// those of the page before with which its first rows may begin.
pub(super) fn row_limit(query: &HistoryQuery) -> usize {
    query.limit.saturating_add(1 + OVERLAP)
}

/// The ids of a page, and the one after which the next page begins, if there may be one: from the rows
/// that were read, in order.
pub(super) fn page_ids(
    query: &HistoryQuery,
    rows: &[Pointer],
) -> (Vec<HistoryId>, Option<HistoryId>) {
    let all = rows.iter().flat_map(|&Pointer { last, count }| {
        (0..u64::from(count)).map_while(move |places| last.earlier(places))
    });
    // An import may have written entries with other rows than their batch did. What is not below the last
    // id was in a row before.
    let mut lowest = query.after;
    let mut ids: Vec<HistoryId> = Vec::new();
    for id in all {
        if lowest.is_some_and(|lowest| lowest <= id) {
            continue;
        }
        if ids.len() == query.limit {
            return (ids, lowest);
        }
        ids.push(id);
        lowest = Some(id);
    }
    let has_more = rows.len() >= row_limit(query);
    (ids, lowest.filter(|_| has_more))
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

/// The beginnings of the keys of the rows that point to an entry: at most four, since it concerns two
/// users at most.
fn pointer_prefixes(entry: &HistoryEntry) -> impl Iterator<Item = String> {
    let users = entry.users().into_iter().map(|user| ('u', user));
    let group = entry.group.iter().map(|group| ('g', group.as_str()));
    let by = [('b', entry.by.as_str())];
    users.chain(group).chain(by).map(|(kind, name)| pointer_prefix(kind, name))
}

/// The keys of the rows that point to entries, which are in order.
pub(super) fn pointer_keys(history: &[HistoryRecord]) -> Vec<String> {
    let mut keys = Vec::new();
    let mut runs: BTreeMap<String, Pointer> = BTreeMap::new();
    for &HistoryRecord { id, ref entry } in history {
        for prefix in pointer_prefixes(entry) {
            match runs.get_mut(&prefix) {
                Some(run) if run.last.later(1) == id && run.count < LONGEST_RUN => {
                    *run = Pointer { last: id, count: run.count + 1 };
                }
                Some(run) => {
                    keys.push(run.key(&prefix));
                    *run = Pointer { last: id, count: 1 };
                }
                None => drop(runs.insert(prefix, Pointer { last: id, count: 1 })),
            }
        }
    }
    keys.extend(runs.iter().map(|(prefix, run)| run.key(prefix)));
    keys
}

/// The keys of the rows that point to an entry as the last of theirs.
pub(super) fn pointer_ranges(record: &HistoryRecord) -> impl Iterator<Item = KeyRange> {
    let id = record.id.reversed();
    pointer_prefixes(&record.entry).map(move |prefix| {
        let start = format!("{prefix}{id}");
        KeyRange { end: format!("{start}~"), start }
    })
}

impl Pointer {
    fn key(self, prefix: &str) -> String {
        let Self { last, count } = self;
        format!("{prefix}{}{count:0COUNT_DIGITS$x}", last.reversed())
    }

    /// The pointer of a row of a page by its key: an entry is one to itself.
    pub(super) fn of_row(query: &HistoryQuery, key: &str) -> Option<Self> {
        if is_of_entries(query) {
            return Some(Self { last: id_of_key(key)?, count: 1 });
        }
        let at = key.len().checked_sub(COUNT_DIGITS)?;
        let (key, count) = key.split_at_checked(at)?;
        Some(Self { last: id_of_key(key)?, count: u8::from_str_radix(count, 16).ok()? })
    }
}

/// The id at the end of the key of a row.
pub(super) fn id_of_key(key: &str) -> Option<HistoryId> {
    let at = key.len().checked_sub(HistoryId::LENGTH)?;
    let id: HistoryId = key.get(at..)?.parse().ok()?;
    Some(id.reversed())
}
