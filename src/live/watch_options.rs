//! The timing of the watch over a policy's files.

use std::time::Duration;

/// The timing of watching and reading files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WatchOptions {
    /// The time without events after which a change is complete.
    pub settle: Duration,
    /// The longest wait for that: a change is reported then even if events keep coming.
    pub settle_at_most: Duration,
    /// The longest time that a read waits for files that are being written.
    pub patience: Duration,
    /// The polling interval, for changes that the system does not report, as on network file systems.
    pub poll: Duration,
    /// Whether to use file events of the system; if not, files are only polled.
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
