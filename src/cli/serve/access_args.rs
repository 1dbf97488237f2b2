//! The options of administrators' access: their sockets and their token.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;

use crate::{cli::secret, wire::Secret};

#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct AccessArgs {
    /// Listen on a Unix socket for administrators, without a token; may be given several times
    ///
    /// Only root and the user who runs the daemon can reach it.
    #[arg(long, value_name = "PATH")]
    pub(super) admin_uds: Vec<PathBuf>,
    /// The file that holds the admin token, for `/v1/facts` and `POST /v1/reload`
    ///
    /// Clients send it as `Authorization: Bearer TOKEN`.
    #[arg(long, value_name = "PATH")]
    admin_token_file: Option<PathBuf>,
}

impl AccessArgs {
    pub(super) fn admin_token(&self) -> Result<Option<Secret>> {
        let Some(path) = &self.admin_token_file else { return Ok(None) };
        let text = secret::read_text(path, "the admin token")?;
        let token = text.parse().map_err(|error| anyhow!("`{}`: {error}", path.display()))?;
        Ok(Some(token))
    }
}
