//! The files of a copy: the records of one revision, and when they were last known to be all there are.
//!
//! The records are in `facts-copy`: a line that says what it is, a header of JSON, the records with their
//! lengths and versions, and the SHA-256 of all before it. `facts-current` is a line of JSON, which names
//! that checksum, and its own checksum: it is small, so that it can be written often.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::{
    source::{AtomicFile, ChecksumStream, Existing, checksum},
    store::etcd::{
        config::EtcdConfig,
        listing::FORMAT,
        mirror::{MirrorSnapshot, RawRecord, RawRecords},
    },
};

/// The first bytes of a copy, with the version of the format.
const MAGIC: &[u8] = b"peerage facts-copy 1\n";

/// The greatest length of a header, in bytes.
const LONGEST_HEADER: u64 = 1 << 20;

/// The permissions of the files: their owner alone reads and writes them.
const PRIVATE: u32 = 0o600;

/// How many records are taken from the mirror at once.
const PAGE: usize = 1000;

/// The header of a copy.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct CopyHeader {
    /// The format of the records, as the marker of the store holds it.
    format: u64,
    /// The id of the cluster, in hexadecimal digits.
    cluster: String,
    prefix: String,
    /// The nodes by which the cluster was reached.
    endpoints: Vec<String>,
    revision: u64,
    /// When the records were last known to be all there are, in seconds since 1970.
    confirmed_at: u64,
}

/// The later time at which the records of a copy were still all there are.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    /// The checksum of the copy.
    copy: String,
    confirmed_at: u64,
}

/// The records of a copy, whole and of this store as far as that shows while it is not reached.
#[derive(Debug)]
pub(in crate::store::etcd) struct LoadedCopy {
    pub(in crate::store::etcd) revision: u64,
    pub(in crate::store::etcd) cluster: u64,
    pub(in crate::store::etcd) records: RawRecords,
    /// How long ago the records were last known to be all there are; `None` if the clock was set back
    /// since.
    pub(in crate::store::etcd) age: Option<Duration>,
}

/// The paths of the two files.
pub(super) fn paths(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join("facts-copy"), folder.join("facts-current"))
}

