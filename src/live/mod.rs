//! What keeps a running daemon's policy up to date.
//!
//! Invariant: *when* to reload is here in `watch`, which knows only that files change; *what* a
//! reload does is no matter of it.

mod events;
mod watch;

pub use watch::{Pace, Watch};
