//! JSON as it comes over the wire, held to I-JSON (RFC 7493) where that decides what is meant.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

pub(crate) use super::json_messages::describe_error;

/// Why a text can't be read, and where in it the reason is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message} ({at})")]
pub struct JsonError {
    pub message: String,
    /// A byte, or a line and a column, from 1.
    pub at: String,
    /// The line and the column of it, from 1; columns are counted in bytes.
    pub line_column: (usize, usize),
}

/// How deep arrays and objects may be nested, in what is passed over too.
const DEPTH: usize = 128;

/// Reads a body: UTF-8, one value of the kind that is asked for, no lone surrogates, not too deep.
///
/// # Errors
/// If it is none; `what` is what the error says was asked for.
pub fn parse<'b, T: Deserialize<'b>>(body: &'b [u8], what: &str) -> Result<T, JsonError> {
    let misread = |at: usize, message: String| {
        let place = line_and_column(body, at);
        JsonError { message, at: format!("byte {}", at + 1), line_column: place }
    };
    let text = str::from_utf8(body)
        .map_err(|error| misread(error.valid_up_to(), "the body is not UTF-8".to_owned()))?;
    // The parser does not look into what it passes over.
    if let Some(at) = lone_surrogate(body) {
        let message = "this is half of a surrogate pair".to_owned();
        return Err(misread(at, message));
    }
    if let Some(at) = too_deep(body) {
        let message = format!("arrays and objects may be nested {DEPTH} deep");
        return Err(misread(at, message));
    }
    serde_json::from_str(text).map_err(|error| {
        // What can't be read as a whole is told of its beginning.
        let (line, column) = (error.line().max(1), error.column().max(1));
        let at = format!("line {line}, column {column}");
        let message = format!("the body does not hold {what}: {}", describe_error(&error));
        JsonError { message, at, line_column: (line, column) }
    })
}

/// The line and the column of a byte, which is counted from 0.
fn line_and_column(body: &[u8], at: usize) -> (usize, usize) {
    let before = body.get(..at).unwrap_or(body);
    let lines = before.split(|&byte| byte == b'\n');
    lines.enumerate().last().map_or((1, 1), |(line, begun)| (line + 1, begun.len() + 1))
}

/// Where a text holds an escape of half a character. What is no escape at all is left to the parser.
fn lone_surrogate(body: &[u8]) -> Option<usize> {
    let mut at = body.iter().position(|&byte| byte == b'\\')?;
    while let Some(rest) = body.get(at..) {
        let (length, unit) = match rest {
            [b'\\', b'u', ..] => (6, unit(rest)),
            [b'\\', ..] => (2, None),
            [_, ..] => (1, None),
            [] => return None,
        };
        at += match unit {
            Some(0xd800..0xdc00) => match body.get(at + 6..).and_then(unit_of_escape) {
                Some(0xdc00..0xe000) => 12,
                _ => return Some(at),
            },
            Some(0xdc00..0xe000) => return Some(at),
            _ => length,
        };
    }
    None
}

fn unit_of_escape(text: &[u8]) -> Option<u16> {
    if text.starts_with(b"\\u") { unit(text) } else { None }
}

/// The number that the four digits of an escape write.
fn unit(escape: &[u8]) -> Option<u16> {
    let digits = str::from_utf8(escape.get(2..6)?).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

/// Where a bracket opens that is too deep.
fn too_deep(body: &[u8]) -> Option<usize> {
    // Each of them is closed again, or else it is no JSON: so small bodies need no look.
    if body.len() < 2 * DEPTH {
        return None;
    }
    let is_opening = |byte: &u8| matches!(byte, b'[' | b'{');
    if body.iter().filter(|byte| is_opening(byte)).count() <= DEPTH {
        return None;
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, byte) in body.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > DEPTH {
                    return Some(at);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Any value in which no object has two members of one name: nobody could tell which was meant.
#[derive(Debug)]
pub struct StrictValue(pub Value);

impl<'de> Deserialize<'de> for StrictValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;

        impl<'de> Visitor<'de> for Anything {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, is: bool) -> Result<Value, E> {
                Ok(is.into())
            }

            fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
                Ok(number.into())
            }

            fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
                Ok(number.into())
            }

            fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
                Ok(number.into())
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(text.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut all = Vec::new();
                while let Some(StrictValue(item)) = items.next_element()? {
                    all.push(item);
                }
                Ok(Value::Array(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
                let mut all = Map::new();
                while let Some((name, StrictValue(value))) = members.next_entry::<String, _>()? {
                    if all.contains_key(&name) {
                        let name = name.escape_debug();
                        return Err(A::Error::custom(format!("duplicate field `{name}`")));
                    }
                    all.insert(name, value);
                }
                Ok(Value::Object(all))
            }
        }

        deserializer.deserialize_any(Anything).map(Self)
    }
}
