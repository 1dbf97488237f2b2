//! A value that is replaced as a whole.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;

/// A value that is read without a lock, and replaced as a whole.
pub struct Swap<T>(ArcSwap<T>);

impl<T> Swap<T> {
    pub fn new(value: T) -> Self {
        Self(ArcSwap::from_pointee(value))
    }

    /// The current value.
    pub fn load(&self) -> Arc<T> {
        self.0.load_full()
    }

    pub fn store(&self, value: T) {
        self.0.store(Arc::new(value));
    }
}

impl<T: fmt::Debug> fmt::Debug for Swap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Swap").field(&self.load()).finish()
    }
}
