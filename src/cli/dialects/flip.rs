//! The options of Flip.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;

use crate::{cli::secret, dialects::flip::Flip};

#[derive(Args, Debug)]
#[group(skip)]
pub(in crate::cli) struct FlipOptions {
    /// The file with the tokens of Flip's clients, besides the admin token
    ///
    /// Each line is a token and its scopes, as `TOKEN TAG_RULE_READ TAG_RULE_WRITE`; lines that begin with
    /// `#` are comments. The admin token has both scopes.
    #[arg(long, value_name = "PATH")]
    flip_tokens_file: Option<PathBuf>,
}

impl FlipOptions {
    pub(super) fn open(&self) -> Result<Flip> {
        let Some(path) = &self.flip_tokens_file else { return Ok(Flip::default()) };
        let text = secret::read_text(path, "Flip's tokens")?;
        let tokens = text.parse().map_err(|error| anyhow!("`{}`: {error}", path.display()))?;
        Ok(Flip::new(Some(tokens)))
    }
}
