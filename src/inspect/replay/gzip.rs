//! A reader of gzip, as logs are compressed when they are rotated.
//!
//! Why our own: the inflater is a crate's, and what gzip adds (a header, a checksum and a length for each
//! member) is less than a crate would bring along. It holds one window of 32 KiB, whatever the data expands
//! to.

use std::io::{self, BufRead, Read};

use miniz_oxide::{
    DataFormat, MZError, MZFlush, MZStatus,
    inflate::stream::{InflateState, inflate},
};

/// A reader of the content of gzip data: of all its members, one after the other.
pub(super) struct GzipReader<R> {
    source: R,
    state: Box<InflateState>,
    place: Place,
    crc: u32,
    length: u32,
}

/// The place in the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Before a member, which there must be if it is the first.
    Header {
        is_first: bool,
    },
    Content,
    End,
}

/// The bytes that gzip data begins with.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The only method of compression, deflate.
const DEFLATE: u8 = 8;

const HAS_HEADER_CRC: u8 = 1 << 1;
const HAS_EXTRA: u8 = 1 << 2;
const HAS_NAME: u8 = 1 << 3;
const HAS_COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

impl<R: BufRead> GzipReader<R> {
    pub(super) fn new(source: R) -> Self {
        let place = Place::Header { is_first: true };
        let state = InflateState::new_boxed(DataFormat::Raw);
        Self { source, state, place, crc: 0, length: 0 }
    }

    /// Reads the header of a member; returns whether there is one.
    fn read_header(&mut self, is_first: bool) -> io::Result<bool> {
        if !is_first && self.source.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let mut header = HeaderReader { source: &mut self.source, crc: Crc::START };
        let [first, second, method, flags, ..] = header.array::<10>()?;
        if [first, second] != MAGIC || method != DEFLATE || flags & RESERVED != 0 {
            return Err(invalid("invalid gzip header"));
        }
        if flags & HAS_EXTRA != 0 {
            for _ in 0..u16::from_le_bytes(header.array()?) {
                header.array::<1>()?;
            }
        }
        for flag in [HAS_NAME, HAS_COMMENT] {
            if flags & flag != 0 {
                while header.array()? != [0] {}
            }
        }
        if flags & HAS_HEADER_CRC != 0 {
            let [low, high, ..] = header.crc.value().to_le_bytes();
            if header.array()? != [low, high] {
                return Err(invalid("wrong checksum of a gzip header"));
            }
        }
        self.state.reset(DataFormat::Raw);
        (self.crc, self.length) = (Crc::START.0, 0);
        Ok(true)
    }

    /// Reads the checksum and the length behind a member.
    fn read_trailer(&mut self) -> io::Result<()> {
        let mut trailer = HeaderReader { source: &mut self.source, crc: Crc::START };
        let expected = (trailer.array()?, trailer.array()?);
        let found = (Crc(self.crc).value().to_le_bytes(), self.length.to_le_bytes());
        if expected == found { Ok(()) } else { Err(invalid("damaged gzip data")) }
    }

    /// Inflates a part of the content; none at the end of the member.
    fn inflate(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let input = self.source.fill_buf()?;
            let is_end = input.is_empty();
            let result = inflate(&mut self.state, input, out, MZFlush::None);
            let (consumed, written) = (result.bytes_consumed, result.bytes_written);
            self.source.consume(consumed);
            let (written_part, _) = out.split_at_checked(written).unwrap_or_default();
            let mut crc = Crc(self.crc);
            crc.update(written_part);
            self.crc = crc.0;
            // The length is stored modulo 2^32.
            self.length = self.length.wrapping_add(u32::try_from(written).unwrap_or_default());
            match result.status {
                Ok(MZStatus::StreamEnd) => {
                    self.read_trailer()?;
                    self.place = Place::Header { is_first: false };
                    return Ok(written);
                }
                _ if written > 0 => return Ok(written),
                _ if is_end => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) | Err(MZError::Buf) if consumed > 0 => {}
                _ => return Err(invalid("damaged gzip data")),
            }
        }
    }
}

impl<R: BufRead> Read for GzipReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.place {
                Place::End => return Ok(0),
                Place::Header { is_first } => {
                    let has_member = self.read_header(is_first)?;
                    self.place = if has_member { Place::Content } else { Place::End };
                }
                Place::Content => {
                    let written = self.inflate(out)?;
                    if written > 0 || out.is_empty() {
                        return Ok(written);
                    }
                }
            }
        }
    }
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// A reader of single bytes that go into a checksum.
struct HeaderReader<'r, R> {
    source: &'r mut R,
    crc: Crc,
}

impl<R: BufRead> HeaderReader<'_, R> {
    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes)?;
        self.crc.update(&bytes);
        Ok(bytes)
    }
}

/// A running CRC-32 as gzip has it, inverted.
#[derive(Clone, Copy, Debug)]
struct Crc(u32);

impl Crc {
    const START: Self = Self(u32::MAX);

    fn update(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let [low, ..] = self.0.to_le_bytes();
            let entry = TABLE.get(usize::from(low ^ byte)).copied().unwrap_or_default();
            self.0 = (self.0 >> 8) ^ entry;
        }
    }

    const fn value(self) -> u32 {
        !self.0
    }
}

/// The checksum of each byte.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
static TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte: u32 = 0;
    while byte < 256 {
        let mut crc = byte;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[byte as usize] = crc;
        byte += 1;
    }
    table
};
