//! Listings of all keys of a store, and the keys that are not of records.

use std::{path::PathBuf, str};

use etcd_client::{Compare, CompareOp, GetOptions, KeyValue, ResponseHeader, Txn, TxnOp};

use super::{
    config::EtcdConfig,
    failover_client::{EtcdCallError, FailoverClient, Repetition},
    mirror::{RawRecord, RawRecords},
};
use crate::{
    facts::RecordKey,
    store::{StoreError, StoredRecord},
};

/// The format of records.
pub(super) const FORMAT: u64 = 1;

/// The newest format that this build reads and writes, as the marker holds it: records and a history. The
/// first entry of the history makes a store of [`FORMAT`] one of this.
pub(super) const KNOWN_FORMAT: u64 = 2;

/// The key of the marker, after the prefix; its value is the format.
pub(super) const MARKER: &str = "format";

/// The key of the clock, after the prefix, which every commit writes: nothing has changed under the
/// prefix since it was last written.
pub(super) const CLOCK: &str = "clock";

/// The beginning of the keys of the history, after the prefix. It is greater than all others: the history is
/// neither listed nor watched.
const HISTORY: &str = "~";

/// The size of a page: large against the cost of a request, small enough to be sent at once.
const PAGE_BYTES: usize = 1 << 20;
const FIRST_PAGE: usize = 500;
const MOST_PER_PAGE: usize = 10_000;

/// How often a listing begins again because its revision was compacted.
const TRIES: usize = 5;

/// The limit of a response: it may hold a record of any size.
pub(super) const MOST_BYTES: usize = i32::MAX as usize;

/// All keys and values under the prefix, at one revision.
pub(super) struct EtcdListing {
    pub(super) revision: u64,
    pub(super) cluster: u64,
    pub(super) kept: RawRecords,
    format: Option<String>,
    /// Keys that are not of a record.
    pub(super) strays: Vec<String>,
}

impl EtcdListing {
    /// Reads the listing in pages.
    ///
    /// # Errors
    /// If it can't be read.
    pub(super) async fn read(link: &FailoverClient, spec: &EtcdConfig) -> Result<Self, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::pages(link, spec).await {
                Err(EtcdCallError::Refused(why)) if why.contains("compacted") && tries < TRIES => {}
                read => return read.map_err(EtcdCallError::into_read_error),
            }
        }
    }

    async fn pages(link: &FailoverClient, spec: &EtcdConfig) -> Result<Self, EtcdCallError> {
        let mut listing = Self {
            revision: 0,
            cluster: 0,
            kept: RawRecords::new(),
            format: None,
            strays: Vec::new(),
        };
        let mut from = spec.prefix.clone().into_bytes();
        let end = spec.end();
        let mut limit = FIRST_PAGE;
        loop {
            let mut options = GetOptions::new()
                .with_range(end.as_slice())
                .with_limit(i64::try_from(limit).unwrap_or(i64::MAX));
            if listing.revision > 0 {
                options = options.with_revision(listing.revision.cast_signed());
            }
            let page = link.call(Repetition::Allowed, |client| {
                let (from, options) = (from.clone(), options.clone());
                async move {
                    let mut client = client.kv_client().max_decoding_message_size(MOST_BYTES);
                    client.get(from, Some(options)).await
                }
            });
            let mut page = page.await?;
            if listing.revision == 0 {
                let header = page.header();
                listing.revision = header.map_or(0, |header| unsigned(header.revision()));
                listing.cluster = header.map_or(0, ResponseHeader::cluster_id);
            }
            let has_more = page.more();
            let records = page.take_kvs();
            let bytes: usize = records.iter().map(|kv| kv.key().len() + kv.value().len()).sum();
            limit = (limit * PAGE_BYTES / bytes.max(1)).clamp(1, limit * 2).min(MOST_PER_PAGE);
            let Some(last) = records.last().filter(|_| has_more) else {
                listing.take(records, spec);
                return Ok(listing);
            };
            from = [last.key(), b"\0"].concat();
            listing.take(records, spec);
        }
    }

    fn take(&mut self, records: Vec<KeyValue>, spec: &EtcdConfig) {
        for kv in records {
            match EtcdKey::parse(kv.key(), spec) {
                EtcdKey::Record(key) => {
                    let version = unsigned(kv.mod_revision());
                    let (_, value) = kv.into_key_value();
                    self.kept.insert(key.to_string(), RawRecord { version, bytes: value.into() });
                }
                EtcdKey::Marker => {
                    self.format = Some(String::from_utf8_lossy(kv.value()).into_owned());
                }
                EtcdKey::Clock => {}
                EtcdKey::Stray(key) => self.strays.push(key),
            }
        }
    }

    /// Whether the prefix has a marker of a known format; false if there is nothing under the prefix.
    ///
    /// # Errors
    /// If another program, or a newer version, wrote under the prefix.
    pub(super) fn is_marked(&self, spec: &EtcdConfig) -> Result<bool, StoreError> {
        match &self.format {
            Some(format) => check_format(format, spec).map(|_| true),
            None if self.kept.is_empty() && self.strays.is_empty() => Ok(false),
            None => Err(StoreError::Foreign(path(spec))),
        }
    }

    /// Decodes every record; an error is the key and what is wrong with the record.
    pub(super) fn decode(&self) -> impl Iterator<Item = Result<StoredRecord, (String, String)>> {
        self.kept.iter().map(|(text, raw)| {
            let wrong = |why: String| (text.clone(), why);
            let key: RecordKey = text.parse().map_err(|no_key| wrong(format!("{no_key}")))?;
            raw.decode(key).map_err(|damaged| wrong(damaged.to_string()))
        })
    }
}

