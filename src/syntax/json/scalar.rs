//! Texts, numbers and words.

use super::{OneTimeHint, Reader, Step, is_of_word, quoted};

impl<'t> Reader<'t, '_> {
    /// A value that is no array and no object; `found` begins it.
    pub(super) fn scalar(&mut self, found: char) -> Step<()> {
        match found {
            '"' => self.string(),
            '\'' => self.single_quoted(),
            '-' | '+' | '.' | '0'..='9' => self.number(),
            _ if is_of_word(found) => self.word(),
            other => self.unexpected(other),
        }
    }

    /// A text in double quotes.
    pub(super) fn string(&mut self) -> Step<()> {
        let start = self.at;
        self.at += 1;
        loop {
            let Some(found) = self.peek() else { return self.not_closed(start) };
            match found {
                '"' => {
                    self.at += 1;
                    return Ok(());
                }
                '\\' => self.escape()?,
                '\n' | '\r' => return self.not_closed(start),
                _ if is_refused(found) => {
                    let written = match found {
                        '\t' => "\\t".to_owned(),
                        other => format!("\\u{:04x}", other as u32),
                    };
                    let message =
                        format!("unescaped control character U+{:04X} in a string", found as u32);
                    let problem =
                        self.error_at(found, &message).hint(format!("write it as `{written}`"));
                    self.report(problem)?;
                    self.at += found.len_utf8();
                }
                other => self.at += other.len_utf8(),
            }
        }
    }

    fn not_closed(&mut self, start: usize) -> Step<()> {
        let problem = self.error(start, start + 1, "unclosed string");
        self.abort(problem.hint("add the closing quote, or write a line break as `\\n`"))
    }

    fn escape(&mut self) -> Step<()> {
        let rest = self.text.get(self.at + 1..).unwrap_or_default();
        let Some(kind) = rest.chars().next().filter(|c| !matches!(c, '\n' | '\r')) else {
            self.at += 1;
            return Ok(());
        };
        if matches!(kind, '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') {
            self.at += 2;
            return Ok(());
        }
        let end = self.at + 1 + kind.len_utf8();
        if kind != 'u' {
            let message = format!("unknown escape `\\{}`", kind.escape_debug());
            let problem = self.error(self.at, end, &message).hint("write `\\\\` for a backslash");
            self.at = end;
            return self.report(problem);
        }
        match (unit(self.text, self.at), unit(self.text, self.at + 6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => self.at += 12,
            (Some(0xd800..0xe000), _) => {
                let problem = self.error(self.at, self.at + 6, "unpaired surrogate");
                self.at += 6;
                return self.report(problem.hint("write both halves, or the character itself"));
            }
            (Some(_), _) => self.at += 6,
            (None, _) => {
                let problem = self.error(self.at, end, "`\\u` takes four hexadecimal digits");
                self.at = end;
                return self
                    .report(problem.hint("write `\\u00e9` for `é`, or the character itself"));
            }
        }
        Ok(())
    }

    /// A text in single quotes, up to the quote that may be meant as the closing one.
    pub(super) fn single_quoted(&mut self) -> Step<()> {
        let start = self.at;
        let rest = self.text.get(start + 1..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let Some(length) = line.find('\'') else { return self.not_closed(start) };
        self.at = start + 1 + length + 1;
        if !self.is_first(OneTimeHint::Quotes) {
            return Ok(());
        }
        let text = line.get(..length).unwrap_or_default();
        let problem = self.error(start, self.at, "a string in JSON takes double quotes");
        self.report(
            problem.hint(format!("write {}, here and elsewhere", quoted(&format!("\"{text}\"")))),
        )
    }

    /// A member's name without quotes.
    pub(super) fn bare_name(&mut self) -> Step<()> {
        let start = self.at;
        let name = self.run(is_of_word);
        if !self.is_first(OneTimeHint::Name) {
            return Ok(());
        }
        let problem = self.error(start, self.at, &format!("unquoted name {}", quoted(name)));
        self.report(
            problem.hint(format!("write {}, here and elsewhere", quoted(&format!("\"{name}\"")))),
        )
    }

    fn number(&mut self) -> Step<()> {
        let start = self.at;
        let text = self.run(is_of_word);
        if is_number(text) {
            return Ok(());
        }
        let message = format!("{} is not a JSON number", quoted(text));
        let problem = self.error(start, self.at, &message);
        self.report(problem.hint(format!(
            "put it in double quotes if it is a text: {}",
            quoted(&format!("\"{text}\""))
        )))
    }

    fn word(&mut self) -> Step<()> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let text = rest.get(..bare(rest)).unwrap_or_default().trim_end();
        self.at += text.len();
        if is_bare(text) {
            return Ok(());
        }
        let lower = text.to_ascii_lowercase();
        let (message, hint) = match &*lower {
            "true" | "false" | "null" => {
                (format!("JSON has no literal {}", quoted(text)), format!("write `{lower}`"))
            }
            "none" | "undefined" | "nil" => {
                (format!("JSON has no literal {}", quoted(text)), "write `null`".to_owned())
            }
            "nan" | "infinity" | "inf" => (
                format!("JSON has no number {}", quoted(text)),
                "write a number, or leave the member out".to_owned(),
            ),
            _ if !self.is_first(OneTimeHint::Text) => {
                self.mistakes += 1;
                return Ok(());
            }
            _ => (
                format!("unquoted string {}", quoted(text)),
                format!("write {}, here and elsewhere", quoted(&format!("\"{text}\""))),
            ),
        };
        let problem = self.error(start, self.at, &message).hint(hint);
        self.report(problem)
    }

    /// The characters from here that are such.
    fn run(&mut self, is_part: fn(char) -> bool) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }
}

/// Whether a text is a number or a word of JSON.
pub(super) fn is_bare(text: &str) -> bool {
    matches!(text, "true" | "false" | "null") || is_number(text)
}

/// How long a text without quotes is: up to a comma or bracket that is not within its parentheses, or
/// the end of the line.
fn bare(rest: &str) -> usize {
    let mut open = 0_usize;
    for (at, c) in rest.char_indices() {
        match c {
            '(' => open += 1,
            ')' => open = open.saturating_sub(1),
            ',' if open > 0 => {}
            ',' | ']' | '}' | '[' | '{' | ':' | '"' | '#' | '\n' | '\r' => return at,
            _ => {}
        }
    }
    rest.len()
}

/// Characters that a text in quotes can't hold: JSON refuses the first, and YAML, as which it is read
/// then, the others; no id, name or tag could have them.
fn is_refused(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}' | '\u{fffe}' | '\u{ffff}')
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|it| digits(it.strip_prefix(['+', '-']).unwrap_or(it)))
}

/// The number that the escape at a place writes.
fn unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { u16::from_str_radix(digits, 16).ok() } else { None }
}
