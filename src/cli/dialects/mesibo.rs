//! The options of mesibo.

use anyhow::Result;
use clap::Args;

use crate::dialects::mesibo::Mesibo;

#[derive(Args, Debug)]
#[group(skip)]
pub(in crate::cli) struct MesiboOptions {}

impl MesiboOptions {
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as the others are opened")]
    pub(super) fn open(&self) -> Result<Mesibo> {
        Ok(Mesibo)
    }
}
