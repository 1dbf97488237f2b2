//! Test results for people.

use std::fmt::Write as _;

use super::super::{
    decide::write_gates,
    output::{BAD, GOOD, QUIET, STRONG},
};
use crate::inspect::test::{
    CoverageItem, CoverageKind, ExpectationFailure, FileResult, TestResult, TestResults,
};

/// The maximal number of listed items that no expectation reached; the JSON has all.
const MOST_LISTED: usize = 100;

/// The maximal number of ids that are shown of a list.
const MOST_NAMED: usize = 20;

/// Renders test results for people: failures in full, then the coverage, then the counts. Writing to a
/// string can't fail.
pub(super) fn render(results: &TestResults) -> String {
    let mut out = String::new();
    for file in &results.files {
        let failed = || file.tests.iter().filter(|test| !test.failures.is_empty());
        let (style, word) = if failed().next().is_none() { (GOOD, "ok") } else { (BAD, "fail") };
        let tests = count(file.tests.len(), "test");
        let _ = writeln!(out, "{style}{word:<4}{style:#} {} {QUIET}({tests}){QUIET:#}", file.name);
        failed().for_each(|test| write_test(file, test, &mut out));
        if failed().next().is_some() {
            out.push('\n');
        }
    }
    write_coverage(results, &mut out);
    let failed = results.failed();
    let style = if failed == 0 { GOOD } else { BAD };
    let passed = results.tests().count() - failed;
    let _ = writeln!(
        out,
        "\n{style}{passed} passed, {failed} failed{style:#}; {} in {}",
        count(results.expectations(), "expectation"),
        count(results.files.len(), "file"),
    );
    out
}

fn write_test(file: &FileResult, test: &TestResult, out: &mut String) {
    let TestResult { name, line, column, failures, .. } = test;
    let _ = writeln!(out, "\n  {BAD}{name}{BAD:#} {QUIET}{}:{line}:{column}{QUIET:#}", file.name);
    for failure in failures {
        write_failure(&file.name, failure, out);
    }
}

fn write_failure(file: &str, failure: &ExpectationFailure, out: &mut String) {
    let ExpectationFailure { line, column, question, .. } = failure;
    let _ = writeln!(out, "    {STRONG}{file}:{line}:{column}{STRONG:#} {question}");
    if failure.missing.is_empty() && failure.extra.is_empty() {
        let _ = writeln!(out, "      expected {}", failure.expected);
        let _ = writeln!(out, "      actual   {}", failure.actual);
    } else {
        for (what, ids) in [("missing", &failure.missing), ("extra  ", &failure.extra)] {
            if !ids.is_empty() {
                let _ = writeln!(out, "      {what} {}", join_ids(ids));
            }
        }
    }
    for explained in &failure.explanations {
        if let Some(about) = &explained.listed_id {
            let decision = explained.explanation.decision;
            let word = if decision.allow { "allow" } else { "deny" };
            let _ = writeln!(out, "      `{about}`: {word}, {}", decision.reason);
        }
        write_gates(&explained.explanation, "        ", out);
    }
}

/// The ids of a list, or the first of a long one.
pub(super) fn join_ids(ids: &[String]) -> String {
    let shown: Vec<&str> = ids.iter().take(MOST_NAMED).map(String::as_str).collect();
    let more = ids.len() - shown.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", shown.join(", "))
}

fn write_coverage(results: &TestResults, out: &mut String) {
    let coverage = &results.coverage;
    let _ = writeln!(
        out,
        "\n{STRONG}coverage {:.1}%{STRONG:#}: {} of {} reached",
        // Rounded down: coverage that falls short must not look complete.
        (coverage.percent() * 10.0).floor() / 10.0,
        coverage.reached(),
        coverage.total(),
    );
    let unreached: Vec<&CoverageItem> = coverage.unreached().collect();
    for covered in unreached.iter().take(MOST_LISTED) {
        let _ = match &covered.place {
            Some((file, line, column)) => write!(out, "  {file}:{line}:{column}"),
            None => write!(out, "  gate"),
        };
        let _ = match covered.kind {
            CoverageKind::Rule => write!(out, " rule {}", covered.name),
            _ => write!(out, " {}", covered.name),
        };
        let note = covered.note.map(|note| format!(" {note}")).unwrap_or_default();
        let _ = writeln!(out, "{QUIET}{note}{QUIET:#}");
    }
    let left = unreached.len().saturating_sub(MOST_LISTED);
    if left > 0 {
        let _ = writeln!(out, "  and {left} more, which `--format json` lists");
    }
}

fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}
