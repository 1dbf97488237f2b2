//! The idempotency keys under which a batch takes effect once.

use std::{fmt::Write as _, str::FromStr};

use sha2::{Digest, Sha256};

use crate::{
    facts::{
        ChangeSet, IdempotencyRecord, Record, RecordKey, RecordKind, RecordRead, RecordWrite,
        UnixMillis,
    },
    store::{Store, StoreError},
};

/// A key under which a batch takes effect once, with a digest of the request body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdempotencyKey {
    name: String,
    /// The digest of the request body.
    pub(super) digest: String,
}

/// The least time for which a response is kept, in milliseconds: a day.
const RETENTION_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// The error for a text that is not an idempotency key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an idempotency key has 1 to 255 printable ASCII characters")]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    /// Creates a key from its name and the request body.
    ///
    /// # Errors
    /// If the name is not valid.
    pub fn new(name: &str, body: &[u8]) -> Result<Self, IdempotencyKeyError> {
        let name: Name = name.parse()?;
        let digest = Sha256::digest(body).iter().fold(String::new(), |mut text, byte| {
            // Writing to a string can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        Ok(Self { name: name.0, digest })
    }

    pub(super) fn key(&self) -> RecordKey {
        RecordKey::Idempotency(self.name.clone())
    }
}

struct Name(String);

impl FromStr for Name {
    type Err = IdempotencyKeyError;

    fn from_str(text: &str) -> Result<Self, IdempotencyKeyError> {
        let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if is_printable && (1..=255).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdempotencyKeyError)
        }
    }
}

/// The number of keys that are checked at once.
const PAGE: usize = 1000;

/// Whether a kept response has expired.
pub(super) fn is_expired(kept: &IdempotencyRecord, now: UnixMillis) -> bool {
    kept.at.saturating_add(RETENTION_MILLIS) < now
}

/// The changes that remove expired keys of the page after `from`, which advances to the next page.
pub(super) fn expired_keys(
    store: &dyn Store,
    from: &mut Option<RecordKey>,
    now: UnixMillis,
) -> Result<ChangeSet, StoreError> {
    let most = store.most_records().map_or(PAGE, |most| most.min(PAGE));
    let page = store.list(RecordKind::Idempotency, from.as_ref(), most)?;
    *from = if page.len() < most { None } else { page.last().map(|entry| entry.key.clone()) };
    let mut set = ChangeSet::default();
    for entry in page {
        if matches!(&entry.record, Record::Idempotency(kept) if is_expired(kept, now)) {
            set.reads.push(RecordRead { key: entry.key.clone(), version: Some(entry.version) });
            set.writes.push(RecordWrite { key: entry.key, record: None });
        }
    }
    Ok(set)
}
