//! Tests of a policy: whether it decides as its author expects, and what of it no expectation
//! reaches.
//!
//! A test is run against the policy with what the test gives laid over it. Whatever is wrong with a
//! test itself, such as a user whom nobody knows, is told as a mistake in the file: a test that
//! can't fail for the right reason proves nothing.

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

/// What became of all tests.
#[derive(Debug)]
pub struct TestOutcome {
    /// What is to be said about the policy and the test files.
    pub report: Report,
    /// `None` if anything is wrong with the policy or the test files: then nothing is proved.
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
    /// In the order of the file.
    pub tests: Vec<TestResult>,
}

#[derive(Debug)]
pub struct TestResult {
    pub name: String,
    /// Where its name stands; both count from 1.
    pub line: usize,
    pub column: usize,
    /// How many expectations it has.
    pub expectations: usize,
    /// Those that were not met; the test passed if there are none.
    pub failures: Vec<ExpectationFailure>,
    /// How long it took. Of tests that share the work, the first bears it.
    pub took: Duration,
}

impl TestResults {
    pub fn tests(&self) -> impl Iterator<Item = &TestResult> {
        self.files.iter().flat_map(|file| &file.tests)
    }

    /// How many tests failed.
    pub fn failed(&self) -> usize {
        self.tests().filter(|test| !test.failures.is_empty()).count()
    }

    /// How many expectations there were.
    pub fn expectations(&self) -> usize {
        self.tests().map(|test| test.expectations).sum()
    }
}
