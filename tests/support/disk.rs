//! A simulated disk that fails, fills up and loses power on command.

use std::{
    collections::BTreeSet,
    io,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard},
};

use redb::{BackendError, StorageBackend};

/// One file on a disk. What is written is read at once, but lasts only if it is synced.
#[derive(Clone, Default, Debug)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Default, Debug)]
struct State {
    /// What is read.
    cache: Vec<u8>,
    /// What there will be after a loss of power.
    lasting: Vec<u8>,
    /// Sectors of the cache that wait to be written.
    dirty: BTreeSet<usize>,
    is_locked: bool,
    /// How many times it was written, made longer or shorter, or synced.
    operations: u64,
    failing: Option<Failing>,
}

/// Fails from one operation on, so many times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failing {
    pub(crate) from: u64,
    pub(crate) times: u64,
    pub(crate) how: io::ErrorKind,
}

const SECTOR: usize = 512;

impl Disk {
    /// One that holds this, written and synced.
    pub(crate) fn with(bytes: Vec<u8>) -> Self {
        let state = State { cache: bytes.clone(), lasting: bytes, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The file, opened once more.
    pub(crate) fn file(&self) -> Box<dyn StorageBackend> {
        Box::new(File(self.clone()))
    }

    pub(crate) fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Fails from now on: `failing.from` operations are still carried out.
    pub(crate) fn fail(&self, failing: Failing) {
        let mut state = self.state();
        state.failing = Some(Failing { from: failing.from + state.operations, ..failing });
    }

    pub(crate) fn heal(&self) {
        self.state().failing = None;
    }

    /// What there is after a loss of power: of what was not synced, the sectors that `is_written`
    /// picks.
    pub(crate) fn after_power_loss(&self, mut is_written: impl FnMut() -> bool) -> Vec<u8> {
        let mut state = self.state();
        let dirty = std::mem::take(&mut state.dirty);
        let mut bytes = state.lasting.clone();
        if is_written() {
            bytes.resize(state.cache.len(), 0);
        }
        for sector in dirty.iter().filter(|_| is_written()) {
            copy_sector(&state.cache, &mut bytes, *sector);
        }
        state.dirty = dirty;
        bytes
    }
}

fn copy_sector(from: &[u8], to: &mut [u8], sector: usize) {
    let start = sector * SECTOR;
    let end = (start + SECTOR).min(from.len()).min(to.len());
    if start < end {
        to[start..end].copy_from_slice(&from[start..end]);
    }
}

impl State {
    fn begin(&mut self) -> io::Result<()> {
        self.operations += 1;
        match self.failing {
            Some(Failing { from, times, how })
                if (from..from.saturating_add(times)).contains(&(self.operations - 1)) =>
            {
                Err(how.into())
            }
            _ => Ok(()),
        }
    }
}

#[derive(Debug)]
struct File(Disk);

impl StorageBackend for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.state().cache.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.0.state();
        let start = usize::try_from(offset).unwrap();
        let bytes = state.cache.get(start..start + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.0.state();
        state.begin()?;
        state.cache.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    /// As systems do, it takes for written what it failed to write.
    fn sync_data(&self) -> io::Result<()> {
        let mut guard = self.0.state();
        let state = &mut *guard;
        let dirty = std::mem::take(&mut state.dirty);
        state.begin()?;
        state.lasting.resize(state.cache.len(), 0);
        for sector in dirty {
            copy_sector(&state.cache, &mut state.lasting, sector);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut guard = self.0.state();
        let state = &mut *guard;
        state.begin()?;
        let start = usize::try_from(offset).unwrap();
        let end = start + data.len();
        if state.cache.len() < end {
            state.cache.resize(end, 0);
        }
        state.cache[start..end].copy_from_slice(data);
        state.dirty.extend(start / SECTOR..end.div_ceil(SECTOR));
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.0.state().is_locked = false;
        Ok(())
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        match (start, end) {
            (Bound::Unbounded | Bound::Included(0), Bound::Unbounded) => {
                Ok(!std::mem::replace(&mut self.0.state().is_locked, true))
            }
            _ => Err(BackendError::Unsupported),
        }
    }
}
