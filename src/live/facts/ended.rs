//! The sweep of what has ended: records keep it for a while, and lose it in batches.

use std::sync::Arc;

use crate::{
    facts::{
        ChangeSet, GroupRecord, Record, RecordChange, RecordKey, RecordKind, RecordRead,
        RecordWrite,
    },
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

/// The record after which the next batch begins.
#[derive(Default, Debug)]
pub(super) struct SweepPlace {
    is_at_groups: bool,
    from: Option<RecordKey>,
}

/// The record without what has ended at a moment, or none if nothing is left; `None` if nothing has ended.
#[expect(clippy::option_option, reason = "nothing has ended, or nothing is left")]
fn without_ended(record: &Record, past: u64) -> Option<Option<Record>> {
    match record {
        Record::User(user) if user.ends().any(|end| end <= past) => {
            let mut rest = user.clone();
            rest.remove_ended(past);
            Some((!rest.is_empty()).then_some(Record::User(rest)))
        }
        Record::Group(group) if group.ends().any(|end| end <= past) => {
            let mut rest = group.clone();
            rest.remove_ended(past);
            Some((*rest != GroupRecord::default()).then_some(Record::Group(rest)))
        }
        _ => None,
    }
}

/// The changes that remove what ended long ago from the records of the page after `from`, which advances to the
/// next page. Of the daemons of a fleet, the first that commits them wins.
pub(super) fn ended_facts(
    store: &dyn Store,
    from: &mut SweepPlace,
    now: Moment,
) -> Result<EndedFacts, StoreError> {
    let SweepPlace { is_at_groups, from } = from;
    let kind = if *is_at_groups { RecordKind::Group } else { RecordKind::User };
    let most = store.most_records().map_or(PAGE, |most| most.min(PAGE));
    let page = store.list(kind, from.as_ref(), most)?;
    *from = if page.len() < most { None } else { page.last().map(|entry| entry.key.clone()) };
    // Users and groups take turns.
    *is_at_groups ^= from.is_none();
    let mut found = EndedFacts { set: ChangeSet::default(), changes: Vec::new() };
    let past = now.millis().saturating_sub(RETENTION_MILLIS);
    for entry in page {
        let Some(new) = without_ended(&entry.record, past) else { continue };
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
