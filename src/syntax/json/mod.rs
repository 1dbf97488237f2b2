//! The rules of JSON, to which a `.json` file is held before its sections are read as YAML, of which
//! JSON is a part.
//!
//! Mistakes are reported where they are, in JSON's terms: a trailing comma, a comment, a missing comma.
//! Mistakes that leave no doubt of what was meant don't end the reading, so that one doesn't hide the
//! next; of comments, other quotes and missing quotes the first of a file stands for all. That no key
//! occurs twice is reported by the reader of the sections, which knows what the key is of.

mod scalar;

use super::keys::quoted;
use crate::{
    diagnostic::{Checkpoint, Code, Diagnostic, Diagnostics},
    source::{SourceId, Span},
};

/// Whether a text is JSON; what is wrong goes to `problems`. Costs one pass and no recursion.
pub(super) fn check(id: SourceId, text: &str, problems: &mut Diagnostics) -> bool {
    let mut reader = Reader {
        id,
        text,
        at: 0,
        value_end: 0,
        name_start: 0,
        open: Vec::new(),
        reported: Vec::new(),
        mistakes: 0,
        begun: problems.checkpoint(),
        problems,
    };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    // An error that leaves open how to go on ends it.
    let _: Result<(), LostError> = reader.value();
    reader.mistakes == 0
}

/// From the first byte of a member's name to its colon; the reader of the sections looks no further.
const MOST_TO_COLON: usize = 4000;

/// The number of mistakes of one file that are reported.
const MOST: usize = 100;

/// Parsing cannot go on; the reason was reported.
struct LostError;

type Step<T> = Result<T, LostError>;

/// The tokens that may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ExpectedNext {
    /// The value of the file, or of a member.
    Value,
    /// An item, or the end of the array.
    FirstItem,
    /// An item, after the comma at this place.
    Item(usize),
    /// A member's name, or the end of the object.
    FirstName,
    /// A member's name, after the comma at this place.
    Name(usize),
    Colon,
    /// A comma, or the end of what is open.
    After,
}

/// Mistakes that are reported once in a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OneTimeHint {
    Comment,
    Quotes,
    Name,
    Text,
}

struct Reader<'t, 'p> {
    id: SourceId,
    text: &'t str,
    at: usize,
    /// Where the last value or name ended.
    value_end: usize,
    /// Where the last name began.
    name_start: usize,
    /// The brackets that are open, and where.
    open: Vec<(char, usize)>,
    reported: Vec<OneTimeHint>,
    mistakes: usize,
    /// The problems found before this file.
    begun: Checkpoint,
    problems: &'p mut Diagnostics,
}

