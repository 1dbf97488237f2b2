//! Reports: diagnostics with lines and columns, independent of their sources.

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

use serde_json::{Value, json};

use super::{
    Code, Diagnostic, Diagnostics, Label, Severity,
    window::{self, LineWindow},
};
use crate::source::{Position, PositionCursor, SourceId, Sources};

/// The diagnostics of a policy in reading order, independent of its files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    pub diagnostics: Vec<LocatedDiagnostic>,
    /// The number of diagnostics that were not kept.
    pub left_out: usize,
    /// The number of errors, including those left out.
    pub errors: usize,
    /// The number of warnings, including those left out.
    pub warnings: usize,
}

/// A diagnostic with its place resolved, independent of the sources.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocatedDiagnostic {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    pub place: Option<SourceLocation>,
    pub others: Vec<SourceLocation>,
    pub hint: Option<String>,
}

/// A place in a file, by line and column, which count from 1, columns in characters; the end is exclusive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceLocation {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub end_line: usize,
    pub end_column: usize,
    /// The text at the place; may be empty.
    pub label: String,
    /// The text of its first line without its end, cut to a window around the place, with `…`,
    /// where the line is long. Control characters but tabs are replaced.
    pub source_line: String,
    /// The start and the length of the place within `source_line`, in bytes.
    pub caret: (usize, usize),
}

// === impl Report ===

impl Report {
    /// Resolves the places of diagnostics. Costs one scan of each file that has a mistake.
    pub fn new(problems: Diagnostics, sources: &Sources) -> Self {
        let left_out_errors = problems.left_out_errors;
        let (list, left_out) = problems.into_sorted();
        let offsets = Offsets::new(&list, sources);
        let errors = list.iter().filter(|found| found.severity == Severity::Error).count();
        Self {
            errors: errors + left_out_errors,
            warnings: (list.len() - errors) + (left_out - left_out_errors),
            left_out,
            diagnostics: list.into_iter().map(|found| offsets.locate(found, sources)).collect(),
        }
    }

    /// Whether there are no diagnostics.
    pub fn is_empty(&self) -> bool {
        self.errors + self.warnings == 0
    }

    /// The JSON that `check --format json` prints and `/v1/status` holds. Its shape is stable: fields may
    /// be added, none is removed; fields that do not apply are `null`.
    pub fn to_json(&self) -> Value {
        json!({
            "errors": self.errors,
            "warnings": self.warnings,
            "left_out": self.left_out,
            "diagnostics": self.diagnostics.iter().map(LocatedDiagnostic::to_json).collect::<Vec<_>>(),
        })
    }
}

// === impl LocatedDiagnostic ===

impl LocatedDiagnostic {
    fn to_json(&self) -> Value {
        let place = self.place.as_ref();
        json!({
            "code": self.code.as_str(),
            "severity": self.severity.as_str(),
            "message": self.message,
            "file": place.map(|place| &place.file),
            "line": place.map(|place| place.line),
            "column": place.map(|place| place.column),
            "end_line": place.map(|place| place.end_line),
            "end_column": place.map(|place| place.end_column),
            "label": place.map(|place| &place.label).filter(|label| !label.is_empty()),
            "source_line": place.map(|place| &place.source_line),
            "hint": self.hint,
            "related": self.others.iter().map(SourceLocation::to_json).collect::<Vec<_>>(),
        })
    }
}

// === impl SourceLocation ===

impl SourceLocation {
    /// The path of the file relative to `root`, if it is below it: without `./` and with `/`.
    pub(super) fn path_from(&self, root: &Path) -> String {
        let file = Path::new(&self.file);
        let file = file.strip_prefix(root).unwrap_or(file);
        let parts = file.components().filter(|part| *part != Component::CurDir);
        parts.collect::<PathBuf>().to_string_lossy().into_owned()
    }

    /// The source line, and one below it with a caret for each character of the place, at least one.
    pub fn render_caret(&self) -> String {
        let (start, length) = self.caret;
        let before = self.source_line.get(..start).unwrap_or_default();
        let under = self.source_line.get(start..start + length).unwrap_or_default();
        let blanks: String = before.chars().map(|c| if c == '\t' { c } else { ' ' }).collect();
        format!("{}\n{blanks}{}", self.source_line, "^".repeat(under.chars().count().max(1)))
    }

    fn to_json(&self) -> Value {
        json!({
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "end_line": self.end_line,
            "end_column": self.end_column,
            "label": self.label,
        })
    }
}

/// The position of every offset that a diagnostic names, with the start of its line.
struct Offsets(BTreeMap<(SourceId, usize), (Position, usize)>);

impl Offsets {
    /// Sweeps over each file once: looking up one offset after the other would be quadratic.
    fn new(list: &[Diagnostic], sources: &Sources) -> Self {
        let labels = list.iter().flat_map(|found| found.primary.iter().chain(&found.others));
        let mut offsets: BTreeMap<_, _> = labels
            .flat_map(|Label { span, .. }| [(span.source, span.start()), (span.source, span.end())])
            .map(|at| (at, (Position { line: 1, column: 1 }, 0)))
            .collect();
        let mut cursor: Option<(SourceId, PositionCursor<'_>)> = None;
        for (&(id, offset), found) in &mut offsets {
            if cursor.as_ref().is_none_or(|(of, _)| *of != id) {
                cursor = sources.get(id).map(|source| (id, PositionCursor::new(&source.bytes)));
            }
            if let Some((_, cursor)) = &mut cursor {
                *found = (cursor.position(offset), cursor.line_start());
            }
        }
        Self(offsets)
    }

    fn locate(&self, found: Diagnostic, sources: &Sources) -> LocatedDiagnostic {
        LocatedDiagnostic {
            code: found.code,
            severity: found.severity,
            message: found.message,
            place: found.primary.and_then(|label| self.place(label, sources)),
            others: found.others.into_iter().filter_map(|at| self.place(at, sources)).collect(),
            hint: found.hint,
        }
    }

    fn place(&self, label: Label, sources: &Sources) -> Option<SourceLocation> {
        let Label { span, text } = label;
        let source = sources.get(span.source)?;
        let &(start, line_start) = self.0.get(&(span.source, span.start()))?;
        let &(end, _) = self.0.get(&(span.source, span.end()))?;
        let LineWindow { text: source_line, caret } =
            window::around(&source.bytes, line_start, span.start(), span.end());
        Some(SourceLocation {
            file: source.name.clone(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            label: text,
            source_line,
            caret,
        })
    }
}
