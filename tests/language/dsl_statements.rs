//! That a mistake stays in its statement, whatever the statement and whatever the mistake, and that
//! no text of any section crashes the parser or takes long.

#![allow(clippy::unwrap_used, reason = "a test may fail by a panic")]

use crate::support::shape;

use peerage::{
    diagnostic::{Code, Diagnostics},
    source::SourceId,
    syntax::{MAX_NESTING, dsl},
};
use proptest::prelude::*;

/// What is read of a text, and the codes of what is wrong with it.
fn parse(text: &str) -> (Vec<String>, Vec<Code>) {
    let mut problems = Diagnostics::default();
    let items = dsl::parse(SourceId(0), text, &mut problems);
    let problems = problems.into_sorted().0;
    for problem in &problems {
        let span = problem.primary.as_ref().unwrap().span;
        assert!(text.get(span.start()..span.end()).is_some(), "{span:?} of {text:?}");
    }
    let codes = problems.iter().map(|problem| problem.code).collect();
    (items.iter().map(shape::of).collect(), codes)
}

/// Statements without mistakes.
const WHOLE: &[&str] = &[
    "tags: [A, B];",
    "rules: [];",
    "rule: hasTag(A) -> [B];",
    "rule x: any(\n  hasTag(A),\n  hasTag(B)\n) -> [B];",
    "preset: flip;",
    "unknown_users: deny;",
    "moderation { managers: hasTag(A); }",
    "permissions {\n  outgoing: true;\n  incoming: hasTag(A);\n}",
    "blocks { send_message: one_way; }",
    "friendship {}",
    "limits { friends: 3; }",
    "peers { hasTag(A): contacts; default: all; }",
    "peers {\n  hasTag(A): contacts;\n  any(hasTag(A)): paired;\n}",
    "matrix m { add_member: allow; }",
    "matrix m {\n  update_metadata {\n    rules: allow;\n    *: deny;\n  }\n  add_member: deny;\n}",
    "user a { tags: [A]; }",
    "user a {\n  tags: [A];\n  permissions { outgoing: false; }\n  peers: all;\n}",
    "group g { matrix: m; members: [a]; }",
    "group g {\n  creator: a;\n}",
    "conversation a, b;",
    "rule: hasTag(A) -> everyone;",
    "rule x:\n  hasTag(A)\n  -> hasTag(B)\n  between\n  any(friend, sharesTag(team-*));",
    "rule: everyone between contact;",
    "rule_set s {}",
    "rule_set \"a set\" {\n  asked: new;\n  actions: [send_message];\n  rule: hasTag(A) -> [B];\n  \
     /// Why.\n  rule x: hasTag(B) between friend;\n}",
    "rule_set s { rule: hasTag(A) -> [B]; rule y rule_id z: nobody -> everyone; }",
    "barrier b: hasTag(A) <-> hasTag(B);",
    "barrier b: everyone<->nobody;",
    "barrier \"a barrier\": hasTag(A) -> hasTag(B) {\n  actions: [start_chat];\n  unless: contact;\n}",
    "barrier b:\n  hasTag(A)\n  <->\n  hasTag(B) { groups: false; }",
    "audience close: any(friend, sharesTag(family-*));",
    "accepts start_chat { default: contacts; }",
    "accepts start_chat {\n  hasTag(A): close locked;\n  any(hasTag(B)): contacts;\n  otherwise: request;\n  asked: new;\n}",
    "action mention: send_message;",
    "never a: hasTag(A) -> hasTag(B)\n  conversation existing\n  scope population;",
    "every e: hasTag(A) reaches hasTag(B) by a scope population conversation existing;",
    "user a { accepts { start_chat: contacts; } tags: [A]; }",
];

