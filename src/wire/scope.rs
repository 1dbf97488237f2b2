//! The scopes of tokens, and the digests by which tokens are listed.

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A kind of call that a token permits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AccessScope {
    /// Decisions and lists of users.
    Decide,
    /// Facts, and the status.
    Read,
    /// Commands, and backups.
    Write,
    Reload,
}

/// The scopes of a token.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct AccessScopes(u8);

impl AccessScope {
    /// All scopes, in the order of the reference.
    pub const ALL: [Self; 4] = [Self::Decide, Self::Read, Self::Write, Self::Reload];

    /// The name of the scope in files of tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::Read => "read",
            Self::Write => "write",
            Self::Reload => "reload",
        }
    }

    /// The scope with this name; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

impl AccessScopes {
    /// Every scope.
    pub const ALL: Self = Self(u8::MAX);

    pub const fn contains(self, scope: AccessScope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }
}

impl FromIterator<AccessScope> for AccessScopes {
    fn from_iter<I: IntoIterator<Item = AccessScope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | 1 << scope as u8))
    }
}

/// The SHA-256 of a token.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenDigest([u8; 32]);

/// The error of a text that is no SHA-256 in hexadecimal digits. It shows nothing of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected a SHA-256 in 64 hexadecimal digits")]
pub struct TokenDigestError;

impl TokenDigest {
    /// The digest of a token.
    pub fn new(token: &[u8]) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Whether two digests are the same, in a time that does not depend on them.
    pub fn matches(&self, other: &Self) -> bool {
        bool::from(self.0.ct_eq(&other.0))
    }
}

impl FromStr for TokenDigest {
    type Err = TokenDigestError;

    fn from_str(text: &str) -> Result<Self, TokenDigestError> {
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let digits = digits.filter(|digits| digits.len() == 64).ok_or(TokenDigestError)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().fold(0, |value, digit| value << 4 | digit);
        }
        Ok(Self(bytes))
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest")
    }
}
