//! The options of Venueless.

use std::{num::NonZeroUsize, path::PathBuf, str::FromStr, sync::Arc};

use anyhow::{Result, anyhow, ensure};
use clap::{Args, ValueEnum};
use tracing::info;

use crate::{
    cli::{
        duration::{self, DurationArg},
        secret,
    },
    dialects::venueless::{Issuer, ListShape, Venueless},
    serve::{Origin, SocketOptions},
};

#[derive(Args, Debug)]
#[group(skip)]
pub(in crate::cli) struct VenuelessOptions {
    /// Serve this world of Venueless; may be given several times
    ///
    /// All worlds have the same users. Without it, every name of letters, digits, `_` and `-` is a world.
    #[arg(long = "venueless-world", value_name = "WORLD")]
    worlds: Vec<String>,
    /// The file with the issuers whose tokens Venueless accepts
    ///
    /// It is a JSON array of {"secret": ..., "issuer": ..., "audience": ...}. Without it, no token is
    /// accepted.
    #[arg(long = "venueless-jwt-file", value_name = "PATH")]
    issuers: Option<PathBuf>,
    /// The maximal number of guests of Venueless, users with only a client_id; `off` admits none
    ///
    /// A guest with nothing but a profile is deleted a day after their last visit; at the limit, those with
    /// the oldest visit go first. `on` is 10000.
    #[arg(long = "venueless-guests", value_name = "NUMBER", default_value = "10000")]
    guests: MostGuests,
    /// The maximal number of new guests of Venueless a minute from one address
    ///
    /// Behind a proxy, and on a Unix socket, all guests have one address.
    #[arg(
        long = "venueless-new-guests",
        value_name = "NUMBER",
        default_value_t = 60,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    new_guests: u32,
    /// Let pages of this origin open a WebSocket, as `https://chat.example`; may be given several times
    ///
    /// `*` admits any origin. Without it, the origin must be the requested host and port. Clients other than
    /// browsers send no origin, and are admitted.
    #[arg(long = "venueless-origin", value_name = "URL")]
    origins: Vec<Origin>,
    /// Whether Venueless lists users as its documentation shows, or as the public server does
    #[arg(
        long = "venueless-shapes",
        value_enum,
        value_name = "SHAPES",
        default_value_t = ListedOrigin::Documented
    )]
    shapes: ListedOrigin,
    /// The maximal number of sockets of a user of Venueless; a new one replaces the oldest
    ///
    /// Without it, the number is not limited. Managers may always have any number.
    #[arg(long = "venueless-connections", value_name = "NUMBER")]
    connections: Option<NonZeroUsize>,
    /// The time of a socket of Venueless to authenticate and to answer a ping, as 30s
    ///
    /// It is also the time to read a frame, if it is less than ten seconds.
    #[arg(
        long = "venueless-patience",
        value_name = "DURATION",
        default_value = "30s",
        value_parser = duration::positive
    )]
    patience: DurationArg,
}

/// The maximal number of guests; with 0, guests are refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct MostGuests(usize);

impl FromStr for MostGuests {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(Self(10_000)),
            "off" => Ok(Self(0)),
            number => number.parse().map(Self).map_err(|_| "expected a number, `on` or `off`"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum ListedOrigin {
    Documented,
    Upstream,
}

impl VenuelessOptions {
    pub(super) fn open(&self) -> Result<SocketOptions> {
        for world in &self.worlds {
            let is_segment = !world.is_empty() && !world.contains('/');
            ensure!(is_segment, "--venueless-world: `{world}` is not one segment of a path");
        }
        let issuers = match &self.issuers {
            None => {
                info!("without --venueless-jwt-file, Venueless accepts no tokens");
                Vec::new()
            }
            Some(path) => {
                let text = secret::read_bytes(path, "the issuers of tokens")?;
                Issuer::parse_all(&text)
                    .map_err(|error| anyhow!("`{}`: {error}", path.display()))?
            }
        };
        let venueless = Venueless {
            worlds: self.worlds.iter().cloned().collect(),
            issuers,
            refuses_guests: self.guests == MostGuests(0),
            shapes: match self.shapes {
                ListedOrigin::Documented => ListShape::Documented,
                ListedOrigin::Upstream => ListShape::Upstream,
            },
        };
        let DurationArg(patience) = self.patience;
        Ok(SocketOptions {
            dialect: Arc::new(venueless),
            patience,
            max_per_user: self.connections,
            origins: self.origins.clone(),
            max_guests: self.guests.0,
            new_guests: self.new_guests,
        })
    }
}
