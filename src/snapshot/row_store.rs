//! A copy-on-write store of rows of words, which versions share.

use std::sync::Arc;

use super::persistent_vec::PersistentVec;

/// A store of rows of words. The rows of the first build are contiguous; each row that changed
/// later is allocated on its own. Versions share unchanged rows.
#[derive(Clone, Debug)]
pub(super) struct RowStore {
    /// The rows of the first build; at least one word, so that no changed row starts at 0.
    base: Arc<[u32]>,
    fresh: PersistentVec<Option<Arc<[u32]>>, 128>,
    /// The number of words in fresh rows.
    fresh_words: usize,
}

impl Default for RowStore {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl From<Vec<u32>> for RowStore {
    fn from(mut words: Vec<u32>) -> Self {
        if words.is_empty() {
            words.push(0);
        }
        Self { base: words.into(), fresh: PersistentVec::default(), fresh_words: 0 }
    }
}

impl RowStore {
    /// The row that starts here; `len` is used only for rows of the first build.
    #[inline]
    pub(super) fn row(&self, start: u32, len: usize) -> &[u32] {
        let start = start as usize;
        match start.checked_sub(self.base.len()) {
            None => self.base.get(start..start + len).unwrap_or_default(),
            Some(at) => self.fresh(at),
        }
    }

    #[cold]
    fn fresh(&self, at: usize) -> &[u32] {
        self.fresh.get(at).and_then(Option::as_deref).unwrap_or_default()
    }

    /// Replaces the row that starts here and returns where the new row starts. A start of 0 may
    /// belong to no row.
    pub(super) fn replace(&mut self, start: u32, row: Vec<u32>) -> u32 {
        let old = (start as usize).checked_sub(self.base.len());
        self.fresh_words += row.len();
        let row = Some(row.into());
        if let Some(place) = old.and_then(|at| self.fresh.get_mut(at)) {
            self.fresh_words -= place.as_ref().map_or(0, |old: &Arc<[u32]>| old.len());
            *place = row;
            return start;
        }
        let at = self.base.len() + self.fresh.len();
        self.fresh.push(row);
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    pub(super) fn memory(&self) -> usize {
        // A store without rows has one word of padding.
        let base = if self.base.len() > 1 { size_of_val(&*self.base) } else { 0 };
        base + self.fresh.memory() + self.fresh.len() * 16 + self.fresh_words * size_of::<u32>()
    }
}
