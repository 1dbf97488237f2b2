//! Which brackets are open, and what becomes of those that are never closed.

use crate::syntax::{
    MAX_NESTING,
    dsl::{
        layout::{Layout, OpenBlock},
        lexer::{Lexeme, LexemeKind},
        open_bracket::OpenBracket,
        report,
        sections::Block,
        token::Token,
    },
};

impl<'s> Layout<'_, '_, 's> {
    /// The block that is open, if one is.
    pub(super) fn block(&self) -> Option<&'static Block> {
        self.blocks.last().map(|open| open.block)
    }

    pub(super) fn open(&mut self, piece: Lexeme<'s>) {
        if self.blocks.len() + self.open.len() >= MAX_NESTING {
            self.mend(|cx| report::too_deep(cx, piece));
            self.emit(piece, Token::Odd);
            return self.give_up(0, true);
        }
        self.open.push(OpenBracket { lexeme: piece.kind, at: piece.start });
        self.emit(
            piece,
            match piece.kind {
                LexemeKind::RoundOpen => Token::RoundOpen,
                _ => Token::SquareOpen,
            },
        );
    }

    pub(super) fn close(&mut self, piece: Lexeme<'s>) {
        let wanted = match piece.kind {
            LexemeKind::RoundClose => LexemeKind::RoundOpen,
            _ => LexemeKind::SquareOpen,
        };
        if let Some(forgotten) = self.open.iter().rev().position(|open| open.lexeme == wanted) {
            if forgotten > 0 {
                self.close_some(forgotten, Some(piece));
            }
            self.open.pop();
            self.emit(piece, closing(wanted));
        } else if let Some(&OpenBracket { lexeme, at }) = self.open.last() {
            // The wrong kind of bracket: most likely this one was meant.
            self.mend(|cx| report::wrong_kind(cx, piece, lexeme, at));
            self.open.pop();
            self.emit(piece, closing(lexeme));
        } else {
            self.mend(|cx| report::unmatched_end(cx, piece));
            self.take();
        }
    }

    /// Closes what this statement or field left open, and says so.
    pub(super) fn close_all(&mut self, found: Option<Lexeme<'s>>) {
        let count = self.open.len();
        if count > 0 {
            self.close_some(count, found);
        }
    }

    pub(super) fn close_some(&mut self, count: usize, found: Option<Lexeme<'s>>) {
        let forgotten = self.open.split_off(self.open.len().saturating_sub(count));
        let at = self.at;
        self.mend(|cx| report::never_closed(cx, &forgotten, found, at));
        self.ready.extend(forgotten.iter().rev().map(|open| (at, closing(open.lexeme), at)));
    }

    pub(super) fn open_block(&mut self, piece: Lexeme<'s>) {
        let bracketed = !self.open.is_empty();
        match self.clause.block {
            Some(block) if !bracketed => {
                self.emit(piece, Token::CurlyOpen);
                self.enter(piece.start, block, false);
            }
            // No bracket to the grammar, which would take it for the one that begins the block
            // around this.
            _ => {
                self.emit(piece, Token::Odd);
                self.give_up(1, bracketed);
            }
        }
    }

    pub(super) fn enter(&mut self, at: usize, block: &'static Block, guessed: bool) {
        self.end(at);
        let open = OpenBracket { lexeme: LexemeKind::CurlyOpen, at };
        self.blocks.push(OpenBlock { open, block, indent: self.indent, guessed });
    }

    /// The block ends as it should.
    pub(super) fn end_block(&mut self, piece: Lexeme<'s>) {
        if self.blocks.pop().is_some_and(|ended| ended.guessed)
            && let Some(outer) = self.blocks.last_mut()
        {
            outer.guessed = true;
        }
        self.emit(piece, Token::CurlyClose);
    }

    /// The innermost blocks end without their brackets: another statement begins, or a field of the
    /// block around them, or the file is at its end.
    pub(super) fn close_blocks(&mut self, count: usize, found: Option<Lexeme<'s>>) {
        let ended = self.blocks.split_off(self.blocks.len().saturating_sub(count));
        let forgotten: Vec<OpenBracket> =
            ended.iter().filter(|ended| !ended.guessed).map(|ended| ended.open).collect();
        if !self.clause.cut {
            report::never_closed(self.cx, &forgotten, found, self.at);
        }
        self.ready.extend(ended.iter().map(|_| (self.at, Token::CurlyClose, self.at)));
    }
}

/// The end of a bracket.
fn closing<'s>(open: LexemeKind) -> Token<'s> {
    match open {
        LexemeKind::RoundOpen => Token::RoundClose,
        LexemeKind::SquareOpen => Token::SquareClose,
        _ => Token::CurlyClose,
    }
}
