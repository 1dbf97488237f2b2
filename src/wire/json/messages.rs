//! The messages of the JSON parser, in the terms of JSON instead of Rust's.

use crate::request::suggest;

/// The message of a parser's error, without its place.
pub fn describe_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text);
    wrong_value(message)
        .or_else(|| unknown_field(message))
        .or_else(|| syntax_error(message).map(str::to_owned))
        .unwrap_or_else(|| message.to_owned())
}

/// The message about a value of another kind than is expected in its place.
fn wrong_value(message: &str) -> Option<String> {
    let kinds =
        message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    let Some(kinds) = kinds else {
        let (length, expected) =
            message.strip_prefix("invalid length ")?.rsplit_once(", expected ")?;
        return Some(format!("expected {}, found {length} items", expected_kind(expected)));
    };
    // The found value may hold the words that separate the two; the expected kind does not.
    let (found, expected) = kinds.rsplit_once(", expected ")?;
    Some(format!("expected {}, found {}", expected_kind(expected), found_value(found)))
}

/// The JSON name of a kind that the parser expects.
fn expected_kind(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" | "sequence" => "an array",
        "a map" | "map" => "an object",
        "a borrowed string" | "string" | "str" => "a string",
        "unit" => "null",
        struct_name if struct_name.starts_with("struct ") => "an object",
        other => other,
    }
}

/// The value that the parser found, as JSON writes it.
fn found_value(found: &str) -> String {
    match found {
        "sequence" => "an array".to_owned(),
        "map" => "an object".to_owned(),
        "null" | "unit value" => "null".to_owned(),
        _ => match found.split_once(' ') {
            Some(("string", text)) => format!("the string {text}"),
            Some(("integer", number)) => format!("the number {number}"),
            Some(("floating", number)) => {
                format!("the number {}", number.strip_prefix("point ").unwrap_or(number))
            }
            Some(("boolean", word)) => word.to_owned(),
            _ => found.to_owned(),
        },
    }
}

/// The message about an unknown field, with the known ones that are nearest.
fn unknown_field(message: &str) -> Option<String> {
    let unknown = message.strip_prefix("unknown field ")?;
    let (name, known) = match unknown.rsplit_once(", expected ") {
        Some((name, known)) => (name, known.strip_prefix("one of ").unwrap_or(known)),
        None => (unknown.rsplit_once(", there are no fields")?.0, ""),
    };
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let found = name.trim_matches('`');
    let message = format!("unknown field {name}");
    Some(if known.is_empty() {
        message
    } else {
        format!("{message}; {}", suggest(found, known.into_iter()))
    })
}

/// The message about a text that is not JSON.
fn syntax_error(message: &str) -> Option<&'static str> {
    Some(match message {
        "EOF while parsing a value" => "unexpected end where a value is expected",
        "EOF while parsing a list" => "unexpected end within an array",
        "EOF while parsing an object" => "unexpected end within an object",
        "EOF while parsing a string" => "unexpected end within a string",
        "expected ident" => {
            "expected `true`, `false` or `null`; strings are written in double quotes"
        }
        "expected value" => {
            "expected a value: an object, an array, a string in double quotes, a number, \
             `true`, `false` or `null`"
        }
        "key must be a string" => "expected a field name in double quotes",
        "trailing comma" => "trailing comma before a closing bracket; remove it",
        "trailing characters" => "unexpected text after the value",
        "expected `,` or `]`" => "expected `,` or `]` after an array item",
        "expected `,` or `}`" => "expected `,` or `}` after a field",
        "expected `:`" => "expected `:` after a field name",
        "invalid escape" => "invalid escape in a string; write `\\\\` for a backslash",
        "invalid number" => "invalid number",
        "number out of range" => "number out of range",
        "control character (\\u0000-\\u001F) found while parsing a string" => {
            "control character in a string; write it as an escape, as `\\n`"
        }
        "lone leading surrogate in hex escape" => "unpaired surrogate in a string",
        "unexpected end of hex escape" | "invalid unicode code point" => {
            "invalid escape in a string; `\\u` takes four hexadecimal digits, and both halves of a \
             surrogate pair"
        }
        _ => return None,
    })
}
