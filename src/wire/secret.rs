//! Shared secrets: tokens and keys with which callers authenticate or sign.

use std::{fmt, str::FromStr};

use subtle::ConstantTimeEq as _;

/// A shared secret: one line of at least 16 printable ASCII characters, never printed.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

/// The error for a text that is too short for a secret or has other characters. It shows nothing of the
/// text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "a secret must be one line of at least {MIN_CHARS} printable ASCII characters without spaces"
)]
pub struct InvalidSecretError;

/// The least number of characters in a secret.
const MIN_CHARS: usize = 16;

impl Secret {
    /// Whether a text is this secret, compared in constant time for texts of one length.
    pub fn matches(&self, shown: &[u8]) -> bool {
        bool::from(self.0.ct_eq(shown))
    }

    /// The bytes of the secret, to sign with.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = InvalidSecretError;

    /// Reads a secret; white space around it is dropped.
    fn from_str(text: &str) -> Result<Self, InvalidSecretError> {
        let secret = text.trim();
        if secret.len() >= MIN_CHARS && secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(secret.as_bytes().into()))
        } else {
            Err(InvalidSecretError)
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
