//! Reports as text for a terminal.

use std::fmt::Write as _;

use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet, renderer::DecorStyle,
};

use super::{
    Report, Severity,
    report::{LocatedDiagnostic, SourceLocation},
};

/// Renders a report for a terminal: each mistake with its line and a caret, and the counts. Empty for an
/// empty report. `colour` adds ANSI styles.
pub fn render_text(report: &Report, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    // Lines come cut to a window already, and a terminal wraps them as it likes.
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(1000);
    let mut out = String::new();
    for found in &report.diagnostics {
        let text = renderer.render(&groups(found));
        let _ = writeln!(out, "{}\n", text.trim_start_matches('\n'));
    }
    if !report.is_empty() {
        out.push_str(&summary_line(report));
    }
    out
}

fn summary_line(report: &Report) -> String {
    let count = |number: usize, one: &str| match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{number} {one}s")),
    };
    let counts = [count(report.errors, "error"), count(report.warnings, "warning")];
    let mut line = counts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if report.left_out > 0 {
        let _ = write!(line, " ({} more than are shown)", report.left_out);
    }
    line.push('\n');
    line
}

fn groups(found: &LocatedDiagnostic) -> Vec<Group<'_>> {
    let level = match found.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.clone().primary_title(printable(&found.message)).id(found.code.as_str());
    let help = found.hint.as_ref().map(|hint| {
        Level::HELP.message(hint.split('\n').map(printable).collect::<Vec<_>>().join("\n"))
    });
    let places = || found.place.iter().chain(&found.others);
    if !places().any(SourceLocation::is_cut) {
        return vec![Group::with_title(title).elements(snippets(found)).elements(help)];
    }
    // annotate-snippets counts the column in what it is given. Where that is not the whole line,
    // the place is an element of its own, which takes a group of its own; the empty group at the
    // front keeps it from drawing a bar between the two.
    let mut groups = vec![Group::with_level(level.clone()), Group::with_title(title)];
    for (at, place) in places().enumerate() {
        let origin =
            Origin::path(printable(&place.file)).line(place.line).char_column(place.column);
        match groups.pop() {
            Some(title) if at == 0 => groups.push(title.element(origin)),
            last => {
                groups.extend(last);
                groups.push(Group::with_level(Level::NOTE).element(origin));
            }
        }
        let level = if at == 0 { level.clone() } else { Level::NOTE };
        let snippet = Snippet::source(&place.source_line).line_start(place.line);
        groups
            .push(Group::with_level(level).element(snippet.annotation(annotation(place, at == 0))));
    }
    if let Some(last) = groups.pop() {
        groups.push(last.elements(help));
    }
    groups
}

/// A snippet for each line that has places, in the order in which the lines come up. A long line
/// has one for each window that is shown of it: carets count within a window.
fn snippets(found: &LocatedDiagnostic) -> Vec<Snippet<'_, Annotation<'_>>> {
    let mut lines: Vec<(&SourceLocation, Vec<Annotation<'_>>)> = Vec::new();
    for (at, place) in found.place.iter().chain(&found.others).enumerate() {
        let mark = annotation(place, at == 0);
        match lines.iter_mut().find(|(line, _)| line.shown() == place.shown()) {
            Some((_, marks)) => marks.push(mark),
            None => lines.push((place, vec![mark])),
        }
    }
    lines
        .into_iter()
        .map(|(place, marks)| {
            Snippet::source(&place.source_line)
                .line_start(place.line)
                .path(printable(&place.file))
                .annotations(marks)
        })
        .collect()
}

fn annotation(place: &SourceLocation, is_first: bool) -> Annotation<'_> {
    let (start, length) = place.caret;
    let kind = if is_first { AnnotationKind::Primary } else { AnnotationKind::Context };
    let mark = kind.span(start..start + length);
    if place.label.is_empty() { mark } else { mark.label(printable(&place.label)) }
}

impl SourceLocation {
    /// The shown line, without the caret.
    fn shown(&self) -> (&str, usize, &str) {
        (&self.file, self.line, &self.source_line)
    }

    /// Whether the column in `source_line` differs from that in the file.
    fn is_cut(&self) -> bool {
        let before = self.source_line.get(..self.caret.0).unwrap_or_default();
        before.chars().count() + 1 != self.column
    }
}

/// The text with characters escaped that control a terminal.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                out.extend(c.escape_unicode());
            }
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}