/// Loads the copy in a folder; `None` if there is none.
///
/// # Errors
/// If it can't be read; or, as [`InvalidData`](io::ErrorKind::InvalidData), if it is damaged, of another
/// version or of another store.
pub(in crate::store::etcd) fn load(
    folder: &Path,
    config: &EtcdConfig,
) -> io::Result<Option<LoadedCopy>> {
    let (place, confirmation) = paths(folder);
    let file = match File::open(&place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let (header, records, sum) = read(BufReader::new(file))?;
    header.check(config)?;
    let cluster = u64::from_str_radix(&header.cluster, 16);
    let cluster = cluster.map_err(|_| invalid("its header is damaged"))?;
    let later = read_confirmation(&confirmation).filter(|later| later.copy == sum);
    let confirmed_at = later.map_or(0, |later| later.confirmed_at).max(header.confirmed_at);
    let confirmed_at = UNIX_EPOCH.checked_add(Duration::from_secs(confirmed_at));
    let age = confirmed_at.and_then(|at| SystemTime::now().duration_since(at).ok());
    Ok(Some(LoadedCopy { revision: header.revision, cluster, records, age }))
}

impl CopyHeader {
    /// Checks that the copy is of this store.
    fn check(&self, config: &EtcdConfig) -> io::Result<()> {
        if self.format != FORMAT {
            return Err(invalid("its records have another format"));
        }
        if self.prefix != config.prefix {
            return Err(invalid("it is of a store with another prefix"));
        }
        // Clusters may change their nodes one after the other, not all at once.
        if !self.endpoints.iter().any(|node| config.endpoints.contains(node)) {
            return Err(invalid("it is of a store on other nodes"));
        }
        Ok(())
    }
}

/// Writes a copy of a snapshot; its checksum, or `None` if the snapshot did not last.
///
/// # Errors
/// If it can't be written; a copy from before stays whole.
pub(super) fn save(
    place: &Path,
    config: &EtcdConfig,
    snapshot: &MirrorSnapshot<'_>,
) -> io::Result<Option<String>> {
    let (new, file) = AtomicFile::new(place, PRIVATE)?;
    let mut to = ChecksumStream::new(BufWriter::new(&file));
    to.write_all(MAGIC)?;
    let header = CopyHeader {
        format: FORMAT,
        cluster: format!("{:x}", snapshot.of.cluster),
        prefix: config.prefix.clone(),
        endpoints: config.endpoints.clone(),
        revision: snapshot.of.revision,
        confirmed_at: seconds(snapshot.of.confirmed_at),
    };
    serde_json::to_writer(&mut to, &header)?;
    to.write_all(b"\n")?;
    let mut after: Option<String> = None;
    loop {
        let Some(page) = snapshot.page(after.as_deref(), PAGE) else { return Ok(None) };
        for (key, raw) in &page.records {
            write_record(&mut to, key, raw)?;
        }
        let Some(last) = page.last else { break };
        after = Some(last);
    }
    // No record has an empty key.
    to.write_all(&0_u32.to_be_bytes())?;
    let (mut inner, sum) = to.finish();
    inner.write_all(sum.as_bytes())?;
    inner.write_all(b"\n")?;
    inner.flush()?;
    drop(inner);
    file.sync_all()?;
    new.persist(Existing::Replace)?;
    Ok(Some(sum))
}

/// Writes that the records of a copy are still all there are.
///
/// # Errors
/// If it can't be written.
pub(super) fn confirm(place: &Path, copy: &str, at: SystemTime) -> io::Result<()> {
    let confirmation = Confirmation { copy: copy.to_owned(), confirmed_at: seconds(at) };
    let line = serde_json::to_string(&confirmation)? + "\n";
    let (new, mut file) = AtomicFile::new(place, PRIVATE)?;
    file.write_all(line.as_bytes())?;
    file.write_all(checksum(line.as_bytes()).as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    new.persist(Existing::Replace)
}

/// The confirmation in a file. One that is missing or damaged makes the copy older, not wrong.
fn read_confirmation(place: &Path) -> Option<Confirmation> {
    let text = fs::read_to_string(place).ok()?;
    let (line, sum) = text.split_at_checked(text.find('\n')? + 1)?;
    let is_whole = sum.strip_suffix('\n')? == checksum(line.as_bytes());
    if is_whole { serde_json::from_str(line).ok() } else { None }
}

fn write_record(to: &mut impl Write, key: &str, raw: &RawRecord) -> io::Result<()> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(io::Error::other);
    to.write_all(&length(key.as_bytes())?.to_be_bytes())?;
    to.write_all(&length(&raw.bytes)?.to_be_bytes())?;
    to.write_all(&raw.version.to_be_bytes())?;
    to.write_all(key.as_bytes())?;
    to.write_all(&raw.bytes)
}

/// Reads a copy: its header, its records and its checksum.
fn read(from: impl Read) -> io::Result<(CopyHeader, RawRecords, String)> {
    let mut from = ChecksumStream::new(from);
    let magic: [u8; MAGIC.len()] = read_array(&mut from)?;
    if magic != MAGIC {
        return Err(invalid("it does not begin as a copy of this version does"));
    }
    let header = read_header(&mut from)?;
    let mut records = RawRecords::new();
    loop {
        let key_length = u32::from_be_bytes(read_array(&mut from)?);
        if key_length == 0 {
            break;
        }
        let length = u32::from_be_bytes(read_array(&mut from)?);
        let version = u64::from_be_bytes(read_array(&mut from)?);
        let key = String::from_utf8(read_bytes(&mut from, key_length)?);
        let key = key.map_err(|_| invalid("a key is no text"))?;
        let bytes = read_bytes(&mut from, length)?.into();
        records.insert(key, RawRecord { version, bytes });
    }
    let (mut inner, sum) = from.finish();
    let mut expected = Vec::new();
    inner.read_to_end(&mut expected)?;
    if expected.strip_suffix(b"\n") != Some(sum.as_bytes()) {
        return Err(invalid("its checksum is wrong"));
    }
    Ok((header, records, sum))
}

fn read_header(from: &mut impl Read) -> io::Result<CopyHeader> {
    let mut line = Vec::new();
    loop {
        let [byte] = read_array(from)?;
        if byte == b'\n' {
            break;
        }
        line.push(byte);
        if line.len() as u64 > LONGEST_HEADER {
            return Err(invalid("its header has no end"));
        }
    }
    serde_json::from_slice(&line).map_err(|_| invalid("its header is damaged"))
}

fn read_array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => invalid("it is cut short"),
        _ => error,
    })?;
    Ok(bytes)
}

/// Reads so many bytes. Memory is taken for those only that there are.
fn read_bytes(from: &mut impl Read, length: u32) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.by_ref().take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() == length as usize { Ok(bytes) } else { Err(invalid("it is cut short")) }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

fn invalid(how: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, how)
}
