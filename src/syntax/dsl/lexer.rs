//! The lexer, which cuts a text into lexemes and never fails.

use logos::Logos;

/// The class of a piece of text, independent of its surroundings.
#[derive(Logos, Clone, Copy, PartialEq, Eq, Debug)]
#[logos(skip r"[ \t\r\n\x0C]+")]
#[logos(skip(r"//[^\n]*", priority = 1, allow_greedy = true))]
pub(super) enum LexemeKind {
    #[token("(")]
    RoundOpen,
    #[token(")")]
    RoundClose,
    #[token("[")]
    SquareOpen,
    #[token("]")]
    SquareClose,
    #[token("{")]
    CurlyOpen,
    #[token("}")]
    CurlyClose,
    #[token(":")]
    Colon,
    #[token(",")]
    Comma,
    #[token(";")]
    Semicolon,
    #[token("->")]
    Arrow,
    #[token("<->")]
    BothArrow,
    /// Letters and digits of any script, `-` and `_`.
    #[regex(r"[A-Za-z0-9_\-]+", priority = 10)]
    Word,
    /// A word that touches the arrow after it: `-` alone would draw the arrow's `-` into the word.
    #[regex(r"[A-Za-z0-9_\-]+<?->")]
    WordArrow,
    #[regex(r#""([^"\\\n]|\\[^\n])*""#)]
    String,
    /// A string whose line ends before it does.
    #[regex(r#""([^"\\\n]|\\[^\n])*"#)]
    OpenString,
    /// One line of a description.
    #[regex(r"///([^/\n][^\n]*)?", priority = 20, allow_greedy = true)]
    Doc,
    /// Words mixed with characters that words don't have: `alice@example.com`.
    Mixed,
    /// Only characters that the notation has no use for, or text in single quotes, as strings
    /// do elsewhere: `'a:b'`.
    #[regex(r#"[A-Za-z0-9_\-]*[^\x00-\x20()\[\]{},:;"/>A-Za-z0-9_\-][^\x00-\x20()\[\]{},:;"/>]*"#)]
    #[regex(r"[/>\x00-\x08\x0B\x0E-\x1F]")]
    #[regex(r#"'[^'\x00-\x1F()\[\]{},;"]*'"#, priority = 30)]
    #[token("=>")]
    Odd,
}

/// A lexeme, its text and its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lexeme<'s> {
    pub(super) kind: LexemeKind,
    pub(super) text: &'s str,
    pub(super) start: usize,
}

impl Lexeme<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The lexemes of a text, with a view of the one after the next. Never fails: what is odd is a
/// lexeme too.
#[derive(Debug)]
pub(super) struct Lexer<'s> {
    inner: logos::Lexer<'s, LexemeKind>,
    /// The arrow of a [`LexemeKind::WordArrow`] whose word is handed out.
    arrow: Option<Lexeme<'s>>,
    next: Option<Lexeme<'s>>,
    after: Option<Lexeme<'s>>,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(text: &'s str) -> Self {
        let bom = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self::from(text, bom)
    }

    /// The lexemes from a place on.
    pub(super) fn from(text: &'s str, start: usize) -> Self {
        let mut inner = LexemeKind::lexer(text);
        inner.bump(start);
        let mut lexer = Self { inner, arrow: None, next: None, after: None };
        lexer.take();
        lexer.take();
        lexer
    }

    /// The piece that [`Self::take`] will return.
    pub(super) fn peek(&self) -> Option<Lexeme<'s>> {
        self.next
    }

    /// The piece after that one.
    pub(super) fn peek_second(&self) -> Option<Lexeme<'s>> {
        self.after
    }

    pub(super) fn take(&mut self) -> Option<Lexeme<'s>> {
        let taken = self.next;
        self.next = self.after;
        self.after = self.read();
        taken
    }

    fn read(&mut self) -> Option<Lexeme<'s>> {
        if let Some(arrow) = self.arrow.take() {
            return Some(arrow);
        }
        let lexeme = self.inner.next()?.unwrap_or(LexemeKind::Odd);
        let (text, start) = (self.inner.slice(), self.inner.span().start);
        Some(match lexeme {
            LexemeKind::WordArrow => {
                let (kind, length) = if text.ends_with("<->") {
                    (LexemeKind::BothArrow, 3)
                } else {
                    (LexemeKind::Arrow, 2)
                };
                let at = text.len().saturating_sub(length);
                let (word, arrow) = text.split_at_checked(at).unwrap_or((text, ""));
                self.arrow = Some(Lexeme { kind, text: arrow, start: start + word.len() });
                Lexeme { kind: LexemeKind::Word, text: word, start }
            }
            LexemeKind::Odd => Lexeme { kind: kind_of(text), text, start },
            _ => Lexeme { kind: lexeme, text, start },
        })
    }
}

/// Letters of other scripts are letters too: whether a tag or an id may have them is for the policy
/// to say, in better words than "unexpected character".
fn kind_of(text: &str) -> LexemeKind {
    let plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if text.chars().all(plain) {
        LexemeKind::Word
    } else if text.chars().any(char::is_alphanumeric) || is_pattern(text, plain) {
        LexemeKind::Mixed
    } else {
        LexemeKind::Odd
    }
}

/// Whether a text is the beginning of tags without letters, and a `*`.
fn is_pattern(text: &str, plain: impl Fn(char) -> bool) -> bool {
    text.strip_suffix('*').is_some_and(|start| !start.is_empty() && start.chars().all(plain))
}
