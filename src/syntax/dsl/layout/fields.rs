//! What the fields of a block begin with, and what tells them from statements.

use crate::syntax::dsl::{
    layout::Layout,
    lexer::{Lexeme, Piece},
    report,
    sections::{Block, DEFAULT, Keys, Keyword, section},
    token::Token,
};

impl<'s> Layout<'_, '_, 's> {
    pub(super) fn begin_field(&mut self, piece: Piece<'s>, block: &'static Block) {
        match piece.lexeme {
            Lexeme::CurlyClose => self.end_block(piece),
            Lexeme::Word if self.begins_outer_field(piece) => self.close_blocks(1, Some(piece)),
            Lexeme::Word if self.begins_statement(piece) => {
                self.close_blocks(self.blocks.len(), Some(piece));
            }
            Lexeme::Doc => self.misplaced_doc(piece),
            Lexeme::Semicolon | Lexeme::RoundClose | Lexeme::SquareClose => {
                report::ends_nothing(self.cx, piece);
                self.take();
            }
            _ if piece.text == "#" => self.foreign_comment(piece),
            _ if self.begins_comment(piece) => self.block_comment(piece),
            _ => self.begin_with_key(piece, block),
        }
    }

    fn begin_with_key(&mut self, piece: Piece<'s>, block: &'static Block) {
        let word = matches!(piece.lexeme, Lexeme::Word | Lexeme::Mixed);
        let key = word
            || matches!(piece.lexeme, Lexeme::String | Lexeme::OpenString)
            || piece.text == "*";
        match &block.keys {
            Keys::Fields(_) if word => {
                if let Some(field) = block.field(piece.text) {
                    self.begin(piece, Some(field.keyword), field.block);
                    self.hand_out(piece, Token::Keyword(field.keyword));
                } else {
                    report::unknown_field(self.cx, piece, block);
                    self.take();
                    self.skip(0, false);
                }
            }
            Keys::Known { nested } if key => self.key(piece, *nested),
            Keys::Names if key => self.key(piece, None),
            Keys::Conditions if piece.text == DEFAULT && self.follows() == Some(Lexeme::Colon) => {
                self.begin(piece, Some(Keyword::Default), None);
                self.hand_out(piece, Token::Keyword(Keyword::Default));
            }
            // The grammar says what it expected, if this is not it.
            _ => {
                self.begin(piece, None, None);
                self.within(piece);
            }
        }
    }

    fn key(&mut self, piece: Piece<'s>, nested: Option<&'static Block>) {
        self.begin(piece, None, nested);
        let token = match piece.lexeme {
            Lexeme::Word if piece.text == "rule_id" => Token::RuleId,
            Lexeme::Mixed => Token::Word(report::needs_quotes(self.cx, piece)),
            Lexeme::String | Lexeme::OpenString => Token::String(self.string(piece)),
            _ => Token::Word(piece.text),
        };
        self.hand_out(piece, token);
    }

    /// Whether a statement begins at a word, as far as the word and what stands around it can tell.
    /// In a block, where that would be a mistake of one kind or another, the indentation tells
    /// whether a bracket was forgotten or a field is wrong.
    pub(super) fn begins_statement(&self, piece: Piece<'s>) -> bool {
        let Some(section) = section(piece.text) else { return false };
        let Some(follows) = self.follows() else { return false };
        if !section.followed_by.contains(&follows) {
            return false;
        }
        let (Some(block), Some(first)) = (self.block(), self.blocks.first()) else { return true };
        let dedented = || self.indentation(piece).is_some_and(|indent| indent <= first.indent);
        match (follows, &block.keys) {
            (Lexeme::Colon | Lexeme::CurlyOpen, Keys::Fields(_)) => {
                !self.is_field(block, piece) && dedented()
            }
            // Whatever its name, and wherever it stands, it may be meant.
            (Lexeme::Colon, Keys::Names) => self.no_value_follows(),
            (Lexeme::Colon, _) => self.no_value_follows() || dedented(),
            (Lexeme::CurlyOpen, _) => dedented(),
            _ => block.field(piece.text).is_none() || dedented(),
        }
    }

    /// Whether a field of the open block begins at a word.
    pub(super) fn begins_field(&self, piece: Piece<'s>) -> bool {
        self.block().is_some_and(|block| self.is_field(block, piece))
    }

    pub(super) fn is_field(&self, block: &Block, piece: Piece<'s>) -> bool {
        let follows = self.follows();
        let (colon, curly) = (Some(Lexeme::Colon), Some(Lexeme::CurlyOpen));
        match block.keys {
            Keys::Fields(_) => block
                .field(piece.text)
                .is_some_and(|field| follows == colon || field.block.is_some() && follows == curly),
            Keys::Known { nested } => follows == colon || nested.is_some() && follows == curly,
            Keys::Names => follows == colon,
            // A call follows no other and no word, except by a mistake.
            Keys::Conditions => {
                let whole = [Lexeme::Word, Lexeme::Mixed, Lexeme::String, Lexeme::RoundClose];
                let call = follows == Some(Lexeme::RoundOpen) && self.open.is_empty();
                follows == colon || call && whole.contains(&self.last)
            }
        }
    }

    /// Whether a field begins that belongs to the block around this one.
    fn begins_outer_field(&self, piece: Piece<'s>) -> bool {
        let [.., outer, inner] = self.blocks.as_slice() else { return false };
        let dedented = || self.indentation(piece).is_some_and(|indent| indent <= inner.indent);
        outer.block.field(piece.text).is_some()
            && self.is_field(outer.block, piece)
            && (self.no_value_follows() || dedented())
    }

    /// Whether what stands behind the colon that follows is nothing that a key of the author's may
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
