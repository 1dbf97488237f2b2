//! From lexemes to tokens that the grammar can rely on.
//!
//! The layout knows where statements and fields begin and end, and which brackets are open: it has
//! all it takes to say which bracket is never closed. What it hands on is balanced, every statement
//! begins with a keyword that there is, and ends; so the grammar recovers from any other mistake
//! within the statement that has it.
//!
//! Invariant: at most [`MAX_NESTING`] brackets are open, whatever the text holds.

use std::collections::VecDeque;

use crate::syntax::{
    MAX_NESTING,
    dsl::{
        context::Context,
        lexer::{Lexeme, Lexer, Piece},
        report,
        sections::{Block, Section, section},
        string,
        token::{End, Token},
    },
};

/// The tokens of a text, each with where it starts and ends.
pub(super) struct Layout<'a, 'c, 's> {
    cx: &'a Context<'c>,
    text: &'s str,
    lexer: Lexer<'s>,
    /// What is to be handed out before the text is read on.
    ready: VecDeque<(usize, Token<'s>, usize)>,
    open: Vec<Open>,
    /// Whether a statement or field begins next. Never, in a condition alone.
    fresh: bool,
    whole_file: bool,
    clause: Clause,
    /// Where the last piece ended.
    at: usize,
    done: bool,
}

/// A bracket that waits for its end.
pub(super) struct Open {
    pub(super) lexeme: Lexeme,
    pub(super) at: usize,
    block: Option<&'static Block>,
}

/// The statement or field that is being read.
#[derive(Clone, Copy)]
struct Clause {
    start: usize,
    /// Of a statement, not of a field.
    section: Option<&'static Section>,
    /// Whether its brackets had to be mended.
    mended: bool,
}

impl<'a, 'c, 's> Layout<'a, 'c, 's> {
    pub(super) fn of_file(text: &'s str, cx: &'a Context<'c>) -> Self {
        Self { fresh: true, whole_file: true, ..Self::of_condition(text, cx) }
    }

    pub(super) fn of_condition(text: &'s str, cx: &'a Context<'c>) -> Self {
        Self {
            cx,
            text,
            lexer: Lexer::new(text),
            ready: VecDeque::new(),
            open: Vec::new(),
            fresh: false,
            whole_file: false,
            clause: Clause { start: 0, section: None, mended: false },
            at: 0,
            done: false,
        }
    }

    /// Reads one piece of the text, if there is one.
    fn step(&mut self) {
        let Some(piece) = self.lexer.peek() else { return self.finish() };
        if !self.fresh {
            self.within(piece);
        } else if self.block().is_some() {
            self.begin_field(piece);
        } else {
            self.begin_statement(piece);
        }
    }

    fn begin_statement(&mut self, piece: Piece<'s>) {
        match piece.lexeme {
            Lexeme::Doc => self.description(),
            Lexeme::Word | Lexeme::Mixed => match section(piece.text) {
                Some(section) => {
                    self.begin(piece, Some(section));
                    self.hand_out(piece, Token::Keyword(section.keyword));
                }
                None => {
                    report::unknown_section(self.cx, piece);
                    self.take();
                    self.skip(0);
                }
            },
            Lexeme::Semicolon | Lexeme::RoundClose | Lexeme::SquareClose | Lexeme::CurlyClose => {
                report::ends_nothing(self.cx, piece);
                self.take();
            }
            _ => {
                report::no_statement(self.cx, piece);
                self.take();
                self.skip(usize::from(piece.lexeme == Lexeme::CurlyOpen));
            }
        }
    }

