//! The head of a store's file: the header of redb, and behind it the revision mark.
//!
//! The mark is the highest revision that was committed. It lies in the sector of the header's
//! pointer to the newest commit, where redb writes nothing, and is written together with that
//! pointer: it costs no sync, is never ahead of or behind its commit, and survives damage to the
//! pointer or its target. It is stored twice, each time with a checksum.

use std::io;

use redb::StorageBackend;
use sha2::{Digest, Sha256};

/// The length of redb's header, in bytes.
pub(super) const HEADER: usize = 320;

/// The length that a disk writes atomically, in bytes.
pub(super) const SECTOR: usize = 512;

/// The offset of the flags in redb's header.
pub(super) const FLAGS: usize = 9;
const PRIMARY: u8 = 1;
const UNCLOSED: u8 = 2;
pub(super) const TWO_PHASE: u8 = 4;

/// The offsets of the transaction numbers of the two commits that redb keeps.
const TRANSACTIONS: [usize; 2] = [64 + 104, 192 + 104];

/// The offsets of the two copies of the mark.
const COPIES: [usize; 2] = [HEADER, 448];

const MAGIC: [u8; 8] = *b"peerage\x01";
const COPY: usize = MAGIC.len() + 8 + 8;

/// The first sector of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Head([u8; SECTOR]);

/// The highest revision that was committed to a file, by its mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RevisionMark {
    /// There is no mark: the file was written by an earlier build, or is a backup.
    Absent,
    /// Both copies are damaged.
    Damaged,
    /// Whether both copies are sound.
    Revision { revision: u64, is_whole: bool },
}

impl Head {
    /// Reads the head of a file; `None` if the file is shorter.
    pub(super) fn read(file: &dyn StorageBackend) -> io::Result<Option<Self>> {
        if file.len()? < SECTOR as u64 {
            return Ok(None);
        }
        let mut bytes = [0; SECTOR];
        file.read(0, &mut bytes)?;
        Ok(Some(Self(bytes)))
    }

    /// Adds a mark to redb's header; `None` if the bytes are not a header.
    pub(super) fn stamped(header: &[u8], revision: Option<u64>) -> Option<Self> {
        if header.len() != HEADER {
            return None;
        }
        let mut bytes = [0; SECTOR];
        bytes.first_chunk_mut::<HEADER>()?.copy_from_slice(header);
        if let Some(revision) = revision {
            let copy = copy(revision);
            for at in COPIES {
                bytes.get_mut(at..at + COPY)?.copy_from_slice(&copy);
            }
        }
        Some(Self(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn flags(&self) -> u8 {
        self.0.get(FLAGS).copied().unwrap_or_default()
    }

    /// The index of the commit that the header points to.
    pub(super) fn primary(&self) -> usize {
        usize::from(self.flags() & PRIMARY)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.flags() & UNCLOSED == 0
    }

    /// The transaction number of one of the two commits.
    pub(super) fn transaction(&self, slot: usize) -> u64 {
        let at = TRANSACTIONS.get(slot).copied().unwrap_or(SECTOR);
        self.0
            .get(at..)
            .and_then(<[u8]>::first_chunk)
            .map_or(0, |&number| u64::from_le_bytes(number))
    }

    pub(super) fn mark(&self) -> RevisionMark {
        let behind = self.0.get(HEADER..).unwrap_or_default();
        if behind.iter().all(|&byte| byte == 0) {
            return RevisionMark::Absent;
        }
        let copies = COPIES.map(|at| self.0.get(at..at + COPY).and_then(read_copy));
        match copies.iter().flatten().max() {
            Some(&revision) => {
                RevisionMark::Revision { revision, is_whole: copies == [Some(revision); 2] }
            }
            None => RevisionMark::Damaged,
        }
    }
}

/// One copy of a mark.
fn copy(revision: u64) -> [u8; COPY] {
    let mut copy = [0; COPY];
    let checksum = checksum(revision);
    let parts =
        MAGIC.iter().chain(&revision.to_le_bytes()).chain(&checksum).copied().collect::<Vec<u8>>();
    copy.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    copy
}

/// The revision of a copy, if the copy is sound.
fn read_copy(bytes: &[u8]) -> Option<u64> {
    let revision = u64::from_le_bytes(*bytes.get(MAGIC.len()..)?.first_chunk()?);
    (bytes == copy(revision)).then_some(revision)
}

fn checksum(revision: u64) -> [u8; 8] {
    let digest = Sha256::new().chain_update(MAGIC).chain_update(revision.to_le_bytes()).finalize();
    digest.first_chunk().copied().unwrap_or_default()
}
