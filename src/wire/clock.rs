//! The system clock as numbers and as text: core modules get these as arguments and read no clock.

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

/// A time in UTC, to the millisecond, as RFC 3339 writes it: `2026-11-30T08:15:00.250Z`.
pub fn rfc3339(time: SystemTime) -> String {
    let mut text = Vec::with_capacity(24);
    write_rfc3339(&mut text, time);
    String::from_utf8(text).unwrap_or_default()
}

/// Appends the same text.
pub fn write_rfc3339(text: &mut Vec<u8>, time: SystemTime) {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Days are counted in eras of 400 years that begin with a March, as leap days end years then.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, is_next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + is_next;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let milliseconds = u64::from(since.subsec_millis());
    for (number, divisor, end) in [
        (year, 1000, b'-'),
        (month, 10, b'-'),
        (day, 10, b'T'),
        (hour, 10, b':'),
        (minute, 10, b':'),
        (second, 10, b'.'),
        (milliseconds, 100, b'Z'),
    ] {
        // By hand: formatting takes longer than a decision.
        let mut divisor = divisor;
        while divisor > 0 {
            text.push(u8::try_from(number / divisor % 10).map_or(b'0', |digit| b'0' + digit));
            divisor /= 10;
        }
        text.push(end);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::rfc3339;

    #[test]
    fn times_are_written_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_399, "2000-02-28T23:59:59.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (951_868_800, "2000-03-01T00:00:00.007Z"),
            (1_798_761_599, "2026-12-31T23:59:59.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        ] {
            let time = UNIX_EPOCH + Duration::new(seconds, 7_000_000);
            assert_eq!(rfc3339(time), text);
        }
    }
}
