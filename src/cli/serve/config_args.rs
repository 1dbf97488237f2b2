//! The options of the configuration itself.

use std::path::PathBuf;

use clap::Args;
use tracing::warn;

#[derive(Args, Debug)]
#[group(skip)]
pub(in crate::cli) struct ConfigArgs {
    /// Read options that are not given from this YAML file
    ///
    /// Its keys are the flags without their hyphens in front, as `max-changed: 5%`, and `policy` for the
    /// paths. Options are taken from the command line, else from the environment, as PEERAGE_MAX_CHANGED
    /// and PEERAGE_POLICY, else from the file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print all options with their values and where these are from, and exit
    #[arg(long)]
    print_config: bool,
    /// The variables that no option has.
    #[arg(skip)]
    pub(in crate::cli) warnings: Vec<String>,
}

impl ConfigArgs {
    pub(super) fn log_warnings(&self) {
        for warning in &self.warnings {
            warn!("{warning}");
        }
    }
}
