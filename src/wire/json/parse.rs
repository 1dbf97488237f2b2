//! Reading a body as JSON: one value, with the place of the first mistake.

use serde::Deserialize;

use super::messages::describe_error;

/// The error of a text that can't be read as JSON of the expected shape.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message} ({at})")]
pub struct JsonError {
    /// The problem, without the place.
    pub message: String,
    /// The place: a byte, or a line and a column, from 1; `body` if there is nothing to point at.
    pub at: String,
    /// The line and the column of the place, from 1; columns are counted in bytes.
    pub line_column: (usize, usize),
}

/// How deep arrays and objects may be nested, ignored ones included.
const MAX_DEPTH: usize = 128;

/// Reads a body: one UTF-8 value of the expected shape, without lone surrogates, at most 128 levels
/// deep. Errors name the shape as `what`, as in "a batch of commands".
///
/// # Errors
/// If the body is anything else.
pub fn parse<'b, T: Deserialize<'b>>(body: &'b [u8], what: &str) -> Result<T, JsonError> {
    let error_at = |at: usize, message: String| {
        let line_column = line_and_column(body, at);
        JsonError { message, at: format!("byte {}", at + 1), line_column }
    };
    let text = str::from_utf8(body)
        .map_err(|error| error_at(error.valid_up_to(), "the body is not valid UTF-8".to_owned()))?;
    // The parser checks neither in values that it skips.
    if let Some(at) = lone_surrogate(body) {
        return Err(error_at(at, "unpaired surrogate in a string".to_owned()));
    }
    if let Some(at) = excessive_depth(body) {
        let message = format!("arrays and objects are nested more than {MAX_DEPTH} levels deep");
        return Err(error_at(at, message));
    }
    serde_json::from_str(text).map_err(|error| {
        if text.trim_ascii().is_empty() {
            let message = format!("the body is empty; expected {what} as JSON");
            return JsonError { message, at: "body".to_owned(), line_column: (1, 1) };
        }
        // The parser has no place for an error about the body as a whole.
        let (line, column) = (error.line().max(1), error.column().max(1));
        let message = if error.is_data() {
            format!("the body is not {what}: {}", describe_error(&error))
        } else {
            format!("invalid JSON: {}", describe_error(&error))
        };
        let at = format!("line {line}, column {column}");
        JsonError { message, at, line_column: (line, column) }
    })
}

/// Reads a line of a file of JSON lines, with or without its line break. Errors name a column.
///
/// # Errors
/// If the line is not UTF-8, not JSON, or of another shape.
pub fn parse_line<'l, T: Deserialize<'l>>(line: &'l [u8]) -> Result<T, JsonError> {
    let error_at = |column: usize, message: String| JsonError {
        message,
        at: format!("column {column}"),
        line_column: (1, column),
    };
    let text = str::from_utf8(line.trim_ascii_end()).map_err(|error| {
        error_at(error.valid_up_to() + 1, "the line is not valid UTF-8".to_owned())
    })?;
    serde_json::from_str(text).map_err(|error| {
        let message = describe_error(&error);
        let message = if error.is_data() { message } else { format!("invalid JSON: {message}") };
        error_at(error.column().max(1), message)
    })
}

/// The line and the column of a byte, which is counted from 0.
fn line_and_column(body: &[u8], at: usize) -> (usize, usize) {
    let before = body.get(..at).unwrap_or(body);
    let lines = before.split(|&byte| byte == b'\n');
    lines.enumerate().last().map_or((1, 1), |(line, start)| (line + 1, start.len() + 1))
}

/// The place of an escape that writes half a character. Invalid escapes are left to the parser.
fn lone_surrogate(body: &[u8]) -> Option<usize> {
    let mut at = body.iter().position(|&byte| byte == b'\\')?;
    while let Some(rest) = body.get(at..) {
        let (length, unit) = match rest {
            [b'\\', b'u', ..] => (6, code_unit(rest)),
            [b'\\', ..] => (2, None),
            [_, ..] => (1, None),
            [] => return None,
        };
        at += match unit {
            Some(0xd800..0xdc00) => match body.get(at + 6..).and_then(escaped_code_unit) {
                Some(0xdc00..0xe000) => 12,
                _ => return Some(at),
            },
            Some(0xdc00..0xe000) => return Some(at),
            _ => length,
        };
    }
    None
}

/// The UTF-16 code unit of the escape that a text begins with.
fn escaped_code_unit(text: &[u8]) -> Option<u16> {
    if text.starts_with(b"\\u") { code_unit(text) } else { None }
}

/// The UTF-16 code unit that the four digits of an escape write.
fn code_unit(escape: &[u8]) -> Option<u16> {
    let digits = str::from_utf8(escape.get(2..6)?).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

/// The place of the first opening bracket that is nested too deep.
fn excessive_depth(body: &[u8]) -> Option<usize> {
    // Valid JSON closes each bracket, so a short body can't nest that deep.
    if body.len() < 2 * MAX_DEPTH {
        return None;
    }
    let is_opening = |byte: &u8| matches!(byte, b'[' | b'{');
    if body.iter().filter(|byte| is_opening(byte)).count() <= MAX_DEPTH {
        return None;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in body.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(at);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}