impl<'t> Reader<'t, '_> {
    fn value(&mut self) -> Step<()> {
        let mut next = ExpectedNext::Value;
        loop {
            self.blanks()?;
            let Some(found) = self.peek() else { return self.unexpected_end(next) };
            next = match (next, found) {
                (ExpectedNext::After, _) if self.open.is_empty() => return self.after_the_end(),
                (ExpectedNext::After, ',') => {
                    self.at += 1;
                    self.behind_comma(self.at - 1)
                }
                (ExpectedNext::After, ']' | '}')
                | (ExpectedNext::FirstItem, ']')
                | (ExpectedNext::FirstName, '}') => self.close(found)?,
                (ExpectedNext::After, _) => self.no_comma(found)?,
                (ExpectedNext::Item(comma), ']') | (ExpectedNext::Name(comma), '}') => {
                    self.trailing_comma(comma)?;
                    self.close(found)?
                }
                (ExpectedNext::FirstName | ExpectedNext::Name(_), _) => self.name(found)?,
                (ExpectedNext::Colon, ':') => {
                    self.at += 1;
                    if self.at - self.name_start > MOST_TO_COLON {
                        return self.too_far();
                    }
                    ExpectedNext::Value
                }
                (ExpectedNext::Colon, _) => {
                    return self.abort(
                        self.error(
                            self.value_end,
                            self.value_end,
                            "expected `:` after a member name",
                        )
                        .label("expected `:` here"),
                    );
                }
                (
                    ExpectedNext::Value | ExpectedNext::FirstItem | ExpectedNext::Item(_),
                    '{' | '[',
                ) => {
                    self.open.push((found, self.at));
                    self.at += 1;
                    if found == '[' { ExpectedNext::FirstItem } else { ExpectedNext::FirstName }
                }
                (
                    ExpectedNext::Value | ExpectedNext::FirstItem | ExpectedNext::Item(_),
                    ',' | ']' | '}' | ':',
                ) => {
                    return self.no_value(found);
                }
                (ExpectedNext::Value | ExpectedNext::FirstItem | ExpectedNext::Item(_), _) => {
                    if self.open.is_empty() && found != '"' && !scalar::is_bare(self.first_line()) {
                        return self.other_notation();
                    }
                    self.scalar(found)?;
                    self.value_end = self.at;
                    ExpectedNext::After
                }
            };
        }
    }

    /// A member's name; `found` begins it.
    fn name(&mut self, found: char) -> Step<ExpectedNext> {
        self.name_start = self.at;
        match found {
            '"' => self.string()?,
            '\'' => self.single_quoted()?,
            _ if is_of_word(found) => self.bare_name()?,
            ',' | ':' | '{' | '[' | ']' => {
                let message = format!("expected a member name, found `{found}`");
                let problem = self.error_at(found, &message);
                return self.abort(self.within(problem).hint("write `\"name\": value`"));
            }
            other => return self.unexpected(other),
        }
        self.value_end = self.at;
        Ok(ExpectedNext::Colon)
    }

    fn close(&mut self, found: char) -> Step<ExpectedNext> {
        let Some((open, at)) = self.open.pop() else {
            return self.abort(self.error_at(found, "unmatched closing bracket"));
        };
        let right = closing(open);
        if found != right {
            let problem = self.error_at(found, &format!("this does not close `{open}`"));
            let problem = Diagnostic { code: Code::Unbalanced, ..problem };
            return self.abort(
                problem
                    .related(self.span(at, at + 1), "this bracket is open")
                    .hint(format!("close it with `{right}`")),
            );
        }
        self.at += 1;
        self.value_end = self.at;
        Ok(ExpectedNext::After)
    }

    /// The values that may come after a comma.
    fn behind_comma(&self, comma: usize) -> ExpectedNext {
        match self.open.last() {
            Some(('{', _)) => ExpectedNext::Name(comma),
            _ => ExpectedNext::Item(comma),
        }
    }

    // === What is wrong ===

    fn trailing_comma(&mut self, comma: usize) -> Step<()> {
        let what =
            if self.open.last().is_some_and(|(open, _)| *open == '{') { "member" } else { "item" };
        let message = format!("trailing comma after the last {what}");
        self.report(self.error(comma, comma + 1, &message).hint("remove it"))
    }

    fn no_comma(&mut self, found: char) -> Step<ExpectedNext> {
        if found == ':' && self.open.last().is_some_and(|(open, _)| *open == '[') {
            let problem = self.error_at(found, "a member of an object within an array");
            let problem = Diagnostic { code: Code::Unbalanced, ..self.within(problem) };
            return self.abort(problem.hint("check for a missing `]` above"));
        }
        if found == ':'
            || !(is_value(found) || matches!(found, '{' | '[' | '\'') || is_of_word(found))
        {
            let problem = self.error_at(
                found,
                &format!("expected `,` or a closing bracket, found `{}`", found.escape_debug()),
            );
            return self
                .abort(self.within(problem).hint("check for a missing closing bracket above"));
        }
        let end = self.value_end;
        let before =
            if self.open.last().is_some_and(|(open, _)| *open == '{') { "member" } else { "item" };
        let problem = self.error(end, end, &format!("missing `,` before the next {before}"));
        self.report(problem.label("expected `,` here"))?;
        Ok(self.behind_comma(end))
    }

    fn too_far(&mut self) -> Step<()> {
        let message = format!("a name and its `:` are longer than {MOST_TO_COLON} bytes");
        let problem = self.error(self.name_start, self.name_start + 1, &message);
        self.abort(problem.hint("check for a missing closing quote"))
    }

    fn no_value(&mut self, found: char) -> Step<()> {
        let message = format!("expected a value, found `{found}`");
        let problem = self.error_at(found, &message);
        self.abort(self.within(problem).hint("add a value, or remove the surrounding punctuation"))
    }

    fn after_the_end(&mut self) -> Step<()> {
        let message = "expected the end of the file: a `.json` file holds one value";
        let problem = self.error(self.at, self.at + self.first_line().len(), message);
        self.abort(problem.hint(
            "check for a bracket that is closed too early; for a record on each line, use a `.ndjson` file",
        ))
    }

    /// The first thing of the file is none of JSON's.
    fn other_notation(&mut self) -> Step<()> {
        // Comments before it may be right in what it is.
        let begun = self.begun;
        self.problems.rewind(&begun);
        let line = self.first_line();
        let problem = self.error(self.at, self.at + line.len(), "the file is not JSON");
        self.abort(problem.hint(
            "a `.json` file begins with `{`; name the file `.yaml` if it is YAML, `.peerage` if it is \
             the DSL",
        ))
    }

    fn unexpected_end(&mut self, next: ExpectedNext) -> Step<()> {
        if let Some((open, at)) = self.open.pop() {
            let problem = self.error(at, at + 1, &format!("this `{open}` is never closed"));
            let problem = Diagnostic { code: Code::Unbalanced, ..problem };
            return self.abort(problem.hint(format!("add the `{}` that closes it", closing(open))));
        }
        match next {
            // No bytes are no matter of the notation.
            ExpectedNext::Value if !self.text.is_empty() => self.abort(
                self.error(0, 0, "the file has no JSON value").hint("write `{}` for nothing"),
            ),
            _ => Ok(()),
        }
    }

    fn unexpected<T>(&mut self, found: char) -> Step<T> {
        let message = format!("unexpected `{}`", found.escape_debug());
        let problem = self.error_at(found, &message);
        self.abort(self.within(problem).hint("remove it, or put the string in double quotes"))
    }

    /// Goes over white space, and over comments, which JSON doesn't have.
    fn blanks(&mut self) -> Step<()> {
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            self.at += blanks;
            let rest = rest.get(blanks..).unwrap_or_default();
            let line = rest.find('\n').unwrap_or(rest.len());
            let length = if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else if rest.starts_with("//") || rest.starts_with('#') {
                line
            } else {
                return Ok(());
            };
            let shown = rest.get(..length.min(line)).unwrap_or_default().trim_end().len();
            let problem = self
                .error(self.at, self.at + shown, "comments are not allowed in JSON")
                .hint("remove all comments, or name the file `.yaml` and begin comments with `#`");
            self.at += length;
            if self.is_first(OneTimeHint::Comment) {
                self.report(problem)?;
            }
        }
    }

    // === Pieces ===

    /// The rest of the line.
    fn first_line(&self) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        rest.lines().next().unwrap_or_default().trim_end()
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.id, start, end)
    }

    fn error(&self, start: usize, end: usize, message: &str) -> Diagnostic {
        Diagnostic::error(Code::Syntax, self.span(start, end), message)
    }

    /// An error at the next character.
    fn error_at(&self, found: char, message: &str) -> Diagnostic {
        self.error(self.at, self.at + found.len_utf8(), message)
    }

    /// With the bracket within which it is.
    fn within(&self, problem: Diagnostic) -> Diagnostic {
        match self.open.last() {
            Some(&(_, at)) => problem.related(self.span(at, at + 1), "this bracket is open"),
            None => problem,
        }
    }

    /// Whether such a mistake was not reported before.
    fn is_first(&mut self, kind: OneTimeHint) -> bool {
        let is_first = !self.reported.contains(&kind);
        if is_first {
            self.reported.push(kind);
        }
        is_first
    }

    fn report(&mut self, problem: Diagnostic) -> Step<()> {
        self.mistakes += 1;
        self.problems.push(problem);
        if self.mistakes < MOST { Ok(()) } else { Err(LostError) }
    }

    fn abort<T>(&mut self, problem: Diagnostic) -> Step<T> {
        self.mistakes += 1;
        self.problems.push(problem);
        Err(LostError)
    }
}

fn closing(open: char) -> char {
    if open == '[' { ']' } else { '}' }
}

/// Whether a text, a number or a word of JSON may begin with this.
fn is_value(first: char) -> bool {
    matches!(first, '"' | '-' | '0'..='9' | 't' | 'f' | 'n')
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '.' | '+')
}
