use std::collections::HashSet;

use redb::{ReadableTable, Table};

use super::{
    file::{Opened, begin_write},
    tables::{META, RECORDS, REVISION, parts, value},
};
use crate::{
    facts::{ChangeSet, Key, Read},
    store::Commit,
};

/// How a store stood before a commit, in what the commit changes.
#[derive(Default, Debug)]
pub(super) struct Before {
    pub(super) revision: u64,
    /// Each write, in order: what was kept under the key, `None` if nothing.
    values: Vec<(String, Option<Vec<u8>>)>,
}

impl Before {
    /// Whether nothing was about to change.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// Commits a group in one transaction of two phases, with a sync each if it writes anything. How the
/// store stood before goes to `before`.
pub(super) fn commit(
    opened: &Opened,
    group: &[ChangeSet],
    before: &mut Before,
) -> Result<Commit, redb::Error> {
    let transaction = begin_write(&opened.database)?;
    let mut revisions = Vec::with_capacity(group.len());
    {
        let mut meta = transaction.open_table(META)?;
        let mut records = transaction.open_table(RECORDS)?;
        let mut revision = meta.get(REVISION)?.map_or(0, |revision| revision.value());
        before.revision = revision;
        let mut written: HashSet<&Key> = HashSet::new();
        for set in group {
            for read in set.reads.iter().filter(|read| !written.contains(&read.key)) {
                if !stands(&records, read)? {
                    return Ok(Commit::Stale);
                }
            }
            revision += u64::from(!set.is_empty());
            for write in &set.writes {
                let key = write.key.to_string();
                let old = match &write.record {
                    Some(record) => {
                        records.insert(key.as_str(), value(revision, record).as_slice())?
                    }
                    None => records.remove(key.as_str())?,
                };
                let old = old.map(|old| old.value().to_vec());
                before.values.push((key, old));
                written.insert(&write.key);
            }
            revisions.push(revision);
        }
        if revision == before.revision {
            return Ok(Commit::Done(revisions));
        }
        meta.insert(REVISION, revision)?;
        opened.gate.mark_next(revision);
    }
    transaction.commit()?;
    Ok(Commit::Done(revisions))
}

fn stands(records: &Table<'_, &str, &[u8]>, read: &Read) -> Result<bool, redb::Error> {
    let found = records.get(read.key.to_string().as_str())?;
    Ok(match found {
        Some(found) => {
            read.version.is_some()
                && parts(found.value()).map(|(version, _)| version) == read.version
        }
        None => read.version.is_none(),
    })
}

/// Makes a store again what it was before a commit, which nobody was told of.
pub(super) fn take_back(opened: &Opened, before: &Before) -> Result<(), redb::Error> {
    let transaction = begin_write(&opened.database)?;
    {
        let mut records = transaction.open_table(RECORDS)?;
        for (key, old) in before.values.iter().rev() {
            match old {
                Some(old) => records.insert(key.as_str(), old.as_slice())?,
                None => records.remove(key.as_str())?,
            };
        }
        transaction.open_table(META)?.insert(REVISION, before.revision)?;
        opened.gate.mark_next(before.revision);
    }
    transaction.commit()?;
    Ok(())
}
