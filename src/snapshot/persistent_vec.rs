//! A persistent (copy-on-write) vector whose versions share unchanged pages.

use std::sync::Arc;

/// A persistent vector. The values of the first build are contiguous; a change copies the page of
/// `N` values that contains it, and the nodes above.
#[derive(Clone, Debug)]
pub(super) struct PersistentVec<T, const N: usize> {
    base: Arc<[T]>,
    /// The nodes of pages that changed since the build, or were added.
    nodes: Vec<Option<Arc<Node<T, N>>>>,
    len: usize,
    /// The number of such pages.
    pages: usize,
    /// The value of elements that were never set.
    empty: T,
}

/// The number of pages below a node.
const FAN: usize = 128;

#[derive(Clone, Debug)]
struct Node<T, const N: usize> {
    pages: [Option<Arc<[T; N]>>; FAN],
}

impl<T, const N: usize> Default for Node<T, N> {
    fn default() -> Self {
        Self { pages: [const { None }; FAN] }
    }
}

impl<T: Clone + Default, const N: usize> Default for PersistentVec<T, N> {
    fn default() -> Self {
        std::iter::empty().collect()
    }
}

impl<T: Clone + Default, const N: usize> FromIterator<T> for PersistentVec<T, N> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let base: Arc<[T]> = values.into_iter().collect();
        let mut paged =
            Self { len: base.len(), base, nodes: Vec::new(), pages: 0, empty: T::default() };
        paged.lengthen();
        paged
    }
}

impl<T, const N: usize> PersistentVec<T, N> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The element at an index. Costs one access to memory for an unchanged vector, and one or two
    /// lookups in small tables more otherwise.
    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        match self.base.get(at) {
            Some(value) if self.pages == 0 => Some(value),
            built => self.changed(at, built),
        }
    }

    /// All elements as a slice if nothing was changed since the build.
    #[inline]
    pub(super) fn as_built(&self) -> Option<&[T]> {
        (self.pages == 0 && self.base.len() == self.len).then_some(&*self.base)
    }

    fn changed<'p>(&'p self, at: usize, built: Option<&'p T>) -> Option<&'p T> {
        let page = at / N;
        if let Some(node) = self.nodes.get(page / FAN)?
            && let Some(Some(page)) = node.pages.get(page % FAN)
        {
            return page.get(at % N);
        }
        built.or_else(|| (at < self.len).then_some(&self.empty))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len).filter_map(|at| self.get(at))
    }

    pub(super) fn memory(&self) -> usize {
        let nodes = self.nodes.iter().flatten().count();
        (self.base.len() + self.pages * N) * size_of::<T>() + nodes * size_of::<Node<T, N>>()
    }

    /// Adds nodes for the current length.
    fn lengthen(&mut self) {
        self.nodes.resize_with(self.len.div_ceil(N).div_ceil(FAN), || None);
    }
}

impl<T: Clone + Default, const N: usize> PersistentVec<T, N> {
    /// The element at an index for modification; `None` beyond the end. Costs the copy of a page if
    /// it is shared.
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        if at >= self.len {
            return None;
        }
        let (page, within) = (at / N, at % N);
        let is_as_built = at < self.base.len() && {
            let node = self.nodes.get(page / FAN).and_then(Option::as_deref);
            node.is_none_or(|node| node.pages.get(page % FAN).is_none_or(Option::is_none))
        };
        // The only version can modify the first build in place.
        if is_as_built && Arc::get_mut(&mut self.base).is_some() {
            return Arc::get_mut(&mut self.base)?.get_mut(at);
        }
        let node = Arc::make_mut(self.nodes.get_mut(page / FAN)?.get_or_insert_default());
        let place = node.pages.get_mut(page % FAN)?;
        let page = place.get_or_insert_with(|| {
            let built = self.base.get(at - within..).unwrap_or_default();
            let mut built = built.iter().cloned();
            self.pages += 1;
            Arc::new(std::array::from_fn(|_| built.next().unwrap_or_default()))
        });
        Arc::make_mut(page).get_mut(within)
    }

    /// Appends a value.
    pub(super) fn push(&mut self, value: T) {
        let at = self.len;
        self.grow(at + 1);
        if let Some(place) = self.get_mut(at) {
            *place = value;
        }
    }

    /// Extends the vector with empty values if it is shorter.
    pub(super) fn grow(&mut self, len: usize) {
        if len > self.len {
            self.len = len;
            self.lengthen();
        }
    }
}
