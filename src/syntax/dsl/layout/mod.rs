//! From lexemes to tokens that the grammar can rely on.
//!
//! The layout knows where statements and fields begin and end, and which brackets are open: it has
//! all it takes to say which bracket is never closed. What it hands on is balanced, every statement
//! begins with a keyword that there is, and ends; so the grammar recovers from any other mistake
//! within the statement that has it.
//!
//! Invariant: at most [`MAX_NESTING`](crate::syntax::MAX_NESTING) brackets are open, whatever the
//! text holds.

mod brackets;
mod clauses;
mod fields;

use std::{borrow::Cow, collections::VecDeque};

use crate::syntax::{
    dsl::{
        context::Context,
        lexer::{Lexeme, LexemeKind, Lexer},
        open_bracket::OpenBracket,
        report,
        sections::{Block, DslSection, Keyword, RULE_SET, is_described, section},
        string,
        token::{End, Token},
    },
    terms,
};

/// The tokens of a text, each with where it starts and ends.
pub(super) struct Layout<'a, 'c, 's> {
    cx: &'a Context<'c>,
    text: &'s str,
    lexer: Lexer<'s>,
    /// Tokens to emit before the text is read on.
    ready: VecDeque<(usize, Token<'s>, usize)>,
    /// The blocks that are open.
    blocks: Vec<OpenBlock>,
    /// The other brackets that are open: those of this statement or field alone.
    open: Vec<OpenBracket>,
    /// Whether a statement or field begins next. Never, in a condition alone.
    fresh: bool,
    whole_file: bool,
    clause: Clause,
    /// How far the line is indented that the clause, or the one before it in its line, begins.
    indent: usize,
    /// The last piece, and where it ended.
    last: LexemeKind,
    at: usize,
    /// What comes next in a list.
    next: NextInList,
    done: bool,
}

/// What comes next in a list: an element, or the value of a word such as `until`.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum NextInList {
    #[default]
    Element,
    Term,
}

struct OpenBlock {
    open: OpenBracket,
    block: &'static Block,
    /// How far the line is indented that what has it begins.
    indent: usize,
    /// Whether its bracket, or whose bracket the last one closed, is a guess after a mistake that
    /// was reported: then an unclosed bracket is not reported as well.
    guessed: bool,
}

/// The statement or field that is being read.
#[derive(Clone, Copy, Default)]
struct Clause {
    start: usize,
    /// Where the word that it begins with ends.
    head: usize,
    /// The start of a statement, not of a field.
    section: Option<&'static DslSection>,
    /// The block that it has, if it may have one.
    block: Option<&'static Block>,
    /// Whether its lists are of tags.
    tags: bool,
    /// Where the relation condition of a rule begins.
    between: Option<usize>,
    /// Whether its brackets had to be mended.
    mended: bool,
    /// Whether a string that is never closed took the rest of a line, and so perhaps the end of a
    /// block.
    cut: bool,
}

impl<'a, 'c, 's> Layout<'a, 'c, 's> {
    pub(super) fn for_file(text: &'s str, cx: &'a Context<'c>) -> Self {
        Self { fresh: true, whole_file: true, ..Self::for_condition(text, cx) }
    }

    pub(super) fn for_condition(text: &'s str, cx: &'a Context<'c>) -> Self {
        Self {
            cx,
            text,
            lexer: Lexer::new(text),
            ready: VecDeque::new(),
            blocks: Vec::new(),
            open: Vec::new(),
            fresh: false,
            whole_file: false,
            clause: Clause::default(),
            indent: 0,
            last: LexemeKind::Semicolon,
            at: 0,
            next: NextInList::Element,
            done: false,
        }
    }

    /// Reads one piece of the text, if there is one.
    fn step(&mut self) {
        let Some(piece) = self.lexer.peek() else { return self.finish() };
        match self.block() {
            _ if !self.fresh => self.within(piece),
            Some(block) => self.begin_field(piece, block),
            None => self.begin_statement(piece),
        }
    }

    fn begin_statement(&mut self, piece: Lexeme<'s>) {
        match piece.kind {
            _ if self.begins_comment(piece) => self.block_comment(piece),
            LexemeKind::Doc => self.description(),
            LexemeKind::Word | LexemeKind::Mixed => {
                if let Some(section) = section(piece.text) {
                    self.begin_section(piece, section);
                    self.emit(piece, Token::Keyword(section.keyword));
                } else {
                    report::unknown_section(self.cx, piece);
                    self.take();
                    self.skip(0, false);
                }
            }
            LexemeKind::Semicolon
            | LexemeKind::RoundClose
            | LexemeKind::SquareClose
            | LexemeKind::CurlyClose => {
                report::unmatched_end(self.cx, piece);
                self.take();
            }
            _ => {
                report::no_statement(self.cx, piece);
                self.take();
                let curly = usize::from(piece.kind == LexemeKind::CurlyOpen);
                self.skip(
                    curly,
                    matches!(piece.kind, LexemeKind::RoundOpen | LexemeKind::SquareOpen),
                );
            }
        }
    }

