//! Files of JSON, held to JSON's rules.

#![allow(clippy::string_slice, reason = "a test may fail by it")]

use peerage::{
    compile,
    diagnostic::{Code, Report},
    source::{Notation, Sources},
    syntax::{self, ast::Item},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde::de::IgnoredAny;

fn report(text: &str) -> Report {
    let sources = Sources::single("a.json", Notation::Json, text);
    compile::build(&sources.into(), None).report
}

/// What is wrong, with the line and column where it is shown, and the help.
fn reported(text: &str) -> Vec<(String, (usize, usize), String)> {
    let diagnostics = report(text).diagnostics.into_iter();
    let each = diagnostics.map(|found| {
        let start = found.place.as_ref().map(|place| (place.line, place.column));
        (found.message, start.unwrap_or_default(), found.hint.unwrap_or_default())
    });
    each.collect()
}

#[test]
fn what_is_wrong_is_reported_where_it_is() {
    let comma = "trailing comma after the last";
    let cases: [(&str, &str, (usize, usize), &str); 32] = [
        (r#"{"tags": ["A", "B",]}"#, comma, (1, 19), "remove it"),
        (r#"{"users": {"a": {},}}"#, comma, (1, 19), "remove it"),
        (
            "{\"tags\": [], // x\n\"users\": {}}",
            "comments are not allowed in JSON",
            (1, 14),
            "`.yaml`",
        ),
        ("{\"tags\": [] # x\n}", "comments are not allowed in JSON", (1, 13), "`.yaml`"),
        ("{\"tags\": [] /* x\n y */ }", "comments are not allowed in JSON", (1, 13), "`.yaml`"),
        ("{'tags': ['A', 'B']}", "takes double quotes", (1, 2), "write `\"tags\"`"),
        (
            "{\n  \"tags\": [\"A\"]\n  \"users\": {}\n}",
            "missing `,` before the next member",
            (2, 16),
            "",
        ),
        (r#"{"tags": ["A" "B"]}"#, "missing `,` before the next item", (1, 14), ""),
        (r#"{"tags": ["A"], "tags": []}"#, "duplicate section `tags`", (1, 17), "merge"),
        (r#"{"users": {"a": {}, "\u0061": {}}}"#, "duplicate user `a`", (1, 21), ""),
        (r#"{"limits": {"friends": NaN}}"#, "JSON has no number `NaN`", (1, 24), "write a number"),
        (r#"{"limits": {"friends": -Infinity}}"#, "`-Infinity` is not a JSON number", (1, 24), ""),
        (r#"{"limits": {"friends": 007}}"#, "`007` is not a JSON number", (1, 24), "double quotes"),
        (r#"{"limits": {"friends": +7}}"#, "`+7` is not a JSON number", (1, 24), ""),
        (r#"{"limits": {"friends": .5}}"#, "`.5` is not a JSON number", (1, 24), ""),
        (r#"{"limits": {"friends": 0x10}}"#, "`0x10` is not a JSON number", (1, 24), ""),
        (r#"{tags: ["A"], users: {}}"#, "unquoted name `tags`", (1, 2), "here and elsewhere"),
        (r#"{"tags": [A, B]}"#, "unquoted string `A`", (1, 11), "write `\"A\"`"),
        (
            r#"{"rules": [{"condition": any(hasTag(A), hasTag(B)), "outcome": ["A"]}]}"#,
            "unquoted string `any(hasTag(A), hasTag(B))`",
            (1, 26),
            "",
        ),
        (
            r#"{"permissions": {"outgoing": True}}"#,
            "JSON has no literal `True`",
            (1, 30),
            "write `true`",
        ),
        (r#"{"users": {"a": None}}"#, "JSON has no literal `None`", (1, 17), "write `null`"),
        (r#"{"users": {"\x": {}}}"#, "unknown escape `\\x`", (1, 13), "backslash"),
        (r#"{"users": {"\u00g0": {}}}"#, "four hexadecimal digits", (1, 13), ""),
        (r#"{"users": {"\ud83d": {}}}"#, "unpaired surrogate", (1, 13), "both halves"),
        (r#"{"users": {"\ude00": {}}}"#, "unpaired surrogate", (1, 13), ""),
        (
            "{\"users\": {\"a\tb\": {}}}",
            "unescaped control character U+0009",
            (1, 14),
            "write it as `\\t`",
        ),
        ("{\"users\": {\"a\nb\": {}}}", "unclosed string", (1, 12), "`\\n`"),
        (r#"{"tags": ["A"}"#, "this does not close `[`", (1, 14), "close it with `]`"),
        (r#"{"tags": ["A"]"#, "this `{` is never closed", (1, 1), "add the `}`"),
        (r#"{"tags" ["A"]}"#, "expected `:`", (1, 8), ""),
        (r#"{"tags": , "users": {}}"#, "expected a value", (1, 10), ""),
        ("{\"tags\": []}\n{\"users\": {}}", "expected the end of the file", (2, 1), "`.ndjson`"),
    ];
    for (text, message, place, hint) in cases {
        let reported = reported(text);
        let [(found, at, help)] = reported.as_slice() else { panic!("{text}: {reported:?}") };
        assert!(found.contains(message), "{text}: {found}");
        assert_eq!(*at, place, "{text}: {found}");
        assert!(help.contains(hint), "{text}: {help}");
    }
}

#[test]
fn a_colon_stands_near_its_name() {
    for text in [
        format!("{{\"users\"{}: {{}}}}", " ".repeat(5000)),
        format!("{{\"{}\": {{}}}}", "x".repeat(5000)),
    ] {
        let reported = reported(&text);
        let [(found, at, _)] = reported.as_slice() else { panic!("{reported:?}") };
        assert!(found.contains("longer than 4000 bytes"), "{found}");
        assert_eq!(*at, (1, 2));
    }
}

#[test]
fn one_mistake_does_not_hide_the_next() {
    let text = "{\n  \"tags\": [\"A\",],\n  \"limits\": {\"friends\": 01}\n  \"users\": {\"a\": {},},\n}\n";
    let lines: Vec<usize> = reported(text).into_iter().map(|(_, (line, _), _)| line).collect();
    assert_eq!(lines, [2, 3, 3, 4, 4]);
}

/// The users of a file, by id.
fn users(text: &str) -> Vec<String> {
    let sources = Sources::single("a.json", Notation::Json, text);
    let mut problems = peerage::diagnostic::Diagnostics::default();
    let items = syntax::parse(&sources, &mut problems).items;
    assert_eq!(problems.errors(), 0, "{text}: {:?}", problems.into_sorted());
    let users = items.into_iter().filter_map(|item| match item {
        Item::User(user) => Some(user.id.value.into_owned()),
        _ => None,
    });
    users.collect()
}

#[test]
fn valid_json_is_read_as_json_means_it() {
    let long = "x".repeat(250);
    let escaped = "\\u0078".repeat(250);
    let far = format!("{{\"users\"{0}:{0}{{\"a\"{0}:{0}{{}}{0}}}{0}}}", " \n\t\r".repeat(900));
    let cases: [(&str, &[&str]); 20] = [
        (r#"{"users": {"a\/b": {}}}"#, &["a/b"]),
        (r#"{"users": {"\ud83d\ude00": {}}}"#, &["😀"]),
        (r#"{"users": {"\u00e9\"\\": {}}}"#, &["é\"\\"]),
        ("{\"users\": {\"a\u{2028}b\": {}, \"c\u{feff}d\": {}}}", &["a\u{2028}b", "c\u{feff}d"]),
        ("{\"users\":\t{\n\t\t\"a\":\t{\n\t}}}", &["a"]),
        ("{\"users\":{\"a\":{},\"b\":{}}}", &["a", "b"]),
        ("{\"users\"\n:\n{\"a\"\n: {}}}", &["a"]),
        (&far, &["a"]),
        (&format!("{{\"users\": {{\"{long}\": {{}}}}}}"), &[&long]),
        (&format!("{{\"users\": {{\"{escaped}\": {{}}}}}}"), &[&long]),
        (
            r#"{"users": {"null": {}, "true": {}, "~": {}, "1e5": {}}}"#,
            &["null", "true", "~", "1e5"],
        ),
        (r#"{"users": {"<<": {}, "*": {}, "&a": {}, "!b": {}}}"#, &["<<", "*", "&a", "!b"]),
        (
            r#"{"users": {"a: b": {}, "c #d": {}, "- e": {}, "%f": {}}}"#,
            &["a: b", "c #d", "- e", "%f"],
        ),
        (r#"{"users": {"---": {}, "...": {}, "a'b": {}}}"#, &["---", "...", "a'b"]),
        ("\u{feff}{\"users\": {\"a\": {}}}\r\n", &["a"]),
        (r#"{"users": {" a ": {}}}"#, &[" a "]),
        (r#"{"users": {"a": {"tags": null, "contacts": [1e5, -0, 1.0]}}}"#, &["a"]),
        (r#"{"users": {}, "tags": []}"#, &[]),
        ("null", &[]),
        ("{}", &[]),
    ];
    for (text, ids) in cases {
        assert!(
            serde_json::from_str::<IgnoredAny>(text.trim_start_matches('\u{feff}')).is_ok(),
            "{text}"
        );
        assert_eq!(users(text), ids, "{text}");
    }
}

const PARTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    ",",
    ":",
    "\"a\"",
    "\"tags\":",
    "\"users\":{",
    "\"\\u0041\"",
    "\"\\n\"",
    "\"\\x\"",
    "\"é\"",
    "\"",
    "'",
    "1",
    "-0",
    "01",
    "1e5",
    "1.",
    "-",
    "true",
    "null",
    "nul",
    "NaN",
    " ",
    "\n",
    "\t",
    "//",
    "#",
    "/*",
    "*/",
    "&a",
    "*a",
    "!t",
    "?",
    "- ",
    "|",
    ">",
    "%",
    "@",
    "\u{a0}",
    "\u{7}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn refuses_what_is_no_json_and_nothing_else(parts in vec(select(PARTS), 1..14)) {
        let text = parts.concat();
        let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        let report = report(&text);
        let is_of_notation = |code| matches!(code, Code::Syntax | Code::Unbalanced);
        if is_json {
            let refused = report.diagnostics.iter().find(|found| is_of_notation(found.code));
            prop_assert!(refused.is_none(), "{:?}: {:?}", text, refused);
        } else {
            prop_assert!(report.errors > 0, "{:?}", text);
        }
    }

    #[test]
    fn refuses_json_that_is_damaged(
        at in 0_usize..220, cut in 0_usize..3, part in select(PARTS),
    ) {
        let text = r#"{"tags": ["A", "B"], "rules": [{"name": "x", "condition": "any(hasTag(A), hasTag(B))",
            "outcome": ["A"]}], "users": {"a": {"tags": ["A"], "permissions": {"outgoing": false}},
            "b": {"peers": 2, "contacts": ["a"]}}, "limits": {"friends": 30}}"#;
        prop_assert_eq!(report(text).errors, 0);
        let end = (at + cut).min(text.len());
        let damaged = format!("{}{part}{}", &text[..at.min(end)], &text[end..]);
        let is_json = serde_json::from_str::<IgnoredAny>(&damaged).is_ok();
        let report = report(&damaged);
        prop_assert!(is_json || report.errors > 0, "{}", damaged);
    }
}