/// A key of etcd, by what it stands for.
pub(super) enum EtcdKey {
    Record(RecordKey),
    Marker,
    Clock,
    Stray(String),
}

impl EtcdKey {
    pub(super) fn parse(key: &[u8], spec: &EtcdConfig) -> Self {
        let text =
            key.strip_prefix(spec.prefix.as_bytes()).and_then(|key| str::from_utf8(key).ok());
        match text {
            Some(MARKER) => Self::Marker,
            Some(CLOCK) => Self::Clock,
            // peerage writes keys in canonical form only.
            Some(text) => match text.parse::<RecordKey>() {
                Ok(key) if key.to_string() == text => Self::Record(key),
                _ => Self::Stray(text.to_owned()),
            },
            None => Self::Stray(String::from_utf8_lossy(key).into_owned()),
        }
    }
}

impl EtcdConfig {
    pub(super) fn key(&self, text: impl std::fmt::Display) -> String {
        format!("{}{text}", self.prefix)
    }

    /// The end of the range of keys of records, of the marker and of the clock.
    pub(super) fn end(&self) -> Vec<u8> {
        self.key(HISTORY).into_bytes()
    }

    /// The key of a row of the history.
    pub(super) fn history_key(&self, row: &str) -> String {
        format!("{}{HISTORY}{row}", self.prefix)
    }
}

/// Marks an empty prefix as a store of peerage, unless another daemon just did.
///
/// # Errors
/// If the marker can't be written.
pub(super) async fn mark(link: &FailoverClient, spec: &EtcdConfig) -> Result<(), StoreError> {
    let marker = spec.key(MARKER);
    let txn =
        Txn::new().when([Compare::create_revision(marker.as_str(), CompareOp::Equal, 0)]).and_then(
            [TxnOp::put(marker, FORMAT.to_string(), None), TxnOp::put(spec.key(CLOCK), "", None)],
        );
    let marking = link.call(Repetition::Allowed, |mut client| {
        let txn = txn.clone();
        async move { client.txn(txn).await }
    });
    marking.await.map(drop).map_err(EtcdCallError::into_write_error)
}

/// Checks the format that a marker holds, and returns it.
///
/// # Errors
/// If this build does not know it.
pub(super) fn check_format(format: &str, spec: &EtcdConfig) -> Result<u64, StoreError> {
    match format.parse::<u64>() {
        Ok(known @ FORMAT..=KNOWN_FORMAT) => Ok(known),
        Ok(found) if found > KNOWN_FORMAT => {
            Err(StoreError::Newer { path: path(spec), found, known: KNOWN_FORMAT })
        }
        _ => Err(StoreError::Foreign(path(spec))),
    }
}

pub(super) fn path(spec: &EtcdConfig) -> PathBuf {
    PathBuf::from(spec.to_string())
}

/// Revisions of etcd are never negative.
pub(super) fn unsigned(revision: i64) -> u64 {
    u64::try_from(revision).unwrap_or_default()
}
