//! The advance of a view to a later moment.

use super::windows::set_windows;
use crate::{request::Moment, snapshot::View};

/// Advances a view to a later moment: what has ended by then leaves it, and windows open and close. Returns whether
/// anything that decisions read has changed, or what changes next. Windows are right at earlier moments too.
pub fn advance(view: &mut View, now: Moment) -> bool {
    view.at = now;
    let windows = view.windows.at(now);
    // The next edge counts too: it is what the next advance waits for.
    let is_other = *view.windows != windows;
    set_windows(view, windows);
    is_other
}
