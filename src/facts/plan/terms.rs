//! The terms of what a command states, at the moment at which it takes effect.

use super::{CommandError, RefusalReason};
use crate::facts::{CommandEnd, CommandTerms, Terms, UnixMillis};

/// The terms with the moment of their end.
///
/// # Errors
/// If that is past.
pub(super) fn resolve(terms: &CommandTerms, now: UnixMillis) -> Result<Terms, CommandError> {
    let until = match terms.end {
        None => None,
        Some(CommandEnd::Until(until)) if until.millis() <= now => {
            let problem = format!("{until} is past");
            let error = CommandError::new(RefusalReason::Invalid, problem);
            return Err(CommandError { ends_in_past: true, ..error });
        }
        Some(CommandEnd::Until(until)) => Some(until.millis()),
        Some(CommandEnd::After(seconds)) => {
            let end = now.saturating_add(seconds.saturating_mul(1000));
            Some(crate::request::Moment::from_millis(end).millis())
        }
    };
    Ok(Terms { until, reason: terms.reason.clone(), by: None })
}
