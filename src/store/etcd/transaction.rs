//! Groups of change sets as transactions of etcd.

use std::collections::{BTreeMap, BTreeSet};

use etcd_client::{Compare, CompareOp, ResponseHeader, Txn, TxnOp, TxnOpResponse, TxnResponse};

use super::{
    config::EtcdConfig,
    listing::{CLOCK, FORMAT, MARKER, check_format, path, unsigned},
};
use crate::{
    facts::{ChangeSet, Record, RecordKey, Version},
    store::{CommitResult, StoreError},
};

/// The default of etcd's `--max-txn-ops`: the greatest number of comparisons, and of operations, in a
/// transaction.
const MOST_OPERATIONS: usize = 128;

/// The greatest number of records: two comparisons are of the marker and the clock.
pub(super) const MOST_RECORDS: usize = MOST_OPERATIONS - 2;

/// A group of change sets as one transaction.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) txn: Txn,
    sets: usize,
    writes: bool,
}

impl Transaction {
    /// `None` if two sets of the group read the same record in different versions. With a revision,
    /// the transaction requires that nothing was committed `after` it.
    ///
    /// # Errors
    /// If the group is too large for a transaction.
    pub(super) fn new(
        group: &[ChangeSet],
        after: Option<u64>,
        spec: &EtcdConfig,
    ) -> Result<Option<Self>, StoreError> {
        let mut reads: BTreeMap<&RecordKey, Option<Version>> = BTreeMap::new();
        let mut writes: BTreeMap<&RecordKey, Option<&Record>> = BTreeMap::new();
        for set in group {
            for read in set.reads.iter().filter(|read| !writes.contains_key(&read.key)) {
                if *reads.entry(&read.key).or_insert(read.version) != read.version {
                    return Ok(None);
                }
            }
            writes.extend(set.writes.iter().map(|write| (&write.key, write.record.as_ref())));
        }
        let found = reads.len().max(writes.len());
        if found > MOST_RECORDS {
            return Err(StoreError::TooLarge { found, most: MOST_RECORDS });
        }
        let is_known = Compare::value(spec.key(MARKER), CompareOp::Equal, FORMAT.to_string());
        let are_unchanged = reads.into_iter().map(|(key, version)| {
            let version = version.unwrap_or(0).cast_signed();
            Compare::mod_revision(spec.key(key), CompareOp::Equal, version)
        });
        let is_latest = after.map(|revision| {
            let next = revision.saturating_add(1).cast_signed();
            Compare::mod_revision(spec.key(CLOCK), CompareOp::Less, next)
        });
        let put_or_delete = writes.iter().map(|(key, record)| match record {
            Some(record) => TxnOp::put(spec.key(key), record.encode(), None),
            None => TxnOp::delete(spec.key(key), None),
        });
        let clock = spec.key(CLOCK);
        let clock =
            if writes.is_empty() { TxnOp::get(clock, None) } else { TxnOp::put(clock, "", None) };
        let txn = Txn::new()
            .when(
                std::iter::once(is_known).chain(is_latest).chain(are_unchanged).collect::<Vec<_>>(),
            )
            .and_then(put_or_delete.chain([clock]).collect::<Vec<_>>())
            .or_else([TxnOp::get(spec.key(MARKER), None)]);
        Ok(Some(Self { txn, sets: group.len(), writes: !writes.is_empty() }))
    }

    /// The result of the commit.
    ///
    /// # Errors
    /// If the store has another format by now.
    pub(super) fn result(
        &self,
        answer: &TxnResponse,
        spec: &EtcdConfig,
    ) -> Result<CommitResult, StoreError> {
        if answer.succeeded() {
            let committed = answer.header().map_or(0, ResponseHeader::revision);
            // A group that only reads has the revision of the last commit: callers need not wait for more.
            let revision = if self.writes { Some(committed) } else { mod_revision(answer) };
            let revision = unsigned(revision.unwrap_or(committed));
            return Ok(CommitResult::Committed(vec![revision; self.sets]));
        }
        match read_value(answer) {
            Some((_, format)) => check_format(&format, spec).map(|()| CommitResult::Stale),
            None => Err(StoreError::Foreign(path(spec))),
        }
    }
}

fn mod_revision(answer: &TxnResponse) -> Option<i64> {
    read_value(answer).map(|(revision, _)| revision)
}

/// The revision and the value of the one key that a transaction read.
fn read_value(answer: &TxnResponse) -> Option<(i64, String)> {
    let TxnOpResponse::Get(got) = answer.op_responses().into_iter().next()? else { return None };
    let kv = got.kvs().first()?;
    Some((kv.mod_revision(), String::from_utf8_lossy(kv.value()).into_owned()))
}

/// The records that a group reads.
pub(super) fn keys(group: &[ChangeSet]) -> BTreeSet<&RecordKey> {
    group.iter().flat_map(|set| set.reads.iter().map(|read| &read.key)).collect()
}
