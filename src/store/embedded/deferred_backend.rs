//! A storage backend whose writes are deferred until a file is known to be a store.

use std::{
    io,
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use redb::{BackendError, StorageBackend};

use super::head::Head;

/// A storage backend between redb and a file. While it is deferred, writes are held in memory and reads
/// show them, so that a file which turns out not to be a store is left as it was, byte for byte. Once
/// its writes pass through, it writes the revision [mark](Head) behind each header.
#[derive(Clone, Debug)]
pub(super) struct DeferredBackend(Arc<DeferredState>);

#[derive(Debug)]
struct DeferredState {
    file: Box<dyn StorageBackend>,
    /// Whether the file is read-only, so that others may read it too.
    is_shared: bool,
    /// The deferred operations, in order; `None` once operations pass through.
    deferred: RwLock<Option<Vec<DeferredOperation>>>,
    unsynced: Arc<AtomicBool>,
    marking: Mutex<MarkState>,
    /// The length that the file must have.
    length: AtomicU64,
}

/// The revision of the mark in the file, and the next one.
#[derive(Default, Debug)]
struct MarkState {
    committed: Option<u64>,
    /// The revision of the commit in progress: counts as soon as the header points to another commit.
    next: Option<u64>,
    /// The head that was written last.
    head: Option<Head>,
}

#[derive(Debug)]
enum DeferredOperation {
    Write(u64, Vec<u8>),
    SetLength(u64),
    Sync,
}

/// The number of bytes that are read and written at a time when a whole file is rewritten.
const CHUNK: usize = 1 << 20;

impl DeferredBackend {
    /// A deferred backend. If its operations are never written, the file need not be writable.
    /// `unsynced` is set when the file can't be synced.
    pub(super) fn new(
        file: Box<dyn StorageBackend>,
        is_shared: bool,
        unsynced: Arc<AtomicBool>,
    ) -> Self {
        Self(Arc::new(DeferredState {
            length: AtomicU64::new(file.len().unwrap_or_default()),
            file,
            is_shared,
            deferred: RwLock::new(Some(Vec::new())),
            unsynced,
            marking: Mutex::default(),
        }))
    }

    /// Defers a write of these bytes.
    pub(super) fn defer_write(&self, offset: u64, bytes: Vec<u8>) {
        let mut held = self.0.deferred.write().unwrap_or_else(PoisonError::into_inner);
        held.get_or_insert_default().push(DeferredOperation::Write(offset, bytes));
    }

    /// Stops writing to the file for good, since it no longer belongs to the store.
    pub(super) fn discard_writes(&self) {
        self.0.deferred.write().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
    }

    /// Sets the revision of the mark from now on.
    pub(super) fn mark(&self, revision: u64) {
        let mut marking = self.marking();
        (marking.committed, marking.next) = (Some(revision), Some(revision));
    }

    /// Sets the revision of the mark once the next commit is done.
    pub(super) fn mark_next(&self, revision: u64) {
        self.marking().next = Some(revision);
    }

    /// Whether the file begins as it was written last, and the length that it must have.
    pub(super) fn expected(&self) -> io::Result<(bool, u64)> {
        let is_same = match &self.marking().head {
            Some(head) => Head::read(&*self.0.file)?.as_ref() == Some(head),
            None => true,
        };
        Ok((is_same, self.0.length.load(Ordering::Acquire)))
    }

    fn marking(&self) -> MutexGuard<'_, MarkState> {
        self.0.marking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_through(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let header = (offset == 0).then(|| Head::stamped(bytes, None)).flatten();
        let Some(header) = header else { return self.0.file.write(offset, bytes) };
        let mut marking = self.marking();
        if marking.head.as_ref().is_some_and(|head| head.primary() != header.primary()) {
            marking.committed = marking.next;
        }
        let head = Head::stamped(bytes, marking.committed).unwrap_or(header);
        self.0.file.write(0, head.bytes())?;
        marking.head = Some(head);
        Ok(())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.file.set_len(length)?;
        self.0.length.store(length, Ordering::Release);
        Ok(())
    }

    /// Writes the deferred operations in order, and passes every later one through.
    pub(super) fn write_deferred(&self) -> io::Result<()> {
        let mut held = self.0.deferred.write().unwrap_or_else(PoisonError::into_inner);
        for done in held.iter().flatten() {
            match done {
                DeferredOperation::Write(offset, bytes) => self.write_through(*offset, bytes)?,
                DeferredOperation::SetLength(length) => self.set_length(*length)?,
                DeferredOperation::Sync => self.sync()?,
            }
        }
        *held = None;
        Ok(())
    }

    /// Writes the whole file again as it reads, and syncs it. After a failed sync the system may
    /// consider pages written that never reached the disk, and would not write them with the next.
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

    /// Runs an operation, or defers it.
    fn run_or_defer(
        &self,
        done: impl FnOnce() -> DeferredOperation,
        now: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        // The shared lock comes first: writers must not wait for each other.
        if self.0.deferred.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            return now();
        }
        match self.0.deferred.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(held) => held.push(done()),
            None => return now(),
        }
        Ok(())
    }
}

/// The length of a file after deferred operations.
fn length_after(file: u64, held: &[DeferredOperation]) -> u64 {
    held.iter().fold(file, |length, done| match done {
        DeferredOperation::Write(offset, bytes) => length.max(offset + bytes.len() as u64),
        DeferredOperation::SetLength(length) => *length,
        DeferredOperation::Sync => length,
    })
}

/// Applies deferred operations to bytes that were read at an offset.
fn overlay(offset: u64, out: &mut [u8], held: &[DeferredOperation]) {
    let index = |at: u64| usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX);
    for done in held {
        match done {
            DeferredOperation::Write(at, bytes) => {
                let skipped = usize::try_from(offset.saturating_sub(*at)).unwrap_or(usize::MAX);
                let new = bytes.iter().skip(skipped);
                out.iter_mut().skip(index(*at)).zip(new).for_each(|(old, new)| *old = *new);
            }
            DeferredOperation::SetLength(length) => {
                out.iter_mut().skip(index(*length)).for_each(|old| *old = 0);
            }
            DeferredOperation::Sync => {}
        }
    }
}

impl StorageBackend for DeferredBackend {
    fn len(&self) -> io::Result<u64> {
        let held = self.0.deferred.read().unwrap_or_else(PoisonError::into_inner);
        Ok(length_after(self.0.file.len()?, held.as_deref().unwrap_or_default()))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let held = self.0.deferred.read().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = held.as_deref().filter(|held| !held.is_empty()) else {
            return self.0.file.read(offset, out);
        };
        let there = self.0.file.len()?;
        if offset + out.len() as u64 > length_after(there, held) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let old = usize::try_from(there.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (old, new) = out.split_at_mut(old.min(out.len()));
        if !old.is_empty() {
            self.0.file.read(offset, old)?;
        }
        new.fill(0);
        overlay(offset, out, held);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.run_or_defer(|| DeferredOperation::SetLength(len), || self.set_length(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.run_or_defer(|| DeferredOperation::Sync, || self.sync())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.run_or_defer(
            || DeferredOperation::Write(offset, data.to_vec()),
            || self.write_through(offset, data),
        )
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
