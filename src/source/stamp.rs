//! A stamp that distinguishes states of files without reading them.

use std::{
    fs::Metadata,
    os::unix::fs::MetadataExt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A stamp that distinguishes states of a file without reading it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stamp {
    pub(super) size: u64,
    inode: (u64, u64),
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A value that differs if anything below the paths differs: files, folders, links, sizes, times.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint(pub(super) [u8; 32]);

// === impl Stamp ===

impl Stamp {
    pub(super) fn from_metadata(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            inode: (metadata.dev(), metadata.ino()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether the content is the same. Removing a file that is open changes no content, though it
    /// counts as a change of the file.
    pub(super) fn same_content(self, other: Self) -> bool {
        let content = |stamp: Self| (stamp.size, stamp.inode, stamp.modified);
        content(self) == content(other)
    }

    /// The time since the file or its metadata changed; zero if that lies in the future.
    pub fn age(self, now: SystemTime) -> Duration {
        let newest = self.modified.max(self.changed);
        let newest = u64::try_from(newest.0).ok().zip(u32::try_from(newest.1).ok());
        let newest = newest.map_or(UNIX_EPOCH, |(s, ns)| UNIX_EPOCH + Duration::new(s, ns));
        now.duration_since(newest).unwrap_or_default()
    }
}
