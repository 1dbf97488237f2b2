use std::collections::{HashMap, HashSet};

use crate::{
    diagnostic::{Code, Diagnostic},
    source::{Notation, SourceId, Sources, Span},
    syntax::ast::Item,
};

/// What authors don't want to be told.
pub(super) struct Silence<'s> {
    /// Everywhere.
    everywhere: HashSet<String>,
    /// The files that hold such comments at all.
    files: HashMap<SourceId, (&'s str, &'static str)>,
}

const MARK: &str = "allow:";

impl<'s> Silence<'s> {
    pub(super) fn of(items: &[Item<'_>], sources: &'s Sources) -> Self {
        let lists = items.iter().filter_map(|item| match item {
            Item::Lints(lints) => Some(&lints.value),
            _ => None,
        });
        let everywhere = lists.flatten().map(|code| code.value.clone().into_owned()).collect();
        let files = sources.iter().filter_map(|(id, source)| {
            let text = std::str::from_utf8(&source.bytes).ok()?;
            let marker = match source.notation {
                Notation::Dsl => "//",
                Notation::Yaml => "#",
                Notation::Ndjson | Notation::Csv | Notation::Tests => return None,
            };
            text.contains(MARK).then_some((id, (text, marker)))
        });
        Self { everywhere, files: files.collect() }
    }

    /// Whether a lint is silenced, everywhere or by a comment at the statement or at the place that
    /// is shown.
    pub(super) fn covers(&self, code: Code, statement: Span, diagnostic: &Diagnostic) -> bool {
        let shown = diagnostic.primary.as_ref().map(|label| label.span);
        self.everywhere.contains(code.as_str())
            || self.by_comment(code, statement)
            || shown.is_some_and(|span| self.by_comment(code, span))
    }

    fn by_comment(&self, code: Code, span: Span) -> bool {
        let Some(&(text, marker)) = self.files.get(&span.source) else { return false };
        let (before, after) = (text.get(..span.start()), text.get(span.start()..));
        let (Some(before), Some(after)) = (before, after) else { return false };
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let end = after.find('\n').map_or(text.len(), |at| span.start() + at);
        let own = text.get(start..end).unwrap_or_default();
        let above = text.get(..start).unwrap_or_default().lines().rev();
        let above = above.map(str::trim).take_while(|line| line.starts_with(marker));
        std::iter::once(own).chain(above).any(|line| allows(line, marker, code))
    }
}

/// Whether a comment of the line allows it.
fn allows(line: &str, marker: &str, code: Code) -> bool {
    let mut comments = line.match_indices(marker).map(|(at, _)| line.get(at + marker.len()..));
    comments.any(|comment| {
        let comment = comment.unwrap_or_default().trim_start_matches('/').trim();
        let codes = comment.strip_prefix(MARK).unwrap_or_default();
        codes.split([',', ' ']).any(|word| word == code.as_str())
    })
}
