//! Logs on standard error that never block: when the reader stalls, lines are dropped and counted.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use super::Output;
use crate::serve::{Destination, LineWriter};

/// The longest wait at exit for lines that are not written yet.
const PATIENCE: Duration = Duration::from_secs(2);

/// The open log; dropping it writes the waiting lines.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) lines: LineWriter,
}

impl Drop for Log {
    fn drop(&mut self) {
        self.lines.flush(PATIENCE);
    }
}

/// Opens the log. `RUST_LOG` sets its level, as `warn` or `warn,peerage=debug`.
pub(super) fn open(output: &Output) -> Result<Log> {
    let filter: Targets = match std::env::var("RUST_LOG") {
        Ok(levels) if !levels.is_empty() => {
            levels.parse().map_err(|error| anyhow!("RUST_LOG: {error}"))?
        }
        _ => Targets::new().with_default(LevelFilter::INFO),
    };
    let lines = LineWriter::open(Destination::Stderr).context("can't start the log")?;
    let log = Log { lines: lines.clone() };
    let layer = fmt::layer().with_writer(move || Line(lines.clone()));
    let layer = layer.with_ansi(io::stderr().is_terminal());
    let logs = tracing_subscriber::registry();
    if output.is_json() {
        logs.with(layer.json().with_filter(filter)).init();
    } else {
        logs.with(layer.with_filter(filter)).init();
    }
    Ok(log)
}

/// A writer that takes each write as one line of the log.
struct Line(LineWriter);

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
