//! What holds for the DSL whatever the text: printing and reading again gives the same, and no text
//! crashes the parser, overflows its stack or takes long.

#![allow(clippy::unwrap_used, reason = "a test may fail by a panic")]

use std::{borrow::Cow, ops::Range};

use peerage::{
    diagnostic::{Code, Diagnostics},
    source::{SourceId, Span},
    syntax::{
        MAX_NESTING,
        ast::{Expr, ExprKind, Item, List, Rule, Spanned, Text, User},
        dsl, print,
    },
};
use proptest::prelude::*;

fn parse(text: &str) -> (Vec<Item<'_>>, Diagnostics) {
    let mut problems = Diagnostics::default();
    let items = dsl::parse(SourceId(0), text, &mut problems);
    (items, problems)
}

fn nowhere() -> Span {
    Span::new(SourceId(0), 0, 0)
}

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned::new(value, nowhere())
}

// === Random statements ===

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_-]{1,8}",
        prop::sample::select(vec![
            "tags", "rules", "rule", "user", "rule_id", "hasTag", "any", "-"
        ])
        .prop_map(str::to_owned),
    ]
}

fn text() -> impl Strategy<Value = Text<'static>> {
    let odd = prop_oneof!["\\PC{0,6}", ".{0,6}", "[\"\\\\/\n\r\t\u{0}\u{feff}\u{1F600}; {}]{0,6}"];
    prop_oneof![4 => word(), 1 => odd].prop_map(|text| spanned(Cow::Owned(text)))
}

fn list() -> impl Strategy<Value = List<'static>> {
    prop::collection::vec(text(), 0..4).prop_map(spanned)
}

fn expr() -> impl Strategy<Value = Expr<'static>> {
    let leaf = text().prop_map(|text| ExprKind::Word(text.value));
    leaf.prop_map(|kind| Expr { span: nowhere(), kind }).prop_recursive(5, 20, 4, |inner| {
        (word(), prop::collection::vec(inner, 0..4)).prop_map(|(name, arguments)| Expr {
            span: nowhere(),
            kind: ExprKind::Call { name: spanned(Cow::Owned(name)), arguments },
        })
    })
}

fn description() -> impl Strategy<Value = Option<Text<'static>>> {
    let line = prop_oneof!["[ -~]{0,12}", "\\PC{0,8}", "/{0,3} ?[a-z]{0,3}"];
    prop::option::of(prop::collection::vec(line, 1..4))
        .prop_map(|lines| lines.map(|lines| spanned(Cow::Owned(lines.join("\n")))))
}

fn item() -> impl Strategy<Value = Item<'static>> {
    let optional = || prop::option::of(text());
    prop_oneof![
        list().prop_map(Item::Tags),
        Just(Item::Rules(nowhere())),
        (optional(), optional(), expr(), list(), description()).prop_map(
            |(name, rule_id, condition, outcome, description)| {
                let span = nowhere();
                Item::Rule(Box::new(Rule { span, name, rule_id, condition, outcome, description }))
            }
        ),
        (text(), prop::option::of(list())).prop_map(|(id, tags)| Item::User(User { id, tags })),
    ]
}

// === Spans put aside ===

fn without_spans(mut items: Vec<Item<'_>>) -> Vec<Item<'_>> {
    fn list(of: &mut List<'_>) {
        of.span = nowhere();
        of.value.iter_mut().for_each(text);
    }
    fn text(of: &mut Text<'_>) {
        of.span = nowhere();
    }
    fn expr(of: &mut Expr<'_>) {
        of.span = nowhere();
        if let ExprKind::Call { name, arguments } = &mut of.kind {
            text(name);
            arguments.iter_mut().for_each(expr);
        }
    }
    for item in &mut items {
        match item {
            Item::Tags(tags) => list(tags),
            Item::Rules(span) => *span = nowhere(),
            Item::Rule(rule) => {
                rule.span = nowhere();
                [&mut rule.name, &mut rule.rule_id, &mut rule.description]
                    .into_iter()
                    .flatten()
                    .for_each(text);
                expr(&mut rule.condition);
                list(&mut rule.outcome);
            }
            Item::User(user) => {
                text(&mut user.id);
                user.tags.iter_mut().for_each(list);
            }
        }
    }
    items
}

fn assert_reads_back(items: &[Item<'_>]) -> Result<(), TestCaseError> {
    let printed = print::dsl(items);
    let (read, problems) = parse(&printed);
    prop_assert_eq!(problems.into_sorted().0, vec![], "{}", &printed);
    prop_assert_eq!(&without_spans(read), items, "{}", &printed);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printing_and_reading_gives_the_same(items in prop::collection::vec(item(), 0..6)) {
        assert_reads_back(&items)?;
    }

    #[test]
    fn what_is_read_of_anything_can_be_printed(text in soup()) {
        let (items, problems) = parse(&text);
        for problem in problems.into_sorted().0 {
            let span = problem.primary.unwrap().span;
            prop_assert!(text.get(span.start()..span.end()).is_some(), "{span:?} of {text:?}");
        }
        assert_reads_back(&without_spans(items))?;
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
