use std::{num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::{Args, ValueEnum};
use tracing::info;

use crate::{
    dialects::venueless::{Issuer, Shapes, Venueless},
    serve::Sockets,
};

#[derive(Args, Debug)]
#[group(skip)]
pub(in crate::cli) struct Options {
    /// Serve this world of Venueless; may be given several times
    ///
    /// All worlds have the same users. Without it, every world is served whose name is made of
    /// letters, digits, `_` and `-`.
    #[arg(long = "venueless-world", value_name = "WORLD")]
    worlds: Vec<String>,
    /// The file that says whose tokens Venueless takes
    ///
    /// A JSON array of {"secret": ..., "issuer": ..., "audience": ...}. Without it, it takes none.
    #[arg(long = "venueless-jwt-file", value_name = "PATH")]
    issuers: Option<PathBuf>,
    /// Whether Venueless lets those in who have a client_id only
    #[arg(long = "venueless-guests", value_enum, value_name = "WHETHER", default_value_t = Guests::On)]
    guests: Guests,
    /// Whether Venueless lists users as its document prints them, or as the public server does
    #[arg(
        long = "venueless-shapes",
        value_enum,
        value_name = "SHAPES",
        default_value_t = Listed::Documented
    )]
    shapes: Listed,
    /// How many sockets a user of Venueless may have; a new one replaces his oldest
    ///
    /// Without it, as many as he opens.
    #[arg(long = "venueless-connections", value_name = "NUMBER")]
    connections: Option<NonZeroUsize>,
    /// How long a socket of Venueless may take to authenticate, and to answer a ping, in seconds
    ///
    /// And to take a frame, if that is less than ten seconds.
    #[arg(
        long = "venueless-patience",
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    patience: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Guests {
    On,
    Off,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Listed {
    Documented,
    Upstream,
}

impl Options {
    pub(super) fn open(&self) -> Result<Sockets> {
        for world in &self.worlds {
            let is_segment = !world.is_empty() && !world.contains('/');
            ensure!(is_segment, "--venueless-world: `{world}` can't be one segment of a path");
        }
        let issuers = match &self.issuers {
            None => {
                info!("without --venueless-jwt-file, Venueless takes no tokens");
                Vec::new()
            }
            Some(path) => {
                let text = std::fs::read(path).with_context(|| {
                    format!("can't read the issuers of tokens in `{}`", path.display())
                })?;
                Issuer::read_all(&text).map_err(|error| anyhow!("`{}`: {error}", path.display()))?
            }
        };
        let venueless = Venueless {
            worlds: self.worlds.iter().cloned().collect(),
            issuers,
            refuses_guests: self.guests == Guests::Off,
            shapes: match self.shapes {
                Listed::Documented => Shapes::Documented,
                Listed::Upstream => Shapes::Upstream,
            },
        };
        Ok(Sockets {
            venueless: Arc::new(venueless),
            patience: Duration::from_secs(self.patience.into()),
            most_per_user: self.connections,
        })
    }
}