    fn begin_field(&mut self, piece: Piece<'s>) {
        let Some(block) = self.block() else { return };
        match piece.lexeme {
            Lexeme::CurlyClose => {
                self.open.pop();
                self.hand_out(piece, Token::CurlyClose);
            }
            Lexeme::Word if self.begins_statement(piece) => self.close_block(piece),
            Lexeme::Word | Lexeme::Mixed => match block.field(piece.text) {
                Some(keyword) => {
                    self.begin(piece, None);
                    self.hand_out(piece, Token::Keyword(keyword));
                }
                None => {
                    report::unknown_field(self.cx, piece, block);
                    self.take();
                    self.skip(0);
                }
            },
            Lexeme::Doc => self.misplaced_doc(piece),
            Lexeme::Semicolon | Lexeme::RoundClose | Lexeme::SquareClose => {
                report::ends_nothing(self.cx, piece);
                self.take();
            }
            // The grammar says what it expected.
            _ => {
                self.begin(piece, None);
                self.within(piece);
            }
        }
    }

    /// A piece in the middle of a statement or field, or of a condition alone.
    fn within(&mut self, piece: Piece<'s>) {
        if self.whole_file && piece.lexeme == Lexeme::Word && self.next_begins(piece) {
            return;
        }
        let token = match piece.lexeme {
            Lexeme::Word if piece.text == "rule_id" => Token::RuleId,
            Lexeme::Word => Token::Word(piece.text),
            Lexeme::Mixed => {
                report::needs_quotes(self.cx, piece);
                Token::Word(piece.text)
            }
            Lexeme::String | Lexeme::OpenString => Token::String(self.string(piece)),
            Lexeme::RoundOpen | Lexeme::SquareOpen => return self.open(piece),
            Lexeme::RoundClose | Lexeme::SquareClose => return self.close(piece),
            Lexeme::CurlyOpen => return self.open_block(piece),
            Lexeme::CurlyClose if self.whole_file && self.block().is_some() => {
                return self.end_clause(Some(piece), End::BlockEnds);
            }
            Lexeme::CurlyClose if self.whole_file => {
                self.mend(|cx| report::ends_nothing(cx, piece));
                self.take();
                return;
            }
            Lexeme::Semicolon if self.whole_file => {
                self.close_all(Some(piece));
                self.end(piece.end());
                Token::Semicolon(End::Written)
            }
            Lexeme::Arrow => {
                if self.inner().iter().all(|open| open.lexeme == Lexeme::RoundOpen) {
                    self.close_all(Some(piece));
                }
                Token::Arrow
            }
            Lexeme::Colon => Token::Colon,
            Lexeme::Comma => Token::Comma,
            Lexeme::Doc if self.whole_file => return self.misplaced_doc(piece),
            _ => Token::Odd,
        };
        self.hand_out(piece, token);
    }

    /// Whether a statement or field begins here though nothing ended the last one; ends it then.
    /// Looks at words only that can't stand there in a text without mistakes.
    fn next_begins(&mut self, piece: Piece<'s>) -> bool {
        let follows = self.lexer.peek_second().map(|next| next.lexeme);
        let first = self.at == self.clause_head_end();
        if let (Some(section), false) = (self.clause.section, first)
            && self.inner().is_empty()
            && follows == Some(Lexeme::Colon)
            && let Some(block) = section.block
            && block.field(piece.text).is_some()
        {
            self.mend(|cx| report::block_not_opened(cx, piece, block));
            self.ready.push_back((self.at, Token::CurlyOpen, self.at));
            self.enter(self.at, Some(block));
            return true;
        }
        let field = self.block().and_then(|block| block.field(piece.text)).is_some()
            && follows == Some(Lexeme::Colon);
        let next = (field || self.begins_statement(piece)) && !first && self.first_of_line(piece);
        if next {
            self.end_clause(Some(piece), End::NextBegins);
        }
        next
    }

    fn begins_statement(&self, piece: Piece<'s>) -> bool {
        let follows = self.lexer.peek_second().map(|next| next.lexeme);
        let field = self.block().and_then(|block| block.field(piece.text)).is_some();
        section(piece.text).is_some_and(|section| {
            follows.is_some_and(|next| section.followed_by.contains(&next))
                && !(field && follows == Some(Lexeme::Colon))
        })
    }

    fn first_of_line(&self, piece: Piece<'s>) -> bool {
        self.text.get(self.at..piece.start).is_some_and(|between| between.contains('\n'))
    }

    /// Where the keyword that the clause began with ends.
    fn clause_head_end(&self) -> usize {
        self.clause.start + self.clause.section.map_or(0, |section| section.name.len())
    }

