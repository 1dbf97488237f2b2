//! A persistent sorted list in chunks that versions share.

use std::sync::Arc;

/// A sorted list in chunks of at most `N` values that versions share: a change copies one chunk,
/// and the list of chunks. The caller gives the order as a predicate that holds for the values
/// before a place.
#[derive(Clone, Debug)]
pub(super) struct ChunkedList<T, const N: usize> {
    /// The chunks, of which no one is empty.
    chunks: Vec<Arc<Vec<T>>>,
    len: usize,
}

impl<T, const N: usize> Default for ChunkedList<T, N> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<T: Clone, const N: usize> FromIterator<T> for ChunkedList<T, N> {
    /// Collects values that are in order already.
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let values: Vec<T> = values.into_iter().collect();
        Self {
            chunks: values.chunks(N).map(|chunk| Arc::new(chunk.to_vec())).collect(),
            len: values.len(),
        }
    }
}

impl<T, const N: usize> ChunkedList<T, N> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// The values from the first that is not before the place. Costs a search.
    pub(super) fn iter_from<'s>(
        &'s self,
        before: &dyn Fn(&T) -> bool,
    ) -> impl Iterator<Item = &'s T> + use<'s, T, N> {
        let (chunk, at) = self.place(before);
        let first = self.chunks.get(chunk).and_then(|chunk| chunk.get(at..)).unwrap_or_default();
        let rest = self.chunks.get(chunk + 1..).unwrap_or_default();
        first.iter().chain(rest.iter().flat_map(|chunk| chunk.iter()))
    }

    /// The first value that is not before the place. Costs a search.
    pub(super) fn first_from(&self, before: impl Fn(&T) -> bool) -> Option<&T> {
        let (chunk, at) = self.place(before);
        self.chunks.get(chunk)?.get(at)
    }

    pub(super) fn memory(&self) -> usize {
        self.len * size_of::<T>() + self.chunks.len() * 48
    }

    fn place(&self, before: impl Fn(&T) -> bool) -> (usize, usize) {
        let chunk = self.chunks.partition_point(|chunk| chunk.last().is_some_and(&before));
        let at = self.chunks.get(chunk).map_or(0, |chunk| chunk.partition_point(&before));
        (chunk, at)
    }
}

impl<T: Clone, const N: usize> ChunkedList<T, N> {
    /// Inserts a value after those that are before it.
    pub(super) fn insert(&mut self, value: T, before: impl Fn(&T) -> bool) {
        let (mut chunk, mut at) = self.place(before);
        if chunk == self.chunks.len()
            && let Some(last) = self.chunks.last()
        {
            (chunk, at) = (chunk - 1, last.len());
        }
        self.len += 1;
        let Some(shared) = self.chunks.get_mut(chunk) else {
            self.chunks.push(Arc::new(vec![value]));
            return;
        };
        let values = Arc::make_mut(shared);
        values.insert(at, value);
        if values.len() > N {
            let rest = values.split_off(values.len() / 2);
            self.chunks.insert(chunk + 1, Arc::new(rest));
        }
    }

    /// Removes the first values. Costs a copy of a chunk, and the list of chunks.
    pub(super) fn remove_first(&mut self, count: usize) {
        let mut rest = count;
        let mut whole = 0;
        for chunk in self.chunks.iter().take_while(|chunk| {
            let fits = chunk.len() <= rest;
            rest -= if fits { chunk.len() } else { 0 };
            fits
        }) {
            whole += 1;
            self.len -= chunk.len();
        }
        self.chunks.drain(..whole);
        if let Some(first) = self.chunks.first_mut().filter(|_| rest > 0) {
            Arc::make_mut(first).drain(..rest);
            self.len -= rest;
        }
    }

    /// Removes the first value that is not before the place, which must exist.
    pub(super) fn remove(&mut self, before: impl Fn(&T) -> bool) {
        let (chunk, at) = self.place(before);
        let Some(shared) = self.chunks.get_mut(chunk) else { return };
        let values = Arc::make_mut(shared);
        if at < values.len() {
            values.remove(at);
            self.len -= 1;
        }
        if values.is_empty() {
            self.chunks.remove(chunk);
        }
    }
}
