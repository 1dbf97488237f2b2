//! Brackets that are open while the layout reads a text.

use super::lexer::LexemeKind;

/// A bracket that waits for its end.
#[derive(Clone, Copy)]
pub(super) struct OpenBracket {
    pub(super) lexeme: LexemeKind,
    pub(super) at: usize,
}

impl OpenBracket {
    pub(super) fn is_round(&self) -> bool {
        self.lexeme == LexemeKind::RoundOpen
    }
}
