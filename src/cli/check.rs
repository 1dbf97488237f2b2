use std::path::PathBuf;

use anyhow::Result;

use super::{
    Exit, Output,
    output::{GOOD, QUIET},
    policy,
};

pub(super) fn run(paths: &[PathBuf], output: &Output) -> Result<Exit> {
    let outcome = policy::load(paths);
    output.report(&outcome.report)?;
    if let (Some(view), true) = (&outcome.view, output.is_human()) {
        let rules = view.rules.as_ref().map_or(0, |book| book.rules.len());
        output.result(&format!(
            "{GOOD}ok{GOOD:#} {QUIET}users {}, tags {}, rules {rules}, revision {}{QUIET:#}\n",
            view.population.directory.len(),
            view.tags.len(),
            view.revision,
        ))?;
    }
    Ok(policy::exit(&outcome.report))
}
