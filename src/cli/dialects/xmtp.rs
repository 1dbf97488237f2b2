//! The options of XMTP.

use anyhow::Result;
use clap::Args;

use crate::dialects::xmtp::Xmtp;

#[derive(Args, Debug)]
#[group(skip)]
pub(in crate::cli) struct XmtpOptions {}

impl XmtpOptions {
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as the others are opened")]
    pub(super) fn open(&self) -> Result<Xmtp> {
        Ok(Xmtp)
    }
}
