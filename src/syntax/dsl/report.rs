//! Diagnostics about the layout of a text.

use crate::{
    diagnostic::{Code, Diagnostic, suggest},
    syntax::{
        MAX_NESTING,
        dsl::{
            context::Context,
            lexer::{Lexeme, LexemeKind},
            message::display_text,
            open_bracket::OpenBracket,
            sections::{Block, SECTIONS},
        },
        idioms,
    },
};

pub(super) fn unknown_section(cx: &Context<'_>, piece: Lexeme<'_>) {
    let known = SECTIONS.iter().map(|section| section.name);
    let message = format!("unknown section `{}`", display_text(piece.text));
    let hint =
        idioms::section_hint(piece.text).map_or_else(|| suggest(piece.text, known), str::to_owned);
    cx.report(at(cx, Code::UnknownSection, piece, message).hint(hint));
}

pub(super) fn unknown_field(cx: &Context<'_>, piece: Lexeme<'_>, block: &'static Block) {
    let known = block.fields().iter().map(|field| field.name);
    let message = format!("{} has no field `{}`", block.name, display_text(piece.text));
    cx.report(at(cx, Code::UnknownField, piece, message).hint(suggest(piece.text, known)));
}

/// A statement that begins with something other than a word.
pub(super) fn no_statement(cx: &Context<'_>, piece: Lexeme<'_>) {
    let message = format!("expected a statement, found `{}`", display_text(piece.text));
    let hint = if piece.text.starts_with('#') {
        "comments begin with `//`".to_owned()
    } else {
        "begin a statement with its keyword, such as `rule` or `user`".to_owned()
    };
    cx.report(at(cx, Code::Syntax, piece, message).hint(hint));
}

/// A closing bracket, or a `;`, with nothing to end.
pub(super) fn unmatched_end(cx: &Context<'_>, piece: Lexeme<'_>) {
    let diagnostic = if piece.kind == LexemeKind::Semicolon {
        at(cx, Code::Syntax, piece, "unexpected `;`").hint("remove it")
    } else {
        at(cx, Code::Unbalanced, piece, format!("unmatched `{}`", piece.text))
            .label("no bracket is open here")
    };
    cx.report(diagnostic);
}

/// A closing bracket that is not of the kind of the open one.
pub(super) fn wrong_kind(cx: &Context<'_>, piece: Lexeme<'_>, open: LexemeKind, from: usize) {
    let (begin, end) = brackets(open);
    cx.report(
        at(cx, Code::Unbalanced, piece, format!("`{}` can't close `{begin}`", piece.text))
            .label(format!("expected `{end}`"))
            .related(cx.span(from, from + 1), "opened here"),
    );
}

/// Brackets that must be closed before `found`, or before the end; the innermost comes last.
pub(super) fn never_closed(
    cx: &Context<'_>,
    open: &[OpenBracket],
    found: Option<Lexeme<'_>>,
    end_of_text: usize,
) {
    let Some(inner) = open.last() else { return };
    let (begin, end) = brackets(inner.lexeme);
    let message = match open.len() {
        1 => format!("`{begin}` is never closed"),
        count => format!("{count} brackets are never closed"),
    };
    let span = found.map_or_else(
        || cx.span(end_of_text, end_of_text),
        |piece| cx.span(piece.start, piece.end()),
    );
    let wanted = if found.is_some() { "before this" } else { "here" };
    let mut diagnostic = Diagnostic::error(Code::Unbalanced, span, message)
        .label(format!("expected `{end}` {wanted}"));
    // The innermost ones are the likeliest; a long list helps nobody.
    for open in open.iter().rev().take(4) {
        let (begin, _) = brackets(open.lexeme);
        let label = format!("this `{begin}` is never closed");
        diagnostic = diagnostic.related(cx.span(open.at, open.at + 1), label);
    }
    cx.report(diagnostic);
}

