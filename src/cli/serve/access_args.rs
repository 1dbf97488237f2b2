//! The options of administrators' access: their sockets and their token.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Result, anyhow};
use clap::Args;
use tracing::{info, warn};

use super::{tokens_file, watched_file::WatchedFiles};
use crate::{cli::secret, serve::TokenRegistry, wire::Secret};

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
    /// The file that lists tokens with their scopes; read again when it changes
    ///
    /// YAML: `tokens: [{ name: chat-server, sha256: HEX, scopes: [decide] }]`. The scopes are decide, read, write
    /// and reload. Decisions take a token as soon as one has the scope decide. Unix sockets need none.
    #[arg(long, value_name = "PATH")]
    tokens_file: Option<PathBuf>,
}

/// The tokens of callers, and the file that lists some of them.
pub(super) struct Tokens {
    pub(super) registry: Arc<TokenRegistry>,
    file: Option<(PathBuf, WatchedFiles)>,
}

impl Tokens {
    /// Reads the file again if it has changed. A file with mistakes leaves the tokens as they are.
    pub(super) fn refresh(&mut self) {
        let Some((path, files)) = self.file.as_mut() else { return };
        if !files.have_changed() {
            return;
        }
        match tokens_file::read(path) {
            Ok(tokens) => {
                if self.registry.replace(tokens) {
                    info!(file = %path.display(), "the tokens were read again");
                }
            }
            Err(error) => {
                let message = format!("{error:#}");
                if self.registry.keep(&message) {
                    warn!("the tokens stay as they were: {message}");
                }
            }
        }
    }
}

impl AccessArgs {
    /// The tokens of callers.
    ///
    /// # Errors
    /// If a file can't be read, or has mistakes.
    pub(super) fn tokens(&self) -> Result<Tokens> {
        let watched = self.tokens_file.clone().map(|path| {
            let files = WatchedFiles::new(vec![path.clone()]);
            (path, files)
        });
        let listed = self.tokens_file.as_deref().map(tokens_file::read).transpose()?;
        let admin = self.admin_token()?;
        let registry = Arc::new(TokenRegistry::new(admin.as_ref(), listed));
        Ok(Tokens { registry, file: watched })
    }

    fn admin_token(&self) -> Result<Option<Secret>> {
        let Some(path) = &self.admin_token_file else { return Ok(None) };
        let text = secret::read_text(path, "the admin token")?;
        let token = text.parse().map_err(|error| anyhow!("`{}`: {error}", path.display()))?;
        Ok(Some(token))
    }
}
