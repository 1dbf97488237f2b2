//! Files outside the policy that are read again when they change, such as tokens and certificates.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::PathBuf,
    time::{Duration, SystemTime},
};

/// The time between two looks at such files.
pub(super) const INTERVAL: Duration = Duration::from_millis(500);

/// The age from which a change can't be followed by another with the same time.
const SETTLED: Duration = Duration::from_secs(1);

/// Some files that are read together, and their state when they were read last.
#[derive(Debug)]
pub(super) struct WatchedFiles {
    paths: Vec<PathBuf>,
    last: Vec<Option<FileIdentity>>,
    /// Whether the last change is so young that another could look the same.
    is_young: bool,
}

/// What distinguishes a content of a file from another without reading it: device, inode, length and times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct FileIdentity([u64; 3], [i64; 4]);

impl WatchedFiles {
    /// Notes the state of files that are about to be read.
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        let mut files = Self { last: Vec::new(), is_young: true, paths };
        files.look();
        files
    }

    /// Whether the files may have changed since the last call, so that they should be read.
    pub(super) fn have_changed(&mut self) -> bool {
        let (last, was_young) = (self.last.clone(), self.is_young);
        self.look();
        was_young || self.last != last
    }

    fn look(&mut self) {
        let found: Vec<_> = self.paths.iter().map(|path| fs::metadata(path).ok()).collect();
        self.is_young = found.iter().flatten().any(is_young);
        self.last = found.iter().map(|found| found.as_ref().map(identity)).collect();
    }
}

fn identity(found: &Metadata) -> FileIdentity {
    let times = [found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()];
    FileIdentity([found.dev(), found.ino(), found.len()], times)
}

fn is_young(found: &Metadata) -> bool {
    let changed = u64::try_from(found.ctime())
        .map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds) + SETTLED);
    // A time in the future is young, too.
    changed.is_ok_and(|changed| changed.elapsed().map_or(true, |age| age < SETTLED))
}