/// Fields that stand where their block should have begun.
pub(super) fn block_not_opened(cx: &Context<'_>, piece: Lexeme<'_>, block: &'static Block) {
    let message = format!("missing `{{` before the fields of {}", block.name);
    cx.report(at(cx, Code::Syntax, piece, message).label("expected `{` before this"));
}

pub(super) fn too_deep(cx: &Context<'_>, piece: Lexeme<'_>) {
    let message = format!("brackets are nested more than {MAX_NESTING} deep");
    cx.report(
        at(cx, Code::TooDeep, piece, message)
            .label("one too many")
            .hint(format!("the limit is {MAX_NESTING}")),
    );
}

/// Two items of a list, or two arguments, without a comma between them.
pub(super) fn no_comma(cx: &Context<'_>, piece: Lexeme<'_>, is_tags: bool) {
    let message = format!("missing `,` before `{}`", display_text(piece.text));
    let problem = at(cx, Code::Syntax, piece, message);
    cx.report(if is_tags {
        problem.hint("a tag has no blanks: join the words by `_` or `-` if they are one")
    } else {
        problem
    });
}

/// A second word where the name of one tag is wanted.
pub(super) fn blank_in_tag(cx: &Context<'_>, piece: Lexeme<'_>) {
    cx.report(at(cx, Code::Syntax, piece, "hasTag() takes one tag, and a tag has no blanks").hint(
        "join the words by `_` or `-` if they are one tag; for several tags write \
         any(hasTag(A), hasTag(B)) or all(...)",
    ));
}

/// Characters that look like the quotes of a string.
const QUOTES: [char; 6] = ['\'', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}'];

pub(super) fn has_other_quotes(text: &str) -> bool {
    text.contains(QUOTES)
}

/// A word with characters that words don't have; gives what was meant.
pub(super) fn needs_quotes<'s>(cx: &Context<'_>, piece: Lexeme<'s>) -> &'s str {
    let odd = piece.text.chars().find(|c| !c.is_alphanumeric() && *c != '-' && *c != '_');
    let odd = odd.unwrap_or_default();
    let meant = piece.text.trim_matches(QUOTES);
    let message = if QUOTES.contains(&odd) {
        "expected straight double quotes around a string".to_owned()
    } else {
        format!("`{}` needs quotes, because of its `{}`", display_text(meant), odd.escape_debug())
    };
    let hint = format!("write `\"{}\"`", display_text(meant));
    cx.report(at(cx, Code::Syntax, piece, message).hint(hint));
    meant
}

pub(super) fn foreign_comment(cx: &Context<'_>, piece: Lexeme<'_>) {
    cx.report(
        at(cx, Code::Syntax, piece, "`#` does not begin a comment")
            .hint("comments begin with `//`"),
    );
}

/// A comment between `/*` and `*/`.
pub(super) fn block_comment(cx: &Context<'_>, start: usize) {
    cx.report(
        Diagnostic::error(Code::Syntax, cx.span(start, start + 2), "`/*` does not begin a comment")
            .hint("begin each line of a comment with `//`"),
    );
}

pub(super) fn open_string(cx: &Context<'_>, piece: Lexeme<'_>) {
    cx.report(
        at(cx, Code::Syntax, piece, "unclosed string")
            .label("expected `\"` before the end of the line")
            .hint("write a line break in a string as `\\n`"),
    );
}

/// A description that no rule follows. It does no harm, but its author expects it to be seen.
pub(super) fn dangling_description(cx: &Context<'_>, from: usize, to: usize) {
    cx.report(
        Diagnostic::warning(Code::Syntax, cx.span(from, to), "the description has no rule")
            .hint("`///` describes the rule right after it; other comments begin with `//`"),
    );
}

fn at(cx: &Context<'_>, code: Code, piece: Lexeme<'_>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(code, cx.span(piece.start, piece.end()), message)
}

fn brackets(open: LexemeKind) -> (char, char) {
    match open {
        LexemeKind::RoundOpen => ('(', ')'),
        LexemeKind::SquareOpen => ('[', ']'),
        _ => ('{', '}'),
    }
}
