//! Texts as they are sent, and what was sent as messages show it.

use std::borrow::Cow;

use serde_json::Value;

/// What a percent-encoded text may hold besides escapes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PercentEncoding {
    /// Whether a plus stands for a blank.
    pub(super) plus_is_space: bool,
    /// Whether a `%` that begins no escape stands for itself.
    pub(super) keeps_invalid_escapes: bool,
}

/// Why a text can't be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum PercentDecodeError {
    #[error("`%` must be followed by two hexadecimal digits")]
    Escape,
    #[error("this is not UTF-8")]
    Utf8,
}

impl PercentEncoding {
    /// Of a part of a path.
    pub(super) const PATH: Self = Self { plus_is_space: false, keeps_invalid_escapes: false };
    /// Of the parameters of a query or a form.
    pub(super) const FORM: Self = Self { plus_is_space: true, keeps_invalid_escapes: false };

    /// Undoes it.
    ///
    /// # Errors
    /// If there is a `%` without two digits, or no UTF-8 comes of it.
    pub(super) fn decode(self, text: &[u8]) -> Result<Cow<'_, str>, PercentDecodeError> {
        let is_plain = |byte: &u8| *byte != b'%' && !(*byte == b'+' && self.plus_is_space);
        if text.iter().all(is_plain) {
            return str::from_utf8(text).map(Cow::Borrowed).map_err(|_| PercentDecodeError::Utf8);
        }
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((&first, after)) = rest.split_first() {
            let (byte, left) = match (first, escaped(after)) {
                (b'%', Some(escaped)) => escaped,
                (b'%', None) if !self.keeps_invalid_escapes => {
                    return Err(PercentDecodeError::Escape);
                }
                (b'+', _) if self.plus_is_space => (b' ', after),
                _ => (first, after),
            };
            bytes.push(byte);
            rest = left;
        }
        String::from_utf8(bytes).map(Cow::Owned).map_err(|_| PercentDecodeError::Utf8)
    }
}

/// The byte that two hexadecimal digits write, and what follows them.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    match *text {
        [high, low, ref rest @ ..] => {
            Some((u8::try_from(digit(high)? << 4 | digit(low)?).ok()?, rest))
        }
        _ => None,
    }
}

/// What was sent: its first 64 characters, none of which breaks out of a line.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(64).collect::<String>().escape_debug().to_string()
}

/// What a value is.
pub(super) const fn value_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
