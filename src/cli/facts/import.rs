//! The command `facts import`.

use std::{
    fs::File,
    io::{self, BufReader, Seek as _},
    path::PathBuf,
};

use anyhow::{Context as _, Result, ensure};
use clap::{ArgGroup, Args};
use serde_json::json;
use uuid::Uuid;

use super::{
    Exit, Output,
    client::DaemonTarget,
    client_tls::ClientTlsArgs,
    daemon_sink, lines,
    output::{BAD, GOOD, QUIET},
    progress, store_sink,
};
use crate::facts::Command;

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("goal").required(true).args(["store", "to", "admin_uds"]))]
pub(super) struct ImportOptions {
    /// The file of lines; `-` for standard input
    ///
    /// An import into a running daemon reads it in three passes, so it must be a file.
    #[arg(value_name = "LINES")]
    lines: PathBuf,
    /// A store that no daemon has open; it is created if missing
    ///
    /// Nothing is checked against a policy: records that do not fit it have no effect.
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// A running daemon
    #[arg(long, value_name = "URL", group = "daemon_url")]
    to: Option<String>,
    /// The file that holds the admin token of the daemon
    #[arg(long, value_name = "PATH", requires = "to")]
    admin_token_file: Option<PathBuf>,
    #[command(flatten)]
    tls: ClientTlsArgs,
    /// The socket for administrators of a running daemon
    #[arg(long, value_name = "PATH")]
    admin_uds: Option<PathBuf>,
    /// The idempotency key of the import: with the same key, the same lines take effect once
    ///
    /// It holds for a day, and for a running daemon only.
    #[arg(long, value_name = "KEY", conflicts_with = "store")]
    key: Option<String>,
}

/// The number of refused lines that are reported one by one.
const MAX_REPORTED: usize = 20;

/// The result of an import.
#[derive(Default)]
struct ImportSummary {
    /// The number of imported lines.
    imported: u64,
    /// The refused lines: the number of each, and the message.
    wrong: Vec<(u64, String)>,
}

pub(super) fn run(options: &ImportOptions, output: &Output) -> Result<Exit> {
    let mut done = ImportSummary::default();
    let imported = match &options.store {
        Some(path) => import_into_store(options, path, &mut done),
        None => import_into_daemon(options, &mut done),
    };
    done.wrong.sort();
    let name = options.lines.display();
    if output.is_json() {
        let wrong = done.wrong.iter();
        let wrong = wrong.map(|(line, why)| json!({ "line": line, "message": why }));
        output.json(&json!({
            "imported": done.imported, "wrong": wrong.collect::<Vec<_>>(),
            "complete": imported.is_ok(),
        }))?;
    } else {
        for (line, why) in done.wrong.iter().take(MAX_REPORTED) {
            output.note(&format!("{name}:{line}: {BAD}error{BAD:#}: {why}\n"));
        }
        let unlisted = done.wrong.len().saturating_sub(MAX_REPORTED);
        if unlisted > 0 {
            output.note(&format!("{name}: and {unlisted} more lines\n"));
        }
        let wrong = match done.wrong.len() {
            0 => String::new(),
            1 => format!("; {BAD}1 line was not{BAD:#}"),
            count => format!("; {BAD}{count} lines were not{BAD:#}"),
        };
        let all = if imported.is_ok() { "" } else { "at least " };
        output.result(&format!(
            "{GOOD}imported{GOOD:#} {QUIET}{all}{}{QUIET:#}{wrong}\n",
            lines(done.imported)
        ))?;
    }
    imported?;
    Ok(if done.wrong.is_empty() { Exit::Success } else { Exit::Unmet })
}

fn lines(count: u64) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{count} lines") }
}

fn import_into_store(
    options: &ImportOptions,
    path: &std::path::Path,
    done: &mut ImportSummary,
) -> Result<()> {
    let name = options.lines.display();
    let is_piped = options.lines.as_os_str() == "-";
    let from: Box<dyn io::Read> = if is_piped {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(&options.lines).with_context(|| format!("can't read `{name}`"))?)
    };
    let mut sink = store_sink::StoreSink::open(path)?;
    let progress = progress::RecordCounter::new("lines");
    let mut taken = 0;
    let read = lines::for_each(BufReader::new(from), |number, line| {
        progress.increment();
        match line {
            Ok(lines::ImportLine::Header) => {}
            Ok(line) => {
                sink.take(line)?;
                taken += 1;
            }
            Err(why) => done.wrong.push((number, why)),
        }
        Ok::<_, anyhow::Error>(())
    });
    let written = read.and_then(|()| sink.commit()).and_then(|()| sink.close());
    // Of two lines for one record, the later counts.
    done.imported = if written.is_ok() { taken } else { sink.committed };
    written
}

fn import_into_daemon(options: &ImportOptions, done: &mut ImportSummary) -> Result<()> {
    let target = DaemonTarget::new(
        options.to.as_deref(),
        options.admin_token_file.as_ref(),
        &options.tls,
        options.admin_uds.as_ref(),
    )?;
    let name = options.lines.display();
    ensure!(
        options.lines.as_os_str() != "-",
        "an import into a running daemon takes three passes; give a file instead of standard input"
    );
    let mut file = File::open(&options.lines).with_context(|| format!("can't read `{name}`"))?;
    let key = options.key.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
    let mut sink = daemon_sink::DaemonSink::new(target, key.clone());
    let (mut passes, mut good) = (0, 0);
    let sent = passes_of(&mut file, &mut sink, done, &mut passes, &mut good);
    let refused = std::mem::take(&mut sink.refused);
    if sent.is_ok() {
        done.imported = good - refused.len() as u64;
    }
    done.wrong.extend(refused);
    sent.with_context(|| {
        let stages = Command::STAGES;
        format!(
            "stopped in pass {passes} of {stages}; to continue, import the same file with --key {key}"
        )
    })
}

fn passes_of(
    file: &mut File,
    sink: &mut daemon_sink::DaemonSink,
    done: &mut ImportSummary,
    passes: &mut usize,
    good: &mut u64,
) -> Result<()> {
    for stage in 0..Command::STAGES {
        *passes = stage + 1;
        file.rewind()?;
        let progress = progress::RecordCounter::new("lines");
        lines::for_each(BufReader::new(&*file), |number, line| {
            progress.increment();
            match line {
                Ok(line) => {
                    *good += u64::from(stage == 0 && !matches!(line, lines::ImportLine::Header));
                    sink.take(number, &line)?;
                }
                Err(why) if stage == 0 => done.wrong.push((number, why)),
                Err(_) => {}
            }
            Ok::<_, anyhow::Error>(())
        })?;
        sink.next_stage()?;
    }
    Ok(())
}
