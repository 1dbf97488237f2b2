//! `peerage facts`: all facts as lines of text, and back.

mod daemon_sink;
mod export;
mod import;
mod lines;
mod store_sink;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Exit, Output, client, help, output, progress};

#[derive(Args, Debug)]
pub(super) struct FactsCommand {
    #[command(subcommand)]
    task: FactsTask,
}

#[derive(Subcommand, Debug)]
enum FactsTask {
    /// Print all facts of one revision, a line of JSON each
    #[command(after_help = help::FACTS_EXPORT)]
    Export(export::ExportOptions),
    /// Take facts in that were exported, or users as policies have them in `.ndjson`
    ///
    /// What a line says takes the place of what there is; what no line says stays. A line that can't
    /// be taken in is told with its number and passed over.
    #[command(after_help = help::FACTS_IMPORT)]
    Import(import::ImportOptions),
}

pub(super) fn run(options: &FactsCommand, output: &Output) -> Result<Exit> {
    match &options.task {
        FactsTask::Export(options) => export::run(options, output),
        FactsTask::Import(options) => import::run(options, output),
    }
}
