//! The system clock as numbers: core rooms are given these and read no clock themselves.

use std::time::{SystemTime, UNIX_EPOCH};

/// The current time in milliseconds since 1970 in UTC; 0 if the clock is set before that.
pub fn unix_millis() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// A time in whole seconds since 1970 in UTC; 0 if it is before that.
pub fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
