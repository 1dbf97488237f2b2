//! Moments: points in time at which a policy is evaluated, and the ends of what is stated.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::Timestamp;
use thiserror::Error;

/// A point in time, in milliseconds since 1970 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Moment(u64);

/// The flaw of a text that is not a moment.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum InvalidMomentError {
    /// A date and time of day of no zone: it could be meant in any.
    #[error("the time says no zone: end it with `Z` or an offset like `+01:00`")]
    NoZone,
    #[error("expected a time as RFC 3339 writes it, like 2026-12-31T23:59:59Z")]
    Form,
    /// A time of the right form that does not exist, such as February 30.
    #[error("there is no such time")]
    Nonexistent,
    #[error("the time is before 1970")]
    TooEarly,
}

impl Moment {
    /// The latest moment that has a text: nearly the end of the year 9999.
    pub const MAX: Self = Self(253_402_207_200_999);

    /// The moment this many milliseconds after the beginning of 1970 in UTC, at most [`Moment::MAX`].
    pub fn from_millis(millis: u64) -> Self {
        Self(millis).min(Self::MAX)
    }

    /// The milliseconds since 1970 in UTC.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// The moment this much later, at most [`Moment::MAX`].
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// The time from an earlier moment to this one; zero if that one is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// The moment in which a time lies; a time before 1970 counts as the beginning of that year.
impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl From<Moment> for SystemTime {
    fn from(moment: Moment) -> Self {
        UNIX_EPOCH + Duration::from_millis(moment.0)
    }
}

/// Reads a time as RFC 3339 writes it; what is finer than a millisecond is cut off.
impl FromStr for Moment {
    type Err = InvalidMomentError;

    fn from_str(text: &str) -> Result<Self, InvalidMomentError> {
        let rest = check_digits(text.as_bytes()).ok_or(InvalidMomentError::Form)?;
        check_zone(rest)?;
        let time: Timestamp = text.parse().map_err(|_| InvalidMomentError::Nonexistent)?;
        let millis = time.as_millisecond();
        u64::try_from(millis).map(Self).map_err(|_| InvalidMomentError::TooEarly)
    }
}

/// The text of RFC 3339 in UTC; milliseconds are written only if there are any.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = i64::try_from(self.0).unwrap_or(i64::MAX);
        // Every moment up to the greatest has a text.
        let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        if self.0.is_multiple_of(1000) { write!(f, "{time:.0}") } else { write!(f, "{time:.3}") }
    }
}

/// Checks that a text begins with a date and a time of day; returns what follows, a fraction of a second
/// left out. Without the seconds, the whole is of another form.
fn check_digits(text: &[u8]) -> Option<&[u8]> {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let (start, rest) = text.split_at_checked(FORM.len())?;
    let fits = |(&form, &found): (&u8, &u8)| match form {
        b'd' => found.is_ascii_digit(),
        b'T' => matches!(found, b'T' | b't' | b' '),
        _ => found == form,
    };
    if !FORM.iter().zip(start).all(fits) {
        return None;
    }
    let Some((b'.', fraction)) = rest.split_first() else { return Some(rest) };
    let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 { None } else { fraction.get(digits..) }
}

/// Checks that a text is a zone: `Z` or an offset.
fn check_zone(text: &[u8]) -> Result<(), InvalidMomentError> {
    match text {
        [] => Err(InvalidMomentError::NoZone),
        [b'Z' | b'z'] => Ok(()),
        [b'+' | b'-', digits @ ..] => match digits {
            [h, o, b':', m, i] if [h, o, m, i].iter().all(|byte| byte.is_ascii_digit()) => Ok(()),
            _ => Err(InvalidMomentError::Form),
        },
        _ => Err(InvalidMomentError::Form),
    }
}
