use anyhow::Result;
use clap::Args;

use crate::dialects::venueless::Venueless;

#[derive(Args, Debug)]
#[group(skip)]
pub(in crate::cli) struct Options {}

impl Options {
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as the others are opened")]
    pub(super) fn open(&self) -> Result<Venueless> {
        Ok(Venueless)
    }
}
