//! The atom of conditions that names a window of time.

use std::{fmt, sync::Arc};

use super::ids::write_tag;

/// The name of the function that names a window, in conditions.
pub const DURING: &str = "during";

/// A window of time that a condition names, and whether it is open at the moment that the condition is
/// evaluated for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct During {
    pub window: Arc<str>,
    /// Closed until the moment is known.
    pub is_open: bool,
}

impl During {
    /// The atom for a window, which is taken to be closed.
    pub fn new(window: impl Into<Arc<str>>) -> Self {
        Self { window: window.into(), is_open: false }
    }
}

/// The canonical text, in the grammar of policies: the window's name, whether it is open or not.
impl fmt::Display for During {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DURING}(")?;
        write_tag(f, &self.window)?;
        f.write_str(")")
    }
}

/// What may name windows: conditions, and what has conditions.
pub trait NamesWindows {
    /// Calls `visit` with each window that is named, as often as it is named.
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During));

    /// Whether a window is named.
    fn names_windows(&self) -> bool
    where
        Self: Clone,
    {
        let mut names = false;
        self.clone().for_each_window_mut(&mut |_| names = true);
        names
    }
}

impl<N: NamesWindows> NamesWindows for Vec<N> {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        self.iter_mut().for_each(|one| one.for_each_window_mut(visit));
    }
}

impl<N: NamesWindows> NamesWindows for Option<N> {
    fn for_each_window_mut(&mut self, visit: &mut dyn FnMut(&mut During)) {
        self.iter_mut().for_each(|one| one.for_each_window_mut(visit));
    }
}
