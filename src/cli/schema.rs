use anyhow::Result;
use clap::{Args, ValueEnum};

use super::{Exit, Output};
use crate::{inspect, policy};

#[derive(Args, Debug)]
pub(super) struct Options {
    /// Of which files
    #[arg(long, value_enum, default_value_t = Of::Policy, value_name = "FILES")]
    of: Of,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Of {
    /// Files of sections: `.yaml`, `.yml` and `.json`
    Policy,
    /// `*.test.yaml`
    Tests,
    /// The lines of `.ndjson`
    Record,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<Exit> {
    output.json(&match options.of {
        Of::Policy => policy::schema(),
        Of::Tests => inspect::test_schema(policy::schema()),
        Of::Record => policy::record_schema(),
    })?;
    Ok(Exit::Fine)
}
