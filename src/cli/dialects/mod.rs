//! Which other systems' APIs the daemon speaks, and how.

mod flip;
mod mesibo;
mod tencent;
mod venueless;
mod xmtp;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::dialects::Dialect;

#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct Options {
    /// Answer in this system's own API too; may be given several times
    #[arg(long = "dialect", value_enum, value_name = "SYSTEM")]
    names: Vec<Name>,
    #[command(flatten)]
    flip: flip::Options,
    #[command(flatten)]
    mesibo: mesibo::Options,
    #[command(flatten)]
    venueless: venueless::Options,
    #[command(flatten)]
    xmtp: xmtp::Options,
    #[command(flatten)]
    tencent: tencent::Options,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Name {
    Flip,
    Mesibo,
    Venueless,
    Xmtp,
    Tencent,
    All,
}

impl Options {
    fn has(&self, name: Name) -> bool {
        self.names.contains(&name) || self.names.contains(&Name::All)
    }

    /// Those that are asked for.
    pub(super) fn open(&self) -> Result<Vec<Box<dyn Dialect>>> {
        let mut all: Vec<Box<dyn Dialect>> = Vec::new();
        if self.has(Name::Flip) {
            all.push(Box::new(self.flip.open()?));
        }
        if self.has(Name::Mesibo) {
            all.push(Box::new(self.mesibo.open()?));
        }
        if self.has(Name::Venueless) {
            all.push(Box::new(self.venueless.open()?));
        }
        if self.has(Name::Xmtp) {
            all.push(Box::new(self.xmtp.open()?));
        }
        if self.has(Name::Tencent) {
            all.push(Box::new(self.tencent.open()?));
        }
        Ok(all)
    }
}
