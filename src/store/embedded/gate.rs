use std::{
    io,
    ops::Bound,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use redb::{BackendError, StorageBackend};

/// Stands between redb and a file. While it is shut, nothing that is done to the file reaches it,
/// though it reads as if it had; so what turns out to be no store is left as it was, byte for byte.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: Box<dyn StorageBackend>,
    /// Whether the file is only read, so that others may read it too.
    is_shared: bool,
    /// What was done while the gate was shut, in order; `None` once it is open.
    held: RwLock<Option<Vec<Done>>>,
    unsynced: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Done {
    Wrote(u64, Vec<u8>),
    SetLength(u64),
    Synced,
}

/// How much is read and written at a time where a whole file is.
const CHUNK: usize = 1 << 20;

impl Gate {
    /// A shut gate; if it is never to be opened, the file need not be writable. `unsynced` is set
    /// when the file can't be synced.
    pub(super) fn shut(
        file: Box<dyn StorageBackend>,
        is_shared: bool,
        unsynced: Arc<AtomicBool>,
    ) -> Self {
        Self(Arc::new(Inner { file, is_shared, held: RwLock::new(Some(Vec::new())), unsynced }))
    }

    /// Lets through what was held back, in order, and everything from now on.
    pub(super) fn open(&self) -> io::Result<()> {
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        for done in held.iter().flatten() {
            match done {
                Done::Wrote(offset, bytes) => self.0.file.write(*offset, bytes)?,
                Done::SetLength(length) => self.0.file.set_len(*length)?,
                Done::Synced => self.sync()?,
            }
        }
        *held = None;
        Ok(())
    }

    /// Writes the whole file again as it reads, and syncs it. After a failed sync the system may
    /// take for written what never reached the disk, and would not write it with the next sync.
    pub(super) fn rewrite(&self) -> io::Result<()> {
        let length = self.0.file.len()?;
        let mut buffer = vec![0; CHUNK];
        let mut offset = 0;
        while offset < length {
            let size = usize::try_from(length - offset).unwrap_or(CHUNK).min(CHUNK);
            let chunk = buffer.get_mut(..size).unwrap_or_default();
            self.0.file.read(offset, chunk)?;
            self.0.file.write(offset, chunk)?;
            offset += size as u64;
        }
        self.sync()
    }

    fn sync(&self) -> io::Result<()> {
        let synced = self.0.file.sync_data();
        if synced.is_err() {
            self.0.unsynced.store(true, Ordering::Release);
        }
        synced
    }

    /// Does something, or holds it back while the gate is shut.
    fn pass(
        &self,
        done: impl FnOnce() -> Done,
        now: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        // Whether it is open is asked alone first: writers must not wait for each other.
        if self.0.held.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            return now();
        }
        match self.0.held.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(held) => held.push(done()),
            None => return now(),
        }
        Ok(())
    }
}

/// How long a file is after what was done to it.
fn length(file: u64, held: &[Done]) -> u64 {
    held.iter().fold(file, |length, done| match done {
        Done::Wrote(offset, bytes) => length.max(offset + bytes.len() as u64),
        Done::SetLength(length) => *length,
        Done::Synced => length,
    })
}

/// Puts over what was read at an offset what has been done since.
fn lay_over(offset: u64, out: &mut [u8], held: &[Done]) {
    let index = |at: u64| usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX);
    for done in held {
        match done {
            Done::Wrote(at, bytes) => {
                let skipped = usize::try_from(offset.saturating_sub(*at)).unwrap_or(usize::MAX);
                let new = bytes.iter().skip(skipped);
                out.iter_mut().skip(index(*at)).zip(new).for_each(|(old, new)| *old = *new);
            }
            Done::SetLength(length) => out.iter_mut().skip(index(*length)).for_each(|old| *old = 0),
            Done::Synced => {}
        }
    }
}

impl StorageBackend for Gate {
    fn len(&self) -> io::Result<u64> {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        Ok(length(self.0.file.len()?, held.as_deref().unwrap_or_default()))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = held.as_deref().filter(|held| !held.is_empty()) else {
            return self.0.file.read(offset, out);
        };
        let there = self.0.file.len()?;
        if offset + out.len() as u64 > length(there, held) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let old = usize::try_from(there.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (old, new) = out.split_at_mut(old.min(out.len()));
        if !old.is_empty() {
            self.0.file.read(offset, old)?;
        }
        new.fill(0);
        lay_over(offset, out, held);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.pass(|| Done::SetLength(len), || self.0.file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.pass(|| Done::Synced, || self.sync())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.pass(|| Done::Wrote(offset, data.to_vec()), || self.0.file.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.0.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if self.0.is_shared {
            return self.0.file.try_lock_shared_range(start, end);
        }
        self.0.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.0.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.file.query_lock_range(start, end)
    }
}
