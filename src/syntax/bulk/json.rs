//! The values of a JSON text with their places.

use std::{borrow::Cow, ops::Range};

/// The values of a JSON text, one after the other, with their places. The text is known to be JSON:
/// serde_json has read it, but it gives no offsets.
#[derive(Clone, Debug)]
pub(super) struct Values<'s> {
    text: &'s str,
    at: usize,
}

/// A value by its first character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RawKind {
    Text,
    Number,
    Bool,
    Null,
    List,
    Object,
}

impl RawKind {
    /// The description of the value that was found.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::Bool => "a boolean",
            Self::Null => "null",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

impl<'s> Values<'s> {
    pub(super) fn new(text: &'s str) -> Self {
        Self { text, at: 0 }
    }

    /// The kind of the next value, which is not read by that.
    pub(super) fn kind(&mut self) -> RawKind {
        self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b':' | b','));
        match self.byte() {
            Some(b'"') => RawKind::Text,
            Some(b'[') => RawKind::List,
            Some(b'{') => RawKind::Object,
            Some(b't' | b'f') => RawKind::Bool,
            Some(b'n') => RawKind::Null,
            _ => RawKind::Number,
        }
    }

    /// Goes into the list or object that is next.
    pub(super) fn open(&mut self) {
        self.kind();
        self.at += 1;
    }

    /// Whether the list or object goes on; if not, it is left.
    pub(super) fn another(&mut self) -> bool {
        self.kind();
        let ended = matches!(self.byte(), None | Some(b']' | b'}'));
        self.at += usize::from(ended);
        !ended
    }

    /// The next value as a whole.
    pub(super) fn next(&mut self) -> Range<usize> {
        let kind = self.kind();
        let start = self.at;
        match kind {
            RawKind::Text => self.string(),
            RawKind::List | RawKind::Object => {
                let mut depth = 0_usize;
                loop {
                    match self.byte() {
                        Some(b'"') => {
                            self.string();
                            continue;
                        }
                        Some(b'[' | b'{') => depth += 1,
                        Some(b']' | b'}') => depth = depth.saturating_sub(1),
                        None => break,
                        _ => {}
                    }
                    self.at += 1;
                    if depth == 0 {
                        break;
                    }
                }
            }
            _ => self.skip(|byte| !matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r')),
        }
        start..self.at
    }

    /// A value as it is written.
    pub(super) fn raw(&self, place: &Range<usize>) -> &'s str {
        self.text.get(place.clone()).unwrap_or_default()
    }

    /// The value of a text; `None` if an escape in it is no character.
    pub(super) fn text(&self, place: &Range<usize>) -> Option<Cow<'s, str>> {
        let raw = self.raw(place);
        let within = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
        if within.contains('\\') {
            serde_json::from_str(raw).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(within))
        }
    }

    fn string(&mut self) {
        self.at += 1;
        loop {
            self.skip(|byte| !matches!(byte, b'"' | b'\\'));
            match self.byte() {
                Some(b'\\') => self.at += 2,
                _ => break,
            }
        }
        self.at += 1;
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, leave_out: impl Fn(u8) -> bool) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|&byte| !leave_out(byte)).unwrap_or(rest.len());
    }
}
