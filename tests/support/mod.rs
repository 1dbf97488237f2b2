//! Policies' tests as data: reads `*.test.yaml` and tells what is not as it should be.

mod expectation;
mod overlay;
mod question;

use peerage::{diagnostic::render, source::Sources};
use serde::Deserialize;

use expectation::Expectation;
use overlay::Given;

/// What a test file holds. Keys that are not known are refused, so that no expectation is passed
/// over because it is misspelled.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct TestFile {
    tests: Vec<Test>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Test {
    name: String,
    /// What is laid over the policy for this test.
    #[serde(default)]
    given: Given,
    expect: Vec<Expectation>,
}

/// Runs the tests of a file against a policy: how many expectations were met, or everything that is
/// not as expected.
pub(crate) fn run(text: &str, policy: &Sources) -> Result<usize, Vec<String>> {
    let file: TestFile = serde_saphyr::from_str(text).map_err(|error| vec![error.to_string()])?;
    if file.tests.is_empty() {
        return Err(vec!["the file holds no tests".into()]);
    }
    let mut failures = Vec::new();
    let mut checked = 0;
    for (at, test) in file.tests.iter().enumerate() {
        checked += test.expect.len();
        let mut problems = test.run(policy);
        if file.tests.iter().take(at).any(|other| other.name == test.name) {
            problems.push("another test has this name".into());
        }
        failures.extend(problems.into_iter().map(|problem| format!("{}: {problem}", test.name)));
    }
    if failures.is_empty() { Ok(checked) } else { Err(failures) }
}

impl Test {
    fn run(&self, policy: &Sources) -> Vec<String> {
        if self.expect.is_empty() {
            return vec!["the test expects nothing".into()];
        }
        match overlay::laid_over(policy, &self.given) {
            Err(report) => vec![render(&report, false)],
            Ok(view) => {
                self.expect.iter().filter_map(|expected| expected.check(&view).err()).collect()
            }
        }
    }
}
