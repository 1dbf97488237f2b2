//! The command `schema`.

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::{Exit, Output, command_line, config};
use crate::{inspect, policy};

#[derive(Args, Debug)]
pub(super) struct SchemaOptions {
    /// The kind of files
    #[arg(long, value_enum, default_value_t = SchemaTopic::Policy, value_name = "FILES")]
    of: SchemaTopic,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SchemaTopic {
    /// Files of sections: `.yaml`, `.yml` and `.json`
    Policy,
    /// `*.test.yaml`
    Tests,
    /// The lines of `.ndjson`
    Record,
    /// The file of `serve --config`
    Config,
}

pub(super) fn run(options: &SchemaOptions, output: &Output) -> Result<Exit> {
    output.json(&match options.of {
        SchemaTopic::Policy => policy::schema(),
        SchemaTopic::Tests => inspect::test_schema(policy::schema()),
        SchemaTopic::Record => policy::record_schema(),
        SchemaTopic::Config => config::schema(command_line()),
    })?;
    Ok(Exit::Success)
}
