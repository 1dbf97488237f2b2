//! Properties of the DSL for any text: printing and reading again gives the same, and no text
//! crashes the parser, overflows its stack or takes long.

#![allow(clippy::unwrap_used, reason = "a test may fail by a panic")]

use std::ops::Range;

use super::format::items::{policy, said};
use peerage::{
    diagnostic::{Code, Diagnostics},
    source::{SourceId, Span},
    syntax::{MAX_NESTING, ast::Item, dsl, print},
};
use proptest::prelude::*;

fn parse(text: &str) -> (Vec<Item<'_>>, Diagnostics) {
    let mut problems = Diagnostics::default();
    let items = dsl::parse(SourceId(0), text, &mut problems);
    (items, problems)
}

fn assert_reads_back(items: &[Item<'_>]) -> Result<(), TestCaseError> {
    let printed = print::dsl(items);
    let (read, problems) = parse(&printed);
    prop_assert_eq!(problems.into_sorted().0, vec![], "{}", &printed);
    // What could not be read of a statement is not printed, and then nothing of it is missing.
    let whole: Vec<String> = said(items)
        .into_iter()
        .map(|item| item.replace("is_whole: false", "is_whole: true"))
        .collect();
    prop_assert_eq!(said(&read), whole, "{}", &printed);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn printing_and_reading_gives_the_same(items in policy()) {
        assert_reads_back(&items)?;
    }

    #[test]
    fn what_is_read_of_anything_can_be_printed(text in soup()) {
        let (items, problems) = parse(&text);
        for problem in problems.into_sorted().0 {
            let span = problem.primary.unwrap().span;
            prop_assert!(text.get(span.start()..span.end()).is_some(), "{span:?} of {text:?}");
        }
        assert_reads_back(&items)?;
    }

    #[test]
    fn no_text_is_refused_in_silence(text in "\\PC{0,40}") {
        let (items, problems) = parse(&text);
        prop_assert!(!items.is_empty() || problems.has_errors() || !text.contains(char::is_alphanumeric)
            || text.contains("//"));
        let place = |range: Range<usize>| Span::new(SourceId(0), range.start, range.end);
        let mut problems = Diagnostics::default();
        let expr = dsl::parse_expr(&text, &place, &mut problems);
        prop_assert!(expr.is_some() || problems.has_errors());
    }
}

/// Tokens in any order.
fn soup() -> impl Strategy<Value = String> {
    let tokens = vec![
        "rule",
        "user",
        "tags",
        "rules",
        "rule_id",
        "rule_set",
        "barrier",
        "audience",
        "accepts",
        "action",
        "between",
        "<->",
        "a*",
        "a",
        "hasTag(",
        "any(",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        ";",
        "->",
        "\n",
        " ",
        "\"x y\"",
        "\"",
        "\\",
        "///",
        "/// d\n",
        "//",
        "é",
        "@",
        "a.b",
        "tags: [A];",
        "rule: a -> [b];",
        "user x { tags: [A]; }",
        "rule_set x { rule: a -> b(); }",
        "barrier x: a <-> b { groups: false; }",
        "accepts x { a: b locked; default: c; }",
        "usr",
    ];
    prop::collection::vec(prop::sample::select(tokens), 0..40).prop_map(|tokens| tokens.join(" "))
}

// === Hostile texts ===

/// On a stack as small as that of a thread. The texts are so large that work which grows faster than
/// they do would not end.
fn survive(name: &str, text: String, check: fn(&[Item<'_>], Diagnostics)) {
    let run = move || {
        let (items, problems) = parse(&text);
        check(&items, problems);
    };
    let thread = std::thread::Builder::new().name(name.to_owned()).stack_size(2 << 20);
    thread.spawn(run).unwrap().join().unwrap();
}

fn only(code: Code) -> impl Fn(Diagnostics) {
    move |problems| {
        let codes: Vec<Code> =
            problems.into_sorted().0.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, [code]);
    }
}

#[test]
fn nesting_is_limited() {
    let nested =
        |depth: usize| format!("rule: {}hasTag{} -> [B];", "any(".repeat(depth), ")".repeat(depth));
    survive("as deep as may be", nested(MAX_NESTING), |items, problems| {
        assert_eq!((items.len(), problems.errors()), (1, 0));
    });
    survive("one too deep", nested(MAX_NESTING + 1), |items, problems| {
        assert!(items.is_empty());
        only(Code::TooDeep)(problems);
    });
    survive("a million calls", nested(1_000_000), |_, problems| only(Code::TooDeep)(problems));
    for bracket in ["(", "[", "a(", "[(", "{", "]", ")", "}"] {
        survive(bracket, format!("rule: {}", bracket.repeat(1_000_000)), |_, problems| {
            assert!(problems.errors() <= 2_000_000 && problems.has_errors());
        });
    }
    survive(
        "a broken rule hides no other",
        format!("{}\nrule: a -> [b];", "rule: a(".repeat(10)),
        |items, _| {
            assert_eq!(items.len(), 1);
        },
    );
}

#[test]
fn many_mistakes_are_counted() {
    for (name, mistake) in [
        ("no outcome", "rule: hasTag(A);\n"),
        ("unknown section", "matrix: x;\n"),
        ("unclosed", "rule: hasTag(A -> [B];\n"),
        ("stray", "rule: @ -> [B];\n"),
        ("string", "user \"\\q\" {}\n"),
    ] {
        survive(name, mistake.repeat(50_000), |_, problems| {
            assert_eq!(problems.errors(), 50_000);
        });
    }
}

#[test]
fn long_texts_of_one_thing_end() {
    let deep = "rule: ".to_owned() + &"a(".repeat(MAX_NESTING);
    for token in [",", ":", "->", "@ ", "a ", "\"\" ", "[]", "a,", "\\", "\"", "///\n", "é", "{}"]
    {
        survive(token, deep.clone() + &token.repeat(100_000), |_, _| {});
        survive(token, format!("user a {{ tags: [{}", token.repeat(100_000)), |_, _| {});
        survive(token, token.repeat(100_000), |_, _| {});
    }
}

#[test]
fn any_bytes_end() {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(1 << 20);
    while bytes.len() < 1 << 20 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        bytes.extend(seed.to_le_bytes());
    }
    // Each character takes the lexer through several states.
    survive("one long word", "é".repeat(1_000_000), |_, _| {});
    survive("bytes", String::from_utf8_lossy(&bytes).into_owned(), |_, _| {});
    let ascii = bytes.iter().map(|byte| char::from(byte & 0x7F)).collect();
    survive("ascii", ascii, |_, _| {});
}
