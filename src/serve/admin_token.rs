//! The check of the admin token.

use crate::{dialects::Admission, wire::Secret};

/// Whether a caller shows the configured token. Takes as long for a wrong one as for the right one of
/// its length.
pub(super) fn check_token(configured: Option<&Secret>, shown: Option<&[u8]>) -> Admission {
    match (configured, shown) {
        (None, _) => Admission::Disabled,
        (_, None) => Admission::Missing,
        (Some(token), Some(shown)) if token.matches(shown) => Admission::Admitted,
        _ => Admission::Wrong,
    }
}
