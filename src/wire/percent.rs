//! Percent decoding (RFC 3986) of paths, queries and forms.

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

/// A text for a query: all but ASCII letters and digits is percent-encoded.
pub fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The rules by which a percent-encoded text is decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PercentEncoding {
    /// A segment of a path: each `%` must begin an escape.
    Path,
    /// A segment of a path in which a `%` that begins no escape stands for itself.
    LenientPath,
    /// A parameter of a query or a form: `+` is a space, and each `%` must begin an escape.
    Form,
    /// A parameter in which `+` is a space, and a `%` that begins no escape stands for itself.
    LenientForm,
}

/// The error of a text that can't be percent-decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PercentDecodeError {
    /// A `%` without two hexadecimal digits.
    #[error("`%` must be followed by two hexadecimal digits")]
    InvalidEscape,
    /// The decoded bytes are not UTF-8.
    #[error("not valid UTF-8 after percent-decoding")]
    InvalidUtf8,
}

impl PercentEncoding {
    /// Decodes a text, which is borrowed if it holds no escape.
    ///
    /// # Errors
    /// If it holds an invalid escape where each must be valid, or what it decodes to is not UTF-8.
    pub fn decode(self, text: &[u8]) -> Result<Cow<'_, str>, PercentDecodeError> {
        let is_plain = |byte: &u8| *byte != b'%' && !(*byte == b'+' && self.plus_is_space());
        if text.iter().all(is_plain) {
            let text = str::from_utf8(text).map_err(|_| PercentDecodeError::InvalidUtf8)?;
            return Ok(Cow::Borrowed(text));
        }
        if self.is_strict() && has_invalid_escape(text) {
            return Err(PercentDecodeError::InvalidEscape);
        }
        let mut text = text.to_vec();
        if self.plus_is_space() {
            text.iter_mut().filter(|byte| **byte == b'+').for_each(|byte| *byte = b' ');
        }
        match percent_decode(&text).decode_utf8() {
            Ok(text) => Ok(Cow::Owned(text.into_owned())),
            Err(_) => Err(PercentDecodeError::InvalidUtf8),
        }
    }

    const fn plus_is_space(self) -> bool {
        matches!(self, Self::Form | Self::LenientForm)
    }

    const fn is_strict(self) -> bool {
        matches!(self, Self::Path | Self::Form)
    }
}

fn has_invalid_escape(text: &[u8]) -> bool {
    let is_escape = |rest: &[u8]| matches!(rest, [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
    !text.split(|&byte| byte == b'%').skip(1).all(is_escape)
}
