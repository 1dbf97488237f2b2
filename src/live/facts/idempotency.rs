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

/// A key under which a batch takes effect once, and what was sent under it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdempotencyKey {
    name: String,
    /// A digest of the batch.
    pub(super) digest: String,
}

/// How long an answer is kept at least, in milliseconds: a day.
const RETENTION_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// A text that is no idempotency key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an idempotency key has 1 to 255 printable ASCII characters")]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    /// The key of this name, with the body that it came with.
    ///
    /// # Errors
    /// If it can't be one.
    pub fn new(name: &str, body: &[u8]) -> Result<Self, IdempotencyKeyError> {
        let name: Name = name.parse()?;
        let sent = Sha256::digest(body).iter().fold(String::new(), |mut text, byte| {
            // Writing to a string can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        Ok(Self { name: name.0, digest: sent })
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

/// How many keys are looked at together.
const PAGE: usize = 1000;

/// Whether the time of an answer is over.
pub(super) fn is_expired(kept: &IdempotencyRecord, now: UnixMillis) -> bool {
    kept.at.saturating_add(RETENTION_MILLIS) < now
}

/// The changes that remove expired keys, of a page that begins after `from`, which moves on.
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
