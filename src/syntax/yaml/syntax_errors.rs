//! Diagnostics of YAML syntax errors, in words that help.

use granit_parser::{ErrorKind, ScanError};

use crate::{
    diagnostic::{Code, Diagnostic},
    source::{SourceId, Span},
    syntax::{MAX_NESTING, idioms, keys::quoted},
};

/// What was read before the mistake.
pub(super) struct MistakeContext<'s> {
    pub text: &'s str,
    /// Where the last thing ended that could be read.
    pub read: usize,
    /// The innermost bracket that is open.
    pub bracket: Option<usize>,
}

/// What the YAML parser found wrong at `at`, in words that help.
pub(super) fn syntax_error(
    error: &ScanError,
    id: SourceId,
    at: usize,
    context: &MistakeContext<'_>,
) -> Diagnostic {
    let mistake = Mistake { id, at, context };
    let kind = error.kind();
    if mistake.is_star() {
        return star(mistake.character(at));
    }
    if let Some(comment) = mistake.foreign_comment() {
        return foreign_comment(comment);
    }
    brackets(kind, &mistake)
        .or_else(|| quotes(kind, &mistake))
        .unwrap_or_else(|| other_errors(kind, &mistake))
}

/// How many lines before a mistake are looked at for a comment of another language.
const MOST_LINES: usize = 50;

struct Mistake<'c> {
    id: SourceId,
    at: usize,
    context: &'c MistakeContext<'c>,
}

impl Mistake<'_> {
    /// The character at an offset.
    fn character(&self, at: usize) -> Span {
        let next = self.context.text.get(at..).and_then(|rest| rest.chars().next());
        let len = next.filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8);
        Span::new(self.id, at, at + len)
    }

    /// Whether it is at a `*` that is meant as a key.
    fn is_star(&self) -> bool {
        let after = self.context.text.get(self.at..).and_then(|rest| rest.strip_prefix('*'));
        after.is_some_and(|after| after.trim_start_matches(' ').starts_with(':'))
    }

    fn syntax(&self, message: &str) -> Diagnostic {
        Diagnostic::error(Code::Syntax, self.character(self.at), message)
    }

    fn unbalanced(&self, message: &str) -> Diagnostic {
        Diagnostic { code: Code::Unbalanced, ..self.syntax(message) }
    }

    /// With the bracket within which it is.
    fn within(&self, problem: Diagnostic) -> Diagnostic {
        match self.context.bracket {
            Some(bracket) => problem.related(self.character(bracket), "this bracket is open"),
            None => problem,
        }
    }

    /// The line up to the mistake.
    fn line(&self) -> &str {
        let before = self.context.text.get(..self.at).unwrap_or_default();
        before.rsplit('\n').next().unwrap_or_default()
    }

    /// What was meant as a comment, if it is what led here.
    fn foreign_comment(&self) -> Option<Span> {
        let before = self.context.text.get(..self.at)?;
        let mut end = before.len();
        // To YAML the lines of a comment and the key after them are one text: no key is between them.
        for line in before.rsplit('\n').take(MOST_LINES) {
            let start = end - line.len();
            let content = line.trim();
            if idioms::foreign_comment(content) {
                let start = start + (line.len() - line.trim_start().len());
                return Some(Span::new(self.id, start, start + content.len()));
            }
            if content.contains(": ") || content.ends_with(':') && end < before.len() {
                return None;
            }
            end = start.saturating_sub(1);
        }
        None
    }

    /// The opening quote of the text that is being read: there is no other between two values.
    fn opening_quote(&self) -> Option<Span> {
        let gap = self.context.text.get(self.context.read..self.at)?;
        gap.find(['"', '\'']).map(|offset| self.character(self.context.read + offset))
    }
}

fn brackets(kind: &ErrorKind, mistake: &Mistake<'_>) -> Option<Diagnostic> {
    Some(match kind {
        ErrorKind::RecursionLimitExceeded => too_deep(mistake.character(mistake.at)),
        ErrorKind::UnclosedFlowCollection { open } => mistake
            .unbalanced(&format!("this `{open}` is never closed"))
            .hint(format!("add the `{}` that closes it", closing(*open))),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => mistake
            .unbalanced(&format!("this `{open}` is closed by `{close}`"))
            .hint(format!("close it with `{}`", closing(*open))),
        ErrorKind::MisplacedFlowCollectionEnd => mistake
            .unbalanced("unmatched closing bracket")
            .hint("remove it, or add the opening bracket"),
        ErrorKind::UnexpectedEofFlowSequence | ErrorKind::ExpectedFlowSequenceSeparator => mistake
            .within(mistake.unbalanced("expected `,` or `]`"))
            .hint("check for a missing `]` above"),
        ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator => mistake
            .within(mistake.unbalanced("expected `,` or `}`"))
            .hint("check for a missing `}` above"),
        ErrorKind::BlockEntryInFlowCollection => mistake
            .within(mistake.syntax("a `- ` item is not allowed within brackets"))
            .hint("check for a missing closing bracket above"),
        ErrorKind::InvalidColonPlacement => mistake
            .within(mistake.syntax("`:` is not allowed here, within brackets"))
            .hint("check for a missing closing bracket above, or for missing quotes around a text"),
        _ => return None,
    })
}

