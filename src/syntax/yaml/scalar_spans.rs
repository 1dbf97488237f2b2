//! Spans of the parts of a scalar's text in its file.

use std::ops::Range;

use super::node::YamlScalar;
use crate::source::{SourceId, Span};

/// Where the bytes of a scalar's value stand in the file.
///
/// A scalar on one line without escapes is there verbatim. In one of several lines, each run of
/// characters between white space does, and all of them in order; so they are looked up one after
/// the other, at the cost of one pass. What has escapes is one place as a whole.
pub(super) struct ScalarSpans {
    id: SourceId,
    whole: Range<usize>,
    runs: Vec<Run>,
}

/// Bytes that stand in the file as they do in the value.
struct Run {
    in_value: usize,
    in_file: usize,
    len: usize,
}

impl ScalarSpans {
    pub(super) fn new(id: SourceId, text: &str, scalar: &YamlScalar<'_>) -> Self {
        let whole = scalar.written.clone();
        let raw = text.get(whole.clone()).unwrap_or_default();
        let runs = if raw == scalar.value {
            vec![Run { in_value: 0, in_file: whole.start, len: raw.len() }]
        } else {
            runs(raw, &scalar.value, whole.start).unwrap_or_default()
        };
        Self { id, whole, runs }
    }

    /// The span of a byte range of the value.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        if self.runs.is_empty() {
            return Span::new(self.id, self.whole.start, self.whole.end);
        }
        let start = self.in_file(range.start);
        // Through the last byte, as the end may be where the next run begins.
        let end = if range.is_empty() { start } else { self.in_file(range.end - 1) + 1 };
        Span::new(self.id, start, end.max(start))
    }

    fn in_file(&self, at: usize) -> usize {
        let after = self.runs.partition_point(|run| run.in_value <= at);
        match self.runs.get(after.saturating_sub(1)) {
            Some(run) => run.in_file + at.saturating_sub(run.in_value).min(run.len),
            None => self.whole.start,
        }
    }
}

fn runs(raw: &str, value: &str, start: usize) -> Option<Vec<Run>> {
    let (mut in_value, mut in_raw) = (0, 0);
    let mut runs = Vec::new();
    for piece in value.split_inclusive(char::is_whitespace) {
        let run = piece.trim_end();
        if !run.is_empty() {
            let gap = raw.get(in_raw..)?.find(run)?;
            let at = in_raw + gap;
            // What is more than white space or the opening quote would be an escape.
            let between = raw.get(in_raw..at)?.trim();
            let is_opening = runs.is_empty() && matches!(between, "\"" | "'");
            if !(between.is_empty() || is_opening) {
                return None;
            }
            runs.push(Run { in_value, in_file: start + at, len: run.len() });
            in_raw = at + run.len();
        }
        in_value += piece.len();
    }
    Some(runs)
}

#[cfg(test)]
mod tests {
    use super::ScalarSpans;
    use crate::{
        diagnostic::Diagnostics,
        source::SourceId,
        syntax::yaml::{cursor::YamlCursor, node::Node},
    };

    /// The range in the file of `part` of the value of the only scalar.
    fn place<'t>(text: &'t str, part: &str) -> &'t str {
        let mut problems = Diagnostics::default();
        let mut cursor = YamlCursor::new(SourceId(0), text, &mut problems);
        cursor.next_document().unwrap();
        let Node::Scalar(scalar) = cursor.node().unwrap() else { panic!("{text}") };
        let at = scalar.value.find(part).unwrap();
        let span = ScalarSpans::new(SourceId(0), text, &scalar).span(at..at + part.len());
        text.get(span.start()..span.end()).unwrap()
    }

    #[test]
    fn verbatim_text_is_reported_to_the_byte() {
        for text in [
            "any(a, b\u{fc}, c)",
            "  \"any(a, b\u{fc}, c)\"",
            "'any(a, b\u{fc}, c)'",
            "\u{feff}any(a,\r\n  b\u{fc},\r\n  c)",
            "\"any(a,\n   b\u{fc},\n\n  c)\"",
            "| # a comment with b\u{fc}, in it\n  any(a,\n    b\u{fc},\n  c)\n",
            ">-\n  any(a,\n  b\u{fc},\n  c)\n",
        ] {
            for part in ["any", "a,", "b\u{fc}", "\u{fc}", ",", "c)", ")"] {
                assert_eq!(place(text, part), part, "{text:?}");
            }
        }
    }

    #[test]
    fn text_with_escapes_is_one_place() {
        for text in ["\"a \\u0062 c\"", "'a ''b'' c'", "\"a b \\\n  c\"", "\"a\\tb c\""] {
            assert_eq!(place(text, "c"), text);
        }
    }

    #[test]
    fn a_range_over_lines_goes_from_word_to_word() {
        let text = "|\n  any(\n    a)\n";
        assert_eq!(place(text, "any(\n  a)"), "any(\n    a)");
        assert_eq!(place(text, "\n  a"), "\n    a");
    }
}
