//! Lines and columns of byte offsets.

use std::fmt;

/// A place for people: line and column count from 1, columns in characters. A byte order mark is
/// no character.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A cursor that turns offsets of a text into positions. Offsets that ascend
/// cost one pass over the text, however many they are and however long its lines.
#[derive(Clone, Debug)]
pub struct PositionCursor<'s> {
    bytes: &'s [u8],
    offset: usize,
    line_start: usize,
    position: Position,
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl<'s> PositionCursor<'s> {
    /// Stands before the first character.
    pub fn new(bytes: &'s [u8]) -> Self {
        let start = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Self { bytes, offset: start, line_start: start, position: Position { line: 1, column: 1 } }
    }

    /// The position of an offset; of one past the end, that of the end. Goes back to the start of
    /// the text for an offset before the last one.
    pub fn position(&mut self, offset: usize) -> Position {
        if offset < self.offset {
            *self = Self::new(self.bytes);
        }
        let offset = offset.min(self.bytes.len());
        let passed = self.bytes.get(self.offset..offset).unwrap_or_default();
        if let Some(last) = passed.iter().rposition(|&byte| byte == b'\n') {
            self.position.line += lines(passed);
            self.position.column = 1;
            self.line_start = self.offset + last + 1;
        }
        let in_line = self.bytes.get(self.line_start.max(self.offset)..offset).unwrap_or_default();
        self.position.column += characters(in_line);
        self.offset = self.offset.max(offset);
        self.position
    }

    /// Where the line of the last position begins.
    pub fn line_start(&self) -> usize {
        self.line_start
    }
}

fn lines(bytes: &[u8]) -> usize {
    bytes.iter().map(|&byte| usize::from(byte == b'\n')).sum()
}

/// How many characters begin in these bytes; those that are no UTF-8 count as they come.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0b1100_0000 != 0b1000_0000).count()
}

#[cfg(test)]
mod tests {
    use super::{Position, PositionCursor};

    #[test]
    fn positions_count_lines_and_characters() {
        let text = "\u{feff}ab\r\nläng\u{4e16}x\n\nend";
        let mut cursor = PositionCursor::new(text.as_bytes());
        let mut at = |needle: &str| cursor.position(text.find(needle).unwrap());
        assert_eq!(at("ab"), Position { line: 1, column: 1 });
        assert_eq!(at("g"), Position { line: 2, column: 4 });
        assert_eq!(at("x"), Position { line: 2, column: 6 });
        assert_eq!(at("end"), Position { line: 4, column: 1 });
        assert_eq!(at("b"), Position { line: 1, column: 2 });
        assert_eq!(cursor.position(1000), Position { line: 4, column: 4 });
        assert_eq!(PositionCursor::new(b"").position(0), Position { line: 1, column: 1 });
    }
}
