//! The paths of a policy on a command line, and the ignored files below them.

use std::{path::PathBuf, time::SystemTime};

use anyhow::Result;
use clap::Args;

use crate::{
    request::Moment,
    source::{Ignore, PatternError, Scope},
};

#[derive(Args, Debug)]
pub(super) struct PolicyPaths {
    /// Policy files, or folders of them; `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    input: InputName,
    #[command(flatten)]
    ignored: Ignored,
    #[command(flatten)]
    at: AtTime,
}

#[derive(Args, Debug)]
pub(super) struct AtTime {
    /// The time at which the policy is evaluated, such as 2026-12-31T23:59:59Z; now by default
    ///
    /// What has ended by then does not count, and windows are open or closed as at that time.
    #[arg(long, value_name = "TIME")]
    at: Option<Moment>,
}

#[derive(Args, Debug)]
pub(super) struct InputName {
    /// A file name for standard input, whose extension names its notation
    ///
    /// Without it, the notation is detected: YAML or the DSL.
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct Ignored {
    /// Ignore files and folders that match, as in a `.gitignore`; may be given several times
    ///
    /// This adds to the `.peerageignore` of each folder.
    #[arg(long = "ignore", value_name = "GLOB")]
    globs: Vec<String>,
}

impl PolicyPaths {
    pub(super) fn scope(&self) -> Result<Scope> {
        Ok(self.at.apply(self.ignored.scope(&self.paths)?.with_input_name(self.input.name())))
    }
}

impl AtTime {
    /// The scope at this time.
    pub(super) fn apply(&self, scope: Scope) -> Scope {
        scope.at(self.at.map(SystemTime::from))
    }
}

impl InputName {
    pub(super) fn name(&self) -> Option<String> {
        self.stdin_name.clone()
    }
}

impl Ignored {
    pub(super) fn scope(&self, paths: &[PathBuf]) -> Result<Scope, PatternError> {
        Ok(Scope::new(paths).with_ignore(Ignore::new(&self.globs)?))
    }
}
