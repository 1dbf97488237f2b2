//! Test results as JSON.

use serde_json::{Value, json};

use crate::{
    inspect::test::{
        CoverageItem, ExpectationFailure, ExplainedFor, FileResult, TestResult, TestResults,
    },
    wire,
};

/// Renders complete test results as JSON. Its shape is stable: fields may be added, none is removed.
pub(super) fn render(results: &TestResults, min_coverage: Option<f64>) -> Value {
    let coverage = &results.coverage;
    let failed = results.failed();
    json!({
        "passed": results.tests().count() - failed,
        "failed": failed,
        "expectations": results.expectations(),
        "files": results.files.iter().map(file).collect::<Vec<_>>(),
        "coverage": {
            "percent": coverage.percent(),
            "min": min_coverage,
            "reached": coverage.reached(),
            "total": coverage.total(),
            "unreached": coverage.unreached().map(covered).collect::<Vec<_>>(),
            "all": coverage.all.iter().map(covered).collect::<Vec<_>>(),
        },
    })
}

fn file(file: &FileResult) -> Value {
    let tests: Vec<Value> = file.tests.iter().map(|it| test(&file.name, it)).collect();
    json!({ "file": file.name, "tests": tests })
}

fn test(file: &str, test: &TestResult) -> Value {
    json!({
        "name": test.name,
        "line": test.line,
        "column": test.column,
        "passed": test.failures.is_empty(),
        "expectations": test.expectations,
        "failures": test.failures.iter().map(|it| failure(file, it)).collect::<Vec<_>>(),
    })
}

fn failure(file: &str, failure: &ExpectationFailure) -> Value {
    json!({
        "file": file,
        "line": failure.line,
        "column": failure.column,
        "question": failure.question,
        "expected": failure.expected,
        "actual": failure.actual,
        "missing": failure.missing,
        "extra": failure.extra,
        "explanations": failure.explanations.iter().map(outcome_json).collect::<Vec<_>>(),
    })
}

fn outcome_json(explained: &ExplainedFor) -> Value {
    let mut json = wire::explanation_json(&explained.explanation);
    if let Some(object) = json.as_object_mut() {
        object.insert("about".to_owned(), json!(explained.listed_id));
    }
    json
}

fn covered(covered: &CoverageItem) -> Value {
    let place = covered.place.as_ref();
    json!({
        "kind": covered.kind.as_str(),
        "name": covered.name,
        "file": place.map(|(file, ..)| file),
        "line": place.map(|(_, line, _)| line),
        "column": place.map(|(.., column)| column),
        "reached": covered.reached,
        "note": covered.note,
    })
}
