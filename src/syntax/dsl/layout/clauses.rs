//! Where statements and fields begin and end, also where their author did not say so.

use crate::syntax::dsl::{
    context::Context,
    layout::{Clause, Layout},
    lexer::{Lexeme, Piece},
    report,
    sections::{Section, section},
    token::{End, Token},
};

impl<'c, 's> Layout<'_, 'c, 's> {
    pub(super) fn begin(&mut self, piece: Piece<'s>, section: Option<&'static Section>) {
        self.fresh = false;
        self.clause = Clause { start: piece.start, section, ..Clause::default() };
    }

    /// Ends the clause where the text does not.
    pub(super) fn end_clause(&mut self, found: Option<Piece<'s>>, end: End) {
        self.close_all(found);
        self.ready.push_back((self.at, Token::Semicolon(end), self.at));
        self.end(self.at);
    }

    pub(super) fn end(&mut self, at: usize) {
        self.fresh = true;
        if self.clause.mended {
            self.cx.mend(self.clause.start, at);
        }
    }

    /// Reports what is wrong with brackets, once in each clause.
    pub(super) fn mend(&mut self, report: impl FnOnce(&Context<'c>)) {
        if !self.clause.mended {
            report(self.cx);
            self.clause.mended = true;
            self.cx.mend(self.clause.start, usize::MAX);
        }
    }

    /// Leaves out what is left of the clause.
    pub(super) fn give_up(&mut self, curly: usize, bracketed: bool) {
        self.open.clear();
        self.skip(curly, bracketed);
        if self.whole_file {
            self.end_clause(None, End::GivenUp);
        }
    }

    /// Skips to where the next statement or field begins, with `curly` brackets open on the way. A
    /// block ends it, unless the block is `bracketed` and so no block of this language.
    pub(super) fn skip(&mut self, mut curly: usize, bracketed: bool) {
        while let Some(piece) = self.lexer.peek() {
            match piece.lexeme {
                _ if !self.whole_file => {}
                Lexeme::Semicolon if curly == 0 => {
                    self.take();
                    return;
                }
                Lexeme::CurlyOpen => curly += 1,
                Lexeme::CurlyClose if curly > 1 || curly > 0 && bracketed => curly -= 1,
                Lexeme::CurlyClose if curly == 1 => {
                    self.take();
                    if self.lexer.peek().is_some_and(|next| next.lexeme == Lexeme::Semicolon) {
                        self.take();
                    }
                    return;
                }
                Lexeme::CurlyClose if self.block().is_some() => return,
                Lexeme::CurlyClose => {
                    self.take();
                    return;
                }
                Lexeme::Word if self.resumes(piece, curly) => return,
                _ => {}
            }
            self.take();
        }
    }

    /// Whether a statement begins at a piece that would be skipped. In a block, only what can't be
    /// a field of it begins one.
    pub(super) fn resumes(&self, piece: Piece<'s>, curly: usize) -> bool {
        let field = curly > 0 && self.follows() == Some(Lexeme::Colon);
        self.begins_statement(piece) && !field && self.first_of_line(piece)
    }

    /// Whether a statement or field begins here though nothing ended the last one; ends it then.
    /// Looks at words only that can't stand there in a text without mistakes.
    pub(super) fn next_begins(&mut self, piece: Piece<'s>) -> bool {
        let follows = self.follows();
        let first = self.at == self.clause_head_end();
        if let (Some(section), false) = (self.clause.section, first)
            && self.open.is_empty()
            && follows == Some(Lexeme::Colon)
            && let Some(block) = section.block
            && block.field(piece.text).is_some()
        {
            self.mend(|cx| report::block_not_opened(cx, piece, block));
            self.ready.push_back((self.at, Token::CurlyOpen, self.at));
            self.enter(self.at, block);
            return true;
        }
        let field = self.block().and_then(|block| block.field(piece.text)).is_some()
            && follows == Some(Lexeme::Colon);
        // Nothing but a `;` can follow a list.
        let after_list = self.last == Lexeme::SquareClose && self.open.is_empty();
        let next = (field || self.begins_statement(piece))
            && !first
            && (after_list || self.first_of_line(piece));
        if next {
            self.end_clause(Some(piece), End::NextBegins);
        }
        next
    }

    pub(super) fn begins_statement(&self, piece: Piece<'s>) -> bool {
        let follows = self.follows();
        let field = self.block().and_then(|block| block.field(piece.text)).is_some();
        section(piece.text).is_some_and(|section| {
            follows.is_some_and(|next| section.followed_by.contains(&next))
                && !(field && follows == Some(Lexeme::Colon))
        })
    }

    pub(super) fn first_of_line(&self, piece: Piece<'s>) -> bool {
        self.text.get(self.at..piece.start).is_some_and(|between| between.contains('\n'))
    }

    /// Where the keyword that the clause began with ends.
    pub(super) fn clause_head_end(&self) -> usize {
        self.clause.start + self.clause.section.map_or(0, |section| section.name.len())
    }
}
