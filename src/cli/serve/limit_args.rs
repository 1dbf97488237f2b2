//! The options of limits: how much is taken at a time, and how long is waited.

use std::time::Duration;

use clap::Args;

use crate::cli::duration::{DurationArg, MillisecondsArg};

#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct LimitArgs {
    /// The time that running requests have to finish when the daemon stops, as 10s
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    drain: DurationArg,
    /// The time for which a daemon that is stopped still serves and accepts connections, as 10s
    ///
    /// `/readyz` answers 503 meanwhile, so that load balancers stop sending requests. The time of --drain
    /// follows. A second signal cuts it short.
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    shutdown_wait: DurationArg,
    /// The maximal size of a request's body, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    pub(super) body_limit: usize,
    /// The maximal number of decisions in flight, waiting ones included; those beyond get 503 at once
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub(super) max_in_flight: usize,
    /// The longest wait of a request with Peerage-At-Least, as 2s
    ///
    /// A bare number is milliseconds.
    #[arg(long, value_name = "DURATION", default_value = "2s")]
    at_least_wait: MillisecondsArg,
}

impl LimitArgs {
    /// The time that requests have to finish, at the end.
    pub(super) fn drain(&self) -> Duration {
        let DurationArg(drain) = self.drain;
        drain
    }

    /// The time that is served on before that.
    pub(super) fn shutdown_wait(&self) -> Duration {
        let DurationArg(wait) = self.shutdown_wait;
        wait
    }

    /// The longest wait for a revision.
    pub(super) fn at_least_wait(&self) -> Duration {
        let MillisecondsArg(wait) = self.at_least_wait;
        wait
    }
}
