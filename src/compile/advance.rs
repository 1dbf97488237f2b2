//! The advance of a view to a later moment.

use super::windows::set_windows;
use crate::{request::Moment, snapshot::View};

/// Advances a view to a later moment: what has ended by then leaves it. Returns whether anything that
/// decisions read has changed.
pub fn advance(view: &mut View, now: Moment) -> bool {
    view.at = now;
    set_windows(view, view.windows.at(now))
}
