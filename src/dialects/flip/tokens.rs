use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};
use thiserror::Error;

/// The tokens of callers, each with its scopes.
pub struct FlipTokens(Vec<(TokenDigest, TokenScopes)>);

/// What a caller may do.
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

/// Why a text lists no tokens.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum FlipTokensError {
    /// A line, from 1, and what is wrong with it.
    #[error("line {0}: {1}")]
    Line(usize, String),
    #[error("it lists no token: each line is a token and its scopes, `TOKEN {READ} {WRITE}`")]
    Empty,
}

/// Tokens are kept and compared as digests: how long that takes tells nothing of a token.
type TokenDigest = [u8; 32];

const READ: &str = "TAG_RULE_READ";
const WRITE: &str = "TAG_RULE_WRITE";

/// How many characters a token has at least.
const SHORTEST: usize = 16;

impl FlipTokens {
    /// The scopes of a token; `None` if it is not listed.
    pub(super) fn scopes(&self, shown: &[u8]) -> Option<TokenScopes> {
        let shown = digest(shown);
        self.0.iter().find(|(hash, _)| *hash == shown).map(|&(_, scopes)| scopes)
    }
}

/// A token a line, and after it its scopes. What follows a word that begins with `#` is passed over.
impl FromStr for FlipTokens {
    type Err = FlipTokensError;

    fn from_str(text: &str) -> Result<Self, FlipTokensError> {
        let mut tokens: Vec<(TokenDigest, TokenScopes)> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let wrong = |why: String| FlipTokensError::Line(number, why);
            let mut words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
            let Some(token) = words.next() else { continue };
            check_token(token).map_err(|why| wrong(why.to_owned()))?;
            let mut scopes = TokenScopes::default();
            for word in words {
                match word {
                    READ => scopes.read = true,
                    WRITE => scopes.write = true,
                    other => {
                        let other = other.escape_debug();
                        return Err(wrong(format!(
                            "there is no scope `{other}`; there are {READ} and {WRITE}"
                        )));
                    }
                }
            }
            if scopes == TokenScopes::default() {
                return Err(wrong(format!(
                    "the token has no scope: add {READ}, {WRITE} or both after it"
                )));
            }
            let hash = digest(token.as_bytes());
            if tokens.iter().any(|(other, _)| *other == hash) {
                return Err(wrong("the token is listed before".to_owned()));
            }
            tokens.push((hash, scopes));
        }
        if tokens.is_empty() { Err(FlipTokensError::Empty) } else { Ok(Self(tokens)) }
    }
}

/// None is ever shown.
impl fmt::Debug for FlipTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tokens", self.0.len())
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
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Read => READ,
            Self::Write => WRITE,
        }
    }
}

fn check_token(token: &str) -> Result<(), &'static str> {
    let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain && token.len() >= SHORTEST {
        Ok(())
    } else {
        Err("a token has 16 printable characters of ASCII or more, without blanks")
    }
}

fn digest(token: &[u8]) -> TokenDigest {
    Sha256::digest(token).into()
}
