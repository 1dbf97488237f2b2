//! A total map from the variants of an enumeration to values.

use std::{
    marker::PhantomData,
    ops::{Index, IndexMut},
};

/// An enumeration whose variants are numbered from 0, as `text_enum!` defines it.
pub trait Enumeration: Copy + 'static {
    /// All variants, in the order of their indices.
    const VARIANTS: &'static [Self];

    /// The index of the variant among all.
    fn index(self) -> usize;
}

/// A map with a value for each variant of `K`, which has `N` of them.
///
/// It is an array, so that a lookup costs one access to memory and can't fail. Why our own: the
/// enumerations list their variants already, and the crate `enum-map` would take a derive on each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EnumMap<K, V, const N: usize> {
    values: [V; N],
    keys: PhantomData<K>,
}

#[expect(clippy::indexing_slicing, reason = "`IS_TOTAL`: there are as many values as variants")]
impl<K: Enumeration, V, const N: usize> EnumMap<K, V, N> {
    /// Fails to compile for a map with another number of values than `K` has variants.
    const IS_TOTAL: () = assert!(K::VARIANTS.len() == N, "a map has one value for each variant");

    /// The map of these values, in the order of the variants.
    pub const fn new(values: [V; N]) -> Self {
        let () = Self::IS_TOTAL;
        Self { values, keys: PhantomData }
    }

    /// The map of the values that `value` returns for the variants, called in their order.
    pub fn from_fn(mut value: impl FnMut(K) -> V) -> Self {
        Self::new(std::array::from_fn(|at| value(K::VARIANTS[at])))
    }

    /// The variants with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        K::VARIANTS.iter().copied().zip(&self.values)
    }

    /// The variants with their values to be modified, in order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (K, &mut V)> {
        K::VARIANTS.iter().copied().zip(&mut self.values)
    }

    /// The values, in the order of the variants.
    pub fn values(&self) -> std::slice::Iter<'_, V> {
        self.values.iter()
    }

    /// The map with other values, converted one by one.
    pub fn map<'m, U>(&'m self, convert: impl FnMut(&'m V) -> U) -> EnumMap<K, U, N> {
        EnumMap::new(self.values.each_ref().map(convert))
    }
}

impl<K: Enumeration, V: Copy, const N: usize> EnumMap<K, V, N> {
    /// The map with the same value for each variant.
    pub const fn splat(value: V) -> Self {
        Self::new([value; N])
    }
}

impl<K: Enumeration, V: Default, const N: usize> Default for EnumMap<K, V, N> {
    fn default() -> Self {
        Self::from_fn(|_| V::default())
    }
}

#[expect(clippy::indexing_slicing, reason = "`IS_TOTAL`: there are as many values as variants")]
impl<K: Enumeration, V, const N: usize> Index<K> for EnumMap<K, V, N> {
    type Output = V;

    #[inline]
    fn index(&self, key: K) -> &V {
        &self.values[key.index()]
    }
}

#[expect(clippy::indexing_slicing, reason = "`IS_TOTAL`: there are as many values as variants")]
impl<K: Enumeration, V, const N: usize> IndexMut<K> for EnumMap<K, V, N> {
    #[inline]
    fn index_mut(&mut self, key: K) -> &mut V {
        &mut self.values[key.index()]
    }
}
