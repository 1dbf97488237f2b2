//! The rendering of diagnostics that are made by hand.

#![allow(clippy::unwrap_used, reason = "a test may fail by it")]

use insta::assert_snapshot;
use peerage::{
    diagnostic::{Code, Diagnostic, Diagnostics, Report, did_you_mean, render_text},
    source::{LoadError, Notation, Source, SourceId, Sources, Span},
};
use proptest::prelude::{any, prop, proptest};
use serde_json::json;

fn report(sources: &Sources, found: impl IntoIterator<Item = Diagnostic>) -> Report {
    let mut problems = Diagnostics::default();
    found.into_iter().for_each(|diagnostic| problems.push(diagnostic));
    Report::new(problems, sources)
}

fn rendered(sources: &Sources, found: impl IntoIterator<Item = Diagnostic>) -> String {
    render_text(&report(sources, found), false)
}

/// The place of a text in the file.
fn span(sources: &Sources, file: u32, needle: &str) -> Span {
    let id = SourceId(file);
    let bytes = &sources.get(id).unwrap().bytes;
    let at = bytes.windows(needle.len()).position(|part| part == needle.as_bytes()).unwrap();
    Span::new(id, at, at + needle.len())
}

fn one(text: impl Into<Vec<u8>>) -> Sources {
    Sources::single("policies/policy.yaml", Notation::Yaml, text)
}

