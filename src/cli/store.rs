//! The command `store`.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{
    Exit, Output,
    client::{DaemonTarget, RequestContent},
    client_tls::ClientTlsArgs,
    help,
    output::{BAD, GOOD, QUIET},
    progress,
};
use crate::{
    facts::RecordKind,
    source::Existing,
    store::{self, CheckReport, Rollback},
};

#[derive(Args, Debug)]
pub(super) struct StoreCommand {
    #[command(subcommand)]
    task: StoreTask,
}

#[derive(Subcommand, Debug)]
enum StoreTask {
    /// Read a whole store and report damage; changes nothing
    ///
    /// Exits with 1 if records are damaged or commits are lost, with 2 if it can't be opened at all.
    #[command(after_help = "Example: peerage store check facts.redb")]
    Check(StoreFile),
    /// Shorten the file of a store to the length that it needs
    #[command(after_help = "Example: peerage store compact facts.redb")]
    Compact(StoreFile),
    /// Restore a store whose newest commits are damaged or lost to its last sound commit
    ///
    /// No daemon opens such a store, since the bans and blocks of the lost commits would be missing. Prefer a
    /// newer backup, if there is one. Later revisions are above all that were ever given out.
    #[command(after_help = "Example: peerage store repair facts.redb")]
    Repair(StoreFile),
    /// Copy a store that no daemon has open, or the store of a running daemon, into a new file
    #[command(after_help = help::STORE_BACKUP)]
    Backup(BackupOptions),
}

#[derive(Args, Debug)]
struct StoreFile {
    /// The store; no daemon may have it open
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("source").required(true).args(["file", "from", "admin_uds"]))]
struct BackupOptions {
    /// The store; no daemon may have it open
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// A running daemon, which copies its own store
    #[arg(long, value_name = "URL", group = "daemon_url")]
    from: Option<String>,
    /// The file that holds the admin token of the daemon
    #[arg(long, value_name = "PATH", requires = "from")]
    admin_token_file: Option<PathBuf>,
    #[command(flatten)]
    tls: ClientTlsArgs,
    /// The socket for administrators of a running daemon, which copies its own store
    #[arg(long, value_name = "PATH")]
    admin_uds: Option<PathBuf>,
    /// The new file; on the daemon's machine for the store of a running daemon
    #[arg(long, value_name = "NEW")]
    to: PathBuf,
    /// Replace an existing file; a running daemon never does
    #[arg(long, requires = "file")]
    force: bool,
}

pub(super) fn run(options: &StoreCommand, output: &Output) -> Result<Exit> {
    match &options.task {
        StoreTask::Check(of) => check(&of.file, output),
        StoreTask::Compact(of) => compact(&of.file, output),
        StoreTask::Repair(of) => repair(&of.file, output),
        StoreTask::Backup(options) => backup(options, output),
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
            "history": checked.history,
            "bytes": checked.bytes,
            "damaged": flaws.collect::<Vec<_>>(),
            "repairs": checked.repairs,
            "stepped_back": stepped_back(checked.stepped_back),
        }))?;
    } else {
        output.result(&human(&checked))?;
    }
    let is_whole = checked.damaged.is_empty() && checked.stepped_back.is_none();
    Ok(if is_whole { Exit::Success } else { Exit::Unmet })
}

fn human(checked: &CheckReport) -> String {
    let mut text = findings(&checked.repairs, checked.stepped_back);
    // Writing to a string can't fail.
    for flaw in &checked.damaged {
        let _ = writeln!(text, "{BAD}damaged{BAD:#} {}: {}", flaw.key, flaw.what);
    }
    let counts = checked.records.iter().map(|(kind, count)| format!("{} {count}", name(*kind)));
    let _ = match checked.damaged.len() {
        0 if checked.stepped_back.is_some() => write!(text, "{BAD}commits are lost{BAD:#}"),
        0 => write!(text, "{GOOD}ok{GOOD:#}"),
        1 => write!(text, "{BAD}1 record is damaged{BAD:#}"),
        damaged => write!(text, "{BAD}{damaged} records are damaged{BAD:#}"),
    };
    let _ = writeln!(
        text,
        " {QUIET}{}, history {}, revision {}, {} bytes{QUIET:#}",
        counts.collect::<Vec<_>>().join(", "),
        checked.history,
        checked.revision,
        checked.bytes
    );
    text
}

/// The repairs and lost commits, a line each.
fn findings(repairs: &[String], stepped_back: Option<Rollback>) -> String {
    let lost = stepped_back.iter().map(|it| format!("{BAD}lost{BAD:#} {it}\n"));
    repairs.iter().map(|it| format!("{QUIET}note{QUIET:#} {it}\n")).chain(lost).collect()
}

fn stepped_back(it: Option<Rollback>) -> Value {
    it.map_or(Value::Null, |it| json!({ "revision": it.found, "committed": it.known }))
}

fn repair(file: &Path, output: &Output) -> Result<Exit> {
    let done = progress::during("repairing the store", || store::repair(file))?;
    if output.is_json() {
        output.json(&json!({
            "revision": done.revision,
            "repairs": done.repairs,
            "stepped_back": stepped_back(done.rollback),
        }))?;
    } else {
        let findings = findings(&done.repairs, done.rollback);
        let revision = done.revision;
        output
            .result(&format!("{findings}{GOOD}ok{GOOD:#} {QUIET}revision {revision}{QUIET:#}\n"))?;
    }
    Ok(Exit::Success)
}

fn name(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::User => "users",
        RecordKind::Group => "groups",
        RecordKind::Conversation => "conversations",
        RecordKind::Rule => "rules",
        RecordKind::Idempotency => "idempotency_keys",
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
    Ok(Exit::Success)
}

fn backup(options: &BackupOptions, output: &Output) -> Result<Exit> {
    let to = &options.to;
    let done = progress::during("copying the store", || match &options.file {
        Some(file) => {
            let existing = if options.force { Existing::Replace } else { Existing::Keep };
            let done = store::backup(file, to, existing)?;
            Ok(json!({
                "revision": done.revision, "records": done.records, "bytes": done.bytes,
            }))
        }
        None => backup_daemon(options),
    });
    let done: Value = done?;
    let field = |name| done.get(name).cloned().unwrap_or_default();
    if output.is_json() {
        output.json(&done)?;
    } else {
        output.result(&format!(
            "{GOOD}ok{GOOD:#} {QUIET}records {}, revision {}, {} bytes{QUIET:#}\n",
            field("records"),
            field("revision"),
            field("bytes")
        ))?;
    }
    Ok(Exit::Success)
}

/// Requests a backup from a running daemon.
fn backup_daemon(options: &BackupOptions) -> Result<Value> {
    let target = DaemonTarget::new(
        options.from.as_deref(),
        options.admin_token_file.as_ref(),
        &options.tls,
        options.admin_uds.as_ref(),
    )?;
    let to = std::path::absolute(&options.to)?;
    let to = to.to_str().context("the path of the new file is not UTF-8")?;
    let encoded: String = to
        .bytes()
        .map(|byte| match byte {
            b'/' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let path = format!("/v1/store/backup?to={encoded}");
    let answer = target.connect()?.request("POST", &path, &RequestContent::default())?;
    ensure!(answer.status == 200, answer.message());
    Ok(answer.json())
}
