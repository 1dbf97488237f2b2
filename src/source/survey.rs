//! What there is below some paths, by its metadata.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{Fingerprint, LoadError, Notation, Stamp, stream::InputStream};

/// What there is below some paths, by its metadata: no file is opened but those that say what to
/// pass over.
///
/// All links are followed, and their targets are identified by link-free paths: as long as it is
/// there, reading it never meets a swap. What a ConfigMap's `..data` leads to counts as lying in
/// the folder itself.
#[derive(Debug, Default)]
pub struct Survey {
    /// By link-free path, so that each file is there once.
    pub(super) files: BTreeMap<PathBuf, SurveyedFile>,
    /// Inputs that can be read once, where that suffices.
    pub(super) streams: Vec<InputStream>,
    pub(super) errors: Vec<LoadError>,
    /// The folders that were searched, and which they are.
    pub(super) folders: BTreeMap<PathBuf, (u64, u64)>,
    /// The targets of the links on the way.
    pub(super) links: BTreeMap<PathBuf, PathBuf>,
    /// The targets of the given paths.
    pub(super) roots: BTreeSet<PathBuf>,
    /// The files that say what to pass over.
    pub(super) ignore_files: BTreeMap<PathBuf, Stamp>,
}

/// A policy file.
#[derive(Debug)]
pub(super) struct SurveyedFile {
    /// As it is called in what people read.
    pub(super) shown: PathBuf,
    pub(super) notation: Notation,
    pub(super) stamp: Stamp,
}

impl Survey {
    /// A value that differs from another survey's if anything differs that was seen.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        let mut put = |part: &[u8]| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        for (path, found) in &self.files {
            put(path.as_os_str().as_bytes());
            put(found.shown.as_os_str().as_bytes());
            put(format!("{:?}", found.stamp).as_bytes());
        }
        for (path, stamp) in &self.ignore_files {
            put(path.as_os_str().as_bytes());
            put(format!("{stamp:?}").as_bytes());
        }
        for (path, identity) in &self.folders {
            put(path.as_os_str().as_bytes());
            put(format!("{identity:?}").as_bytes());
        }
        for (path, target) in &self.links {
            put(path.as_os_str().as_bytes());
            put(target.as_os_str().as_bytes());
        }
        for error in &self.errors {
            put(error.to_string().as_bytes());
        }
        Fingerprint(hash.finalize().into())
    }

    /// The policy files: where each is, free of links, and how it is called.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &Path, Notation)> {
        self.files
            .iter()
            .map(|(real, found)| (real.as_path(), found.shown.as_path(), found.notation))
    }

    /// All files whose content matters, those that say what to pass over among them: where each is,
    /// free of links, and its state.
    pub fn stamps(&self) -> impl Iterator<Item = (&Path, Stamp)> {
        let files = self.files.iter().map(|(path, found)| (path.as_path(), found.stamp));
        files.chain(self.ignore_files.iter().map(|(path, stamp)| (path.as_path(), *stamp)))
    }

    /// The paths that could not be examined.
    pub fn errors(&self) -> &[LoadError] {
        &self.errors
    }

    /// The folders that were searched, and the device and inode of each: whatever happens to an entry
    /// of them may matter.
    pub fn folders(&self) -> impl Iterator<Item = (&Path, (u64, u64))> {
        self.folders.iter().map(|(path, identity)| (path.as_path(), *identity))
    }

    /// The entries that matter wherever they lie: links on the way, what the given paths lead to,
    /// and what would have to come for a path that leads nowhere.
    pub fn entries(&self) -> impl Iterator<Item = &Path> {
        self.links.keys().chain(&self.roots).map(PathBuf::as_path)
    }
}
