//! The files of a policy as they were read: their text, and how a place in it is named.
//!
//! Invariant: knows of nothing else in this crate.

mod atomic_file;
mod checksum;
mod content;
mod git;
mod ignore_rules;
mod links;
mod load;
mod load_error;
mod position;
mod scope;
mod stamp;
mod stream;
mod survey;
mod walk;

pub use atomic_file::{AtomicFile, Existing, replace_text};
pub use checksum::{ChecksumStream, checksum, hex};
pub use git::is_revision;
pub use ignore_rules::{Ignore, PatternError};
pub use load::{LoadedSources, load, load_with_tests};
pub use load_error::{FileLimits, LIMITS, LoadError};
pub use position::{Position, PositionCursor};
pub use scope::Scope;
pub use stamp::{Fingerprint, Stamp};
pub use survey::Survey;
pub use walk::fingerprint;

use std::{sync::OnceLock, time::SystemTime};

use sha2::{Digest, Sha256};

/// Which file of a [`Sources`] a place is in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SourceId(pub u32);

/// A stretch of bytes of one file: `len` bytes from `start`.
///
/// Files are ordered by path, so the order of spans is the order in which a person reads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span {
    pub source: SourceId,
    pub len: u32,
    pub start: u64,
}

impl Span {
    /// The bytes from `start` to `end`; a span longer than 4 GiB is cut there.
    pub fn new(source: SourceId, start: usize, end: usize) -> Self {
        let len = u32::try_from(end.saturating_sub(start)).unwrap_or(u32::MAX);
        Self { source, len, start: start as u64 }
    }

    /// From where `self` starts to where `other` ends; both are of one file.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self::new(self.source, self.start(), other.end().max(self.end()))
    }

    pub fn start(self) -> usize {
        usize::try_from(self.start).unwrap_or(usize::MAX)
    }

    pub fn end(self) -> usize {
        self.start().saturating_add(self.len as usize)
    }
}

/// The notation that a file's extension implies (design: policy files).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notation {
    /// `.yaml` and `.yml`.
    Yaml,
    /// `.json`: the same by JSON's rules.
    Json,
    /// `.peerage`.
    Dsl,
    /// `.ndjson`: a user record a line.
    Ndjson,
    /// `.csv`: users with a header.
    Csv,
    /// `*.test.yaml` and `*.test.yml`: what is expected of a policy, and no part of it.
    Tests,
}

impl Notation {
    /// The endings there are, for a sentence.
    pub const EXTENSIONS: &str = "`.yaml`, `.yml`, `.json`, `.peerage`, `.ndjson` or `.csv`";

    /// The notation of a file of this name, whatever the case of its ending; `None` for files that
    /// are no part of a policy, `*.test.yaml` among them.
    pub fn from_file_name(file_name: &str) -> Option<Self> {
        if Self::is_test_file(file_name) {
            return None;
        }
        let (stem, ending) = file_name.rsplit_once('.')?;
        match &*ending.to_ascii_lowercase() {
            _ if stem.is_empty() => None,
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "peerage" => Some(Self::Dsl),
            "ndjson" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// Whether a file of this name holds tests.
    pub fn is_test_file(file_name: &str) -> bool {
        let has = |ending: &str| {
            let start = file_name.len().checked_sub(ending.len());
            let end = start.and_then(|start| file_name.as_bytes().get(start..));
            end.is_some_and(|end| end.eq_ignore_ascii_case(ending.as_bytes()))
        };
        has(".test.yaml") || has(".test.yml")
    }

    /// Whether files of this notation hold users in bulk, and so may have any size.
    pub fn is_bulk(self) -> bool {
        matches!(self, Self::Ndjson | Self::Csv)
    }
}

/// One file as it was read. Its bytes need not be UTF-8: that is for the parser to report.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path for display: below the requested path, as it was given.
    pub name: String,
    pub notation: Notation,
    pub bytes: Vec<u8>,
    /// Whether its content was left unread because nobody asks for it.
    pub is_unread: bool,
    digest: OnceLock<[u8; 32]>,
}

impl Source {
    /// A file of this content.
    pub fn new(name: impl Into<String>, notation: Notation, bytes: impl Into<Vec<u8>>) -> Self {
        let (name, bytes) = (name.into(), bytes.into());
        Self { name, notation, bytes, is_unread: false, digest: OnceLock::new() }
    }

    /// A file whose content is left unread.
    pub fn unread(name: impl Into<String>, notation: Notation) -> Self {
        Self { is_unread: true, ..Self::new(name, notation, "") }
    }

    /// The line and column of a byte offset. Costs a scan of the file up to there: for many
    /// offsets, use one [`PositionCursor`].
    pub fn position(&self, offset: usize) -> Position {
        PositionCursor::new(&self.bytes).position(offset)
    }

    /// The SHA-256 of the bytes: two sources of one name and digest say the same. Computed when
    /// first requested.
    pub fn digest(&self) -> [u8; 32] {
        *self.digest.get_or_init(|| Sha256::digest(&self.bytes).into())
    }
}

/// All files of one policy, ordered by name, so that the order in which they were given or found
/// never matters.
#[derive(Clone, Debug)]
pub struct Sources {
    files: Vec<Source>,
    at: SystemTime,
}

impl Sources {
    /// Puts the files in their order; of two with one name the first is kept. They are of now.
    pub fn new(mut files: Vec<Source>) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files.dedup_by(|later, first| later.name == first.name);
        Self { files, at: SystemTime::now() }
    }

    /// The same files at another time: what ends or holds at times is judged by it.
    #[must_use]
    pub fn at(self, time: SystemTime) -> Self {
        Self { at: time, ..self }
    }

    /// The time by which what ends or holds at times is judged.
    pub const fn time(&self) -> SystemTime {
        self.at
    }

    /// A policy of one file that never was on a disk, for requests and tests.
    pub fn single(name: &str, notation: Notation, text: impl Into<Vec<u8>>) -> Self {
        Self::new(vec![Source::new(name, notation, text)])
    }

    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.files.get(id.0 as usize)
    }

    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        (0..).map(SourceId).zip(&self.files)
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

impl Default for Sources {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}