    /// A piece in the middle of a statement or field, or of a condition alone.
    fn within(&mut self, piece: Lexeme<'s>) {
        if self.whole_file && piece.kind == LexemeKind::Word && self.next_begins(piece) {
            return;
        }
        if piece.text == "#" {
            return self.foreign_comment(piece);
        }
        if self.begins_comment(piece) {
            return self.block_comment(piece);
        }
        self.separate(piece);
        let token = match piece.kind {
            LexemeKind::Word if piece.text == "rule_id" => Token::RuleId,
            LexemeKind::Word if self.begins_between(piece) => {
                self.clause.between = Some(piece.start);
                Token::Between
            }
            LexemeKind::Word => Token::Word(piece.text),
            // Quotes would not help the name of a call.
            LexemeKind::Mixed if self.follows() == Some(LexemeKind::RoundOpen) => Token::Odd,
            // Nor a tag: the policy says which characters it may have.
            LexemeKind::Mixed if self.is_tag() && !report::has_other_quotes(piece.text) => {
                Token::Word(piece.text)
            }
            LexemeKind::Mixed => Token::Word(report::needs_quotes(self.cx, piece)),
            LexemeKind::String | LexemeKind::OpenString => Token::String(self.string(piece)),
            LexemeKind::RoundOpen | LexemeKind::SquareOpen => return self.open(piece),
            LexemeKind::RoundClose | LexemeKind::SquareClose => return self.close(piece),
            LexemeKind::CurlyOpen => return self.open_block(piece),
            LexemeKind::CurlyClose if self.whole_file && self.block().is_some() => {
                return self.end_clause(Some(piece), End::BlockEnds);
            }
            LexemeKind::CurlyClose if self.whole_file => {
                self.mend(|cx| report::unmatched_end(cx, piece));
                self.take();
                return;
            }
            LexemeKind::Semicolon if self.whole_file => {
                self.close_all(Some(piece));
                self.end(piece.end());
                Token::Semicolon(End::Written)
            }
            LexemeKind::Arrow | LexemeKind::BothArrow => {
                if self.open.iter().all(OpenBracket::is_round) {
                    self.close_all(Some(piece));
                }
                if piece.kind == LexemeKind::Arrow { Token::Arrow } else { Token::BothArrow }
            }
            LexemeKind::Colon => {
                let after_condition = self.block().is_some_and(Block::has_conditions);
                if after_condition && self.open.iter().all(OpenBracket::is_round) {
                    self.close_all(Some(piece));
                }
                Token::Colon
            }
            LexemeKind::Comma => Token::Comma,
            LexemeKind::Doc if self.whole_file => return self.misplaced_doc(piece),
            _ => Token::Odd,
        };
        self.emit(piece, token);
    }

    /// Whether the relation condition of a rule begins: its word is one like any other elsewhere.
    fn begins_between(&self, piece: Lexeme<'s>) -> bool {
        use LexemeKind::{Mixed, RoundClose, SquareClose, String, Word};
        let is_rule = || self.clause.section.is_some_and(|it| it.keyword == Keyword::Rule);
        piece.text == "between"
            && is_rule()
            && self.clause.between.is_none()
            && self.open.is_empty()
            && self.at != self.clause.head
            && matches!(self.last, Word | Mixed | String | RoundClose | SquareClose)
            && self.follows() != Some(LexemeKind::Colon)
    }

    /// Whether a name is the name of a tag here.
    fn is_tag(&self) -> bool {
        match self.open.last() {
            Some(OpenBracket { lexeme: LexemeKind::RoundOpen, .. }) => true,
            Some(_) => self.clause.tags,
            None => false,
        }
    }

    /// Whether the innermost call that is open takes the name of one tag.
    fn is_in_has_tag(&self) -> bool {
        let before = self.open.last().and_then(|open| self.text.get(..open.at));
        before.is_some_and(|before| before.trim_end().ends_with("hasTag"))
    }

    /// A comment as other notations write it: the rest of the line is none of the text.
    fn foreign_comment(&mut self, piece: Lexeme<'s>) {
        report::foreign_comment(self.cx, piece);
        let rest = self.text.get(piece.start..).unwrap_or_default();
        let end = piece.start + rest.find('\n').unwrap_or(rest.len());
        while self.lexer.peek().is_some_and(|piece| piece.start < end) {
            self.lexer.take();
        }
    }

