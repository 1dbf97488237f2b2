//! The paths of a policy on a command line, and what below them is passed over.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::source::{Ignore, PatternError, Scope};

#[derive(Args, Debug)]
pub(super) struct PolicyPaths {
    /// Policy files, or folders of them; `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    input: InputName,
    #[command(flatten)]
    ignored: Ignored,
}

#[derive(Args, Debug)]
pub(super) struct InputName {
    /// A file name for standard input, whose ending says its notation
    ///
    /// Without it, YAML or the DSL, whichever the text looks like.
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct Ignored {
    /// Pass over files and folders that match, as in a `.gitignore`; may be given several times
    ///
    /// Besides what the `.peerageignore` of each folder names.
    #[arg(long = "ignore", value_name = "GLOB")]
    globs: Vec<String>,
}

impl PolicyPaths {
    pub(super) fn scope(&self) -> Result<Scope> {
        Ok(self.ignored.scope(&self.paths)?.with_input_name(self.input.name()))
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
