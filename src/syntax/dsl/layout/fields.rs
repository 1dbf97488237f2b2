//! The first tokens of a block's fields, which distinguish them from statements.

use crate::syntax::dsl::{
    layout::Layout,
    lexer::{Lexeme, LexemeKind},
    report,
    sections::{Block, BlockKeys, Keyword, section},
    token::Token,
};

impl<'s> Layout<'_, '_, 's> {
    pub(super) fn begin_field(&mut self, piece: Lexeme<'s>, block: &'static Block) {
        match piece.kind {
            LexemeKind::CurlyClose => self.end_block(piece),
            LexemeKind::Word if self.begins_outer_field(piece) => self.close_blocks(1, Some(piece)),
            LexemeKind::Word if self.begins_statement(piece) => {
                self.close_blocks(self.blocks.len(), Some(piece));
            }
            LexemeKind::Doc if block.has_rules() => self.description(),
            LexemeKind::Doc => self.misplaced_doc(piece),
            LexemeKind::Semicolon | LexemeKind::RoundClose | LexemeKind::SquareClose => {
                report::unmatched_end(self.cx, piece);
                self.take();
            }
            _ if piece.text == "#" => self.foreign_comment(piece),
            _ if self.begins_comment(piece) => self.block_comment(piece),
            _ => self.begin_with_key(piece, block),
        }
    }

    fn begin_with_key(&mut self, piece: Lexeme<'s>, block: &'static Block) {
        let word = matches!(piece.kind, LexemeKind::Word | LexemeKind::Mixed);
        let key = word
            || matches!(piece.kind, LexemeKind::String | LexemeKind::OpenString)
            || piece.text == "*";
        match &block.keys {
            BlockKeys::Fields(_) if word => {
                if let Some(field) = block.field(piece.text) {
                    match section(piece.text).filter(|_| field.keyword == Keyword::Rule) {
                        Some(rule) => self.begin_section(piece, rule),
                        None => self.begin(piece, Some(field.keyword), field.block),
                    }
                    self.emit(piece, Token::Keyword(field.keyword));
                } else {
                    report::unknown_field(self.cx, piece, block);
                    self.take();
                    self.skip(0, false);
                }
            }
            BlockKeys::Known { nested } if key => self.key(piece, *nested),
            BlockKeys::Names if key => self.key(piece, None),
            BlockKeys::Conditions(fields) => {
                let is_alone = self.follows() == Some(LexemeKind::Colon);
                match fields.iter().find(|field| is_alone && field.name == piece.text) {
                    Some(field) => {
                        self.begin(piece, Some(field.keyword), None);
                        self.emit(piece, Token::Keyword(field.keyword));
                    }
                    None => self.begin_unknown(piece),
                }
            }
            _ => self.begin_unknown(piece),
        }
    }

    /// Begins a clause with a piece that is no key: the grammar says what it expected, if this is not it.
    fn begin_unknown(&mut self, piece: Lexeme<'s>) {
        self.begin(piece, None, None);
        self.within(piece);
    }

    fn key(&mut self, piece: Lexeme<'s>, nested: Option<&'static Block>) {
        self.begin(piece, None, nested);
        let token = match piece.kind {
            LexemeKind::Word if piece.text == "rule_id" => Token::RuleId,
            LexemeKind::Mixed => Token::Word(report::needs_quotes(self.cx, piece)),
            LexemeKind::String | LexemeKind::OpenString => Token::String(self.string(piece)),
            _ => Token::Word(piece.text),
        };
        self.emit(piece, token);
    }

    /// Whether a statement begins at a word, as far as the word and its surroundings show.
    /// In a block, where that would be a mistake of one kind or another, the indentation decides
    /// whether a bracket was forgotten or a field is wrong.
    pub(super) fn begins_statement(&self, piece: Lexeme<'s>) -> bool {
        let Some(section) = section(piece.text) else { return false };
        let Some(follows) = self.follows() else { return false };
        if !section.followed_by.contains(&follows) {
            return false;
        }
        let (Some(block), Some(first)) = (self.block(), self.blocks.first()) else { return true };
        let dedented = || self.indentation(piece).is_some_and(|indent| indent <= first.indent);
        match (follows, &block.keys) {
            (LexemeKind::Colon | LexemeKind::CurlyOpen, BlockKeys::Fields(_)) => {
                !self.is_field(block, piece) && dedented()
            }
            // A field of any name may be meant, at any place.
            (LexemeKind::Colon, BlockKeys::Names) => self.no_value_follows(),
            (LexemeKind::Colon, _) => self.no_value_follows() || dedented(),
            (LexemeKind::CurlyOpen, _) => dedented(),
            (_, BlockKeys::Fields(_)) if self.is_field(block, piece) => false,
            _ => block.field(piece.text).is_none() || dedented(),
        }
    }

    /// Whether a field of the open block begins at a word.
    pub(super) fn begins_field(&self, piece: Lexeme<'s>) -> bool {
        self.block().is_some_and(|block| self.is_field(block, piece))
    }

    pub(super) fn is_field(&self, block: &Block, piece: Lexeme<'s>) -> bool {
        let follows = self.follows();
        let (colon, curly) = (Some(LexemeKind::Colon), Some(LexemeKind::CurlyOpen));
        match block.keys {
            BlockKeys::Fields(_) => block.field(piece.text).is_some_and(|field| {
                let is_followed = follows.is_some_and(|next| field.followed_by.contains(&next));
                is_followed || field.block.is_some() && follows == curly
            }),
            BlockKeys::Known { nested } => follows == colon || nested.is_some() && follows == curly,
            BlockKeys::Names => follows == colon,
            // A call follows no other and no word, except by a mistake.
            BlockKeys::Conditions(_) => {
                let whole = [
                    LexemeKind::Word,
                    LexemeKind::Mixed,
                    LexemeKind::String,
                    LexemeKind::RoundClose,
                ];
                let call = follows == Some(LexemeKind::RoundOpen) && self.open.is_empty();
                follows == colon || call && whole.contains(&self.last)
            }
        }
    }

    /// Whether a field begins that belongs to the block around this one.
    fn begins_outer_field(&self, piece: Lexeme<'s>) -> bool {
        let [.., outer, inner] = self.blocks.as_slice() else { return false };
        let dedented = || self.indentation(piece).is_some_and(|indent| indent <= inner.indent);
        outer.block.field(piece.text).is_some()
            && self.is_field(outer.block, piece)
            && (self.no_value_follows() || dedented())
    }

    /// Whether the text behind the colon that follows is nothing that a key of the author's may
    /// have: a list, or a rule.
    fn no_value_follows(&self) -> bool {
        /// How far an arrow is looked for; most rules have theirs before that.
        const MOST: usize = 256;
        let rest = self.lexer.peek_second().and_then(|colon| self.text.get(colon.end()..));
        let rest = rest.unwrap_or_default().trim_ascii_start().as_bytes();
        let near = rest.get(..MOST).unwrap_or(rest);
        let near = near.split(|&b| b == b';').next().unwrap_or_default();
        near.starts_with(b"[") || near.windows(2).any(|pair| pair == b"->")
    }
}
