//! Ids and tags: which texts are valid, and how tags are written in conditions.

use std::fmt;

use thiserror::Error;

/// The alphabet of tags in words; the alphabet of Flip's tags is the first part of it.
pub const TAG_ALPHABET: &str = "A to Z, a to z, 0 to 9, `-`, `_` and `. : @ / + =`";

/// The form of valid tags, which are compared byte by byte.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum TagForm {
    /// 1 to 200 of `[A-Za-z0-9_-]` and `.:@/+=`.
    #[default]
    Any,
    /// 1 to 50 of `[A-Za-z0-9_-]`, as Flip defines them.
    Flip,
}

impl TagForm {
    const fn max_length(self) -> usize {
        match self {
            Self::Any => 200,
            Self::Flip => 50,
        }
    }

    fn allows_char(self, c: char) -> bool {
        let is_more = matches!(c, '.' | ':' | '@' | '/' | '+' | '=');
        c.is_ascii_alphanumeric() || c == '-' || c == '_' || is_more && self == Self::Any
    }

    /// Checks that a text is a valid tag.
    ///
    /// # Errors
    /// The first flaw of the text.
    pub fn check(self, text: &str) -> Result<(), InvalidTagError> {
        if text.is_empty() {
            Err(InvalidTagError::Empty)
        } else if let Some(found) = text.chars().find(|&c| !self.allows_char(c)) {
            Err(match self {
                Self::Any => InvalidTagError::Character(found),
                Self::Flip => InvalidTagError::FlipCharacter(found),
            })
        } else if text.len() > self.max_length() {
            Err(InvalidTagError::TooLong { found: text.len(), most: self.max_length() })
        } else {
            Ok(())
        }
    }
}

/// The flaw of a text that is not a valid tag.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum InvalidTagError {
    #[error("a tag can't be empty")]
    Empty,
    #[error("a tag has at most {most} characters; this one has {found}")]
    TooLong { found: usize, most: usize },
    #[error("a tag holds {} only, not `{}`", TAG_ALPHABET, .0.escape_debug())]
    Character(char),
    #[error("a tag of Flip holds A to Z, a to z, 0 to 9, `-` and `_` only, not `{}`", .0.escape_debug())]
    FlipCharacter(char),
}

/// Checks that a text is a valid tag where Flip's form is not in force.
///
/// # Errors
/// The first flaw of the text.
pub fn check_tag(text: &str) -> Result<(), InvalidTagError> {
    TagForm::Any.check(text)
}

/// Writes a tag as in conditions: in double quotes unless it is a plain word.
pub(super) fn write_tag(f: &mut fmt::Formatter<'_>, tag: &impl fmt::Display) -> fmt::Result {
    let text = tag.to_string();
    if text.chars().all(|c| TagForm::Flip.allows_char(c)) {
        f.write_str(&text)
    } else {
        write!(f, "\"{text}\"")
    }
}

/// The tags that only policy files and administrators may give or take: names, and prefixes that
/// are written with a `*`.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ProtectedTags {
    /// In order, each once.
    patterns: Vec<String>,
}

impl ProtectedTags {
    pub fn new(mut patterns: Vec<String>) -> Self {
        patterns.sort_unstable();
        patterns.dedup();
        Self { patterns }
    }

    /// Whether a tag is protected. Costs a comparison with each pattern.
    pub fn protects(&self, tag: &str) -> bool {
        self.patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => tag.starts_with(start),
            None => tag == pattern,
        })
    }

    /// The patterns as a policy states them.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }
}

/// The flaw of a text that is not a valid id of a user or group. An id is 1 to 255 bytes of UTF-8
/// without control characters, compared byte by byte.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum InvalidIdError {
    #[error("an id can't be empty")]
    Empty,
    #[error("an id has at most 255 bytes; this one has {0}")]
    TooLong(usize),
    #[error("an id can't hold the control character U+{:04X}", *.0 as u32)]
    Control(char),
}

/// Checks that a text is a valid id of a user or group.
///
/// # Errors
/// The first flaw of the text.
pub fn check_id(text: &str) -> Result<(), InvalidIdError> {
    if text.is_empty() {
        Err(InvalidIdError::Empty)
    } else if text.len() > 255 {
        Err(InvalidIdError::TooLong(text.len()))
    } else if let Some(control) = text.chars().find(|c| c.is_control()) {
        Err(InvalidIdError::Control(control))
    } else {
        Ok(())
    }
}
