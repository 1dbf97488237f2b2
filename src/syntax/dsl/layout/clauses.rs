//! Where statements and fields begin and end, also where their author did not say so.

use crate::syntax::dsl::{
    context::Context,
    layout::{Clause, Layout},
    lexer::{Lexeme, LexemeKind},
    report,
    sections::{Block, DslSection, Keyword, ListField},
    token::{End, Token},
};

impl<'c, 's> Layout<'_, 'c, 's> {
    pub(super) fn begin_section(&mut self, piece: Lexeme<'s>, section: &'static DslSection) {
        self.begin(piece, Some(section.keyword), section.block);
        self.clause.section = Some(section);
    }

    pub(super) fn begin(
        &mut self,
        piece: Lexeme<'s>,
        keyword: Option<Keyword>,
        block: Option<&'static Block>,
    ) {
        use Keyword::{List, ProtectedTags, Rule, Tags};
        self.fresh = false;
        self.indent = self.indentation(piece).unwrap_or(self.indent);
        self.clause = Clause {
            start: piece.start,
            head: piece.end(),
            block,
            tags: matches!(keyword, Some(Tags | ProtectedTags | Rule | List(ListField::Tags))),
            ..Clause::default()
        };
    }

    /// Ends the clause where the text does not.
    pub(super) fn end_clause(&mut self, found: Option<Lexeme<'s>>, end: End) {
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
            match piece.kind {
                _ if !self.whole_file => {}
                LexemeKind::Semicolon if curly == 0 => {
                    self.take();
                    return;
                }
                LexemeKind::CurlyOpen => curly += 1,
                LexemeKind::CurlyClose if curly > 1 || curly > 0 && bracketed => curly -= 1,
                LexemeKind::CurlyClose if curly == 1 => {
                    self.take();
                    if self.lexer.peek().is_some_and(|next| next.kind == LexemeKind::Semicolon) {
                        self.take();
                    }
                    return;
                }
                LexemeKind::CurlyClose if self.block().is_some() => return,
                LexemeKind::CurlyClose => {
                    self.take();
                    return;
                }
                LexemeKind::Word if self.resumes(piece, curly) => return,
                _ => {}
            }
            self.take();
        }
    }

    /// Whether a statement or field begins at a piece that would be skipped. Among brackets, only
    /// what can't be a field of theirs begins a statement.
    fn resumes(&self, piece: Lexeme<'s>, curly: usize) -> bool {
        let begins = if curly > 0 {
            let field = matches!(self.follows(), Some(LexemeKind::Colon | LexemeKind::CurlyOpen));
            !field && self.begins_statement(piece)
        } else {
            self.begins_statement(piece) || self.begins_field(piece)
        };
        begins && self.first_of_line(piece)
    }

    /// Whether a statement or field begins here though nothing ended the last one; ends it then.
    /// Looks at words only that can't stand there in a text without mistakes.
    pub(super) fn next_begins(&mut self, piece: Lexeme<'s>) -> bool {
        if piece.start == self.clause.start {
            return false;
        }
        let follows_head = self.at == self.clause.head;
        let named = self.clause.section.is_some_and(DslSection::is_named);
        // Nothing but a `;` can follow a list.
        let after_list = self.last == LexemeKind::SquareClose && self.open.is_empty();
        let may_begin = after_list || self.first_of_line(piece);
        if let Some(block) = self.clause.block
            && named != follows_head
            && self.lacks_bracket(piece, block, may_begin)
        {
            self.mend(|cx| report::block_not_opened(cx, piece, block));
            self.ready.push_back((self.at, Token::CurlyOpen, self.at));
            self.enter(self.at, block, true);
            return true;
        }
        let next = may_begin
            && !(named && follows_head && self.is_name())
            && !self.is_of_invariant(piece)
            && (self.begins_statement(piece) || self.begins_field(piece));
        if next {
            self.end_clause(Some(piece), End::NextBegins);
        }
        next
    }

    /// Whether the clause of an invariant begins that has the word of a statement: `conversation existing`.
    fn is_of_invariant(&self, piece: Lexeme<'s>) -> bool {
        let is_invariant =
            |section: &DslSection| matches!(section.keyword, Keyword::Pairs(_) | Keyword::Every);
        piece.text == "conversation"
            && self.clause.section.is_some_and(is_invariant)
            && self.open.is_empty()
            && self.lexer.peek_second().is_some_and(|next| next.text == "existing")
    }

    /// Whether the next piece, right after the word that begins a statement, can be its name.
    fn is_name(&self) -> bool {
        let named = |section: &DslSection| {
            matches!(section.keyword, Keyword::Rule | Keyword::Pairs(_) | Keyword::Every)
        };
        let has_sides =
            self.clause.section.is_some_and(|section| section.keyword == Keyword::Barrier);
        self.clause.section.is_some_and(named)
            || self.clause.block.is_some()
                && !has_sides
                && self.follows() == Some(LexemeKind::CurlyOpen)
    }

    /// Whether a field of a block begins that was not opened.
    fn lacks_bracket(&self, piece: Lexeme<'s>, block: &'static Block, may_begin: bool) -> bool {
        let curly = self.follows() == Some(LexemeKind::CurlyOpen);
        let other = if block.fields().is_empty() {
            curly && !may_begin
                || self.begins_statement(piece)
                || may_begin && self.begins_field(piece)
        } else {
            let dedented = self.indentation(piece).is_some_and(|indent| indent <= self.indent);
            curly || dedented && self.begins_statement(piece)
        };
        self.open.is_empty() && !other && self.is_field(block, piece)
    }

    pub(super) fn first_of_line(&self, piece: Lexeme<'s>) -> bool {
        self.indentation(piece).is_some()
    }

    /// The indentation of the next piece; `None` if it is not the first of its line.
    pub(super) fn indentation(&self, piece: Lexeme<'s>) -> Option<usize> {
        let between = self.text.get(self.at..piece.start)?;
        between.rfind('\n').map(|line_break| between.len() - line_break - 1)
    }
}
