//! Reads of the history from the cluster: it is in no mirror.

use std::ops::ControlFlow;

use etcd_client::{GetOptions, KeyValue, Txn, TxnOp, TxnOpResponse};

use super::{
    config::EtcdConfig,
    failover_client::{EtcdCallError, FailoverClient, Repetition},
    listing::{MOST_BYTES, unsigned},
};
use crate::{
    facts::{HistoryId, HistoryPage, HistoryQuery, StoredHistory},
    store::{
        StoreError, history,
        history::{KeyRange, Pointer},
    },
};

/// The number of entries that are read together.
const TOGETHER: usize = 100;

/// The number of keys that are read together.
const PAGE: usize = 1000;

/// What is wrong with a key that no row of the history has.
const NO_KEY: &str = "not the key of an entry";

/// A page of the history: a read of the keys, and one for each hundred of the entries.
///
/// # Errors
/// If it can't be read, or an entry is damaged.
pub(super) async fn page(
    link: &FailoverClient,
    config: &EtcdConfig,
    query: &HistoryQuery,
) -> Result<HistoryPage, StoreError> {
    let range = history::range(query);
    if range.start >= range.end {
        return Ok(HistoryPage::default());
    }
    let options = GetOptions::new().with_keys_only();
    let found = read(link, config, &range, history::row_limit(query), options).await?;
    let pointer = |kv: &KeyValue| {
        let key = String::from_utf8_lossy(kv.key());
        Pointer::of_row(query, &key).ok_or_else(|| damaged(kv, NO_KEY.to_owned()))
    };
    let pointers = found.keys.iter().map(pointer).collect::<Result<Vec<_>, _>>()?;
    let (ids, next) = history::page_ids(query, &pointers);
    let mut entries = Vec::with_capacity(ids.len());
    for ids in ids.chunks(TOGETHER) {
        let gets: Vec<TxnOp> = ids
            .iter()
            .map(|&id| TxnOp::get(config.history_key(&history::entry_key(id)), None))
            .collect();
        let reading = link.call(Repetition::Allowed, |client| {
            let txn = Txn::new().and_then(gets.clone());
            async move { client.kv_client().max_decoding_message_size(MOST_BYTES).txn(txn).await }
        });
        let answer = reading.await.map_err(EtcdCallError::into_read_error)?;
        for response in answer.op_responses() {
            // An entry that was removed since is passed over.
            let TxnOpResponse::Get(got) = response else { continue };
            for kv in got.kvs() {
                entries.push(entry(kv)?);
            }
        }
    }
    Ok(HistoryPage { entries, next })
}

/// Calls `each` with all entries of a revision, until it breaks.
///
/// # Errors
/// If they can't be read, or an entry is damaged.
pub(super) async fn export(
    link: &FailoverClient,
    config: &EtcdConfig,
    revision: u64,
    each: &mut dyn FnMut(StoredHistory) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let mut range = history::all_entries();
    loop {
        let options = GetOptions::new().with_revision(revision.cast_signed());
        let found = read(link, config, &range, PAGE, options).await?;
        for kv in &found.keys {
            if each(entry(kv)?).is_break() {
                return Ok(());
            }
        }
        let Some(last) = found.keys.last().filter(|_| found.has_more) else { return Ok(()) };
        range.start = format!("{}\0", history::entry_key(id(last)?));
    }
}

/// Keys of a range, in order.
struct FoundKeys {
    keys: Vec<KeyValue>,
    has_more: bool,
}

async fn read(
    link: &FailoverClient,
    config: &EtcdConfig,
    range: &KeyRange,
    limit: usize,
    options: GetOptions,
) -> Result<FoundKeys, StoreError> {
    let options = options
        .with_range(config.history_key(&range.end))
        .with_limit(i64::try_from(limit).unwrap_or(i64::MAX));
    let reading = link.call(Repetition::Allowed, |client| {
        let (start, options) = (config.history_key(&range.start), options.clone());
        async move {
            let mut client = client.kv_client().max_decoding_message_size(MOST_BYTES);
            client.get(start, Some(options)).await
        }
    });
    let mut found = reading.await.map_err(EtcdCallError::into_read_error)?;
    Ok(FoundKeys { has_more: found.more(), keys: found.take_kvs() })
}

/// The id of a row, from the end of its key.
fn id(kv: &KeyValue) -> Result<HistoryId, StoreError> {
    let key = String::from_utf8_lossy(kv.key());
    history::id_of_key(&key).ok_or_else(|| damaged(kv, NO_KEY.to_owned()))
}

fn entry(kv: &KeyValue) -> Result<StoredHistory, StoreError> {
    let version = unsigned(kv.mod_revision());
    StoredHistory::decode(id(kv)?, version, kv.value())
        .map_err(|error| damaged(kv, error.to_string()))
}

fn damaged(kv: &KeyValue, what: String) -> StoreError {
    let key = String::from_utf8_lossy(kv.key()).escape_debug().to_string();
    StoreError::Record { key, what }
}
