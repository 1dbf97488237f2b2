use std::sync::Arc;

/// A list of which versions share what they have in common: a change copies a page and the node that
/// leads to it. `N` values are a page.
#[derive(Clone, Debug)]
pub(super) struct Paged<T, const N: usize> {
    nodes: Vec<Arc<Node<T, N>>>,
    len: usize,
}

/// How many pages a node leads to.
const FAN: usize = 128;

#[derive(Clone, Debug)]
struct Node<T, const N: usize> {
    pages: [Option<Arc<[T; N]>>; FAN],
}

impl<T, const N: usize> Default for Paged<T, N> {
    fn default() -> Self {
        Self { nodes: Vec::new(), len: 0 }
    }
}

impl<T, const N: usize> Default for Node<T, N> {
    fn default() -> Self {
        Self { pages: [const { None }; FAN] }
    }
}

impl<T: Clone + Default, const N: usize> FromIterator<T> for Paged<T, N> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut paged = Self::default();
        let mut values = values.into_iter().fuse();
        loop {
            let mut count = 0;
            let page: [T; N] = std::array::from_fn(|_| {
                let value = values.next();
                count += usize::from(value.is_some());
                value.unwrap_or_default()
            });
            if count == 0 {
                return paged;
            }
            paged.add_page(page, count);
        }
    }
}

impl<T, const N: usize> Paged<T, N> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Costs two accesses to small tables before that to the value.
    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        let (page, within) = (at / N, at % N);
        let page = self.nodes.get(page / FAN)?.pages.get(page % FAN)?.as_ref()?;
        page.get(within)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let pages = self.nodes.iter().flat_map(|node| node.pages.iter().flatten());
        pages.flat_map(|page| page.iter()).take(self.len)
    }

    pub(super) fn memory(&self) -> usize {
        self.nodes.len() * size_of::<Node<T, N>>() + self.len.div_ceil(N) * N * size_of::<T>()
    }
}

impl<T: Clone + Default, const N: usize> Paged<T, N> {
    /// A value to be changed; `None` beyond the end. Costs the copy of a page if it is shared.
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        let (page, within) = (at / N, at % N);
        let node = Arc::make_mut(self.nodes.get_mut(page / FAN)?);
        let page = node.pages.get_mut(page % FAN)?.as_mut()?;
        Arc::make_mut(page).get_mut(within)
    }

    /// Adds a value at the end.
    pub(super) fn push(&mut self, value: T) {
        if self.len.is_multiple_of(N) {
            let mut first = Some(value);
            let page = std::array::from_fn(|_| first.take().unwrap_or_default());
            self.add_page(page, 1);
            return;
        }
        self.len += 1;
        let last = self.len - 1;
        if let Some(place) = self.get_mut(last) {
            *place = value;
        }
    }

    /// Makes it longer, with empty values, if it is shorter.
    pub(super) fn grow(&mut self, len: usize) {
        while self.len < len {
            let within = self.len % N;
            if within == 0 {
                self.add_page(std::array::from_fn(|_| T::default()), (len - self.len).min(N));
            } else {
                // What is left of the last page is empty values.
                self.len = len.min(self.len + N - within);
            }
        }
    }

    fn add_page(&mut self, page: [T; N], count: usize) {
        let number = self.len / N;
        if number.is_multiple_of(FAN) {
            self.nodes.push(Arc::default());
        }
        if let Some(node) = self.nodes.last_mut()
            && let Some(place) = Arc::make_mut(node).pages.get_mut(number % FAN)
        {
            *place = Some(Arc::new(page));
            self.len += count;
        }
    }
}
