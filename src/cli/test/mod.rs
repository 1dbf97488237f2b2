//! The command `test`.

mod human;
mod json;
mod junit;

use anyhow::Result;
use clap::Args;

use super::{Exit, Format, Output, paths::PolicyPaths, policy, progress};
use crate::inspect::test::{self, TestOutcome, TestResults};

#[derive(Args, Debug)]
pub(super) struct TestOptions {
    /// Run only the tests whose names contain this text
    #[arg(long, value_name = "SUBSTRING")]
    filter: Option<String>,
    /// Fail if the expectations cover less of the policy than this
    ///
    /// An expectation covers the gates of its decision, up to the closed one; an expectation of a list
    /// those of every listed user. A rule is covered if it opened a pair; a setting or a cell of a matrix
    /// if a gate read it, rather than a record or property that overrides it; an entry of `blocks` if one
    /// user of the pair blocks the other; a gate if it closed one decision and passed another. Gates that
    /// can't be closed do not count.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_coverage: Option<f64>,
    #[command(flatten)]
    paths: PolicyPaths,
}

fn percent(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.strip_suffix('%').unwrap_or(text).parse().ok();
    let number = number.filter(|number| (0.0..=100.0).contains(number));
    number.ok_or_else(|| "expected a percentage from 0 to 100".to_owned())
}

pub(super) fn run(options: &TestOptions, output: &Output) -> Result<Exit> {
    let scope = options.paths.scope()?.with_tests();
    let TestOutcome { report, results } = progress::during("testing the policy", || {
        test::run(&scope.load(), options.filter.as_deref())
    });
    let Some(results) = results else {
        if output.format() == Format::Junit {
            Output::verbatim(&junit::render_errors(&report))?;
        } else {
            output.report_in_place(&report)?;
        }
        return Ok(policy::exit(&report));
    };
    output.note_report(&report);
    let is_covered = options.min_coverage.is_none_or(|least| results.coverage.percent() >= least);
    match output.format() {
        Format::Json => output.json(&json::render(&results, options.min_coverage))?,
        Format::Junit => Output::verbatim(&junit::render(&results))?,
        _ => output.result(&human::render(&results))?,
    }
    if let (Some(least), false) = (options.min_coverage, is_covered) {
        let percent = (results.coverage.percent() * 10.0).floor() / 10.0;
        output.note(&format!("coverage is {percent:.1}%, below {least}%\n"));
    }
    Ok(exit(&results, is_covered))
}

fn exit(results: &TestResults, is_covered: bool) -> Exit {
    if results.failed() == 0 && is_covered { Exit::Success } else { Exit::Unmet }
}
