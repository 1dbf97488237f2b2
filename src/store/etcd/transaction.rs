//! Groups of change sets as transactions of etcd.

use std::collections::{BTreeMap, BTreeSet};

use etcd_client::{
    Compare, CompareOp, DeleteOptions, ResponseHeader, Txn, TxnOp, TxnOpResponse, TxnResponse,
};

use super::{
    config::EtcdConfig,
    listing::{CLOCK, KNOWN_FORMAT, MARKER, check_format, path, unsigned},
};
use crate::{
    facts::{ChangeSet, Record, RecordKey, Version},
    store::{CommitResult, StoreError, history, history::KeyRange},
};

/// The default of etcd's `--max-txn-ops`: the greatest number of comparisons, and of operations, in a
/// transaction.
const MOST_OPERATIONS: usize = 128;

/// The comparisons, and the operations, that are not of records: those of the marker and of the clock.
const RESERVED: usize = 2;

/// The greatest number of records: what is left is for transactions within the transaction, which write
/// the history.
pub(super) const MOST_RECORDS: usize = MOST_OPERATIONS - RESERVED - 6;

/// The greatest number of rows that an entry of the history writes.
const ROWS_PER_ENTRY: usize = 5;

/// The division of operations into transactions within the transaction: etcd lets each of them have as
/// many as the outer one leaves of the limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Nesting {
    /// The greatest number of inner transactions.
    transactions: usize,
    /// The greatest number of operations in each.
    operations: usize,
}

impl Nesting {
    /// The division for a group that reads or writes this number of records.
    fn new(records: usize) -> Self {
        let transactions = records.max(MOST_OPERATIONS / 2 - RESERVED);
        Self { transactions, operations: MOST_OPERATIONS.saturating_sub(transactions + RESERVED) }
    }

    const fn capacity(self) -> usize {
        self.transactions * self.operations
    }
}

/// The greatest number of entries of the history that a group may write or remove which reads or writes
/// this number of records.
pub(super) fn most_history(records: usize) -> usize {
    Nesting::new(records).capacity().saturating_sub(records) / ROWS_PER_ENTRY
}

/// A group of change sets as one transaction.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) txn: Txn,
    /// The format that the store must have.
    format: u64,
    /// The format of the store after the transaction.
    pub(super) next_format: u64,
    sets: usize,
    writes: bool,
}

/// The outcome of a transaction.
#[derive(Debug)]
pub(super) enum TransactionOutcome {
    Done(CommitResult),
    /// Nothing was committed, since the store has this other format.
    OtherFormat(u64),
}

impl Transaction {
    /// `None` if two sets of the group read the same record in different versions. The store must have
    /// the given format. With a revision, the transaction requires that nothing was committed `after` it.
    ///
    /// # Errors
    /// If the group is too large for a transaction.
    pub(super) fn new(
        group: &[ChangeSet],
        after: Option<u64>,
        format: u64,
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
        let is_known = Compare::value(spec.key(MARKER), CompareOp::Equal, format.to_string());
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
        let adds_history = group.iter().any(|set| !set.history.is_empty());
        let next_format = if adds_history { KNOWN_FORMAT } else { format };
        let marker = (next_format != format)
            .then(|| TxnOp::put(spec.key(MARKER), next_format.to_string(), None));
        let has_writes = adds_history || !writes.is_empty();
        let clock = spec.key(CLOCK);
        let clock = if has_writes { TxnOp::put(clock, "", None) } else { TxnOp::get(clock, None) };
        let operations = put_or_delete.chain(history_operations(group, spec)).collect();
        let entries = group.iter().map(|set| set.history.len() + set.expired.len()).sum();
        let most = most_history(found);
        let operations =
            nest(operations, found).ok_or(StoreError::TooManyEntries { found: entries, most })?;
        let txn = Txn::new()
            .when(
                std::iter::once(is_known).chain(is_latest).chain(are_unchanged).collect::<Vec<_>>(),
            )
            .and_then(operations.into_iter().chain(marker).chain([clock]).collect::<Vec<_>>())
            .or_else([TxnOp::get(spec.key(MARKER), None)]);
        Ok(Some(Self { txn, format, next_format, sets: group.len(), writes: has_writes }))
    }

    /// The outcome of the transaction.
    ///
    /// # Errors
    /// If the store has a format by now that is not known.
    pub(super) fn outcome(
        &self,
        answer: &TxnResponse,
        spec: &EtcdConfig,
    ) -> Result<TransactionOutcome, StoreError> {
        if answer.succeeded() {
            let committed = answer.header().map_or(0, ResponseHeader::revision);
            // A group that only reads has the revision of the last commit: callers need not wait for more.
            let revision = if self.writes { Some(committed) } else { mod_revision(answer) };
            let revision = unsigned(revision.unwrap_or(committed));
            let committed = CommitResult::Committed(vec![revision; self.sets]);
            return Ok(TransactionOutcome::Done(committed));
        }
        match read_value(answer) {
            Some((_, format)) => match check_format(&format, spec)? {
                format if format == self.format => {
                    Ok(TransactionOutcome::Done(CommitResult::Stale))
                }
                format => Ok(TransactionOutcome::OtherFormat(format)),
            },
            None => Err(StoreError::Foreign(path(spec))),
        }
    }
}

/// The operations of a group on the history: an entry's value is its JSON, its revision that of the key.
fn history_operations(group: &[ChangeSet], spec: &EtcdConfig) -> Vec<TxnOp> {
    let mut operations = Vec::new();
    for set in group {
        for record in &set.expired {
            let ranges = history::pointer_ranges(record).map(|KeyRange { start, end }| {
                let options = DeleteOptions::new().with_range(spec.history_key(&end));
                TxnOp::delete(spec.history_key(&start), Some(options))
            });
            operations.extend(ranges);
            let key = history::entry_key(record.id);
            operations.push(TxnOp::delete(spec.history_key(&key), None));
        }
        for record in &set.history {
            let key = spec.history_key(&history::entry_key(record.id));
            operations.push(TxnOp::put(key, record.entry.encode(), None));
        }
        let pointers = history::pointer_keys(&set.history).into_iter();
        operations.extend(pointers.map(|key| TxnOp::put(spec.history_key(&key), "", None)));
    }
    operations
}

/// Puts operations into inner transactions if they are too many for one; `None` if they are too many for
/// that too.
fn nest(operations: Vec<TxnOp>, records: usize) -> Option<Vec<TxnOp>> {
    if operations.len() <= MOST_OPERATIONS - RESERVED {
        return Some(operations);
    }
    let nesting = Nesting::new(records);
    if operations.len() > nesting.capacity() {
        return None;
    }
    let mut inner = Vec::with_capacity(nesting.transactions);
    let mut rest = operations.into_iter().peekable();
    while rest.peek().is_some() {
        let part: Vec<TxnOp> = rest.by_ref().take(nesting.operations.max(1)).collect();
        inner.push(TxnOp::txn(Txn::new().and_then(part)));
    }
    Some(inner)
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
