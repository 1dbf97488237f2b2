//! The options of staleness: how old what is served may become, and what happens then.

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};

use crate::{
    cli::duration::DurationArg,
    live::{OnStale, StalenessOptions},
};

#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct StalenessArgs {
    /// The longest time for which the policy or etcd may not have been read well, as 10m
    ///
    /// After that, what is served is stale: answers and the metric `peerage_stale` say so, and `/readyz`
    /// answers 503. A policy is not read well while its files can't be read or hold errors; one that is
    /// held is read well. Without this option, nothing is ever stale.
    #[arg(long, value_name = "DURATION")]
    max_stale: Option<DurationArg>,
    /// The decisions while what is served is stale
    #[arg(long, value_enum, value_name = "HOW", default_value_t = OnStaleChoice::Serve, requires = "max_stale")]
    on_stale: OnStaleChoice,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum OnStaleChoice {
    /// Deny everything, with the reason `stale`; lists are empty
    Deny,
    /// Decide by what is known
    Serve,
}

impl StalenessArgs {
    /// # Errors
    /// If the longest time is none.
    pub(super) fn options(&self) -> Result<StalenessOptions> {
        let max_age = self.max_stale.map(|DurationArg(max_age)| max_age);
        let is_some_time = max_age.is_none_or(|max_age| !max_age.is_zero());
        ensure!(
            is_some_time,
            "`--max-stale` is a time above 0, as 10m; leave it out if nothing is ever stale"
        );
        let on_stale = match self.on_stale {
            OnStaleChoice::Deny => OnStale::Deny,
            OnStaleChoice::Serve => OnStale::Serve,
        };
        Ok(StalenessOptions { max_age, on_stale })
    }
}
