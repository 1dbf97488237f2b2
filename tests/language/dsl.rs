//! The DSL, through the public interface: what is read, what is reported, and that what is printed
//! is read as the same.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by a panic")]

use crate::support::shape;

use std::{fmt::Write as _, ops::Range};

use peerage::{
    diagnostic::{Diagnostics, Severity},
    source::{Notation, Source, SourceId, Span},
    syntax::{ast::Item, dsl, print},
};

const FILE: SourceId = SourceId(0);

fn parse(text: &str) -> (Vec<Item<'_>>, Diagnostics) {
    let mut problems = Diagnostics::default();
    let items = dsl::parse(FILE, text, &mut problems);
    (items, problems)
}

/// A line for each mistake: `line:column code: message (label) [other places] | hint`.
fn report(text: &str, problems: Diagnostics) -> String {
    let source = Source::new("test", Notation::Dsl, text);
    let at = |span: Span| {
        let (start, end) = (source.position(span.start()), source.position(span.end()));
        if start.line == end.line { format!("{start}-{}", end.column) } else { start.to_string() }
    };
    let mut lines = String::new();
    for problem in problems.into_sorted().0 {
        let primary = problem.primary.expect("a mistake in a text has a place");
        let severity = if problem.severity == Severity::Warning { "warning " } else { "" };
        write!(lines, "{} {severity}{}: {}", at(primary.span), problem.code, problem.message)
            .unwrap();
        if !primary.text.is_empty() {
            write!(lines, " ({})", primary.text).unwrap();
        }
        for other in &problem.others {
            write!(lines, " [{} {}]", at(other.span), other.text).unwrap();
        }
        if let Some(hint) = &problem.hint {
            write!(lines, " | {hint}").unwrap();
        }
        lines.push('\n');
    }
    lines
}

/// What is made of each case, below its text.
fn check(name: &str, file: &str, made: impl Fn(&str) -> String) {
    let mut snapshot = String::new();
    for part in
        file.split_inclusive('\n').collect::<Vec<_>>().chunk_by(|_, b| !b.starts_with("==="))
    {
        let (title, text) = part.split_first().unwrap();
        let text = text.concat();
        write!(snapshot, "{title}{text}---\n{}\n", made(&text)).unwrap();
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, snapshot);
    });
}

#[test]
fn accepted() {
    check("dsl_accepted", include_str!("dsl/accepted.txt"), |text| {
        let (items, problems) = parse(text);
        assert_eq!(report(text, problems), "", "{text}");
        print::dsl(&items)
    });
}

/// What was read: as text, but for what the next tests look at.
fn read(items: &[Item<'_>]) -> String {
    let plain = |item: &Item<'_>| match item {
        Item::Tags(_) | Item::Rules(_) | Item::Rule(_) => true,
        Item::User(user) => user.more.is_none(),
        _ => false,
    };
    let runs = items.chunk_by(|a, b| plain(a) == plain(b));
    runs.map(|run| {
        if run.first().is_some_and(plain) {
            print::dsl(run)
        } else {
            run.iter().map(shape::of).collect()
        }
    })
    .collect()
}

#[test]
fn errors() {
    check("dsl_errors", include_str!("dsl/errors.txt"), |text| {
        let (items, problems) = parse(text);
        format!("{}--- read:\n{}", report(text, problems), read(&items))
    });
}

#[test]
fn sections() {
    check("dsl_sections", include_str!("dsl/sections.txt"), |text| {
        let (items, problems) = parse(text);
        assert_eq!(report(text, problems), "", "{text}");
        items.iter().map(shape::of).collect()
    });
}

#[test]
fn errors_in_sections() {
    check("dsl_sections_errors", include_str!("dsl/sections_errors.txt"), |text| {
        let (items, problems) = parse(text);
        let read: String = items.iter().map(shape::of).collect();
        format!("{}--- read:\n{read}", report(text, problems))
    });
}

#[test]
fn conditions() {
    check("dsl_conditions", include_str!("dsl/conditions.txt"), |text| {
        let mut problems = Diagnostics::default();
        let place = |range: Range<usize>| Span::new(FILE, range.start, range.end);
        let expr = dsl::parse_expr(text, &place, &mut problems);
        let read = expr.as_ref().map_or_else(|| "nothing".to_owned(), print::condition);
        format!("{}--- read: {read}\n", report(text, problems))
    });
}
