//! Content that is read piece by piece, so that what cannot be a policy is reported before it fills the
//! memory.

use std::io::{self, Read};

use super::Notation;

/// How much is read at a time, in bytes.
const CHUNK_LEN: u64 = 1 << 20;

/// How much room is made for a file of any size, in bytes.
const INITIAL_CAPACITY: usize = 64 << 20;

/// How long a line of a bulk file may be, in bytes: 16 MiB.
pub(super) const MAX_LINE_LEN: u64 = 16 << 20;

/// Why reading ended early.
#[derive(Debug)]
pub(super) enum ContentError {
    Io(io::Error),
    /// A line of a bulk file is too long: its number, from 1.
    LongLine(u64),
    /// From somewhere in this line on there are only NUL bytes, as in a file with a hole.
    Hole(u64),
}

impl From<io::Error> for ContentError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads all of the input. `size` is how much is expected. Of a bulk file, no more is kept than
/// lines of [`MAX_LINE_LEN`] and no piece that holds nothing.
pub(super) fn read(
    input: &mut impl Read,
    notation: Notation,
    size: u64,
) -> Result<Vec<u8>, ContentError> {
    let too_large = || io::Error::from(io::ErrorKind::OutOfMemory);
    let size = usize::try_from(size).map_err(|_| too_large())?;
    let mut bytes = Vec::new();
    let mut line_start = 0;
    loop {
        let start = bytes.len();
        // What a file claims to hold is believed once its beginning was seen.
        let expected = if start < INITIAL_CAPACITY { size.min(INITIAL_CAPACITY) } else { size };
        let more = expected.saturating_sub(start);
        bytes.try_reserve_exact(more).map_err(|_| too_large())?;
        let read = input.by_ref().take(CHUNK_LEN).read_to_end(&mut bytes)?;
        if read == 0 {
            return Ok(bytes);
        }
        if !notation.is_bulk() {
            continue;
        }
        let piece = bytes.get(start..).unwrap_or_default();
        if read as u64 == CHUNK_LEN && piece.iter().all(|&byte| byte == 0) {
            return Err(ContentError::Hole(line_number(&bytes, start)));
        }
        // Lines that begin in this piece are no longer than it; only the first can be too long.
        let first_end = piece.iter().position(|&byte| byte == b'\n').unwrap_or(piece.len());
        if (start + first_end - line_start) as u64 > MAX_LINE_LEN {
            return Err(ContentError::LongLine(line_number(&bytes, line_start)));
        }
        if let Some(end) = piece.iter().rposition(|&byte| byte == b'\n') {
            line_start = start + end + 1;
        }
    }
}

fn line_number(bytes: &[u8], offset: usize) -> u64 {
    let before = bytes.get(..offset).unwrap_or_default();
    before.iter().map(|&byte| u64::from(byte == b'\n')).sum::<u64>() + 1
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::{ContentError, MAX_LINE_LEN, read};
    use crate::source::Notation;

    #[test]
    fn only_what_a_bulk_file_may_hold_is_kept() {
        let line = |len: u64| io::repeat(b'x').take(len).chain(&b"\n"[..]);
        let read = |input: &mut dyn Read| read(&mut { input }, Notation::Csv, 0);
        let mut fine = line(3).chain(line(MAX_LINE_LEN)).chain(line(1));
        assert_eq!(read(&mut fine).unwrap().len() as u64, MAX_LINE_LEN + 7);
        let mut long = line(3).chain(line(3)).chain(line(MAX_LINE_LEN + 1)).chain(line(1));
        assert!(matches!(read(&mut long), Err(ContentError::LongLine(3))));
        let mut endless = line(3).chain(io::repeat(b'x'));
        assert!(matches!(read(&mut endless), Err(ContentError::LongLine(2))));
        let mut hole = line(3).chain(line(5)).chain(io::repeat(0));
        assert!(matches!(read(&mut hole), Err(ContentError::Hole(3))));
    }
}
