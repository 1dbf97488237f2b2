//! The options of Matrix.

use anyhow::Result;
use clap::Args;

use crate::dialects::matrix::MatrixAntispam;

#[derive(Args, Debug)]
#[group(skip)]
pub(in crate::cli) struct MatrixOptions {}

impl MatrixOptions {
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as the others are opened")]
    pub(super) fn open(&self) -> Result<MatrixAntispam> {
        Ok(MatrixAntispam)
    }
}
