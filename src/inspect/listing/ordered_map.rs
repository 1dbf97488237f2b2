//! A map on the wire whose entries keep a meaningful order.

use serde::{Serialize, Serializer};

/// Values by name in a meaningful order: a map on the wire.
#[derive(Debug)]
pub struct OrderedMap<K, V>(pub(super) Vec<(K, V)>);

impl<K, V> OrderedMap<K, V> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K, V> FromIterator<(K, V)> for OrderedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<K: Serialize, V: Serialize> Serialize for OrderedMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