/// Statements with one mistake, of which nothing is read or what is left without it.
const BROKEN: &[&str] = &[
    "preset flip;",
    "preset: [flip];",
    "preset: flip",
    "unknown_users;",
    "limits",
    "limits;",
    "limits: { friends: 3; }",
    "limits { friends 3; }",
    "limits { friends: ; }",
    "limits { friends: [3]; }",
    "limits { friends: { a: b; }; }",
    "limits { friends: 3 }",
    "limits { friends: any(3; }",
    "limits { friends: any(3] ; }",
    "limits { friends: 3;",
    "limits { \"friends: 3;",
    "limits friends: 3; }",
    "permissions { outgoing: @; }",
    "moderation {",
    "peers",
    "peers: all;",
    "peers { hasTag(A); }",
    "peers { hasTag(A: all; }",
    "peers { default: [all]; }",
    "peers { default: all; default: all; }",
    "peers { default: all;",
    "matrix",
    "matrix { a: b; }",
    "matrix m;",
    "matrix m { update_metadata: { a: b; } }",
    "matrix m { update_metadata { a: b; }",
    "matrix m { update_metadata { a: b;",
    "matrix m { update_metadata { a { b: c; } } }",
    "matrix m { update_metadata { : ; } }",
    "matrix m a: b; }",
    "user",
    "user a",
    "user a { peers: [a]; }",
    "user a { tags: A; }",
    "user a { contacts: [a; }",
    "user a { contacs: [a]; }",
    "user a { permisions { outgoing: false; } }",
    "user a { permissions: { outgoing: false; } }",
    "user a { permissions { outgoing: false; }",
    "user a { permissions { outgoing: false;",
    "user a { permissions; }",
    "user a { tags: [A]; tags: [B]; }",
    "user a { limits { friends: 3; } }",
    "user a {\n  preset: flip;\n}",
    "group",
    "group g { creator: [a]; }",
    "group g { members: a; }",
    "group g { tags: [A]; }",
    "group g { members: [a];",
    "conversation",
    "conversation a;",
    "conversation a, b, c;",
    "conversation [a, b];",
    "conversation a, b",
    "conversation a,",
    "rule: hasTag(A) -> B;",
    "rule: hasTag(A) -> [B] between;",
    "rule: hasTag(A) between [B];",
    "rule: hasTag(A) -> everyone friend;",
    "rule: hasTag(A) -> [B] between friend between contact;",
    "rule: hasTag(A) <-> [B];",
    "rule_set",
    "rule_set s;",
    "rule_set s: { }",
    "rule_set s { asked: [new]; }",
    "rule_set s { actions: start_chat; }",
    "rule_set s { asked: new; asked: new; }",
    "rule_set s { rul: hasTag(A) -> [B]; }",
    "rule_set s { rule: hasTag(A) -> ; }",
    "rule_set s { rule: hasTag(A) -> [B] }",
    "rule_set s { rule: hasTag(A -> [B]; }",
    "rule_set s { limits { friends: 3; } }",
    "rule_set a b { asked: new; }",
    "barrier",
    "barrier b;",
    "barrier b: hasTag(A);",
    "barrier b: hasTag(A) <-> ;",
    "barrier b: hasTag(A) <-> [B];",
    "barrier b: hasTag(A) <-> hasTag(B)",
    "barrier b: hasTag(A) hasTag(B) { groups: false; }",
    "barrier b: hasTag(A -> hasTag(B);",
    "barrier b: hasTag(A) -> hasTag(B) { unles: friend; }",
    "barrier b: hasTag(A) -> hasTag(B) { unless: ; }",
    "barrier b: hasTag(A) -> hasTag(B) { unless: friend; unless: friend; }",
    "barrier b: hasTag(A) -> hasTag(B) { actions: a; }",
    "barrier b: hasTag(A) -> hasTag(B) unless: friend; }",
    "audience",
    "audience a;",
    "audience a: ;",
    "audience a: [b];",
    "audience a: friend, contact;",
    "audience a: any(friend;",
    "accepts",
    "accepts a;",
    "accepts a: { default: b; }",
    "accepts a { default: [b]; }",
    "accepts a { default: b; default: b; }",
    "accepts a { hasTag(A); }",
    "accepts a { hasTag(A): b lockd; }",
    "accepts a { hasTag(A): b locked c; }",
    "accepts a { hasTag(A: b; }",
    "accepts a { otherwise: { deny; } }",
    "action",
    "action a;",
    "action a: ;",
    "action a: [b];",
    "action a: b c;",
    "action a: b",
    "user a { accepts: contacts; }",
    "user a { accepts { start_chat; } }",
    "friends: 3;",
    "frendship { default_approval: x; }",
    "usr a {\n  permissions { outgoing: false; }\n  tags: [A];\n}",
];

#[test]
fn a_mistake_is_reported_once_and_stays_in_its_statement() {
    for broken in BROKEN {
        let (alone, codes) = parse(broken);
        assert!(codes.len() == 1, "{broken:?} alone: {codes:?}");
        for next in WHOLE {
            // The next word is its name, and the block its own.
            let name = next.split_once(" {").is_some_and(|(name, _)| !name.contains(' '));
            if ["matrix", "user", "group", "rule_set", "accepts"].contains(broken) && name {
                continue;
            }
            // In an open block, what may be a field of it is one.
            let field = next.starts_with("tags") || next.starts_with("permissions");
            if broken.starts_with("user a { permissions {") && field {
                continue;
            }
            let key = next.starts_with(['p', 'u']) || next.starts_with("rule: everyone between");
            if broken.ends_with("{ a: b;") && key && !next.contains('{') {
                continue;
            }
            let text = format!("tags: [X];\n{broken}\n{next}\nrules: [];\n");
            let (read, codes) = parse(&text);
            assert!(codes.len() == 1, "{text}: {codes:?}");
            let wanted: Vec<String> =
                [parse("tags: [X];").0, alone.clone(), parse(next).0, parse("rules: [];").0]
                    .concat();
            assert_eq!(read, wanted, "{text}");
        }
    }
}

