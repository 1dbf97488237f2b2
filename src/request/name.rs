use thiserror::Error;

/// The characters that a tag may have, in words.
pub const TAG_ALPHABET: &str = "A to Z, a to z, 0 to 9, `-` and `_`";

/// Why a text is no tag. A tag is 1 to 50 of `[A-Za-z0-9_-]`, compared byte by byte.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum InvalidTag {
    #[error("a tag can't be empty")]
    Empty,
    #[error("a tag has at most 50 characters; this one has {0}")]
    TooLong(usize),
    #[error("a tag holds {} only, not `{}`", TAG_ALPHABET, .0.escape_debug())]
    Character(char),
}

/// Whether a text may be a tag.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_tag(text: &str) -> Result<(), InvalidTag> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() {
        Err(InvalidTag::Empty)
    } else if let Some(other) = text.chars().find(|&c| !allowed(c)) {
        Err(InvalidTag::Character(other))
    } else if text.len() > 50 {
        Err(InvalidTag::TooLong(text.len()))
    } else {
        Ok(())
    }
}

/// Why a text is no id of a user or group. An id is 1 to 255 bytes of UTF-8 without control
/// characters, compared byte by byte.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum InvalidId {
    #[error("an id can't be empty")]
    Empty,
    #[error("an id has at most 255 bytes; this one has {0}")]
    TooLong(usize),
    #[error("an id can't hold the control character U+{:04X}", *.0 as u32)]
    Control(char),
}

/// Whether a text may be the id of a user or group.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_id(text: &str) -> Result<(), InvalidId> {
    if text.is_empty() {
        Err(InvalidId::Empty)
    } else if text.len() > 255 {
        Err(InvalidId::TooLong(text.len()))
    } else if let Some(control) = text.chars().find(|c| c.is_control()) {
        Err(InvalidId::Control(control))
    } else {
        Ok(())
    }
}
