use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Map, json};

use super::{
    Exit, Output,
    output::{BAD, GOOD, QUIET},
    progress,
};
use crate::{
    facts::Kind,
    store::{self, Checked},
};

#[derive(Args, Debug)]
pub(super) struct Options {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand, Debug)]
enum Task {
    /// Read a whole store and find what is damaged in it; changes nothing
    ///
    /// Exits with 1 if records are damaged, with 2 if it can't be opened at all.
    #[command(after_help = "Example: peerage store check facts.redb")]
    Check(File),
    /// Make the file of a store no longer than it has to be
    #[command(after_help = "Example: peerage store compact facts.redb")]
    Compact(File),
    /// Copy a store that no daemon has open into a new file
    #[command(after_help = "Example: peerage store backup facts.redb --to facts-monday.redb")]
    Backup(Backup),
}

#[derive(Args, Debug)]
struct File {
    /// The store; no daemon may have it open
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Args, Debug)]
struct Backup {
    #[command(flatten)]
    from: File,
    /// The new file
    #[arg(long, value_name = "NEW")]
    to: PathBuf,
    /// Replace the new file if there is one
    #[arg(long)]
    force: bool,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<Exit> {
    match &options.task {
        Task::Check(of) => check(&of.file, output),
        Task::Compact(of) => compact(&of.file, output),
        Task::Backup(options) => backup(options, output),
    }
}

fn check(file: &Path, output: &Output) -> Result<Exit> {
    let checked = progress::during("reading the store", || store::check(file))?;
    if output.is_json() {
        let flaws = checked.damaged.iter();
        let flaws = flaws.map(|flaw| json!({ "key": flaw.key, "message": flaw.what }));
        let counts = checked.records.iter().map(|(kind, count)| (name(*kind).into(), json!(count)));
        output.json(&json!({
            "revision": checked.revision,
            "records": counts.collect::<Map<_, _>>(),
            "bytes": checked.bytes,
            "damaged": flaws.collect::<Vec<_>>(),
        }))?;
    } else {
        output.result(&human(&checked))?;
    }
    Ok(if checked.damaged.is_empty() { Exit::Fine } else { Exit::Short })
}

fn human(checked: &Checked) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    for flaw in &checked.damaged {
        let _ = writeln!(text, "{BAD}damaged{BAD:#} {}: {}", flaw.key, flaw.what);
    }
    let counts = checked.records.iter().map(|(kind, count)| format!("{} {count}", name(*kind)));
    let _ = match checked.damaged.len() {
        0 => write!(text, "{GOOD}ok{GOOD:#}"),
        1 => write!(text, "{BAD}1 record is damaged{BAD:#}"),
        damaged => write!(text, "{BAD}{damaged} records are damaged{BAD:#}"),
    };
    let _ = writeln!(
        text,
        " {QUIET}{}, revision {}, {} bytes{QUIET:#}",
        counts.collect::<Vec<_>>().join(", "),
        checked.revision,
        checked.bytes
    );
    text
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "users",
        Kind::Group => "groups",
        Kind::Conversation => "conversations",
        Kind::Rule => "rules",
        Kind::Once => "idempotency_keys",
    }
}

fn compact(file: &Path, output: &Output) -> Result<Exit> {
    let done = progress::during("compacting the store", || store::compact(file))?;
    if output.is_json() {
        output.json(&json!({ "before": done.before, "after": done.after }))?;
    } else {
        let (before, after) = (done.before, done.after);
        output.result(&format!("{GOOD}ok{GOOD:#} {before} bytes before, {after} after\n"))?;
    }
    Ok(Exit::Fine)
}

fn backup(options: &Backup, output: &Output) -> Result<Exit> {
    let Backup { from, to, force } = options;
    let done = progress::during("copying the store", || store::backup(&from.file, to, *force))?;
    if output.is_json() {
        output.json(&json!({
            "revision": done.revision,
            "records": done.records,
            "bytes": done.bytes,
        }))?;
    } else {
        output.result(&format!(
            "{GOOD}ok{GOOD:#} {QUIET}records {}, revision {}, {} bytes{QUIET:#}\n",
            done.records, done.revision, done.bytes
        ))?;
    }
    Ok(Exit::Fine)
}