    // === Brackets ===

    /// The brackets that are open in this statement or field alone.
    fn inner(&self) -> &[Open] {
        let outer = self.open.iter().rposition(|open| open.block.is_some()).map_or(0, |at| at + 1);
        self.open.get(outer..).unwrap_or_default()
    }

    fn block(&self) -> Option<&'static Block> {
        self.open.iter().rev().find_map(|open| open.block)
    }

    fn open(&mut self, piece: Piece<'s>) {
        if self.open.len() >= MAX_NESTING {
            self.mend(|cx| report::too_deep(cx, piece));
            self.hand_out(piece, Token::Odd);
            return self.give_up(0);
        }
        self.open.push(Open { lexeme: piece.lexeme, at: piece.start, block: None });
        self.hand_out(
            piece,
            match piece.lexeme {
                Lexeme::RoundOpen => Token::RoundOpen,
                _ => Token::SquareOpen,
            },
        );
    }

    fn close(&mut self, piece: Piece<'s>) {
        let wanted = match piece.lexeme {
            Lexeme::RoundClose => Lexeme::RoundOpen,
            _ => Lexeme::SquareOpen,
        };
        match self.inner().iter().rev().position(|open| open.lexeme == wanted) {
            Some(0) => {}
            // Those inside it were forgotten.
            Some(forgotten) => self.close_some(forgotten, Some(piece)),
            None => match self.inner().last() {
                // The wrong kind of bracket: most likely this one was meant.
                Some(&Open { lexeme, at, .. }) => {
                    self.mend(|cx| report::wrong_kind(cx, piece, lexeme, at));
                    let token = closing(lexeme);
                    self.open.pop();
                    return self.hand_out(piece, token);
                }
                None => {
                    self.mend(|cx| report::ends_nothing(cx, piece));
                    self.take();
                    return;
                }
            },
        }
        self.open.pop();
        self.hand_out(piece, closing(wanted));
    }

    /// Closes what this statement or field left open, and says so.
    fn close_all(&mut self, found: Option<Piece<'s>>) {
        let count = self.inner().len();
        if count > 0 {
            self.close_some(count, found);
        }
    }

    fn close_some(&mut self, count: usize, found: Option<Piece<'s>>) {
        let forgotten = self.open.split_off(self.open.len().saturating_sub(count));
        let at = self.at;
        self.mend(|cx| report::never_closed(cx, &forgotten, found, at));
        self.ready.extend(forgotten.iter().rev().map(|open| (at, closing(open.lexeme), at)));
    }

    fn open_block(&mut self, piece: Piece<'s>) {
        let block = self.clause.section.and_then(|section| section.block);
        let fits = block.is_some() && self.inner().is_empty();
        self.hand_out(piece, Token::CurlyOpen);
        if fits {
            self.enter(piece.start, block);
        } else {
            self.give_up(1);
        }
    }

    fn enter(&mut self, at: usize, block: Option<&'static Block>) {
        self.end(at);
        self.open.push(Open { lexeme: Lexeme::CurlyOpen, at, block });
    }

    /// The block ends without its bracket: the next statement begins, or the file is at its end.
    fn close_block(&mut self, piece: Piece<'s>) {
        if let Some(open) = self.open.pop() {
            report::never_closed(self.cx, &[open], Some(piece), self.at);
            self.ready.push_back((self.at, Token::CurlyClose, self.at));
        }
    }

    // === Statements and fields ===

    fn begin(&mut self, piece: Piece<'s>, section: Option<&'static Section>) {
        self.fresh = false;
        self.clause = Clause { start: piece.start, section, mended: false };
    }

    /// Ends the clause where the text does not.
    fn end_clause(&mut self, found: Option<Piece<'s>>, end: End) {
        self.close_all(found);
        self.ready.push_back((self.at, Token::Semicolon(end), self.at));
        self.end(self.at);
    }

    fn end(&mut self, at: usize) {
        self.fresh = true;
        if self.clause.mended {
            self.cx.mend(self.clause.start..at.max(self.clause.start + 1));
        }
    }

    /// Reports what is wrong with brackets, once in each clause.
    fn mend(&mut self, report: impl FnOnce(&Context<'c>)) {
        if !self.clause.mended {
            report(self.cx);
            self.clause.mended = true;
            self.cx.mend(self.clause.start..usize::MAX);
        }
    }

    /// Leaves out what is left of the clause.
    fn give_up(&mut self, curly: usize) {
        let inner = self.inner().len();
        self.open.truncate(self.open.len() - inner);
        self.skip(curly);
        if self.whole_file {
            self.end_clause(None, End::GivenUp);
        }
    }

    /// Skips to where the next statement or field begins, with `curly` brackets open on the way.
    fn skip(&mut self, mut curly: usize) {
        while let Some(piece) = self.lexer.peek() {
            match piece.lexeme {
                _ if !self.whole_file => {}
                Lexeme::Semicolon if curly == 0 => {
                    self.take();
                    return;
                }
                Lexeme::CurlyOpen => curly += 1,
                Lexeme::CurlyClose if curly > 1 => curly -= 1,
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
    fn resumes(&self, piece: Piece<'s>, curly: usize) -> bool {
        let colon = || self.lexer.peek_second().is_some_and(|next| next.lexeme == Lexeme::Colon);
        self.begins_statement(piece) && (curly == 0 || !colon()) && self.first_of_line(piece)
    }

    fn finish(&mut self) {
        if !self.whole_file {
            self.close_all(None);
        } else if !self.fresh {
            self.end_clause(None, End::FileEnds);
        }
        while let Some(open) = self.open.pop() {
            report::never_closed(self.cx, &[open], None, self.at);
            self.ready.push_back((self.at, Token::CurlyClose, self.at));
        }
        self.done = true;
    }

    // === Pieces ===

    fn take(&mut self) -> Option<Piece<'s>> {
        let piece = self.lexer.take()?;
        self.at = piece.end();
        Some(piece)
    }

    /// The next piece as a token.
    fn hand_out(&mut self, piece: Piece<'s>, token: Token<'s>) {
        self.take();
        self.ready.push_back((piece.start, token, piece.end()));
    }

    /// All lines of a description, if a rule follows.
    fn description(&mut self) {
        let Some(first) = self.take() else { return };
        let mut last = first;
        while let Some(piece) = self.lexer.peek()
            && piece.lexeme == Lexeme::Doc
        {
            last = piece;
            self.take();
        }
        let rule = |piece: Piece<'_>| piece.lexeme == Lexeme::Word && piece.text == "rule";
        if self.lexer.peek().is_some_and(rule) {
            let lines = self.text.get(first.start..last.end()).unwrap_or_default();
            let token = Token::Doc(string::description(lines));
            self.ready.push_back((first.start, token, last.end()));
        } else {
            report::describes_nothing(self.cx, first.start, last.end());
        }
    }

    fn misplaced_doc(&mut self, piece: Piece<'s>) {
        report::describes_nothing(self.cx, piece.start, piece.end());
        self.take();
    }

    fn string(&mut self, piece: Piece<'s>) -> std::borrow::Cow<'s, str> {
        let inner = piece.text.get(1..).unwrap_or_default();
        if piece.lexeme == Lexeme::String {
            let inner = inner.strip_suffix('"').unwrap_or(inner);
            return string::value(inner, piece.start + 1, self.cx);
        }
        self.mend(|cx| report::open_string(cx, piece));
        inner.into()
    }
}

/// The end of a bracket.
fn closing<'s>(open: Lexeme) -> Token<'s> {
    match open {
        Lexeme::RoundOpen => Token::RoundClose,
        Lexeme::SquareOpen => Token::SquareClose,
        _ => Token::CurlyClose,
    }
}

impl<'s> Iterator for Layout<'_, '_, 's> {
    type Item = (usize, Token<'s>, usize);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(token) = self.ready.pop_front() {
                return Some(token);
            }
            if self.done {
                return None;
            }
            self.step();
        }
    }
}
