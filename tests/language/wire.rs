//! The parts that all APIs share: the messages about malformed JSON, percent decoding, secrets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by it")]

use peerage::wire::{PercentEncoding, Secret, bearer_token, excerpt, json};
use serde::Deserialize;

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Sent {
    #[expect(dead_code, reason = "only its kind is looked at")]
    commands: Vec<String>,
    #[expect(dead_code, reason = "only its kind is looked at")]
    if_revision: Option<u64>,
}

#[test]
fn json_is_refused_in_the_terms_of_json() {
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
        ("{}", "missing field `commands`"),
        (r#"{"commands": [], "commands": []}"#, "duplicate field `commands`"),
        (r#"{"command": []}"#, "unknown field `command`; did you mean `commands`?"),
        ("", "unexpected end where a value is expected"),
        (r#"{"commands": ["#, "unexpected end within an array"),
        ("{", "unexpected end within an object"),
        (r#"{"commands": ["a"#, "unexpected end within a string"),
        (r#"{"commands": [],}"#, "trailing comma before a closing bracket; remove it"),
        (r#"{"commands": []} x"#, "unexpected text after the value"),
        (r#"{"commands": ["a" "b"]}"#, "expected `,` or `]` after an array item"),
        (r#"{"commands": [] "if_revision": 1}"#, "expected `,` or `}` after a field"),
        (r#"{"commands" []}"#, "expected `:` after a field name"),
        ("{commands: []}", "expected a field name in double quotes"),
        (r#"{"commands": ["\x"]}"#, "invalid escape in a string; write `\\\\` for a backslash"),
        (
            "{\"commands\": [\"a\nb\"]}",
            "control character in a string; write it as an escape, as `\\n`",
        ),
        (r#"{"commands": [], "if_revision": 01}"#, "invalid number"),
    ];
    for (text, right) in cases {
        let error = serde_json::from_str::<Sent>(text).unwrap_err();
        assert_eq!(json::describe_error(&error), right, "{text}: {error}");
    }
}

#[test]
fn a_body_is_refused_with_its_place() {
    let deep = "[".repeat(129) + &"]".repeat(129);
    for (body, message, at) in [
        (&b"  "[..], "the body is empty; expected a batch as JSON", "body"),
        (b"[1,\n x]", "invalid JSON: expected a value", "line 2, column 2"),
        (
            b"{\"a\": 1, \"a\": 2}",
            "the body is not a batch: duplicate field `a`",
            "line 1, column 16",
        ),
        (b"\"\xff\"", "the body is not valid UTF-8", "byte 2"),
        (br#"["\ud800"]"#, "unpaired surrogate in a string", "byte 3"),
        (deep.as_bytes(), "arrays and objects are nested more than 128 levels deep", "byte 129"),
    ] {
        let error = json::parse::<json::StrictValue>(body, "a batch").unwrap_err();
        assert!(error.message.starts_with(message), "{error}");
        assert_eq!(error.at, at, "{error}");
    }
}

#[test]
fn percent_decoding_has_four_rules() {
    use PercentEncoding::{Form, LenientForm, LenientPath, Path};
    for (encoding, text, decoded) in [
        (Path, "a+b%2Bc", Some("a+b+c")),
        (Form, "a+b%2Bc", Some("a b+c")),
        (Path, "100%", None),
        (Form, "%zz", None),
        (Form, "%4", None),
        (LenientPath, "100%+%41", Some("100%+A")),
        (LenientForm, "100%+%41", Some("100% A")),
        (LenientForm, "%ff", None),
        (Path, "\u{e9}", Some("\u{e9}")),
    ] {
        let found = encoding.decode(text.as_bytes()).ok();
        assert_eq!(found.as_deref(), decoded, "{text} as {encoding:?}");
    }
    assert!(PercentEncoding::Path.decode(b"\xff").is_err());
}

#[test]
fn a_secret_is_long_and_plain_and_never_printed() {
    let secret: Secret = " 0123456789abcdef\n".parse().unwrap();
    assert!(secret.matches(b"0123456789abcdef"));
    for wrong in ["0123456789abcdeF", "0123456789abcde", "0123456789abcdef0", ""] {
        assert!(!secret.matches(wrong.as_bytes()), "{wrong}");
    }
    assert_eq!(format!("{secret:?}"), "Secret");
    for weak in ["0123456789abcde", "0123456789 abcdef", "0123456789abcd\u{e9}f"] {
        let error = weak.parse::<Secret>().unwrap_err().to_string();
        assert!(error.contains("at least 16") && !error.contains(weak), "{error}");
    }
}

#[test]
fn a_bearer_token_may_be_written_in_any_case() {
    assert_eq!(bearer_token(b"Bearer abc"), Some(&b"abc"[..]));
    assert_eq!(bearer_token(b"bEARER a b"), Some(&b"a b"[..]));
    for other in [&b"Basic abc"[..], b"Bearer", b""] {
        assert_eq!(bearer_token(other), None);
    }
}

#[test]
fn an_excerpt_stays_on_its_line() {
    assert_eq!(excerpt("a\n\"b\""), "a\\n\\\"b\\\"");
    assert_eq!(excerpt(&"x".repeat(100)), "x".repeat(64));
}
