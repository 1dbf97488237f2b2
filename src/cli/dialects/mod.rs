//! The options of dialects: the APIs of other systems that the daemon serves.

mod flip;
mod matrix;
mod mesibo;
mod tencent;
mod venueless;
mod xmtp;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::{dialects::Dialect, serve::SocketOptions};

#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct DialectOptions {
    /// Serve the API of this system too; may be given several times
    #[arg(long = "dialect", value_enum, value_name = "SYSTEM")]
    names: Vec<DialectName>,
    #[command(flatten)]
    flip: flip::FlipOptions,
    #[command(flatten)]
    matrix: matrix::MatrixOptions,
    #[command(flatten)]
    mesibo: mesibo::MesiboOptions,
    #[command(flatten)]
    venueless: venueless::VenuelessOptions,
    #[command(flatten)]
    xmtp: xmtp::XmtpOptions,
    #[command(flatten)]
    tencent: tencent::TencentOptions,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum DialectName {
    Flip,
    Mesibo,
    Venueless,
    Xmtp,
    Tencent,
    Matrix,
    All,
}

impl DialectOptions {
    fn has(&self, name: DialectName) -> bool {
        self.names.contains(&name) || self.names.contains(&DialectName::All)
    }

    /// The chosen dialects over WebSockets.
    pub(super) fn sockets(&self) -> Result<Vec<SocketOptions>> {
        let venueless = self.has(DialectName::Venueless).then(|| self.venueless.open());
        venueless.into_iter().collect()
    }

    /// The chosen dialects over HTTP.
    pub(super) fn open(&self) -> Result<Vec<Box<dyn Dialect>>> {
        let mut all: Vec<Box<dyn Dialect>> = Vec::new();
        if self.has(DialectName::Flip) {
            all.push(Box::new(self.flip.open()?));
        }
        if self.has(DialectName::Mesibo) {
            all.push(Box::new(self.mesibo.open()?));
        }
        if self.has(DialectName::Xmtp) {
            all.push(Box::new(self.xmtp.open()?));
        }
        if self.has(DialectName::Tencent) {
            all.push(Box::new(self.tencent.open()?));
        }
        if self.has(DialectName::Matrix) {
            all.push(Box::new(self.matrix.open()?));
        }
        Ok(all)
    }
}
