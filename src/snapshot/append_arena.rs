//! An append-only arena of runs of values, which versions share.

use std::sync::Arc;

/// An append-only arena: runs of values that never change, found by their addresses. Versions share
/// earlier runs.
#[derive(Clone, Debug)]
pub(super) struct AppendArena<T> {
    blocks: Vec<Arc<Vec<T>>>,
}

/// The length from which a block takes no further run; an address has as many bits for the offset.
const MOST: usize = 1 << 24;

/// The length up to which a shared block is copied in order to be appended to.
const SMALL: usize = 1 << 12;

impl<T> Default for AppendArena<T> {
    fn default() -> Self {
        Self { blocks: Vec::new() }
    }
}

impl<T: Clone> AppendArena<T> {
    /// Appends a run and returns its address of 48 bits.
    pub(super) fn push(&mut self, run: &[T]) -> u64 {
        let takes_more = self.blocks.last_mut().is_some_and(|block| {
            block.len() < SMALL || block.len() < MOST && Arc::get_mut(block).is_some()
        });
        if !takes_more {
            self.blocks.push(Arc::default());
        }
        let number = self.blocks.len().saturating_sub(1);
        let Some(block) = self.blocks.last_mut() else { return 0 };
        let address = (number as u64) << 24 | block.len() as u64;
        Arc::make_mut(block).extend_from_slice(run);
        address
    }

    #[inline]
    pub(super) fn get(&self, address: u64, len: usize) -> Option<&[T]> {
        let block = self.blocks.get(usize::try_from(address >> 24).ok()?)?;
        let start = usize::try_from(address).ok()? & (MOST - 1);
        block.get(start..start + len)
    }

    pub(super) fn memory(&self) -> usize {
        self.blocks.iter().map(|block| block.len() * size_of::<T>()).sum()
    }
}
