//! Durations on the command line: a number with a unit, or a number of seconds.

use std::{str::FromStr, time::Duration};

use thiserror::Error;

/// A duration of the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct DurationArg(pub(super) Duration);

/// A duration that is not 0.
pub(super) fn positive(text: &str) -> Result<DurationArg, PositiveDurationError> {
    let duration: DurationArg = text.parse()?;
    if duration.0.is_zero() { Err(PositiveDurationError::Zero) } else { Ok(duration) }
}

/// The error for a text that is not a duration, or is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(super) enum PositiveDurationError {
    #[error(transparent)]
    Invalid(#[from] DurationError),
    #[error("expected a duration longer than 0")]
    Zero,
}

/// The error for a text that is not a duration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "expected a whole number of seconds, or one with `ms`, `s`, `m`, `h` or `d`, as `2s` or `10m`"
)]
pub(super) struct DurationError;

impl FromStr for DurationArg {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).ok_or(DurationError)?;
        let number: u64 = number.parse().map_err(|_| DurationError)?;
        let seconds = match unit {
            "ms" => return Ok(Self(Duration::from_millis(number))),
            "" | "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => return Err(DurationError),
        };
        // Timers take no longer durations.
        let seconds = number.checked_mul(seconds).filter(|&all| u32::try_from(all).is_ok());
        seconds.map(|seconds| Self(Duration::from_secs(seconds))).ok_or(DurationError)
    }
}

/// A duration of the command line, whose bare numbers are milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct MillisecondsArg(pub(super) Duration);

impl FromStr for MillisecondsArg {
    type Err = MillisecondsError;

    fn from_str(text: &str) -> Result<Self, MillisecondsError> {
        let is_bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = if is_bare { format!("{text}ms").parse() } else { text.parse() };
        parsed.map(|DurationArg(duration)| Self(duration)).map_err(|_| MillisecondsError)
    }
}

/// The error for a text that is no such duration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "expected a whole number with the unit `ms`, `s`, `m`, `h` or `d`, as `500ms` or `2s`; a bare number is milliseconds"
)]
pub(super) struct MillisecondsError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let parse = |text: &str| text.parse().ok().map(|DurationArg(all)| all.as_millis());
        for (text, milliseconds) in [
            ("0", 0),
            ("15", 15_000),
            ("2s", 2_000),
            ("250ms", 250),
            ("10m", 600_000),
            ("3h", 10_800_000),
            ("90d", 7_776_000_000),
        ] {
            assert_eq!(parse(text), Some(milliseconds), "{text}");
        }
        for text in ["", "s", "-1", "+1", "1.5s", "1 s", "2S", "1w", "1h30m", "99999999999d", "٣s"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
