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
            Lexeme::Word if self.begins_statement(piece) => {
                self.close_blocks(self.blocks.len(), Some(piece));
            }
            Lexeme::Word if self.begins_outer_field(piece) => self.close_blocks(1, Some(piece)),
            Lexeme::Doc => self.misplaced_doc(piece),
            Lexeme::Semicolon | Lexeme::RoundClose | Lexeme::SquareClose => {
                report::ends_nothing(self.cx, piece);
                self.take();
            }
            _ if piece.text == "#" => self.foreign_comment(piece),
            _ => self.begin_with_key(piece, &block.keys, block),
        }
    }

    fn begin_with_key(&mut self, piece: Piece<'s>, keys: &Keys, block: &'static Block) {
        let word = matches!(piece.lexeme, Lexeme::Word | Lexeme::Mixed);
        let key = word
            || matches!(piece.lexeme, Lexeme::String | Lexeme::OpenString)
            || piece.text == "*";
        match keys {
            Keys::Fields(_) if word => match block.field(piece.text) {
                Some(field) => {
                    self.begin(piece, Some(field.keyword), field.block);
                    self.hand_out(piece, Token::Keyword(field.keyword));
                }
                None => {
                    report::unknown_field(self.cx, piece, block);
                    self.take();
                    self.skip(0, false);
                }
            },
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

    /// Whether a statement begins at a word, as far as the word and what follows it can tell.
    pub(super) fn begins_statement(&self, piece: Piece<'s>) -> bool {
        let Some(section) = section(piece.text) else { return false };
        let follows = self.follows();
        if !follows.is_some_and(|next| section.followed_by.contains(&next)) {
            return false;
        }
        match self.block() {
            Some(block) if matches!(block.keys, Keys::Fields(_)) => !self.is_field(block, piece),
            Some(Block { keys: Keys::Names, .. }) => {
                follows != Some(Lexeme::Colon) || self.list_follows()
            }
            _ => true,
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

    /// Whether a field begins that the block around this one has, and this one can't have.
    fn begins_outer_field(&self, piece: Piece<'s>) -> bool {
        let outer = self.blocks.iter().rev().nth(1).map(|outer| outer.block);
        outer.is_some_and(|outer| {
            matches!(outer.keys, Keys::Fields(_)) && self.is_field(outer, piece)
        })
    }

    /// Whether a list stands behind the colon that follows.
    fn list_follows(&self) -> bool {
        let rest = self.lexer.peek_second().and_then(|colon| self.text.get(colon.end()..));
        rest.is_some_and(|rest| rest.trim_ascii_start().starts_with('['))
    }
}
