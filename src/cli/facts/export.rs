//! The command `facts export`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write},
    ops::ControlFlow,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{ArgGroup, Args};

use super::{
    Exit, Output,
    client::{DaemonResponse, DaemonTarget, RequestContent},
    client_tls::ClientTlsArgs,
    progress,
};
use crate::{facts::export_line::ExportHeader, store};

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("source").required(true).args(["store", "from", "admin_uds"]))]
pub(super) struct ExportOptions {
    /// A store that no daemon has open; it is not changed
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// A running daemon
    #[arg(long, value_name = "URL", group = "daemon_url")]
    from: Option<String>,
    /// The file that holds the admin token of the daemon
    #[arg(long, value_name = "PATH", requires = "from")]
    admin_token_file: Option<PathBuf>,
    #[command(flatten)]
    tls: ClientTlsArgs,
    /// The socket for administrators of a running daemon
    #[arg(long, value_name = "PATH")]
    admin_uds: Option<PathBuf>,
    /// Write to this new file instead of standard output
    #[arg(long, short, value_name = "NEW")]
    output: Option<PathBuf>,
}

pub(super) fn run(options: &ExportOptions, output: &Output) -> Result<Exit> {
    let Some(path) = &options.output else {
        let mut out = BufWriter::new(Output::lines());
        let exported = export_all(options, &mut out).and_then(|()| Ok(out.flush()?));
        return match exported {
            // The reader of a closed pipe needs no more.
            Err(error) if is_broken_pipe(&error) => Ok(Exit::Success),
            exported => exported.map(|()| Exit::Success),
        };
    };
    let failed = || format!("can't write `{}`", path.display());
    // The relations of users are private.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.with_context(failed)?;
    let written = to_file(options, &file).with_context(failed);
    if written.is_err() {
        // A partial export must not be taken for a complete one.
        let _ = fs::remove_file(path);
    }
    written?;
    output.note(&format!("exported to {}\n", path.display()));
    Ok(Exit::Success)
}

fn to_file(options: &ExportOptions, file: &File) -> Result<()> {
    let mut out = BufWriter::new(file);
    export_all(options, &mut out)?;
    out.flush()?;
    Ok(file.sync_all()?)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn export_all(options: &ExportOptions, out: &mut impl Write) -> Result<()> {
    let records = progress::RecordCounter::new("records");
    if let Some(path) = &options.store {
        return export_store(path, out, &records);
    }
    let target = DaemonTarget::new(
        options.from.as_deref(),
        options.admin_token_file.as_ref(),
        &options.tls,
        options.admin_uds.as_ref(),
    )?;
    let mut client = target.connect()?;
    let (status, mut body) = client.begin("GET", "/v1/facts/export", &RequestContent::default())?;
    if status != 200 {
        let mut answer = DaemonResponse { status, body: Vec::new() };
        body.read_to_end(&mut answer.body)?;
        bail!(answer.message());
    }
    let mut lines = BufReader::new(body);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        out.write_all(&line)?;
        line.clear();
        records.increment();
    }
    Ok(())
}

fn export_store(
    path: &std::path::Path,
    out: &mut impl Write,
    records: &progress::RecordCounter,
) -> Result<()> {
    let out = std::cell::RefCell::new(out);
    let failed = std::cell::RefCell::new(None);
    let write = |line: &str| {
        let written = writeln!(out.borrow_mut(), "{line}");
        records.increment();
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                *failed.borrow_mut() = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    store::export(
        path,
        &mut |revision| {
            let _ = write(&ExportHeader { revision }.encode());
        },
        &mut |item| match item.into_line() {
            Some(line) => write(&line),
            None => ControlFlow::Continue(()),
        },
    )?;
    failed.into_inner().map_or(Ok(()), |error| Err(anyhow!(error)))
}
