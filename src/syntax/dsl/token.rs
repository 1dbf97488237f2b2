//! The tokens of the grammar.

use std::borrow::Cow;

use crate::syntax::dsl::sections::Keyword;

/// The tokens of the grammar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token<'s> {
    /// The first word of a statement or field.
    Keyword(Keyword),
    RuleId,
    Word(&'s str),
    String(Cow<'s, str>),
    /// The description of the rule that follows: all its lines.
    Doc(Cow<'s, str>),
    RoundOpen,
    RoundClose,
    SquareOpen,
    SquareClose,
    CurlyOpen,
    CurlyClose,
    Colon,
    Comma,
    Arrow,
    /// `<->`.
    BothArrow,
    /// The word before the relation condition of a rule.
    Between,
    Semicolon(End),
    /// A character that the notation does not have.
    Odd,
}

/// How a statement or field came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// By a `;`.
    Written,
    /// The next one begins without a `;` before it.
    NextBegins,
    /// Its block is closed.
    BlockEnds,
    FileEnds,
    /// The rest of it could not be read.
    GivenUp,
}
