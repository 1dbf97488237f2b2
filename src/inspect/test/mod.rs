//! Tests of policies: whether decisions are as their authors expect, and which parts no expectation
//! reaches.
//!
//! A test is run against the policy with the test's own statements added. Any flaw of a test
//! itself, such as an unknown user, is reported as an error of the file: a test that can't fail for
//! the right reason proves nothing.

mod case_key;
mod check;
mod coverage;
mod expectation;
mod question;
mod run;
mod vocabulary;

pub use check::{ExpectationFailure, ExplainedFor};
pub use coverage::{Coverage, CoverageItem, CoverageKind};
pub use run::run;

use std::time::Duration;

use crate::diagnostic::Report;

/// The outcome of all tests.
#[derive(Debug)]
pub struct TestOutcome {
    /// The problems of the policy and of the test files.
    pub report: Report,
    /// The results; `None` if the policy or a test file has errors, so that nothing is proved.
    pub results: Option<TestResults>,
}

#[derive(Debug)]
pub struct TestResults {
    /// The files of which a test was run, in order.
    pub files: Vec<FileResult>,
    pub coverage: Coverage,
}

#[derive(Debug)]
pub struct FileResult {
    pub name: String,
    /// The tests in the order of the file.
    pub tests: Vec<TestResult>,
}

#[derive(Debug)]
pub struct TestResult {
    pub name: String,
    /// The place of the name; both count from 1.
    pub line: usize,
    pub column: usize,
    /// The number of expectations.
    pub expectations: usize,
    /// The expectations that were not met; the test passed if there are none.
    pub failures: Vec<ExpectationFailure>,
    /// The duration of the test. Of tests that share work, the first includes it.
    pub took: Duration,
}

impl TestResults {
    pub fn tests(&self) -> impl Iterator<Item = &TestResult> {
        self.files.iter().flat_map(|file| &file.tests)
    }

    /// The number of failed tests.
    pub fn failed(&self) -> usize {
        self.tests().filter(|test| !test.failures.is_empty()).count()
    }

    /// The number of expectations.
    pub fn expectations(&self) -> usize {
        self.tests().map(|test| test.expectations).sum()
    }
}
