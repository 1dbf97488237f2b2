//! The files of a policy as they were read: their text, and how a place in it is named.
//!
//! Invariant: knows of nothing else in this crate.

mod load;

pub use load::{LIMITS, Limits, LoadError, Loaded, load};

use std::fmt;

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

/// What a file's ending says of its notation (design: policy files).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notation {
    /// `.yaml`, `.yml` and `.json`.
    Yaml,
    /// `.peerage`.
    Dsl,
    /// `.ndjson`: a user record a line.
    Ndjson,
    /// `.csv`: users with a header.
    Csv,
}

impl Notation {
    /// The notation of a file of this name; `None` for files that are no part of a policy,
    /// `*.test.yaml` among them.
    pub fn of(file_name: &str) -> Option<Self> {
        if file_name.ends_with(".test.yaml") || file_name.ends_with(".test.yml") {
            return None;
        }
        let (stem, ending) = file_name.rsplit_once('.')?;
        match ending {
            _ if stem.is_empty() => None,
            "yaml" | "yml" | "json" => Some(Self::Yaml),
            "peerage" => Some(Self::Dsl),
            "ndjson" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// Whether files of this notation hold users in bulk, and so may have any size.
    pub fn is_bulk(self) -> bool {
        matches!(self, Self::Ndjson | Self::Csv)
    }
}

/// One file as it was read. Its bytes need not be UTF-8: that is for the parser to report.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as it is shown to people: below the path that was asked for, as it was asked for.
    pub name: String,
    pub notation: Notation,
    pub bytes: Vec<u8>,
}

/// A place for people: line and column count from 1, columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Source {
    /// The line and column of a byte offset. Costs a scan of the file up to there: it is for
    /// diagnostics, which are few.
    pub fn position(&self, offset: usize) -> Position {
        let before = self.bytes.get(..offset).unwrap_or(&self.bytes);
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
        let in_line = String::from_utf8_lossy(before.get(line_start..).unwrap_or_default());
        Position { line, column: in_line.chars().count() + 1 }
    }
}

/// All files of one policy, ordered by name, so that the order in which they were given or found
/// never matters.
#[derive(Clone, Default, Debug)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Puts the files in their order; of two with one name the first is kept.
    pub fn new(mut files: Vec<Source>) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files.dedup_by(|later, first| later.name == first.name);
        Self { files }
    }

    /// A policy of one file that never was on a disk, for requests and tests.
    pub fn single(name: &str, notation: Notation, text: impl Into<Vec<u8>>) -> Self {
        Self::new(vec![Source { name: name.to_owned(), notation, bytes: text.into() }])
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
