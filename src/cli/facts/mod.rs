//! `peerage facts`: all facts as lines of text, and back.

mod daemon;
mod export;
mod file;
mod import;
mod lines;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Exit, Output, client, help, output, progress};

#[derive(Args, Debug)]
pub(super) struct Options {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand, Debug)]
enum Task {
    /// Print all facts of one revision, a line of JSON each
    #[command(after_help = help::FACTS_EXPORT)]
    Export(export::Options),
    /// Take facts in that were exported, or users as policies have them in `.ndjson`
    ///
    /// What a line says takes the place of what there is; what no line says stays. A line that can't
    /// be taken in is told with its number and passed over.
    #[command(after_help = help::FACTS_IMPORT)]
    Import(import::Options),
}

pub(super) fn run(options: &Options, output: &Output) -> Result<Exit> {
    match &options.task {
        Task::Export(options) => export::run(options, output),
        Task::Import(options) => import::run(options, output),
    }
}