    /// Whether a comment begins as other languages have them.
    fn begins_comment(&self, piece: Lexeme<'s>) -> bool {
        piece.text == "/" && self.text.get(piece.end()..).is_some_and(|rest| rest.starts_with('*'))
    }

    /// Reads on behind such a comment; behind its line, if it is never closed.
    fn block_comment(&mut self, piece: Lexeme<'s>) {
        report::block_comment(self.cx, piece.start);
        let rest = self.text.get(piece.start..).unwrap_or_default();
        let end = rest.find("*/").map(|at| at + 2).or_else(|| rest.find('\n'));
        self.lexer = Lexer::from(self.text, piece.start + end.unwrap_or(rest.len()));
    }

    /// Puts a comma between two items that have none.
    fn separate(&mut self, piece: Lexeme<'s>) {
        let item =
            |lexeme| matches!(lexeme, LexemeKind::Word | LexemeKind::Mixed | LexemeKind::String);
        let after_item = item(self.last) || self.last == LexemeKind::RoundClose;
        if std::mem::take(&mut self.next) == NextInList::Term && item(piece.kind) {
            return;
        }
        if after_item && self.is_term_word(piece) {
            self.next = NextInList::Term;
            return;
        }
        if after_item && item(piece.kind) && !self.open.is_empty() {
            if !self.clause.mended {
                if self.is_in_has_tag() {
                    self.mend(|cx| report::blank_in_tag(cx, piece));
                    return self.ready.push_back((self.at, Token::Odd, self.at));
                }
                let in_call = self.open.last().is_some_and(OpenBracket::is_round);
                report::no_comma(self.cx, piece, self.is_tag() && !in_call);
            }
            self.ready.push_back((self.at, Token::Comma, self.at));
        }
    }

    /// Whether a word says something of the element before it in a list, as `until` does, with the text after it.
    fn is_term_word(&self, piece: Lexeme<'s>) -> bool {
        let is_in_list = self.open.last().is_some_and(|open| !open.is_round());
        let has_value = || {
            use LexemeKind::{Mixed, String, Word};
            matches!(self.follows(), Some(Word | Mixed | String))
        };
        let is_word = piece.kind == LexemeKind::Word && terms::is_word(piece.text);
        is_in_list && !self.blocks.is_empty() && is_word && has_value()
    }

    fn finish(&mut self) {
        if !self.whole_file {
            self.close_all(None);
        } else if !self.fresh {
            self.end_clause(None, End::FileEnds);
        }
        self.close_blocks(self.blocks.len(), None);
        self.done = true;
    }

    // === Pieces ===

    /// The piece after the next one.
    fn follows(&self) -> Option<LexemeKind> {
        self.lexer.peek_second().map(|next| next.kind)
    }

    fn take(&mut self) -> Option<Lexeme<'s>> {
        let piece = self.lexer.take()?;
        (self.last, self.at) = (piece.kind, piece.end());
        Some(piece)
    }

    /// The next piece as a token.
    fn emit(&mut self, piece: Lexeme<'s>, token: Token<'s>) {
        self.take();
        self.ready.push_back((piece.start, token, piece.end()));
    }

    /// All lines of a description, if what it may describe follows.
    fn description(&mut self) {
        let Some(first) = self.take() else { return };
        let mut last = first;
        while let Some(piece) = self.lexer.peek()
            && piece.kind == LexemeKind::Doc
        {
            last = piece;
            self.take();
        }
        let within = self.block().map(|_| RULE_SET);
        let described =
            |piece: Lexeme<'_>| piece.kind == LexemeKind::Word && is_described(piece.text, within);
        if self.lexer.peek().is_some_and(described) {
            let lines = self.text.get(first.start..last.end()).unwrap_or_default();
            let token = Token::Doc(string::description(lines));
            self.ready.push_back((first.start, token, last.end()));
        } else {
            report::dangling_description(self.cx, first.start, last.end());
        }
    }

    fn misplaced_doc(&mut self, piece: Lexeme<'s>) {
        report::dangling_description(self.cx, piece.start, piece.end());
        self.take();
    }

    fn string(&mut self, piece: Lexeme<'s>) -> Cow<'s, str> {
        let inner = piece.text.get(1..).unwrap_or_default();
        if piece.kind == LexemeKind::String {
            let inner = inner.strip_suffix('"').unwrap_or(inner);
            return string::value(inner, piece.start + 1, self.cx);
        }
        self.mend(|cx| report::open_string(cx, piece));
        self.clause.cut = true;
        inner.into()
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
