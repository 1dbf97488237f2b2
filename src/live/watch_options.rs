//! The timing of the watch over a policy's files.

use std::time::Duration;

/// How eagerly files are watched and read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WatchOptions {
    /// How long nothing may happen before a change counts as complete.
    pub settle: Duration,
    /// How long to wait for that at most before a change is reported, if something happens all the time.
    pub settle_at_most: Duration,
    /// How long reading waits for files that are being written.
    pub patience: Duration,
    /// How often to look for changes that the system does not report, as on network file systems.
    pub poll: Duration,
    /// Whether to ask the system at all; without it, only polling is left.
    pub events: bool,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(100),
            settle_at_most: Duration::from_secs(1),
            patience: Duration::from_secs(30),
            poll: Duration::from_secs(5),
            events: true,
        }
    }
}
