//! The options of logs of requests.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::{
    serve::{Audit, DecisionFilter, DecisionLog, Destination, LineWriter, SpanExporter},
    wire::IdForm,
};

#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct LogArgs {
    /// Write an audit log to this file, a JSON object a line; `-` is standard output
    ///
    /// It has a line for each batch of commands, each reload that was forced or held, and each credential
    /// that was refused. The file is accessible to its owner alone, and opened again when it is moved and
    /// on SIGHUP. Lines that can't be written are dropped and counted, so that nothing waits for them.
    #[arg(long, value_name = "FILE")]
    audit_log: Option<PathBuf>,
    /// Write a log of decisions to this file, a JSON object a line; `-` is standard output
    ///
    /// `peerage replay` decides its lines by another policy. The file is treated as that of --audit-log.
    #[arg(long, value_name = "FILE")]
    decision_log: Option<PathBuf>,
    /// The decisions that are logged: all, denied, or a random share as 10%
    #[arg(long, value_name = "WHICH", default_value_t = DecisionFilter::All, requires = "decision_log")]
    decision_log_only: DecisionFilter,
    /// The form of the ids of users and groups in the log of decisions
    #[arg(long, value_enum, value_name = "FORM", default_value_t = IdChoice::Plain, requires = "decision_log")]
    decision_log_ids: IdChoice,
    /// Export a span of each request to the OpenTelemetry collector at this URL, as http://127.0.0.1:4318
    ///
    /// Over OTLP/HTTP in JSON, in a build with the feature `otlp`. Requests of traces that their callers don't
    /// record are left out. Nothing waits for the collector: spans that it does not take are dropped and
    /// counted.
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum IdChoice {
    Plain,
    /// The first 16 bytes of the SHA-256 of each id, which `replay` can't decide
    Hashed,
}

impl LogArgs {
    pub(super) fn audit(&self) -> Result<Arc<Audit>> {
        let lines = self.audit_log.as_deref().map(|path| open(path, "audit log"));
        Ok(Arc::new(Audit::new(lines.transpose()?)))
    }

    /// Starts the exporter of spans on the current runtime, if they are exported.
    pub(super) fn spans(&self) -> Result<Option<SpanExporter>> {
        let exporter = self.otlp_endpoint.as_deref().map(SpanExporter::start);
        exporter.transpose().context("--otlp-endpoint")
    }

    pub(super) fn decision_log(&self) -> Result<Option<Arc<DecisionLog>>> {
        let Some(path) = &self.decision_log else { return Ok(None) };
        let ids = match self.decision_log_ids {
            IdChoice::Plain => IdForm::Plain,
            IdChoice::Hashed => IdForm::Hashed,
        };
        let lines = open(path, "decision log")?;
        Ok(Some(Arc::new(DecisionLog::new(lines, self.decision_log_only, ids))))
    }
}

fn open(path: &Path, name: &str) -> Result<LineWriter> {
    let destination = if path.as_os_str() == "-" {
        Destination::Stdout
    } else {
        Destination::File(path.to_owned())
    };
    LineWriter::open(destination)
        .with_context(|| format!("can't write the {name} `{}`", path.display()))
}