fn soup() -> impl Strategy<Value = String> {
    let tokens = vec![
        "preset",
        "limits",
        "permissions",
        "peers",
        "matrix",
        "user",
        "group",
        "conversation",
        "rule_set",
        "barrier",
        "audience",
        "accepts",
        "action",
        "between",
        "unless",
        "asked",
        "locked",
        "<->",
        "default",
        "tags",
        "rules",
        "rule",
        "a",
        "b",
        "hasTag(",
        "any(",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "{ ",
        "} ",
        ":",
        ",",
        ";",
        "->",
        "*",
        "\n",
        "\n  ",
        "\"x y\"",
        "\"",
        "#",
        "é",
        "a.b",
        "limits { a: b; }",
        "user x {",
        "permissions {",
        "matrix m {",
        "update_metadata {",
        "peers {",
        "contacts: [a];",
        "creator: a;",
        "default: all;",
        "rule_set x {",
        "accepts x {",
        "barrier x: a <-> b {",
        "barrier x: a -> b;",
        "rule: a -> b;",
        "/// d\n",
    ];
    prop::collection::vec(prop::sample::select(tokens), 0..40).prop_map(|tokens| tokens.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn anything_ends_and_statements_after_it_are_read(text in soup()) {
        parse(&text);
        // Whatever is open, a statement with a name at the start of a line is one.
        let (read, _) = parse(&format!("{text}\n;\nuser last {{}}\n"));
        prop_assert_eq!(read.last().map(String::as_str), Some("User last\n"), "{}", text);
    }

    #[test]
    fn statements_do_not_depend_on_each_other(chosen in prop::collection::vec(0..WHOLE.len(), 0..8)) {
        let texts: Vec<&str> = chosen.iter().filter_map(|&at| WHOLE.get(at).copied()).collect();
        for between in ["\n", " "] {
            let (read, codes) = parse(&texts.join(between));
            prop_assert_eq!(codes, vec![]);
            let alone: Vec<String> = texts.iter().flat_map(|text| parse(text).0).collect();
            prop_assert_eq!(read, alone);
        }
    }
}

/// On a stack as small as that of a thread, and so large that work which grows faster than the text
/// would not end.
fn survive(text: String, check: impl FnOnce(usize, usize) + Send + 'static) {
    let run = move || {
        let mut problems = Diagnostics::default();
        let items = dsl::parse(SourceId(0), &text, &mut problems).len();
        check(items, problems.errors());
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn nesting_is_limited_in_blocks() {
    for (head, blocks) in [
        ("limits { a: ", 1),
        ("matrix m { u { a: ", 2),
        ("peers { ", 1),
        ("accepts a { ", 1),
        ("barrier a: b -> c { unless: ", 1),
    ] {
        let nested = |depth: usize| {
            let has_modes = head.starts_with("peers") || head.starts_with("accepts");
            let end = if has_modes { ": b;" } else { ";" };
            let (calls, ends) = ("any(".repeat(depth), ")".repeat(depth));
            format!("{head}{calls}a{ends}{end}{}", "}".repeat(blocks))
        };
        let most = MAX_NESTING - blocks;
        survive(nested(most), |items, errors| assert_eq!((items, errors), (1, 0)));
        survive(nested(most + 1), |items, errors| assert_eq!((items, errors), (1, 1)));
        survive(nested(1_000_000), |_, errors| assert_eq!(errors, 1));
    }
    survive("matrix m { ".to_owned() + &"a { ".repeat(1_000_000), |_, errors| assert!(errors > 0));
    survive("permissions { ".repeat(1_000_000), |_, errors| assert!(errors > 0));
}

#[test]
fn many_of_one_thing_end() {
    let text = |head: &str, one: &str, end: &str| format!("{head}{}{end}", one.repeat(20_000));
    for (head, end) in [
        ("", ""),
        ("limits { ", "}"),
        ("peers { ", "}"),
        ("matrix m { u { ", "}}"),
        ("user a { ", "}"),
        ("rule_set a { ", "}"),
        ("accepts a { ", "}"),
        ("barrier a: b -> c { ", "}"),
    ] {
        for one in [
            "a: b; ",
            "a: b\n",
            "a\n",
            "*: ",
            "a { ",
            "tags: ",
            "tags: [A]; ",
            "default: all; ",
            "hasTag(a): b\n",
            "hasTag(a)\n",
            "permissions {} ",
            "peers: b; ",
            "\"a\": b; ",
            "{",
            "}",
            "# ",
            "conversation a, ",
            "user a { ",
            "rule_set a { ",
            "rule: a between b ",
            "rule: a -> [b]; ",
            "a: b locked; ",
            "a <-> b ",
        ] {
            survive(text(head, one, end), |_, _| {});
        }
    }
    let distinct = (0..100_000).map(|at| format!("k{at}: v; ")).collect::<Vec<_>>().concat();
    survive(format!("limits {{ {distinct} {distinct} }}"), |items, errors| {
        assert_eq!((items, errors), (1, 100_000));
    });
}
