//! The options of logs of requests.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::serve::{Audit, Destination, LineWriter};

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
}

impl LogArgs {
    pub(super) fn audit(&self) -> Result<Arc<Audit>> {
        let lines = self.audit_log.as_ref().map(|path| {
            let destination = if path.as_os_str() == "-" {
                Destination::Stdout
            } else {
                Destination::File(path.clone())
            };
            LineWriter::open(destination)
                .with_context(|| format!("can't write the audit log `{}`", path.display()))
        });
        Ok(Arc::new(Audit::new(lines.transpose()?)))
    }
}
