//! The archive of a policy's files in one file: a line that names the format, a header in JSON, the
//! bytes of the files one after the other, and the SHA-256 of all before it.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::source::{ChecksumStream, Notation, Source, Sources, hex};

/// The first bytes of an archive, with the version of the format.
const MAGIC: &[u8] = b"peerage last-good 1\n";

/// The longest header in bytes.
const LONGEST_HEADER: u64 = 64 << 20;

/// The header of an archive: the policy's digest and its files.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct ArchiveHeader {
    /// When it was written, in seconds since 1970.
    pub(super) saved_at: u64,
    /// The digest of the policy, as revisions have it.
    pub(super) policy: String,
    files: Vec<FileHeader>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct FileHeader {
    name: String,
    notation: String,
    bytes: u64,
    sha256: String,
}

// === impl Header ===

impl ArchiveHeader {
    pub(super) fn new(policy: String, saved_at: u64, sources: &Sources) -> Self {
        let file = |source: &Source| FileHeader {
            name: source.name.clone(),
            notation: notation_name(source.notation).to_owned(),
            bytes: source.bytes.len() as u64,
            sha256: hex(&source.digest()),
        };
        let files = sources.iter().map(|(_, source)| file(source)).collect();
        Self { saved_at, policy, files }
    }

    /// Whether both are of the same files, byte by byte.
    pub(super) fn has_same_files(&self, other: &Self) -> bool {
        self.policy == other.policy && self.files == other.files
    }
}

/// Writes an archive, in one pass.
///
/// # Errors
/// If it can't be written.
pub(super) fn write(to: impl Write, header: &ArchiveHeader, sources: &Sources) -> io::Result<()> {
    let mut to = ChecksumStream::new(to);
    to.write_all(MAGIC)?;
    serde_json::to_writer(&mut to, header)?;
    to.write_all(b"\n")?;
    for (_, source) in sources.iter() {
        to.write_all(&source.bytes)?;
    }
    let (mut inner, sum) = to.finish();
    inner.write_all(sum.as_bytes())?;
    inner.write_all(b"\n")?;
    inner.flush()
}

/// Reads an archive, and verifies every byte by the checksum.
///
/// # Errors
/// If it can't be read, or it is damaged: an [`InvalidData`](io::ErrorKind::InvalidData) that says how.
pub(super) fn read(from: impl Read) -> io::Result<(ArchiveHeader, Sources)> {
    let mut from = ChecksumStream::new(from);
    let mut magic = [0; MAGIC.len()];
    from.read_exact(&mut magic).map_err(truncation_error)?;
    if magic != MAGIC {
        return Err(damage_error("it does not begin as a file of this version does"));
    }
    let header = read_header(&mut from)?;
    let mut sources = Vec::new();
    for file in &header.files {
        let notation = notation_of(&file.notation);
        let notation = notation.ok_or_else(|| damage_error("it names an unknown notation"))?;
        let mut bytes = Vec::new();
        // A length in a damaged header must not allocate memory for bytes that don't exist.
        from.by_ref().take(file.bytes).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != file.bytes {
            return Err(truncation_error(io::ErrorKind::UnexpectedEof.into()));
        }
        sources.push(Source::new(file.name.clone(), notation, bytes));
    }
    let (mut inner, sum) = from.finish();
    let mut found = Vec::new();
    inner.read_to_end(&mut found)?;
    let expected = sum + "\n";
    if found != expected.as_bytes() {
        return Err(damage_error("its checksum is wrong"));
    }
    Ok((header, Sources::new(sources)))
}

fn read_header(from: &mut impl Read) -> io::Result<ArchiveHeader> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        from.read_exact(&mut byte).map_err(truncation_error)?;
        if byte == *b"\n" {
            break;
        }
        line.extend(byte);
        if line.len() as u64 > LONGEST_HEADER {
            return Err(damage_error("its header has no end"));
        }
    }
    serde_json::from_slice(&line).map_err(|_| damage_error("its header is damaged"))
}

fn damage_error(how: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, how)
}

fn truncation_error(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => damage_error("it is cut short"),
        _ => error,
    }
}

const NOTATIONS: [Notation; 6] = [
    Notation::Yaml,
    Notation::Json,
    Notation::Dsl,
    Notation::Ndjson,
    Notation::Csv,
    Notation::Tests,
];

fn notation_name(notation: Notation) -> &'static str {
    match notation {
        Notation::Yaml => "yaml",
        Notation::Json => "json",
        Notation::Dsl => "dsl",
        Notation::Ndjson => "ndjson",
        Notation::Csv => "csv",
        Notation::Tests => "tests",
    }
}

fn notation_of(name: &str) -> Option<Notation> {
    NOTATIONS.into_iter().find(|&notation| notation_name(notation) == name)
}
