//! Checksums of files that are written or read in one pass.

use std::{
    fmt::Write as _,
    io::{self, Read, Write},
};

use sha2::{Digest, Sha256};

/// A stream that computes the SHA-256 of all bytes that pass.
#[derive(Debug)]
pub struct ChecksumStream<I> {
    inner: I,
    hash: Sha256,
}

// === impl ChecksumStream ===

impl<I> ChecksumStream<I> {
    pub fn new(inner: I) -> Self {
        Self { inner, hash: Sha256::new() }
    }

    /// The stream below, and the checksum in hexadecimal digits.
    pub fn finish(self) -> (I, String) {
        (self.inner, hex(&self.hash.finalize().into()))
    }
}

impl<W: Write> Write for ChecksumStream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for ChecksumStream<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.hash.update(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// The checksum of some bytes, in hexadecimal digits.
pub fn checksum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes).into())
}

/// A digest in hexadecimal digits.
pub fn hex(digest: &[u8; 32]) -> String {
    digest.iter().fold(String::with_capacity(2 * digest.len()), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
