//! The command `check`.

use anyhow::Result;
use clap::Args;

use super::{
    Exit, Output,
    output::{GOOD, QUIET},
    paths::PolicyPaths,
    policy,
};

#[derive(Args, Debug)]
pub(super) struct CheckOptions {
    /// Fail (exit code 1) on warnings too
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    paths: PolicyPaths,
}

pub(super) fn run(options: &CheckOptions, output: &Output) -> Result<Exit> {
    let outcome = policy::examine(&options.paths.scope()?);
    output.report(&outcome.report)?;
    if let (Some(view), true) = (&outcome.view, output.is_human()) {
        let rules = view.rule_books().map(|book| book.rules.len()).sum::<usize>();
        let groups = match view.groups.len() {
            0 => String::new(),
            groups => format!(" groups {groups},"),
        };
        output.result(&format!(
            "{GOOD}ok{GOOD:#} {QUIET}users {}, tags {}, rules {rules},{groups} revision {}{QUIET:#}\n",
            view.population.directory.len(),
            view.tags.len(),
            view.revision,
        ))?;
    }
    let exit = policy::exit(&outcome.report);
    let is_warned = options.deny_warnings && outcome.report.warnings > 0;
    Ok(if is_warned { exit.max(Exit::Unmet) } else { exit })
}
