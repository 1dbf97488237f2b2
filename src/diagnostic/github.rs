//! Reports as commands for GitHub's runner.

use std::{fmt::Write as _, path::Path};

use super::{LocatedDiagnostic, Report, Severity, SourceLocation};

/// The report as commands to GitHub's runner, one a line: it shows each mistake at its place in the
/// change. `root` is the folder of the repository; files below it are named from there.
pub fn render_github(report: &Report, root: &Path) -> String {
    let mut out = String::new();
    for found in &report.diagnostics {
        let _ = writeln!(out, "{}", command(found, root));
    }
    if report.left_out > 0 {
        let _ = writeln!(out, "::notice::{} more than are shown", report.left_out);
    }
    out
}

fn command(found: &LocatedDiagnostic, root: &Path) -> String {
    let mut out = String::from(match found.severity {
        Severity::Error => "::error ",
        Severity::Warning => "::warning ",
    });
    if let Some(place) = &found.place {
        let file = property(&place.path_from(root));
        let _ = write!(out, "file={file},line={},", place.line);
        // The runner takes columns within one line only.
        if place.end_line == place.line {
            let _ = write!(out, "col={},", place.column);
        }
        let _ = write!(out, "endLine={},", place.end_line);
        if place.end_line == place.line {
            let _ = write!(out, "endColumn={},", place.end_column);
        }
    }
    let _ = write!(out, "title={}::{}", property(found.code.as_str()), data(&text(found, root)));
    out
}

/// The message, labels and hint of a mistake, without its place.
fn text(found: &LocatedDiagnostic, root: &Path) -> String {
    let mut text = found.message.clone();
    if let Some(SourceLocation { label, .. }) =
        found.place.as_ref().filter(|place| !place.label.is_empty())
    {
        let _ = write!(text, "\n{label}");
    }
    for other in &found.others {
        let file = other.path_from(root);
        let _ = write!(text, "\n{file}:{}:{}: {}", other.line, other.column, other.label);
    }
    if let Some(hint) = &found.hint {
        let _ = write!(text, "\nhelp: {hint}");
    }
    text
}

/// The text after `::` of a command, which ends with its line and escapes with `%`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a command, which a comma or a colon would end too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
