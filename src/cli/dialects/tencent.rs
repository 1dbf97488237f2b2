//! The options of Tencent Chat.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;

use crate::{
    cli::secret,
    dialects::tencent::{Tencent, TencentAccess},
};

#[derive(Args, Debug)]
#[group(skip)]
pub(in crate::cli) struct TencentOptions {
    /// Tencent IM: verify the `usersig` of calls with the app's secret key in this file
    ///
    /// Without it, callers send the admin token as `usersig`.
    #[arg(
        long = "tencent-key-file",
        value_name = "PATH",
        id = "tencent_key",
        requires = "tencent_sdkappid"
    )]
    key_file: Option<PathBuf>,
    /// Tencent IM: the app's number, which calls must have as `sdkappid`
    #[arg(long = "tencent-sdkappid", value_name = "N", id = "tencent_sdkappid")]
    sdkappid: Option<u64>,
    /// Tencent IM: an administrator of the app, who may call; may be given several times
    ///
    /// If none is given, it is `administrator`, and without a key also `admin`.
    #[arg(long = "tencent-admin", value_name = "ID", id = "tencent_admins")]
    admins: Vec<String>,
}

impl TencentOptions {
    pub(super) fn open(&self) -> Result<Tencent> {
        let admins = self.admins.clone();
        let access = match (&self.key_file, self.sdkappid) {
            (Some(path), Some(sdkappid)) => {
                let text = secret::read_text(path, "the secret key")?;
                let key = text.parse().map_err(|error| anyhow!("`{}`: {error}", path.display()))?;
                TencentAccess::with_key(key, sdkappid, admins)
            }
            (_, sdkappid) => TencentAccess::with_admin_token(sdkappid, admins),
        };
        Ok(Tencent::new(access))
    }
}