#[test]
fn two_files() {
    let sources = Sources::new(vec![
        Source::new("policies/b.yaml", Notation::Yaml, "# more\nusers:\n  alice: {}\n"),
        Source::new("policies/a.yaml", Notation::Yaml, "users:\n  alice: {}\n"),
    ]);
    let found = Diagnostic::error(
        Code::DuplicateUser,
        span(&sources, 1, "alice"),
        "user `alice` is defined twice",
    )
    .label("again here")
    .related(span(&sources, 0, "alice"), "first defined here")
    .hint("keep one of the two");
    let warning = Diagnostic::warning(Code::InvalidText, span(&sources, 1, "# more"), "a comment");
    assert_snapshot!(rendered(&sources, [found, warning]), @r#"
    warning[invalid-text]: a comment
     --> policies/b.yaml:1:1
      |
    1 | # more
      | ^^^^^^

    error[duplicate-user]: user `alice` is defined twice
     --> policies/b.yaml:3:3
      |
    3 |   alice: {}
      |   ^^^^^ again here
      |
     ::: policies/a.yaml:2:3
      |
    2 |   alice: {}
      |   ----- first defined here
      |
      = help: keep one of the two

    1 error, 1 warning
    "#);
}

#[test]
fn two_places_in_one_file() {
    let sources = one("users:\n  alice: {}\n  bob: {}\n  alice: { tags: [a] }\n");
    let again = Span::new(SourceId(0), 31, 36);
    let found = Diagnostic::error(Code::DuplicateUser, again, "user `alice` is defined twice")
        .related(span(&sources, 0, "alice"), "first defined here");
    assert_snapshot!(rendered(&sources, [found]), @r#"
    error[duplicate-user]: user `alice` is defined twice
     --> policies/policy.yaml:4:3
      |
    4 |   alice: { tags: [a] }
      |   ^^^^^
      |
     ::: policies/policy.yaml:2:3
      |
    2 |   alice: {}
      |   ----- first defined here

    1 error
    "#);
}

#[test]
fn no_place() {
    let error = LoadError::NoFiles(vec!["policies".into(), "more".into()]);
    assert_snapshot!(rendered(&Sources::default(), [Diagnostic::from(&error)]), @r#"
    error[no-files]: no policy files in `policies`, `more`
     |
     = help: the extension of a policy file is `.yaml`, `.yml`, `.json`, `.peerage`, `.ndjson` or `.csv`

    1 error
    "#);
}

#[test]
fn nothing_to_say() {
    assert_eq!(rendered(&one("tags: []"), []), "");
}

#[test]
fn a_long_line_is_cut_to_a_window() {
    let text = format!("{}ünï `Munch` ünï{}\nnext", "x".repeat(300), "é".repeat(5_000_000));
    let sources = one(text);
    let found =
        Diagnostic::error(Code::UndeclaredTag, span(&sources, 0, "Munch"), "no tag `Munch`")
            .label("not declared")
            .related(span(&sources, 0, "next"), "elsewhere")
            .hint("did you mean `Munich`?");
    assert_snapshot!(rendered(&sources, [found]), @r#"
    error[undeclared-tag]: no tag `Munch`
     --> policies/policy.yaml:1:306
      |
    1 | …xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxünï `Munch` ünïéééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé…
      |                                                            ^^^^^ not declared
     --> policies/policy.yaml:2:1
      |
    2 | next
      | ---- elsewhere
      = help: did you mean `Munich`?

    1 error
    "#);
}

#[test]
fn tabs_wide_characters_and_carriage_returns() {
    let sources = one("\u{feff}tags:\r\n\t- 世界 bad\r\n");
    let found = Diagnostic::error(Code::InvalidTag, span(&sources, 0, "bad"), "a bad tag");
    let report = report(&sources, [found]);
    let place = report.diagnostics[0].place.as_ref().unwrap();
    assert_eq!((place.line, place.column, place.end_column), (2, 7, 10));
    assert_snapshot!(render_text(&report, false), @r#"
    error[invalid-tag]: a bad tag
     --> policies/policy.yaml:2:7
      |
    2 |     - 世界 bad
      |            ^^^

    1 error
    "#);
}

#[test]
fn bytes_that_are_no_text() {
    let sources = one(b"tags: [a\xff\xfe, \x1b[31mred\x00]\n".to_vec());
    let at = |start, end| Span::new(SourceId(0), start, end);
    let found = [
        Diagnostic::error(Code::InvalidUtf8, at(8, 9), "the file is not UTF-8"),
        Diagnostic::error(Code::NulByte, at(20, 21), "the file contains a NUL byte"),
    ];
    assert_snapshot!(rendered(&sources, found), @r#"
    error[invalid-utf8]: the file is not UTF-8
     --> policies/policy.yaml:1:9
      |
    1 | tags: [a��, ␛[31mred␀]
      |         ^

    error[nul-byte]: the file contains a NUL byte
     --> policies/policy.yaml:1:21
      |
    1 | tags: [a��, ␛[31mred␀]
      |                     ^

    2 errors
    "#);
}

#[test]
fn spans_over_lines_and_at_the_end() {
    let sources = one("rules:\n  - name: a\n    outcome: [\n");
    let end = sources.get(SourceId(0)).unwrap().bytes.len();
    let at = |start, end| Span::new(SourceId(0), start, end);
    let found = [
        Diagnostic::error(Code::MissingField, at(9, end), "no `condition`"),
        Diagnostic::error(Code::Unbalanced, at(end - 2, end - 1), "`[` is never closed"),
        Diagnostic::error(Code::Syntax, at(end, end), "the file ends too early"),
        Diagnostic::error(Code::Syntax, at(end + 50, end + 60), "past the end"),
    ];
    assert_snapshot!(rendered(&sources, found), @r#"
    error[missing-field]: no `condition`
     --> policies/policy.yaml:2:3
      |
    2 |   - name: a
      |   ^^^^^^^^^

    error[unbalanced]: `[` is never closed
     --> policies/policy.yaml:3:14
      |
    3 |     outcome: [
      |              ^

    error[syntax]: the file ends too early
     --> policies/policy.yaml:4:1
      |
    4 |
      | ^

    error[syntax]: past the end
     --> policies/policy.yaml:4:1
      |
    4 |
      | ^

    4 errors
    "#);
    let empty = Diagnostic::error(Code::Syntax, at(0, 0), "nothing here");
    assert_snapshot!(rendered(&one(""), [empty]), @r#"
    error[syntax]: nothing here
     --> policies/policy.yaml:1:1
      |
    1 |
      | ^

    1 error
    "#);
}

#[test]
fn names_and_texts_do_not_act_on_the_terminal() {
    let sources = Sources::single("a\x1b[2J\n.yaml", Notation::Yaml, "tag\u{9b}31m");
    let found = Diagnostic::error(Code::InvalidTag, span(&sources, 0, "31m"), "bad `\x1b[31m`\n")
        .label("\u{202e}here\x07")
        .hint("first\nsecond\r");
    assert_snapshot!(rendered(&sources, [found]), @r#"
    error[invalid-tag]: bad `\u{1b}[31m`\n
     --> a\u{1b}[2J\n.yaml:1:5
      |
    1 | tag�31m
      |     ^^^ \u{202e}here\u{7}
      |
      = help: first
              second\r

    1 error
    "#);
}

#[test]
fn colour_only_adds_styles() {
    let sources = one("tags: [Munch]\n");
    let found = Diagnostic::error(Code::UndeclaredTag, span(&sources, 0, "Munch"), "no tag");
    let report = report(&sources, [found]);
    let coloured = render_text(&report, true);
    assert!(coloured.contains("\x1b["));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), render_text(&report, false));
}

#[test]
fn json_has_every_field() {
    let sources = one("users:\n  alice: {}\n  alice: {}\n");
    let found = Diagnostic::error(Code::DuplicateUser, Span::new(SourceId(0), 21, 26), "twice")
        .related(span(&sources, 0, "alice"), "first defined here");
    let global = Diagnostic::global(Code::Unreadable, "can't read `x`");
    let json = report(&sources, [found, global]).to_json();
    let expected = json!({
        "errors": 2,
        "warnings": 0,
        "left_out": 0,
        "diagnostics": [
            {
                "code": "unreadable", "severity": "error", "message": "can't read `x`",
                "file": null, "line": null, "column": null, "end_line": null, "end_column": null,
                "label": null, "source_line": null, "hint": null, "related": [],
            },
            {
                "code": "duplicate-user", "severity": "error", "message": "twice",
                "file": "policies/policy.yaml", "line": 3, "column": 3, "end_line": 3,
                "end_column": 8, "label": null, "source_line": "  alice: {}", "hint": null,
                "related": [{
                    "file": "policies/policy.yaml", "line": 2, "column": 3, "end_line": 2,
                    "end_column": 8, "label": "first defined here",
                }],
            },
        ],
    });
    assert_eq!(json, expected);
}

#[test]
fn ten_thousand_mistakes_in_one_line_are_reported() {
    let sources = one("é x ".repeat(2_500_000));
    let found = |at: usize| {
        Diagnostic::error(Code::InvalidTag, Span::new(SourceId(0), at * 1000, at * 1000 + 2), "x")
    };
    let report = report(&sources, (0..12_000).map(found));
    assert_eq!((report.diagnostics.len(), report.left_out), (10_000, 2_000));
    assert_eq!((report.errors, report.warnings), (12_000, 0));
    let text = render_text(&report, false);
    assert!(text.ends_with("12000 errors (2000 more than are shown)\n"));
}

#[test]
fn any_two_places_of_a_long_line_can_be_shown() {
    let offsets =
        [0, 1, 2, 59, 60, 61, 62, 63, 64, 100, 138, 139, 140, 141, 199, 200, 240, 299, 300];
    for line in ["x".repeat(300), "é".repeat(150), format!("x{}", "世".repeat(100))] {
        let sources = one(line);
        for (first, second) in offsets.iter().flat_map(|&a| offsets.map(|b| (a, b))) {
            for length in [0, 1, 150] {
                let at = |start| Span::new(SourceId(0), start, start + length);
                let found =
                    Diagnostic::error(Code::Syntax, at(first), "x").related(at(second), "y");
                assert!(rendered(&sources, [found]).contains("1:"), "{first} {second} {length}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_and_spans_can_be_shown(
        bytes in prop::collection::vec(prop::sample::select(
            b"ab\n\r\t \x00\x1b\x7f\xc3\xa9\xff\xe4\xb8\x96\xe2\x80\xae\xc2\x9b".to_vec()), 0..600),
        places in prop::collection::vec((0usize..620, 0usize..620), 1..4),
        colour in any::<bool>(),
    ) {
        let sources = one(bytes);
        let at = |&(start, length): &(usize, usize)| Span::new(SourceId(0), start, start + length);
        let mut found = Diagnostic::error(Code::Syntax, at(&places[0]), "x").label("here");
        for place in &places[1..] {
            found = found.related(at(place), "there");
        }
        let report = report(&sources, [found]);
        let place = report.diagnostics[0].place.as_ref().unwrap();
        assert!(place.source_line.len() < 2_000);
        assert!(place.source_line.get(place.caret.0..place.caret.0 + place.caret.1).is_some());
        let text = render_text(&report, colour);
        assert!(!text.contains('\u{9b}') && !text.contains('\0'));
    }
}

#[test]
fn what_was_meant_is_reported_only_if_it_is_likely() {
    for (written, known, meant) in [
        ("Munch", &["Munich", "Berlin"][..], Some("Munich")),
        ("berlin", &["Munich", "Berlin"], Some("Berlin")),
        ("pair", &["contacts", "paired"], Some("paired")),
        ("block", &["blocked", "friends"], Some("blocked")),
        ("bo", &["bob", "alice"], Some("bob")),
        ("a", &["b", "A"], Some("A")),
        ("a", &["b", "ab"], None),
        ("7", &["6", "70"], None),
        ("1041", &["1040", "10411"], None),
        ("", &["a"], None),
    ] {
        assert_eq!(did_you_mean(written, known.iter().copied()), meant, "{written}");
    }
}
