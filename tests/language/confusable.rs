//! Ids that look like others, and characters that hide what a file says.

#![allow(clippy::unwrap_used, reason = "a test may fail by it")]

use peerage::{
    compile,
    diagnostic::Code,
    source::{Notation, Source, Sources},
};

/// The warnings of the lint, as `file:line:column message`.
fn reported(files: &[(&str, &str)]) -> Vec<String> {
    let source = |&(name, text): &(&str, &str)| {
        Source::new(name, Notation::from_file_name(name).unwrap(), text)
    };
    let sources = Sources::new(files.iter().map(source).collect());
    let report = compile::build_with_lints(&sources.into()).report;
    assert_eq!(report.errors, 0, "{:?}", report.diagnostics);
    let found = report.diagnostics.into_iter().filter(|found| found.code == Code::Confusable);
    let each = found.map(|found| {
        let place = found.place.unwrap();
        format!("{}:{}:{} {}", place.file, place.line, place.column, found.message)
    });
    each.collect()
}

/// Files by their names, and the warnings that they get.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

const ALIKE: &str = "the ids of two users look the same but differ";

#[test]
fn what_looks_like_another_is_reported() {
    let cases: &[Case<'_>] = &[
        (&[("a.yaml", "users: { zoë: {}, zoe: {}, Zoë: {} }")], &[]),
        (
            &[("a.yaml", "users:\n  zo\u{e9}: {}\n  zoe\u{301}: {}\n")],
            &[&format!("a.yaml:3:3 {ALIKE}")],
        ),
        (
            &[("a.csv", "id,tags\nzo\u{e9},\n"), ("b.ndjson", "{\"id\": \"zoe\\u0301\"}\n")],
            &[&format!("b.ndjson:1:8 {ALIKE}")],
        ),
        // Both of them in no normal form.
        (
            &[("a.peerage", "user \"\u{212b}e\u{301}\" {}\nuser \"A\u{30a}\u{e9}\" {}")],
            &[&format!("a.peerage:2:6 {ALIKE}")],
        ),
        (&[("a.yaml", "users: { zoe\u{301}: {} }")], &[]),
        (
            &[("a.yaml", "groups:\n  \u{e9}: { members: [] }\n  e\u{301}: { members: [] }\n")],
            &["a.yaml:3:3 the ids of two groups look the same but differ"],
        ),
        (
            &[("a.yaml", "users:\n  ali\u{200b}ce: {}\n")],
            &[
                "a.yaml:2:3 the name of the user `ali\\u{200b}ce` holds the invisible character U+200B",
            ],
        ),
        (
            &[("a.json", "{\"users\": {\"a\\u202eb\": {}}}")],
            &[
                "a.json:1:12 the name of the user `a\\u{202e}b` holds the invisible character U+202E",
            ],
        ),
        (
            &[("a.csv", "id,tags\n\u{feff}a,\n")],
            &["a.csv:2:1 the name of the user `\\u{feff}a` holds the invisible character U+FEFF"],
        ),
        (
            &[("a.peerage", "group \"g\u{2060}\" {}")],
            &[
                "a.peerage:1:7 the name of the group `g\\u{2060}` holds the invisible character U+2060",
            ],
        ),
        (
            &[("a.yaml", "# see \u{202e}here\ntags: []\n")],
            &["a.yaml:1:7 the character U+202E changes the direction of text"],
        ),
        (&[("a.yaml", "lints: { allow: [confusable] }\nusers: { \"a\u{200b}\": {} }")], &[]),
        (&[("a.yaml", "users:\n  # allow: confusable\n  \"a\u{200b}\": {}\n")], &[]),
    ];
    for (files, right) in cases {
        assert_eq!(reported(files), *right, "{files:?}");
    }
}

#[test]
fn a_silence_of_nothing_is_reported() {
    let sources =
        Sources::single("a.yaml", Notation::Yaml, "users: { a: {} } # allow: confusable\n");
    let report = compile::build_with_lints(&sources.into()).report;
    assert!(report.diagnostics.iter().any(|found| found.code == Code::UnusedAllow));
}
