//! The words in which JSON is refused that can't be read, in place of the parser's own.

use crate::request::describe_choices;

/// What an error of the parser says, without where.
pub(crate) fn describe_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let told = text.split(" at line ").next().unwrap_or(&text);
    wrong_value(told)
        .or_else(|| wrong_field(told))
        .or_else(|| syntax_error(told).map(str::to_owned))
        .unwrap_or_else(|| told.to_owned())
}

/// A value of another kind than stands in its place.
fn wrong_value(told: &str) -> Option<String> {
    let kinds =
        told.strip_prefix("invalid type: ").or_else(|| told.strip_prefix("invalid value: "));
    let Some(kinds) = kinds else {
        let (length, expected) =
            told.strip_prefix("invalid length ")?.rsplit_once(", expected ")?;
        return Some(format!("expected {}, found {length} items", expected_kind(expected)));
    };
    // What was found may hold the words that separate the two; what is expected does not.
    let (found, expected) = kinds.rsplit_once(", expected ")?;
    Some(format!("expected {}, found {}", expected_kind(expected), found_value(found)))
}

/// What the parser calls a kind, as JSON calls it.
fn expected_kind(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" | "sequence" => "an array",
        "a map" | "map" => "an object",
        "a borrowed string" | "string" | "str" => "a string",
        "unit" => "null",
        struct_ if struct_.starts_with("struct ") => "an object",
        other => other,
    }
}

/// What the parser found, as it is written.
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

/// A member that there is not, or is too often.
fn wrong_field(told: &str) -> Option<String> {
    if let Some(name) = told.strip_prefix("missing field ") {
        return Some(format!("{name} is missing"));
    }
    if let Some(name) = told.strip_prefix("duplicate field ") {
        return Some(format!("{name} is given twice"));
    }
    let unknown = told.strip_prefix("unknown field ")?;
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
        format!("{message}; {}", describe_choices(found, known.into_iter()))
    })
}

/// What is no JSON.
fn syntax_error(told: &str) -> Option<&'static str> {
    Some(match told {
        "EOF while parsing a value" => "it ends where a value is expected",
        "EOF while parsing a list" => "it ends within an array",
        "EOF while parsing an object" => "it ends within an object",
        "EOF while parsing a string" => "it ends within a string",
        "expected ident" => {
            "a word in JSON is `true`, `false` or `null`; other texts stand in double quotes"
        }
        "expected value" => {
            "expected a value: an object, an array, a string in double quotes, a number, \
             `true`, `false` or `null`"
        }
        "key must be a string" => "expected the name of a member, in double quotes",
        "trailing comma" => "no comma may stand before a closing bracket",
        "trailing characters" => "expected the end of the body after its value",
        "expected `,` or `]`" => "expected `,` or `]` after an item",
        "expected `,` or `}`" => "expected `,` or `}` after a member",
        "expected `:`" => "expected `:` after the name of a member",
        "invalid escape" => "this escape is none of JSON's: write `\\\\` for a backslash",
        "invalid number" => "this is no number as JSON writes it",
        "number out of range" => "the number is too large",
        "control character (\\u0000-\\u001F) found while parsing a string" => {
            "a control character stands in a string; write it as an escape, as `\\n`"
        }
        "lone leading surrogate in hex escape" => "this is half of a surrogate pair",
        "unexpected end of hex escape" | "invalid unicode code point" => {
            "an escape `\\u` takes four hexadecimal digits, and both halves of a pair"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::describe_error;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Sent {
        #[expect(dead_code, reason = "only its kind is looked at")]
        commands: Vec<String>,
        #[expect(dead_code, reason = "only its kind is looked at")]
        if_revision: Option<u64>,
    }

    #[test]
    fn no_word_of_the_parser_is_left() {
        let cases = [
            ("5", "expected an object, found the number `5`"),
            (r#"{"commands": 5}"#, "expected an array, found the number `5`"),
            (r#"{"commands": {}}"#, "expected an array, found an object"),
            (r#"{"commands": [[]]}"#, "expected a string, found an array"),
            (r#"{"commands": [null]}"#, "expected a string, found null"),
            (r#"{"commands": [1.5]}"#, "expected a string, found the number `1.5`"),
            (r#"{"commands": [true]}"#, "expected a string, found `true`"),
            (
                r#"{"commands": [], "if_revision": "x, expected y"}"#,
                "expected a whole number from 0, found the string \"x, expected y\"",
            ),
            (
                r#"{"commands": [], "if_revision": -1}"#,
                "expected a whole number from 0, found the number `-1`",
            ),
            ("{}", "`commands` is missing"),
            (r#"{"commands": [], "commands": []}"#, "`commands` is given twice"),
            (
                r#"{"command": []}"#,
                "unknown field `command`; did you mean `commands`? known: commands, if_revision",
            ),
            ("", "it ends where a value is expected"),
            (r#"{"commands": ["#, "it ends within an array"),
            ("{", "it ends within an object"),
            (r#"{"commands": ["a"#, "it ends within a string"),
            (r#"{"commands": [],}"#, "no comma may stand before a closing bracket"),
            (r#"{"commands": []} x"#, "expected the end of the body after its value"),
            (r#"{"commands": ["a" "b"]}"#, "expected `,` or `]` after an item"),
            (r#"{"commands": [] "if_revision": 1}"#, "expected `,` or `}` after a member"),
            (r#"{"commands" []}"#, "expected `:` after the name of a member"),
            ("{commands: []}", "expected the name of a member, in double quotes"),
            (
                r#"{"commands": ["\x"]}"#,
                "this escape is none of JSON's: write `\\\\` for a backslash",
            ),
            (
                "{\"commands\": [\"a\nb\"]}",
                "a control character stands in a string; write it as an escape, as `\\n`",
            ),
            (r#"{"commands": [], "if_revision": 01}"#, "this is no number as JSON writes it"),
        ];
        for (text, right) in cases {
            let error = serde_json::from_str::<Sent>(text).unwrap_err();
            assert_eq!(describe_error(&error), right, "{text}: {error}");
        }
    }
}
