//! The command `facts`: export and import of facts as JSON lines, and their history.

mod daemon_sink;
mod export;
mod history;
mod import;
mod lines;
mod store_sink;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Exit, Output, client, client_tls, help, output, progress};

#[derive(Args, Debug)]
pub(super) struct FactsCommand {
    #[command(subcommand)]
    task: FactsTask,
}

#[derive(Subcommand, Debug)]
enum FactsTask {
    /// Print all facts of one revision, a JSON object a line
    #[command(after_help = help::FACTS_EXPORT)]
    Export(export::ExportOptions),
    /// Import exported facts, or users as in the `.ndjson` files of policies
    ///
    /// A line replaces the record that it names; other records stay. A line that can't be imported is
    /// reported with its number and skipped.
    #[command(after_help = help::FACTS_IMPORT)]
    Import(import::ImportOptions),
    /// Show what commands did at a running daemon, by whom and why, the newest first
    #[command(after_help = help::FACTS_HISTORY)]
    History(history::HistoryOptions),
}

pub(super) fn run(options: &FactsCommand, output: &Output) -> Result<Exit> {
    match &options.task {
        FactsTask::Export(options) => export::run(options, output),
        FactsTask::Import(options) => import::run(options, output),
        FactsTask::History(options) => history::run(options, output),
    }
}
