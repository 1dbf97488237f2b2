//! The output of commands: results, notes and errors.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "all output of commands passes through here"
)]

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use anyhow::Result;
use serde::Serialize;

use super::{Colour, Exit, Format};
use crate::diagnostic::{Report, render_github, render_sarif, render_text};

/// Where commands print: results to standard output, everything else to standard error.
#[derive(Debug)]
pub(super) struct Output {
    format: Format,
    colour: ColorChoice,
}

pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
const CAUTION: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const QUIET: Style = Style::new().dimmed();
pub(super) const STRONG: Style = Style::new().bold();

impl Output {
    pub(super) fn new(format: Format, colour: Colour) -> Self {
        let colour = match colour {
            Colour::Auto => ColorChoice::Auto,
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        };
        Self { format, colour }
    }

    pub(super) fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    pub(super) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// Prints a result; styles are dropped where they would not be shown.
    pub(super) fn result(&self, text: &str) -> Result<()> {
        let mut out = AutoStream::new(io::stdout().lock(), self.choice(&io::stdout()));
        finish(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
    }

    /// Prints a result byte by byte, without interpreting styles in it.
    pub(super) fn verbatim(text: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        finish(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
    }

    /// The writer for results that are too long to be held in memory.
    pub(super) fn lines() -> impl Write {
        io::stdout().lock()
    }

    pub(super) fn json(&self, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        self.result(&text)
    }

    /// Prints a note for people on standard error.
    pub(super) fn note(&self, text: &str) {
        let mut err = AutoStream::new(io::stderr().lock(), self.choice(&io::stderr()));
        // An error of standard error can't be reported anywhere.
        let _ = err.write_all(text.as_bytes());
    }

    /// Prints diagnostics as the result.
    pub(super) fn report(&self, report: &Report) -> Result<()> {
        // Tools run in the root of a repository, and expect paths relative to it.
        let root = || std::env::current_dir().unwrap_or_default();
        match self.format {
            Format::Json => self.json(&report.to_json()),
            Format::Sarif => self.json(&render_sarif(report, &root())),
            Format::Github => self.result(&render_github(report, &root())),
            Format::Human | Format::Junit | Format::Markdown => {
                self.result(&render_text(report, true))
            }
        }
    }

    /// Prints diagnostics on standard error, beside a result.
    pub(super) fn note_report(&self, report: &Report) {
        self.note(&render_text(report, true));
    }

    /// Prints diagnostics because there is no result: with `--format json` on standard output.
    pub(super) fn report_in_place(&self, report: &Report) -> Result<()> {
        if self.is_json() {
            return self.json(&report.to_json());
        }
        self.note_report(report);
        Ok(())
    }

    pub(super) fn warn(&self, warning: &str) {
        self.note(&format!("{CAUTION}warning{CAUTION:#}: {warning}\n"));
    }

    pub(super) fn failed(&self, error: &anyhow::Error) -> Exit {
        self.note(&format!("{BAD}error{BAD:#}: {error:#}\n"));
        Exit::Failure
    }

    fn choice(&self, stream: &impl IsTerminal) -> ColorChoice {
        match self.colour {
            ColorChoice::Auto if !stream.is_terminal() => ColorChoice::Never,
            ColorChoice::Auto if std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) => {
                ColorChoice::Never
            }
            ColorChoice::Auto => ColorChoice::Always,
            choice => choice,
        }
    }
}

/// Ignores a closed pipe: its reader (`| head`) needs no more.
fn finish(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
