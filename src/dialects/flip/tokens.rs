//! The tokens of Flip's clients, and their scopes.

use std::str::FromStr;

use thiserror::Error;

use crate::wire::{AccessScope, InvalidSecretError, Secret};

/// The tokens of Flip's clients, each with its scopes.
#[derive(Debug)]
pub struct FlipTokens(Vec<(Secret, TokenScopes)>);

/// A scope that an endpoint requires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TokenScope {
    Read,
    Write,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct TokenScopes {
    read: bool,
    write: bool,
}

/// The error of a text that lists no tokens.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum FlipTokensError {
    /// A line, counted from 1, and what is wrong with it.
    #[error("line {0}: {1}")]
    Line(usize, String),
    #[error("no token is listed; each line is a token and its scopes, `TOKEN {READ} {WRITE}`")]
    Empty,
}

const READ: &str = "TAG_RULE_READ";
const WRITE: &str = "TAG_RULE_WRITE";

impl FlipTokens {
    /// The scopes of a token; `None` if it is not listed.
    pub(super) fn scopes(&self, shown: &[u8]) -> Option<TokenScopes> {
        // Every token is compared, so that the time does not depend on which matches.
        let matches = |found, (token, scopes): &(Secret, TokenScopes)| {
            if token.matches(shown) { Some(*scopes) } else { found }
        };
        self.0.iter().fold(None, matches)
    }
}

/// Reads a token a line, with its scopes after it. Words from one that begins with `#` are ignored.
impl FromStr for FlipTokens {
    type Err = FlipTokensError;

    fn from_str(text: &str) -> Result<Self, FlipTokensError> {
        let mut tokens: Vec<(Secret, TokenScopes)> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let wrong = |why: String| FlipTokensError::Line(number, why);
            let mut words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
            let Some(token) = words.next() else { continue };
            let secret: Secret =
                token.parse().map_err(|error: InvalidSecretError| wrong(error.to_string()))?;
            let mut scopes = TokenScopes::default();
            for word in words {
                match word {
                    READ => scopes.read = true,
                    WRITE => scopes.write = true,
                    other => {
                        let other = other.escape_debug();
                        return Err(wrong(format!(
                            "unknown scope `{other}`; expected {READ} or {WRITE}"
                        )));
                    }
                }
            }
            if scopes == TokenScopes::default() {
                return Err(wrong(format!(
                    "the token has no scope: add {READ}, {WRITE} or both after it"
                )));
            }
            if tokens.iter().any(|(other, _)| other.matches(token.as_bytes())) {
                return Err(wrong("the token is listed before".to_owned()));
            }
            tokens.push((secret, scopes));
        }
        if tokens.is_empty() { Err(FlipTokensError::Empty) } else { Ok(Self(tokens)) }
    }
}

impl TokenScopes {
    pub(super) const fn allows(self, scope: TokenScope) -> bool {
        match scope {
            TokenScope::Read => self.read,
            TokenScope::Write => self.write,
        }
    }
}

impl TokenScope {
    /// The scope that a token of the daemon must have.
    pub(super) const fn access(self) -> AccessScope {
        match self {
            Self::Read => AccessScope::Read,
            Self::Write => AccessScope::Write,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Read => READ,
            Self::Write => WRITE,
        }
    }
}
