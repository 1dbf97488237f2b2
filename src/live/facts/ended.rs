//! The sweep of what has ended: records keep it for a while, and lose it in batches.

use std::sync::Arc;

use crate::{
    facts::{ChangeSet, Record, RecordChange, RecordKey, RecordKind, RecordRead, RecordWrite},
    request::Moment,
    store::{Store, StoreError},
};

/// How long records keep what has ended, in milliseconds: an hour.
const RETENTION_MILLIS: u64 = 60 * 60 * 1000;

/// The number of records that are looked at in one batch.
const PAGE: usize = 1000;

/// A batch of records without what ended long ago.
pub(super) struct EndedFacts {
    pub(super) set: ChangeSet,
    pub(super) changes: Vec<RecordChange>,
}

/// The changes that remove what ended long ago from the records of the page after `from`, which advances to the
/// next page. Of the daemons of a fleet, the first that commits them wins.
pub(super) fn ended_facts(
    store: &dyn Store,
    from: &mut Option<RecordKey>,
    now: Moment,
) -> Result<EndedFacts, StoreError> {
    let most = store.most_records().map_or(PAGE, |most| most.min(PAGE));
    let page = store.list(RecordKind::User, from.as_ref(), most)?;
    *from = if page.len() < most { None } else { page.last().map(|entry| entry.key.clone()) };
    let mut found = EndedFacts { set: ChangeSet::default(), changes: Vec::new() };
    let past = now.millis().saturating_sub(RETENTION_MILLIS);
    for entry in page {
        let Record::User(user) = &entry.record else { continue };
        if user.ends().all(|end| end > past) {
            continue;
        }
        let mut rest = user.clone();
        rest.remove_ended(past);
        let new = (!rest.is_empty()).then(|| Record::User(rest));
        let (key, version) = (entry.key, Some(entry.version));
        found.set.reads.push(RecordRead { key: key.clone(), version });
        found.set.writes.push(RecordWrite { key: key.clone(), record: new.clone() });
        found.changes.push(RecordChange {
            key,
            old: Some(Arc::new(entry.record)),
            new: new.map(Arc::new),
        });
    }
    Ok(found)
}