fn quotes(kind: &ErrorKind, mistake: &Mistake<'_>) -> Option<Diagnostic> {
    Some(match kind {
        ErrorKind::UnclosedQuotedScalar => {
            mistake.syntax("unclosed quoted text").hint("add the closing quote")
        }
        ErrorKind::InvalidQuotedScalarIndent | ErrorKind::DocumentIndicatorInQuotedScalar => {
            let place = mistake.opening_quote().unwrap_or(mistake.character(mistake.at));
            let message = "unclosed quoted text";
            Diagnostic::error(Code::Syntax, place, message)
                .hint("add the closing quote, or indent the further lines of the text")
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            let problem = mistake.syntax("text after the closing quote");
            let problem = match mistake.opening_quote() {
                Some(opening) => problem.related(opening, "the quoted text begins here"),
                None => problem,
            };
            problem.hint("check for a missing quote above, or escape the quote within the text")
        }
        ErrorKind::UnknownQuotedScalarEscape => mistake
            .syntax("unknown escape in double quotes")
            .hint("write `\\\\` for a backslash, or use single quotes"),
        ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidLowSurrogateHexEscape
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate
        | ErrorKind::InvalidUnicodeEscape => mistake
            .syntax("invalid escape in double quotes")
            .hint("write four hexadecimal digits after `\\u`, and both halves of a pair"),
        _ => return None,
    })
}

fn other_errors(kind: &ErrorKind, mistake: &Mistake<'_>) -> Diagnostic {
    let (message, hint) = match kind {
        ErrorKind::MappingValueNotAllowed => (
            "`:` is not allowed here",
            "put a text with `: ` in quotes, or correct the indentation here or above",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            ("expected a key and `:`", "write `key: value`")
        }
        ErrorKind::ExpectedBlockMappingKey => {
            ("expected a key like the ones above", "indent this line like the keys above")
        }
        ErrorKind::ExpectedBlockSequenceEntry => (
            "expected another `- ` item",
            "indent a line that belongs to the item above like the text after its `- `",
        ),
        ErrorKind::BlockSequenceEntryNotAllowed => (
            "a `- ` item is not allowed here",
            "begin the list on a line of its own, below its key",
        ),
        ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabNotAllowed
        | ErrorKind::InvalidBlockEntryWhitespace
        | ErrorKind::InvalidMappingValueWhitespace
        | ErrorKind::TabAtBlockScalarStart => {
            ("a line is indented with a tab", "indent with spaces")
        }
        ErrorKind::InvalidIndentation
        | ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::InvalidFlowScalarIndent => {
            ("wrong indentation", "indent this line like the lines it belongs to")
        }
        ErrorKind::MissingAnchorOrAliasName => {
            let line = mistake.line();
            let hint = if line.contains("outcome") {
                idioms::ALL_TAGS
            } else if line.contains("condition") {
                idioms::EVERYONE
            } else {
                "put the text in quotes"
            };
            ("a text can't begin with `*` or `&`", hint)
        }
        ErrorKind::UnexpectedCharacter { character: '`' } => {
            ("a text can't begin with a backquote", "put the text in quotes")
        }
        ErrorKind::UnexpectedCharacter { character } => {
            let message = format!("a text can't begin with `{}`", character.escape_debug());
            return mistake.syntax(&message).hint("put the text in quotes");
        }
        ErrorKind::ExpectedDocumentStart => (
            "expected the end of the file here",
            "check the indentation of this line, and the brackets above",
        ),
        other => return mistake.syntax(&format!("invalid YAML: {other}")),
    };
    mistake.syntax(message).hint(hint)
}

/// A condition of which a comma makes several values.
pub(super) fn cut(span: Span, text: &str) -> Diagnostic {
    let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    Diagnostic::error(Code::Syntax, span, "a text with a comma needs quotes within brackets")
        .hint(format!("write {}", quoted(&format!("\"{text}\""))))
}

/// What begins a comment in other languages.
pub(super) fn foreign_comment(span: Span) -> Diagnostic {
    Diagnostic::error(Code::Syntax, span, "not a comment in YAML")
        .hint("begin each line of a comment with `#`")
}

/// A `*` as a key, which to YAML begins an alias.
pub(super) fn star(span: Span) -> Diagnostic {
    Diagnostic::error(Code::Syntax, span, "the key `*` needs quotes").hint("write `\"*\":`")
}

/// More levels than there may be.
pub(super) fn too_deep(span: Span) -> Diagnostic {
    let message = format!("lists and mappings are nested deeper than {MAX_NESTING} levels");
    Diagnostic::error(Code::TooDeep, span, message)
        .hint("reduce the nesting: a policy needs a handful of levels")
}

fn closing(open: char) -> char {
    if open == '[' { ']' } else { '}' }
}
