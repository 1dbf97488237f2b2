//! Pages of lists, and the sequence numbers by which callers detect changes.

use sha2::{Digest, Sha256};

use crate::{dialects::Backend, facts::VersionedUserRecord, request::Relation};

/// The maximum number of a user's relations that is read without a thread of its own.
const IMMEDIATE_ENTRIES: usize = 250;

/// A page of a list.
#[derive(Default, Debug)]
pub(super) struct AccountPage<'l> {
    pub(super) items: &'l [String],
    /// The start of the next page; `None` if this is the last.
    pub(super) next: Option<u64>,
}

impl<'l> AccountPage<'l> {
    pub(super) fn slice(list: &'l [String], start: u64, most: usize) -> Self {
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(list.len());
        let end = start.saturating_add(most).min(list.len());
        let items = list.get(start..end).unwrap_or_default();
        Self { items, next: (end < list.len()).then_some(end as u64) }
    }
}

/// Whether the relations of a user are few enough to be read at once.
pub(super) fn is_short(backend: &dyn Backend, user: &str) -> bool {
    backend.relation_count(user) <= IMMEDIATE_ENTRIES
}

/// Whether the records of these accounts are small enough to be read at once.
pub(super) fn are_short(backend: &dyn Backend, accounts: &[String]) -> bool {
    accounts.iter().map(|account| backend.relation_count(account) + 1).sum::<usize>()
        <= IMMEDIATE_ENTRIES
}

/// The sequence number to report with a page of a list.
///
/// Further pages report the number of the first one, which the caller sends: if the list has
/// changed meanwhile, the caller may have missed a change, and with that number gets the whole list
/// the next time.
pub(super) const fn reported_sequence(start: u64, seen: u64, now: u64) -> u64 {
    if start > 0 && seen > 0 { seen } else { now }
}

/// The sequence number of a user's list: it changes whenever the list may have changed.
///
/// It follows the version of the user's record, so it grows; a list to which files contribute has a
/// digest instead, since it changes without the record. Callers keep it in 31 bits.
pub(super) fn sequence(kept: &VersionedUserRecord, relation: Relation, listed: &[String]) -> u64 {
    // Callers send 0 in their first request.
    let of_record = kept.version.map_or(1, |version| version.saturating_add(1));
    let is_own = kept.record.edges(relation).eq(listed.iter().map(String::as_str));
    if is_own && !kept.has_unknown_friends {
        return of_record;
    }
    let mut digest = Sha256::new();
    digest.update(of_record.to_le_bytes());
    for id in listed {
        digest.update(id.as_bytes());
        digest.update([0]);
    }
    let digest = digest.finalize();
    let first = digest.iter().take(4).fold(0_u64, |all, &byte| all << 8 | u64::from(byte));
    (first & 0x7fff_ffff) | 1
}
