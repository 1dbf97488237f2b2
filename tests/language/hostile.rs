//! Files that are made to take long: so large that a search of everything for each mistake would not
//! end. All are read or refused, with what is wrong told.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may fail by it")]

use peerage::{
    compile,
    source::{Notation, Sources},
};

use Notation::{Csv, Dsl, Ndjson, Yaml};

const MANY: usize = 100_000;

fn numbered(count: usize, write: impl Fn(usize) -> String) -> String {
    (0..count).map(write).collect()
}

/// What it is, its notation and text, and a mistake that is to be reported; none if it has none.
type Case = (&'static str, Notation, String, Option<&'static str>);

/// Files of which much has to be looked up again, once there is a mistake.
fn looked_up_again() -> Vec<Case> {
    vec![
        (
            "texts with commas",
            Yaml,
            format!("permissions: {{{}}}", numbered(MANY, |n| format!("s{n}: f(a,, "))),
            Some("unbalanced"),
        ),
        (
            "a text with many",
            Yaml,
            format!("permissions: {{ s: f({}) }}", "a, ".repeat(MANY)),
            Some("syntax"),
        ),
        (
            "friends who block",
            Yaml,
            format!(
                "preset: tencent\nlimits: {{ friends: none, blocked: none }}\n\
                 users: {{ a: {{ friends: [{0}], blocked: [{0}] }}, {1} }}\n",
                numbered(MANY, |n| format!("u{n}, ")),
                numbered(MANY, |n| format!("u{n}: , "))
            ),
            Some("contradiction"),
        ),
    ]
}

#[test]
fn hostile_files_come_to_an_end() {
    let open = |bracket: &str| bracket.repeat(MANY);
    let cases: Vec<Case> = vec![
        (
            "undeclared tags",
            Yaml,
            format!(
                "tags: [{}]\nusers: {{ a: {{ tags: [{}] }} }}\n",
                numbered(MANY, |n| format!("tag-{n}, ")),
                numbered(MANY, |n| format!("gat-{n}, "))
            ),
            Some("undeclared-tag"),
        ),
        ("documents", Yaml, "---\nrules: []\n".repeat(MANY), None),
        ("sections", Yaml, numbered(MANY, |n| format!("s{n}: 1\n")), Some("unknown-section")),
        ("syntax errors", Yaml, "rules: [\n".repeat(MANY), Some("syntax")),
        ("lists", Yaml, format!("tags: {}", open("[")), Some("too-deep")),
        ("objects", Yaml, format!("{{\"users\": {}", open("{\"a\":")), Some("too-deep")),
        ("a condition", Yaml, format!("rules: [condition: {}", open("not(")), Some("too-deep")),
        (
            "repeated settings",
            Yaml,
            format!("permissions: {{{}}}", "a: true, ".repeat(MANY)),
            Some("duplicate-key"),
        ),
        (
            "fields of a matrix",
            Yaml,
            format!(
                "matrices: {{m: {{update_metadata: {{{}}}}}}}",
                numbered(MANY, |n| format!("f{n}: deny, "))
            ),
            None,
        ),
        (
            "groups",
            Yaml,
            format!("groups: {{{}}}", "g: {}, ".repeat(MANY)),
            Some("duplicate-group"),
        ),
        (
            "a conversation of many",
            Yaml,
            format!("conversations: [[{}]]", "a, ".repeat(MANY)),
            Some("wrong-type"),
        ),
        ("calls", Dsl, format!("rule: {}", open("any(")), Some("too-deep")),
        ("blocks", Dsl, open("user a {"), Some("unbalanced")),
        ("closing brackets", Dsl, open(")"), Some("unbalanced")),
        ("semicolons", Dsl, open(";"), Some("syntax")),
        ("nested records", Ndjson, open("{\"id\":"), Some("invalid-record")),
        ("keys", Ndjson, format!("{{\"id\":\"a\"{}}}", open(",\"k\":1")), Some("unknown-field")),
        (
            "permissions",
            Ndjson,
            format!("{{\"id\":\"a\",\"permissions\":{{\"a\":true{}}}}}", open(",\"a\":true")),
            Some("duplicate-key"),
        ),
        (
            "a condition in a record",
            Ndjson,
            format!("{{\"id\":\"a\",\"permissions\":{{\"outgoing\":\"{}\"}}}}", open("not(")),
            Some("too-deep"),
        ),
        ("no records", Ndjson, open("x\n"), Some("invalid-record")),
        (
            "columns",
            Csv,
            format!("id,tags{}\n", numbered(MANY, |n| format!(",c{n}"))),
            Some("invalid-record"),
        ),
        ("fields", Csv, format!("id,tags\n{}\n", open(",")), Some("invalid-record")),
    ];
    for (name, notation, text, code) in cases.into_iter().chain(looked_up_again()) {
        let outcome = compile::build(&Sources::single("hostile", notation, text).into(), None);
        match code {
            None => assert!(outcome.view.is_some(), "{name}"),
            Some(code) => {
                let mut codes = outcome.report.diagnostics.iter().map(|found| found.code.as_str());
                assert!(codes.any(|found| found == code), "{name}");
            }
        }
    }
}
