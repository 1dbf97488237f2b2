//! Test results as JUnit XML.

use std::{fmt::Write as _, time::Duration};

use super::{super::decide::write_gates, human::join_ids};
use crate::{
    diagnostic::{Report, Severity},
    inspect::test::{ExpectationFailure, FileResult, TestResults},
};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Renders test results as JUnit XML: a suite for each file, a case for each test, and a failure with
/// all unmet expectations. Writing to a string can't fail.
pub(super) fn render(results: &TestResults) -> String {
    let mut text = HEAD.to_owned();
    let (tests, failed) = (results.tests().count(), results.failed());
    let _ = writeln!(
        text,
        "<testsuites name=\"peerage\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" time=\"{}\">",
        seconds(results.tests().map(|test| test.took).sum())
    );
    for file in &results.files {
        write_suite(file, &mut text);
    }
    text.push_str("</testsuites>\n");
    text
}

fn write_suite(file: &FileResult, text: &mut String) {
    let failed = file.tests.iter().filter(|test| !test.failures.is_empty()).count();
    let (name, tests) = (escaped(&file.name), file.tests.len());
    let _ = writeln!(
        text,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" time=\"{}\">",
        seconds(file.tests.iter().map(|test| test.took).sum())
    );
    for test in &file.tests {
        let case = format!(
            "    <testcase name=\"{}\" classname=\"{name}\" file=\"{name}\" line=\"{}\" time=\"{}\"",
            escaped(&test.name),
            test.line,
            seconds(test.took)
        );
        if test.failures.is_empty() {
            let _ = writeln!(text, "{case}/>");
            continue;
        }
        let _ = writeln!(text, "{case}>");
        // Readers of the format show one failure per case.
        let message = test.failures.iter().map(summary).collect::<Vec<_>>().join("; ");
        let text_of_all: String =
            test.failures.iter().map(|it| failure_text(&file.name, it)).collect();
        let _ = writeln!(
            text,
            "      <failure type=\"expectation\" message=\"{}\">{}</failure>",
            escaped(&message),
            escaped(&text_of_all)
        );
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n");
}

/// A duration in seconds, with a point and without an exponent, as readers of the format parse it.
fn seconds(took: Duration) -> String {
    format!("{:.6}", took.as_secs_f64())
}

/// Renders the mistakes that kept tests from running, each as an error.
pub(super) fn render_errors(report: &Report) -> String {
    let errors = || report.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    let counts = format!("tests=\"{0}\" failures=\"0\" errors=\"{0}\"", errors().count());
    let mut text = HEAD.to_owned();
    let _ = writeln!(text, "<testsuites name=\"peerage\" {counts}>");
    let _ = writeln!(text, "  <testsuite name=\"mistakes\" {counts}>");
    for found in errors() {
        let place = found.place.as_ref();
        let file = place.map_or("", |place| &place.file);
        let at = place.map(|it| format!("{}:{}:{}: ", it.file, it.line, it.column));
        let hint = found.hint.as_ref().map(|hint| format!("\n{hint}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "    <testcase name=\"{0}\" classname=\"{1}\" file=\"{1}\" line=\"{2}\">\n      \
             <error type=\"{0}\" message=\"{3}\">{4}</error>\n    </testcase>",
            found.code,
            escaped(file),
            place.map_or(0, |place| place.line),
            escaped(&found.message),
            escaped(&format!("{}{}{hint}", at.unwrap_or_default(), found.message)),
        );
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

fn summary(failure: &ExpectationFailure) -> String {
    let ExpectationFailure { question, expected, actual, missing, extra, .. } = failure;
    if missing.is_empty() && extra.is_empty() {
        return format!("{question}: expected {expected}, actual {actual}");
    }
    let list = |what: &str, ids: &[String]| {
        let said = format!("{what} {}", join_ids(ids));
        (!ids.is_empty()).then_some(said)
    };
    let parts = [list("missing", missing), list("extra", extra)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{question}: {}", parts.join("; "))
}

fn failure_text(file: &str, failure: &ExpectationFailure) -> String {
    let mut text = format!("{file}:{}:{}: {}\n", failure.line, failure.column, summary(failure));
    for explained in &failure.explanations {
        if let Some(about) = &explained.listed_id {
            let _ = writeln!(text, "  `{about}`: {}", explained.explanation.decision.reason);
        }
        let mut styled = String::new();
        write_gates(&explained.explanation, "  ", &mut styled);
        text.push_str(&anstream::adapter::strip_str(&styled).to_string());
    }
    text
}

/// The text with XML's escapes; characters that XML can't represent are replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                out.push(char::REPLACEMENT_CHARACTER);
            }
            c => out.push(c),
        }
    }
    out
}
